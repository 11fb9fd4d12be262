// The precisions to which the operands of products are rounded. Sums are in single precision with each of them.
//
// Each precision has a module of its own, made of the same sources with MODULE_PRECISION defined, so that a driver
// compiles only the one that runs. All but FP32 need compute capability 8.0.
#pragma once

#ifndef MODULE_PRECISION
#define MODULE_PRECISION FP32
#endif

namespace op {

// The precisions, in the order of mlpcuda.compute.Precision.
enum Precision { FP32, TF32, BF16, FP16 };

// The number of operands, neighbours along K, that lie in 32 bits of shared memory.
template <Precision P>
constexpr int PACKED = P == BF16 || P == FP16 ? 2 : 1;

// Packs PACKED operands into 32 bits, the first one lowest.
template <Precision P>
__device__ inline unsigned packed(const float (&x)[PACKED<P>]) {
  unsigned bits;
  if constexpr (P == FP32) {
    bits = __float_as_uint(x[0]);
  } else if constexpr (P == TF32) {
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x[0]));
  } else if constexpr (P == BF16) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(x[1]), "f"(x[0]));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(x[1]), "f"(x[0]));
  }
  return bits;
}

// Returns x rounded as an operand, for products that are computed one by one: a product of two rounded operands is
// exact in single precision.
template <Precision P>
__device__ inline float rounded(float x) {
  if constexpr (P == FP32) {
    return x;
  } else if constexpr (P == TF32) {
    return __uint_as_float(packed<P>({x}));
  } else {
    unsigned short bits;
    float back;
    if constexpr (P == BF16) {
      asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
      back = __uint_as_float(unsigned(bits) << 16);
    } else {
      asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
      asm("cvt.f32.f16 %0, %1;" : "=f"(back) : "h"(bits));
    }
    return back;
  }
}

// Writes x, rounded as an operand, to element `at` of a copy in memory: 16 bits, or a float for TF32.
template <Precision P>
__device__ inline void keep_rounded(void *copy, size_t at, float x) {
  if constexpr (PACKED<P> == 2) {
    static_cast<unsigned short *>(copy)[at] = packed<P>({x, 0});
  } else {
    static_cast<float *>(copy)[at] = rounded<P>(x);
  }
}

}  // namespace op
