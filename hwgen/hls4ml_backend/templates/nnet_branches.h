#ifndef NNET_BRANCHES_H_
#define NNET_BRANCHES_H_

#include "nnet_common.h"

namespace nnet {

struct weighted_add_config {
    static const unsigned n_in = 1;
    static const int gain_a = 1, gain_b = 1;
};

// y[i] = gain_a * a[i] + gain_b * b[i]
template <class a_T, class b_T, class res_T, typename CONFIG_T>
void weighted_add(a_T a[CONFIG_T::n_in], b_T b[CONFIG_T::n_in], res_T y[CONFIG_T::n_in]) {
Value:
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS PIPELINE II=1
        y[i] = CONFIG_T::gain_a * a[i] + CONFIG_T::gain_b * b[i];
    }
}

struct channel_concat_config {
    static const unsigned n_pixels = 1, n_chan_a = 1, n_chan_b = 1;
};

// For each pixel the channels of a, then those of b.
template <class a_T, class b_T, class res_T, typename CONFIG_T>
void channel_concat(a_T a[CONFIG_T::n_pixels * CONFIG_T::n_chan_a],
                    b_T b[CONFIG_T::n_pixels * CONFIG_T::n_chan_b],
                    res_T y[CONFIG_T::n_pixels * (CONFIG_T::n_chan_a + CONFIG_T::n_chan_b)]) {
    const unsigned n_chan = CONFIG_T::n_chan_a + CONFIG_T::n_chan_b;
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
    First:
        for (unsigned c = 0; c < CONFIG_T::n_chan_a; c++) {
            #pragma HLS PIPELINE II=1
            y[p * n_chan + c] = a[p * CONFIG_T::n_chan_a + c];
        }
    Second:
        for (unsigned c = 0; c < CONFIG_T::n_chan_b; c++) {
            #pragma HLS PIPELINE II=1
            y[p * n_chan + CONFIG_T::n_chan_a + c] = b[p * CONFIG_T::n_chan_b + c];
        }
    }
}

struct pixel_upsample_config {
    static const unsigned in_h = 1, in_w = 1, out_h = 1, out_w = 1, n_chan = 1;
    static const unsigned factor_h = 1, factor_w = 1;
    static const bool apart = false; // fill lies between the pixels; else they are repeated
    static const int fill = 0;
};

// Each pixel factor_h * factor_w times, or once and fill around it.
template <class data_T, class res_T, typename CONFIG_T>
void pixel_upsample(data_T x[CONFIG_T::in_h * CONFIG_T::in_w * CONFIG_T::n_chan],
                    res_T y[CONFIG_T::out_h * CONFIG_T::out_w * CONFIG_T::n_chan]) {
Row:
    for (unsigned r = 0; r < CONFIG_T::out_h; r++) {
    Column:
        for (unsigned q = 0; q < CONFIG_T::out_w; q++) {
            const bool between = r % CONFIG_T::factor_h != 0 || q % CONFIG_T::factor_w != 0;
            const unsigned at = r / CONFIG_T::factor_h * CONFIG_T::in_w + q / CONFIG_T::factor_w;
        Channel:
            for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
                #pragma HLS PIPELINE II=1
                if (CONFIG_T::apart && between)
                    y[(r * CONFIG_T::out_w + q) * CONFIG_T::n_chan + c] = CONFIG_T::fill;
                else
                    y[(r * CONFIG_T::out_w + q) * CONFIG_T::n_chan + c] = x[at * CONFIG_T::n_chan + c];
            }
        }
    }
}

} // namespace nnet

#endif
