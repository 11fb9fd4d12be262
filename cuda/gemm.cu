// The entry points of the products, each in several tilings: module gemm.ptx, and gemm_tf32.ptx, gemm_bf16.ptx and
// gemm_fp16.ptx for operands of less precision. No such module is loaded where cuBLAS multiplies.
// mlpcuda.compute.cuda.PtxGemm launches them with these parameters in this order.
//
// The modules for less precision differ in two ways: outputs that become operands have a rounded copy, `copy`, which
// may be null; and there are entries _async for operands that lie in memory rounded, the only ones with large tiles.
// Large tiles of single precision are in modules of their own: see large.cu.
#include "gemm.cuh"
#include "tensor_async.cuh"

using Tilings = op::Tilings<op::MODULE_PRECISION>;
using AsyncTilings = op::AsyncTilings<op::MODULE_PRECISION>;

#define PASTE(left, right) left##right
#define IS(precision) PASTE(IS_, precision)
#define IS_FP32 1
#if IS(MODULE_PRECISION)
#define COPY
#define KEPT nullptr
#else
#define COPY void *__restrict__ copy,
#define KEPT copy
#endif

#define ENTRY(name, tiles) extern "C" __global__ void __launch_bounds__(tiles::THREADS) name

// The pointers have __restrict__, so that a bias need not be read again after each store.
#define LINEAR_FORWARD(name, tiles)                                                                           \
  ENTRY(name, Tilings::tiles)(float *__restrict__ y, COPY const float *__restrict__ x,                        \
                              const float *__restrict__ w, const float *__restrict__ b, int B, int I, int O,  \
                              int activation) {                                                               \
    op::linear_forward<Tilings::tiles>(y, KEPT, x, w, b, B, I, O, activation);                                \
  }

#define LINEAR_BACKWARD_WEIGHTS(name, tiles)                                                                  \
  ENTRY(name, Tilings::tiles)(float *__restrict__ dw, const float *__restrict__ dy,                           \
                              const float *__restrict__ x, int B, int I, int O, int share) {                  \
    op::linear_backward_weights<Tilings::tiles>(dw, dy, x, B, I, O, share);                                   \
  }

#define LINEAR_BACKWARD_INPUTS(name, tiles)                                                                   \
  ENTRY(name, Tilings::tiles)(float *__restrict__ dx, COPY const float *__restrict__ dy,                      \
                              const float *__restrict__ x, const float *__restrict__ w, int B, int I, int O,  \
                              int below) {                                                                    \
    op::linear_backward_inputs<Tilings::tiles>(dx, KEPT, dy, x, w, B, I, O, below);                           \
  }

LINEAR_FORWARD(linear_forward_thin, Thin)
LINEAR_FORWARD(linear_forward_small, Small)
LINEAR_FORWARD(linear_forward_medium, Medium)
LINEAR_BACKWARD_WEIGHTS(linear_backward_weights_thin, Thin)
LINEAR_BACKWARD_WEIGHTS(linear_backward_weights_small, Small)
LINEAR_BACKWARD_WEIGHTS(linear_backward_weights_medium, Medium)
LINEAR_BACKWARD_INPUTS(linear_backward_inputs_thin, Thin)
LINEAR_BACKWARD_INPUTS(linear_backward_inputs_small, Small)
LINEAR_BACKWARD_INPUTS(linear_backward_inputs_medium, Medium)

#if !IS(MODULE_PRECISION)
#define LINEAR_FORWARD_ASYNC(name, tiles)                                                                     \
  ENTRY(name, AsyncTilings::tiles)(float *__restrict__ y, void *__restrict__ copy, const void *__restrict__ x, \
                                   const void *__restrict__ w, const float *__restrict__ b, int B, int I,     \
                                   int O, int activation) {                                                   \
    op::linear_forward_async<AsyncTilings::tiles>(y, copy, x, w, b, B, I, O, activation);                     \
  }

#define LINEAR_BACKWARD_WEIGHTS_ASYNC(name, tiles)                                                            \
  ENTRY(name, AsyncTilings::tiles)(float *__restrict__ dw, const void *__restrict__ dy,                       \
                                   const void *__restrict__ x, int B, int I, int O, int share) {              \
    op::linear_backward_weights_async<AsyncTilings::tiles>(dw, dy, x, B, I, O, share);                        \
  }

#define LINEAR_BACKWARD_INPUTS_ASYNC(name, tiles)                                                             \
  ENTRY(name, AsyncTilings::tiles)(float *__restrict__ dx, void *__restrict__ copy,                           \
                                   const void *__restrict__ dy, const float *__restrict__ x,                  \
                                   const void *__restrict__ w, int B, int I, int O, int below) {              \
    op::linear_backward_inputs_async<AsyncTilings::tiles>(dx, copy, dy, x, w, B, I, O, below);                \
  }

LINEAR_FORWARD_ASYNC(linear_forward_medium_async, Medium)
LINEAR_FORWARD_ASYNC(linear_forward_large_async, Large)
LINEAR_BACKWARD_WEIGHTS_ASYNC(linear_backward_weights_medium_async, Medium)
LINEAR_BACKWARD_WEIGHTS_ASYNC(linear_backward_weights_large_async, Large)
LINEAR_BACKWARD_INPUTS_ASYNC(linear_backward_inputs_medium_async, Medium)
LINEAR_BACKWARD_INPUTS_ASYNC(linear_backward_inputs_large_async, Large)
#endif

extern "C" __global__ void __launch_bounds__(256) add_parts(float *sum, const float *parts, int n, int P) {
  op::add_parts(sum, parts, n, P);
}
