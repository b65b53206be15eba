#ifndef NNET_MAX_OF_TAPS_H_
#define NNET_MAX_OF_TAPS_H_

#include "nnet_common.h"

namespace nnet {

struct max_of_taps_config {
    static const unsigned n_pixels = 1, n_chan = 1, n_taps = 1;
};

// y[p][c] = max over taps k of x[p][k][c]
template <class data_T, class res_T, typename CONFIG_T>
void max_of_taps(data_T x[CONFIG_T::n_pixels * CONFIG_T::n_taps * CONFIG_T::n_chan],
                 res_T y[CONFIG_T::n_pixels * CONFIG_T::n_chan]) {
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
    Channel:
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            #pragma HLS PIPELINE II=1
            data_T largest = x[p * CONFIG_T::n_taps * CONFIG_T::n_chan + c];
        Tap:
            for (unsigned k = 1; k < CONFIG_T::n_taps; k++) {
                #pragma HLS UNROLL
                data_T value = x[(p * CONFIG_T::n_taps + k) * CONFIG_T::n_chan + c];
                if (value > largest)
                    largest = value;
            }
            y[p * CONFIG_T::n_chan + c] = largest;
        }
    }
}

} // namespace nnet

#endif
