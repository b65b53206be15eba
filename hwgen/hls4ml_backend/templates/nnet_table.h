#ifndef NNET_TABLE_H_
#define NNET_TABLE_H_

#include "nnet_common.h"

namespace nnet {

struct table_config {
    static const unsigned n_pixels = 1, n_chan = 1, n_rows = 1, n_entries = 1;
    static const int lo = 0; // the x of the first entry
    typedef ap_int<8> table_t;
};

// y[p][c] = table[c][x[p][c] - lo]; one row serves all channels
template <class data_T, class res_T, typename CONFIG_T>
void table(data_T x[CONFIG_T::n_pixels * CONFIG_T::n_chan], res_T y[CONFIG_T::n_pixels * CONFIG_T::n_chan],
           typename CONFIG_T::table_t entries[CONFIG_T::n_rows * CONFIG_T::n_entries]) {
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
    Channel:
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            #pragma HLS PIPELINE II=1
            const int row = CONFIG_T::n_rows > 1 ? c : 0;
            const int at = x[p * CONFIG_T::n_chan + c].to_int() - CONFIG_T::lo;
            y[p * CONFIG_T::n_chan + c] = entries[row * CONFIG_T::n_entries + at];
        }
    }
}

} // namespace nnet

#endif
