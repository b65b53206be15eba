#ifndef NNET_MULTI_THRESHOLD_H_
#define NNET_MULTI_THRESHOLD_H_

#include "nnet_common.h"

namespace nnet {

struct multi_threshold_config {
    static const unsigned n_pixels = 1, n_chan = 1;
    static const unsigned n_levels = 1;
    static const int base = 0;
    typedef ap_int<8> threshold_t; // holds every x as well, so that the comparison is exact
};

// y[p][c] = base + number of levels k with x[p][c] >= thresholds[c][k]
template <class data_T, class res_T, typename CONFIG_T>
void multi_threshold(data_T x[CONFIG_T::n_pixels * CONFIG_T::n_chan], res_T y[CONFIG_T::n_pixels * CONFIG_T::n_chan],
                     typename CONFIG_T::threshold_t thresholds[CONFIG_T::n_chan * CONFIG_T::n_levels]) {
    #pragma HLS ARRAY_RESHAPE variable=thresholds cyclic factor=CONFIG_T::n_levels
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
    Channel:
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            #pragma HLS PIPELINE II=1
            typename CONFIG_T::threshold_t value = x[p * CONFIG_T::n_chan + c];
            ap_uint<nnet::ceillog2(CONFIG_T::n_levels + 1)> count = 0;
        Level:
            for (unsigned k = 0; k < CONFIG_T::n_levels; k++) {
                #pragma HLS UNROLL
                if (value >= thresholds[c * CONFIG_T::n_levels + k])
                    count++;
            }
            y[p * CONFIG_T::n_chan + c] = count + ap_int<32>(CONFIG_T::base);
        }
    }
}

} // namespace nnet

#endif
