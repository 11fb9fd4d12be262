// The entry points of the products, each in two tilings: module gemm.ptx, which is not loaded where cuBLAS multiplies.
// mlpcuda.compute.cuda.PtxGemm launches them with these parameters in this order.
#include "gemm.cuh"

#define ENTRY(name, tiles) extern "C" __global__ void __launch_bounds__(op::tiles::THREADS) name

// __restrict__, so that a bias need not be read again after each store.
#define LINEAR_FORWARD(name, tiles)                                                                           \
  ENTRY(name, tiles)(float *__restrict__ y, const float *__restrict__ x, const float *__restrict__ w,         \
                     const float *__restrict__ b, int B, int I, int O, int activation) {                      \
    op::linear_forward<op::tiles>(y, x, w, b, B, I, O, activation);                                           \
  }

#define LINEAR_BACKWARD_WEIGHTS(name, tiles)                                                                  \
  ENTRY(name, tiles)(float *__restrict__ dw, const float *__restrict__ dy, const float *__restrict__ x, int B, \
                     int I, int O) {                                                                          \
    op::linear_backward_weights<op::tiles>(dw, dy, x, B, I, O);                                               \
  }

#define LINEAR_BACKWARD_INPUTS(name, tiles)                                                                   \
  ENTRY(name, tiles)(float *__restrict__ dx, const float *__restrict__ dy, const float *__restrict__ x,       \
                     const float *__restrict__ w, int B, int I, int O, int below) {                           \
    op::linear_backward_inputs<op::tiles>(dx, dy, x, w, B, I, O, below);                                      \
  }

LINEAR_FORWARD(linear_forward_small, Small)
LINEAR_FORWARD(linear_forward_large, Large)
LINEAR_BACKWARD_WEIGHTS(linear_backward_weights_small, Small)
LINEAR_BACKWARD_WEIGHTS(linear_backward_weights_large, Large)
LINEAR_BACKWARD_INPUTS(linear_backward_inputs_small, Small)
LINEAR_BACKWARD_INPUTS(linear_backward_inputs_large, Large)
