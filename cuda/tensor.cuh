// Products on tensor cores, for operands of less than single precision: mma.sync of the PTX ISA, section "Matrix
// multiply-accumulate operation using mma instruction", whose fragments these are.
//
// A block's tile is shared out among WARPS_M x WARPS_N warps, each with a whole number of mma's outputs, 16 x 8. Operands
// are rounded on their way into shared memory, where a row of either has its WORDS of the step along K side by side: a
// stride of WORDS + 4 puts the 32 words of a fragment into 32 banks.
#pragma once

#include "precision.cuh"
#include "tiles.cuh"

namespace op {

template <Precision P, int BM_, int BN_, int WARPS_M_, int WARPS_N_, int WORDS_>
struct TensorTiles {
  static constexpr Precision PRECISION = P;
  static constexpr int BM = BM_, BN = BN_, WARPS_M = WARPS_M_, WARPS_N = WARPS_N_, WORDS = WORDS_;
  static constexpr int BK = WORDS * PACKED<P>;
  static constexpr int THREADS = 32 * WARPS_M * WARPS_N;
  static constexpr int STRIDE = WORDS + 4;
};

// d += a (16, 8 words of K) times b (8, 8 words of K) transposed: the fragments of one lane.
template <Precision P>
__device__ inline void multiply_add(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  if constexpr (P == TF32) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else if constexpr (P == BF16) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
}

// As fma_multiply of gemm.cuh.
template <class T, Layout LAYOUT_A, Layout LAYOUT_B, class A, class B, class Finish>
__device__ inline void tensor_multiply(float *c, A a, B b, int M, int N, int k_from, int k_to, int m0, int n0,
                                       Finish finish) {
  constexpr Precision P = T::PRECISION;
  constexpr int WM = T::BM / T::WARPS_M, WN = T::BN / T::WARPS_N, DOWN = WM / 16, ACROSS = WN / 8;
  static_assert(DOWN * 16 == WM && ACROSS * 8 == WN && T::WORDS % 8 == 0, "a warp has whole outputs of mma");
  __shared__ unsigned shared_a[T::BM * T::STRIDE];
  __shared__ unsigned shared_b[T::BN * T::STRIDE];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int group = lane / 4, member = lane % 4;
  int wm = warp / T::WARPS_N * WM, wn = warp % T::WARPS_N * WN;

  float sum[DOWN][ACROSS][4] = {};
  Carrier<T, T::BM, LAYOUT_A> carry_a;
  Carrier<T, T::BN, LAYOUT_B> carry_b;
  carry_a.load(a, m0, k_from, M, k_to);
  carry_b.load(b, n0, k_from, N, k_to);
  for (int k0 = k_from; k0 < k_to; k0 += T::BK) {
    carry_a.store([&](int row, int word, auto &x) { shared_a[row * T::STRIDE + word] = packed<P>(x); });
    carry_b.store([&](int row, int word, auto &x) { shared_b[row * T::STRIDE + word] = packed<P>(x); });
    __syncthreads();
    if (k0 + T::BK < k_to) {
      carry_a.load(a, m0, k0 + T::BK, M, k_to);
      carry_b.load(b, n0, k0 + T::BK, N, k_to);
    }
#pragma unroll
    for (int word = 0; word < T::WORDS; word += 8) {
      unsigned am[DOWN][4], bn[ACROSS][2];
#pragma unroll
      for (int i = 0; i < DOWN; i++) {
        const unsigned *at = shared_a + (wm + 16 * i + group) * T::STRIDE + word + member;
        am[i][0] = at[0];
        am[i][1] = at[8 * T::STRIDE];
        am[i][2] = at[4];
        am[i][3] = at[8 * T::STRIDE + 4];
      }
#pragma unroll
      for (int j = 0; j < ACROSS; j++) {
        const unsigned *at = shared_b + (wn + 8 * j + group) * T::STRIDE + word + member;
        bn[j][0] = at[0];
        bn[j][1] = at[4];
      }
#pragma unroll
      for (int i = 0; i < DOWN; i++) {
#pragma unroll
        for (int j = 0; j < ACROSS; j++) {
          multiply_add<P>(sum[i][j], am[i], bn[j]);
        }
      }
    }
    __syncthreads();  // before the next pair of tiles replaces this one
  }

  // A lane has two neighbours in each of two rows of an mma's output: a warp stores whole sectors of 32 bytes.
#pragma unroll
  for (int i = 0; i < DOWN; i++) {
#pragma unroll
    for (int j = 0; j < ACROSS; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        int m = m0 + wm + 16 * i + group + e / 2 * 8;
        int n = n0 + wn + 8 * j + member * 2 + e % 2;
        if (m < M && n < N) {
          size_t at = size_t(m) * N + n;
          c[at] = finish(sum[i][j][e], at, n);
        }
      }
    }
  }
}

}  // namespace op
