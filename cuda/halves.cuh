// Operands of 16 bits in memory, for cuBLAS, which multiplies those that it is given.
#pragma once

#include "precision.cuh"

namespace op {

// To nearest even. Without the conversion of compute capability 8.0: module layers.ptx is for 7.5.
__device__ inline unsigned short half_bits(float x, int precision) {
  unsigned short bits;
  if (precision == FP16) {
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  } else {
    unsigned all = __float_as_uint(x);
    bits = x != x ? 0x7fff : (all + 0x7fff + (all >> 16 & 1)) >> 16;
  }
  return bits;
}

// Both operands of a product: a16 (n_a) and b16 (n_b) = a and b, rounded to BF16 or FP16. One thread an element of each.
__device__ inline void round_operands(unsigned short *a16, unsigned short *b16, const float *a, const float *b, int n_a,
                                      int n_b, int precision) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n_a) {
    a16[i] = half_bits(a[i], precision);
  }
  if (i < n_b) {
    b16[i] = half_bits(b[i], precision);
  }
}

}  // namespace op
