// Gradient clipping by the norm of all gradients at once, as torch.nn.utils.clip_grad_norm_: dw *= min(1, limit / (norm
// + 1e-6)). Before that, gradients are divided by the loss scale, if there is one. If the norm is not finite then, the
// step is marked as skipped, and the gradients are left as they are.
//
// There are two launches and no atomics: each block of the first launch stores its part of the norm, and each block of
// the second one adds up all parts for itself, in the same order. Squares are summed in double: they do not overflow,
// and small squares are not lost in a long sum. That costs no time, because both launches wait for memory.
#pragma once

#include "reduce.cuh"
#include "scaling.cuh"

namespace op {

// Stores in norm[1 + block] the norm of the block's share of dw (n). Blocks must have whole warps.
__device__ inline void partial_norms(float *norm, const float *dw, int n) {
  __shared__ double partial[WARP];
  double mine = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    mine += double(dw[i]) * dw[i];
  }
  double all = block_sum(mine, partial);
  if (threadIdx.x == 0) {
    norm[1 + blockIdx.x] = float(sqrt(all));
  }
}

// Stores in norm[0] the norm of norm[1 .. P], divided by the loss scale; divides dw (n) by the loss scale, and clips it
// by that norm. Blocks must have whole warps.
__device__ inline void clip_norm(float *dw, float *norm, LossScale *scaling, int n, int P, float limit) {
  __shared__ double partial[WARP];
  __shared__ float factor;
  double mine = 0;
  for (unsigned p = threadIdx.x; p < P; p += blockDim.x) {
    mine += double(norm[1 + p]) * norm[1 + p];
  }
  double all = block_sum(mine, partial);
  if (threadIdx.x == 0) {
    float scale = scale_of(scaling);
    float whole = float(sqrt(all) / scale);
    float coefficient = limit / (whole + 1e-6f);
    factor = (coefficient >= 1 ? 1 : coefficient) / scale;  // a NaN stays a NaN
    bool skipped = scaling != nullptr && !isfinite(whole);
    if (skipped) {
      factor = 1;
    }
    if (blockIdx.x == 0) {
      norm[0] = whole;
      if (scaling != nullptr) {
        scaling->skips = skipped;
      }
    }
  }
  __syncthreads();
  if (factor == 1) {
    return;
  }
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    dw[i] *= factor;
  }
}

}  // namespace op
