#ifndef NNET_REQUANT_H_
#define NNET_REQUANT_H_

#include "nnet_common.h"

namespace nnet {

struct requant_config {
    static const unsigned n_pixels = 1, n_chan = 1;
    static const unsigned shift = 0;
    static const bool half_even = false; // else floor
    static const int lo = 0;
    static const int hi = 0;
    typedef ap_int<8> multiplier_t;
    typedef ap_int<8> bias_t;
    typedef ap_int<16> scaled_t; // holds multiplier * x + bias and the rounding, exactly
};

// y[p][c] = clamp(round((multiplier[c] * x[p][c] + bias[c]) / 2^shift), lo, hi)
template <class data_T, class res_T, typename CONFIG_T>
void requant(data_T x[CONFIG_T::n_pixels * CONFIG_T::n_chan], res_T y[CONFIG_T::n_pixels * CONFIG_T::n_chan],
             typename CONFIG_T::multiplier_t multiplier[CONFIG_T::n_chan],
             typename CONFIG_T::bias_t bias[CONFIG_T::n_chan]) {
    typedef typename CONFIG_T::scaled_t scaled_t;
Value:
    for (unsigned i = 0; i < CONFIG_T::n_pixels * CONFIG_T::n_chan; i++) {
        #pragma HLS PIPELINE II=1
        const unsigned c = i % CONFIG_T::n_chan;
        scaled_t scaled = multiplier[c] * x[i];
        scaled += bias[c];
        if (CONFIG_T::half_even && CONFIG_T::shift > 0) {
            // A tie goes up only from an odd quotient.
            scaled_t quotient = scaled >> CONFIG_T::shift;
            scaled += (scaled_t(1) << CONFIG_T::shift) / 2 - 1;
            if (quotient[0])
                scaled += 1;
        }
        scaled >>= CONFIG_T::shift;
        if (scaled < CONFIG_T::lo)
            scaled = CONFIG_T::lo;
        if (scaled > CONFIG_T::hi)
            scaled = CONFIG_T::hi;
        y[i] = scaled;
    }
}

} // namespace nnet

#endif
