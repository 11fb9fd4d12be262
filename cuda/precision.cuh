// What the operands of products are rounded to. Their sums are single precision whatever this is.
//
// Each precision is a module of its own, made of the same sources with MODULE_PRECISION defined: a driver compiles only
// what runs. All but FP32 need compute capability 8.0.
#pragma once

#ifndef MODULE_PRECISION
#define MODULE_PRECISION FP32
#endif

namespace op {

// The order of mlpcuda.compute.Precision.
enum Precision { FP32, TF32, BF16, FP16 };

// How many operands that are neighbours along K lie in 32 bits of shared memory.
template <Precision P>
constexpr int PACKED = P == BF16 || P == FP16 ? 2 : 1;

// PACKED operands in 32 bits, the first of them lowest.
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

// x as an operand is, for products that are made one by one: those of rounded operands are exact in single precision.
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

}  // namespace op
