// The entry points of the products, each in four tilings: module gemm.ptx, and gemm_tf32.ptx, gemm_bf16.ptx and
// gemm_fp16.ptx for operands of less precision. No such module is loaded where cuBLAS multiplies.
// mlpcuda.compute.cuda.PtxGemm launches them with these parameters in this order.
#include "gemm.cuh"

using Tilings = op::Tilings<op::MODULE_PRECISION>;

#define ENTRY(name, tiles) \
  extern "C" __global__ void __launch_bounds__(Tilings::tiles::THREADS, op::BLOCKS<Tilings::tiles>) name

// The pointers have __restrict__, so that a bias need not be read again after each store.
#define LINEAR_FORWARD(name, tiles)                                                                           \
  ENTRY(name, tiles)(float *__restrict__ y, const float *__restrict__ x, const float *__restrict__ w,         \
                     const float *__restrict__ b, int B, int I, int O, int activation) {                      \
    op::linear_forward<Tilings::tiles>(y, x, w, b, B, I, O, activation);                                      \
  }

#define LINEAR_BACKWARD_WEIGHTS(name, tiles)                                                                  \
  ENTRY(name, tiles)(float *__restrict__ dw, const float *__restrict__ dy, const float *__restrict__ x, int B, \
                     int I, int O, int share) {                                                               \
    op::linear_backward_weights<Tilings::tiles>(dw, dy, x, B, I, O, share);                                   \
  }

#define LINEAR_BACKWARD_INPUTS(name, tiles)                                                                   \
  ENTRY(name, tiles)(float *__restrict__ dx, const float *__restrict__ dy, const float *__restrict__ x,       \
                     const float *__restrict__ w, int B, int I, int O, int below) {                           \
    op::linear_backward_inputs<Tilings::tiles>(dx, dy, x, w, B, I, O, below);                                 \
  }

LINEAR_FORWARD(linear_forward_thin, Thin)
LINEAR_FORWARD(linear_forward_small, Small)
LINEAR_FORWARD(linear_forward_medium, Medium)
LINEAR_FORWARD(linear_forward_large, Large)
LINEAR_BACKWARD_WEIGHTS(linear_backward_weights_thin, Thin)
LINEAR_BACKWARD_WEIGHTS(linear_backward_weights_small, Small)
LINEAR_BACKWARD_WEIGHTS(linear_backward_weights_medium, Medium)
LINEAR_BACKWARD_WEIGHTS(linear_backward_weights_large, Large)
LINEAR_BACKWARD_INPUTS(linear_backward_inputs_thin, Thin)
LINEAR_BACKWARD_INPUTS(linear_backward_inputs_small, Small)
LINEAR_BACKWARD_INPUTS(linear_backward_inputs_medium, Medium)
LINEAR_BACKWARD_INPUTS(linear_backward_inputs_large, Large)

extern "C" __global__ void __launch_bounds__(256) add_parts(float *sum, const float *parts, int n, int P) {
  op::add_parts(sum, parts, n, P);
}
