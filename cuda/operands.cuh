// Rounds operands in memory for cuBLAS, which does not round them itself. The rounding is computed on the bits, because
// module layers.ptx is for compute capability 7.5, and the conversion instructions need 8.0.
#pragma once

#include "precision.cuh"

namespace op {

// Rounds to the nearest half, ties to even.
__device__ inline unsigned short half_bits(float x) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}

// Rounds to the nearest bfloat16, ties to even: the dropped bits carry into those that stay.
__device__ inline unsigned short brain_bits(float x) {
  unsigned bits = __float_as_uint(x);
  return x != x ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// Rounds to the nearest TF32, ties away from zero.
__device__ inline float tf32(float x) {
  return isfinite(x) ? __uint_as_float((__float_as_uint(x) + 0x1000) & 0xffffe000) : x;
}

// Rounds both operands of a product: to_a (n_a) from a, and to_b (n_b) from b; to floats for TF32, and to 16 bits for
// BF16 and FP16. Each thread has one element of each.
__device__ inline void round_operands(void *to_a, void *to_b, const float *a, const float *b, int n_a, int n_b,
                                      int precision) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  auto round = [=](void *to, const float *from) {
    float x = from[i];
    switch (precision) {
      case TF32: static_cast<float *>(to)[i] = tf32(x); break;
      case BF16: static_cast<unsigned short *>(to)[i] = brain_bits(x); break;
      default: static_cast<unsigned short *>(to)[i] = half_bits(x);
    }
  };
  if (i < n_a) {
    round(to_a, a);
  }
  if (i < n_b) {
    round(to_b, b);
  }
}

}  // namespace op
