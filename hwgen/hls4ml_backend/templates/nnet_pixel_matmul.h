#ifndef NNET_PIXEL_MATMUL_H_
#define NNET_PIXEL_MATMUL_H_

#include "nnet_common.h"

namespace nnet {

struct pixel_matmul_config {
    static const unsigned n_pixels = 1, n_in = 1, n_out = 1; // of one pixel
    typedef ap_int<8> weight_t;
    typedef ap_int<32> accum_t; // holds every sum
};

// y[p] = weights . x[p] for each pixel p
template <class data_T, class res_T, typename CONFIG_T>
void pixel_matmul(data_T x[CONFIG_T::n_pixels * CONFIG_T::n_in], res_T y[CONFIG_T::n_pixels * CONFIG_T::n_out],
                  typename CONFIG_T::weight_t weights[CONFIG_T::n_in * CONFIG_T::n_out]) {
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=CONFIG_T::n_in
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
    Output:
        for (unsigned j = 0; j < CONFIG_T::n_out; j++) {
            #pragma HLS PIPELINE II=1
            typename CONFIG_T::accum_t sum = 0;
        Input:
            for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
                #pragma HLS UNROLL
                sum += weights[j * CONFIG_T::n_in + i] * x[p * CONFIG_T::n_in + i];
            }
            y[p * CONFIG_T::n_out + j] = sum;
        }
    }
}

} // namespace nnet

#endif
