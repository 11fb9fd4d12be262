// Gradient clipping by the norm of all gradients at once, as torch.nn.utils.clip_grad_norm_: dw *= min(1, limit / (norm +
// 1e-6)). Before that gradients are divided by the loss scale, if there is one, and judged: a norm that is not finite
// makes the step one that is skipped, and leaves the gradients alone.
//
// Two launches and no atomics: the blocks of the first leave their shares of the norm, and each block of the second puts
// them together for itself, in the same order. Squares are summed in double: they neither overflow nor lose what is small
// beside a long sum, and memory is what both launches wait for anyway.
#pragma once

#include "reduce.cuh"
#include "scaling.cuh"

namespace op {

// norm[1 + block] = the norm of the block's share of dw (n). Blocks of whole warps.
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

// norm[0] = the norm of norm[1 .. P] over the loss scale, and dw (n) is divided by that and clipped by this. Blocks of
// whole warps.
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
    factor = (coefficient >= 1 ? 1 : coefficient) / scale;  // NaN stays NaN
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
