// Rounded operands in memory, for cuBLAS, which multiplies those that it is given. Without the conversions of compute
// capability 8.0: module layers.ptx is for 7.5.
#pragma once

#include "precision.cuh"

namespace op {

// To nearest even.
__device__ inline unsigned short half_bits(float x) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}

// To nearest even: what is dropped carries on into what stays.
__device__ inline unsigned short brain_bits(float x) {
  unsigned bits = __float_as_uint(x);
  return x != x ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// To nearest, ties away from zero.
__device__ inline float tf32(float x) {
  return isfinite(x) ? __uint_as_float((__float_as_uint(x) + 0x1000) & 0xffffe000) : x;
}

// Both operands of a product: to_a (n_a) and to_b (n_b) = a and b, rounded: to floats for TF32, to 16 bits for BF16 and
// FP16. One thread an element of each.
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
