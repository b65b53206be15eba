#ifndef NNET_DEPTHWISE_H_
#define NNET_DEPTHWISE_H_

#include "nnet_common.h"

namespace nnet {

struct depthwise_config {
    static const unsigned n_pixels = 1, n_chan = 1, n_taps = 1;
    typedef ap_int<8> weight_t;
    typedef ap_int<32> accum_t; // holds every sum
};

// y[p][c] = sum over taps k of weights[c][k] * x[p][k][c]
template <class data_T, class res_T, typename CONFIG_T>
void depthwise(data_T x[CONFIG_T::n_pixels * CONFIG_T::n_taps * CONFIG_T::n_chan],
               res_T y[CONFIG_T::n_pixels * CONFIG_T::n_chan],
               typename CONFIG_T::weight_t weights[CONFIG_T::n_chan * CONFIG_T::n_taps]) {
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=CONFIG_T::n_taps
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
    Channel:
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            #pragma HLS PIPELINE II=1
            typename CONFIG_T::accum_t sum = 0;
        Tap:
            for (unsigned k = 0; k < CONFIG_T::n_taps; k++) {
                #pragma HLS UNROLL
                sum += weights[c * CONFIG_T::n_taps + k] * x[(p * CONFIG_T::n_taps + k) * CONFIG_T::n_chan + c];
            }
            y[p * CONFIG_T::n_chan + c] = sum;
        }
    }
}

} // namespace nnet

#endif
