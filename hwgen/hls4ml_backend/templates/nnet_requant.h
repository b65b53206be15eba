#ifndef NNET_REQUANT_H_
#define NNET_REQUANT_H_

#include "nnet_common.h"

namespace nnet {

struct requant_config {
    static const unsigned n_pixels = 1, n_chan = 1;
    static const unsigned shift = 0;
    static const unsigned rounding = 0; // place in hwgen.num.rounding.Rounding
    static const unsigned overflow = 0; // place in hwgen.num.rounding.Overflow
    static const int lo = 0;
    static const int hi = 0;
    typedef ap_int<8> multiplier_t;
    typedef ap_int<8> bias_t;
    typedef ap_int<16> scaled_t; // holds multiplier * x + bias and the rounding, exactly
};

// Round v / 2^shift: each mode is a floor shift after an addition.
template <typename CONFIG_T> typename CONFIG_T::scaled_t requant_round(typename CONFIG_T::scaled_t v) {
    typedef typename CONFIG_T::scaled_t scaled_t;
    if (CONFIG_T::shift > 0 && CONFIG_T::rounding != 0) {
        const scaled_t one = scaled_t(1) << CONFIG_T::shift;
        const bool negative = v < 0;
        const scaled_t quotient = v >> CONFIG_T::shift;
        if (CONFIG_T::rounding == 2) { // towards zero
            if (negative)
                v += one - 1;
        } else { // to the nearest; a tie goes up from an odd quotient, away from zero, to zero
            const bool up = CONFIG_T::rounding == 1 ? bool(quotient[0]) : (CONFIG_T::rounding == 3) != negative;
            v += one / 2 - 1;
            if (up)
                v += 1;
        }
    }
    return v >> CONFIG_T::shift;
}

// y[p][c] = confine(round((multiplier[c] * x[p][c] + bias[c]) / 2^shift), lo, hi)
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
        scaled = requant_round<CONFIG_T>(scaled);
        const bool below = scaled < CONFIG_T::lo, above = scaled > CONFIG_T::hi;
        if (CONFIG_T::overflow == 0 && below)
            scaled = CONFIG_T::lo;
        if (CONFIG_T::overflow == 0 && above)
            scaled = CONFIG_T::hi;
        if (CONFIG_T::overflow == 2 && (below || above))
            scaled = 0;
        y[i] = scaled; // the lowest bits: overflow 1 wraps
    }
}

} // namespace nnet

#endif
