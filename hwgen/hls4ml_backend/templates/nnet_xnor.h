#ifndef NNET_XNOR_H_
#define NNET_XNOR_H_

#include "nnet_common.h"

namespace nnet {

struct xnor_config {
    static const unsigned n_pixels = 1, n_in = 1, n_out = 1; // of one pixel
};

// y[p][j] = number of inputs i with x[p][i] == weights[j][i]
template <class data_T, class res_T, typename CONFIG_T>
void xnor_popcount(data_T x[CONFIG_T::n_pixels * CONFIG_T::n_in], res_T y[CONFIG_T::n_pixels * CONFIG_T::n_out],
                   ap_uint<1> weights[CONFIG_T::n_in * CONFIG_T::n_out]) {
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=CONFIG_T::n_in
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
    Output:
        for (unsigned j = 0; j < CONFIG_T::n_out; j++) {
            #pragma HLS PIPELINE II=1
            res_T count = 0;
        Input:
            for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
                #pragma HLS UNROLL
                if (x[p * CONFIG_T::n_in + i] == weights[j * CONFIG_T::n_in + i])
                    count++;
            }
            y[p * CONFIG_T::n_out + j] = count;
        }
    }
}

} // namespace nnet

#endif
