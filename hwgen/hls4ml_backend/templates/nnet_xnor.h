#ifndef NNET_XNOR_H_
#define NNET_XNOR_H_

#include "nnet_common.h"

namespace nnet {

struct xnor_config {
    static const unsigned n_in = 1;
    static const unsigned n_out = 1;
};

// y[j] = number of inputs i with x[i] == weights[j][i]
template <class data_T, class res_T, typename CONFIG_T>
void xnor_popcount(data_T x[CONFIG_T::n_in], res_T y[CONFIG_T::n_out],
                   ap_uint<1> weights[CONFIG_T::n_in * CONFIG_T::n_out]) {
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=CONFIG_T::n_in
Output:
    for (unsigned j = 0; j < CONFIG_T::n_out; j++) {
        #pragma HLS PIPELINE II=1
        res_T count = 0;
    Input:
        for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
            #pragma HLS UNROLL
            if (x[i] == weights[j * CONFIG_T::n_in + i])
                count++;
        }
        y[j] = count;
    }
}

} // namespace nnet

#endif
