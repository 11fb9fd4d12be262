// Rounded copies of buffers, which products read in place of them: cuBLAS does not round operands itself, and a kernel of
// ours that loads them rounded loads fewer bytes and converts nothing. A kernel that writes a buffer writes its copy,
// too. The rounding is computed on the bits, because module layers.ptx is for compute capability 7.5, and the conversion
// instructions need 8.0.
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

__device__ inline bool aligned(const void *p, unsigned bytes) {
  return reinterpret_cast<unsigned long long>(p) % bytes == 0;
}

// The rounded copy of some floats, in their order: floats for TF32, and 16 bits for BF16 and FP16. Where there is no
// copy, nothing is stored. The copy of a whole buffer begins as well aligned as the buffer itself, so that four elements
// that begin at a multiple of 16 bytes in the buffer can be stored at once in the copy.
struct RoundedCopy {
  void *elements;  // null: there is no copy
  int precision;

  // Stores element i.
  __device__ void store(size_t i, float x) const {
    if (elements == nullptr) {
      return;
    }
    if (precision == TF32) {
      static_cast<float *>(elements)[i] = tf32(x);
    } else {
      static_cast<unsigned short *>(elements)[i] = precision == BF16 ? brain_bits(x) : half_bits(x);
    }
  }

  // Stores elements 4 i to 4 i + 3, the first of which begins at a multiple of 16 bytes in the buffer.
  __device__ void store4(size_t i, float4 x) const {
    if (elements == nullptr) {
      return;
    }
    if (precision == TF32) {
      static_cast<float4 *>(elements)[i] = make_float4(tf32(x.x), tf32(x.y), tf32(x.z), tf32(x.w));
    } else if (precision == BF16) {
      static_cast<ushort4 *>(elements)[i] =
          make_ushort4(brain_bits(x.x), brain_bits(x.y), brain_bits(x.z), brain_bits(x.w));
    } else {
      static_cast<ushort4 *>(elements)[i] = make_ushort4(half_bits(x.x), half_bits(x.y), half_bits(x.z), half_bits(x.w));
    }
  }
};

constexpr int ROUNDED_QUADS = 2;  // groups of 4 that a thread rounds: more would leave a chip without work

// Rounds x (n) to its copy. Each thread has ROUNDED_QUADS times 4 elements, whose loads are under way together.
__device__ inline void round_floats(RoundedCopy copy, const float *x, int n) {
  unsigned first = blockIdx.x * blockDim.x * ROUNDED_QUADS + threadIdx.x;
  unsigned whole = aligned(x, 16) ? n / 4 : 0;  // quads that can be loaded at once
  float4 quads[ROUNDED_QUADS];
#pragma unroll
  for (int k = 0; k < ROUNDED_QUADS; k++) {
    unsigned quad = first + k * blockDim.x;
    if (quad < whole) {
      quads[k] = reinterpret_cast<const float4 *>(x)[quad];
    }
  }
#pragma unroll
  for (int k = 0; k < ROUNDED_QUADS; k++) {
    unsigned quad = first + k * blockDim.x;
    if (quad < whole) {
      copy.store4(quad, quads[k]);
    } else {
#pragma unroll 1  // rare, and not worth its code four times
      for (unsigned i = 4 * quad; i < min(4 * quad + 4, n); i++) {
        copy.store(i, x[i]);
      }
    }
  }
}

}  // namespace op
