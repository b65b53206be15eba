#ifndef NNET_ARGMAX_H_
#define NNET_ARGMAX_H_

#include "nnet_common.h"

namespace nnet {

struct argmax_config {
    static const unsigned n_in = 1;
};

// y[0] = index of the first largest element
template <class data_T, class res_T, typename CONFIG_T> void argmax(data_T x[CONFIG_T::n_in], res_T y[1]) {
    data_T best = x[0];
    unsigned index = 0;
Element:
    for (unsigned i = 1; i < CONFIG_T::n_in; i++) {
        #pragma HLS PIPELINE II=1
        if (x[i] > best) {
            best = x[i];
            index = i;
        }
    }
    y[0] = index;
}

} // namespace nnet

#endif
