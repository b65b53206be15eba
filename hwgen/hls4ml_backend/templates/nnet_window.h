#ifndef NNET_WINDOW_H_
#define NNET_WINDOW_H_

#include "nnet_common.h"

namespace nnet {

struct window_config {
    static const unsigned in_h = 1, in_w = 1, n_chan = 1; // a sequence is an image of width 1
    static const unsigned out_h = 1, out_w = 1, n_in = 1, n_out = 1;
    static const unsigned kernel_h = 1, kernel_w = 1;
    static const int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
    static const int pad_top = 0, pad_left = 0;
    static const int pad = 0; // what lies outside the image
};

// For each output pixel the values under the kernel: kernel rows, kernel columns, channels.
template <class data_T, class res_T, typename CONFIG_T>
void window(data_T x[CONFIG_T::n_in], res_T y[CONFIG_T::n_out]) {
    unsigned at = 0;
Row:
    for (int oy = 0; oy < int(CONFIG_T::out_h); oy++) {
    Column:
        for (int ox = 0; ox < int(CONFIG_T::out_w); ox++) {
        KernelRow:
            for (int ky = 0; ky < int(CONFIG_T::kernel_h); ky++) {
            KernelColumn:
                for (int kx = 0; kx < int(CONFIG_T::kernel_w); kx++) {
                    const int iy = oy * CONFIG_T::stride_h + ky * CONFIG_T::dilation_h - CONFIG_T::pad_top;
                    const int ix = ox * CONFIG_T::stride_w + kx * CONFIG_T::dilation_w - CONFIG_T::pad_left;
                    const bool inside = iy >= 0 && iy < int(CONFIG_T::in_h) && ix >= 0 && ix < int(CONFIG_T::in_w);
                Channel:
                    for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
                        #pragma HLS PIPELINE II=1
                        if (inside)
                            y[at] = x[(iy * CONFIG_T::in_w + ix) * CONFIG_T::n_chan + c];
                        else
                            y[at] = CONFIG_T::pad;
                        at++;
                    }
                }
            }
        }
    }
}

} // namespace nnet

#endif
