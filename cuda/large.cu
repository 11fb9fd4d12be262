// The entry points of products in single precision with large tiles: module large.ptx for compute capability 7.5, and
// module large_async.ptx for 8.0 and newer, whose copies to shared memory pass the registers. Both give the same bits.
// mlpcuda.compute.cuda.PtxGemm launches them with these parameters in this order. No such module is loaded where cuBLAS
// multiplies.
#include "gemm.cuh"

#define ENTRY extern "C" __global__ void __launch_bounds__(op::LargeTiles::THREADS, op::LARGE_BLOCKS)

ENTRY linear_forward_large(float *__restrict__ y, const float *__restrict__ x, const float *__restrict__ w,
                           const float *__restrict__ b, int B, int I, int O, int activation) {
  op::linear_forward<op::LargeTiles>(y, nullptr, x, w, b, B, I, O, activation);
}

ENTRY linear_backward_weights_large(float *__restrict__ dw, const float *__restrict__ dy, const float *__restrict__ x,
                                    int B, int I, int O, int share) {
  op::linear_backward_weights<op::LargeTiles>(dw, dy, x, B, I, O, share);
}

ENTRY linear_backward_inputs_large(float *__restrict__ dx, const float *__restrict__ dy, const float *__restrict__ x,
                                   const float *__restrict__ w, int B, int I, int O, int below) {
  op::linear_backward_inputs<op::LargeTiles>(dx, nullptr, dy, x, w, B, I, O, below);
}
