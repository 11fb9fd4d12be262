// Products on tensor cores, for operands of less than single precision: mma.sync of the PTX ISA, section "Matrix
// multiply-accumulate operation using mma instruction", which defines the fragments.
//
// A block's tile is divided among WARPS_M x WARPS_N warps, each of which has a whole number of mma's outputs, 16 x 8.
// There are SLICES such groups of warps, each with a part of each step along K; their sums are added in a fixed order
// at the end. Operands are rounded on their way into shared memory, where a row of either has its WORDS of the step
// along K side by side. A stride of WORDS + 4 puts the 32 words of a fragment into 32 banks, and neighbours of four
// change places by the row's eighth, so that a warp that stores a word of 32 rows meets 32 banks too.
#pragma once

#include "precision.cuh"
#include "tiles.cuh"

namespace op {

template <Precision P, int BM_, int BN_, int WARPS_M_, int WARPS_N_, int WORDS_, int SLICES_ = 1>
struct TensorTiles {
  static constexpr Precision PRECISION = P;
  static constexpr int BM = BM_, BN = BN_, WARPS_M = WARPS_M_, WARPS_N = WARPS_N_, WORDS = WORDS_, SLICES = SLICES_;
  static constexpr int BK = WORDS * PACKED<P>;
  static constexpr int THREADS = 32 * WARPS_M * WARPS_N * SLICES;
  static constexpr int GROUP = SLICES > 1 ? 1 : 4;
  static constexpr int STRIDE = WORDS + 4;
  static_assert(STRIDE % 8 == 4, "8 rows begin in 8 different groups of 4 banks");

  // Returns the place of a row's word in shared memory.
  static __device__ int place(int row, int word) { return row * STRIDE + (word ^ (row / 8 % 4)); }
};

// Calls f with 0 to N - 1, without a loop: what follows a product has branches for each activation, and the compiler
// leaves a loop over so much rolled, which would put the sums into local memory.
template <int N, class F>
__device__ __forceinline__ void each(F f) {
  if constexpr (N > 0) {
    each<N - 1>(f);
    f(N - 1);
  }
}

// Computes d += a (16, 8 words of K) times b (8, 8 words of K) transposed, with the fragments of one lane.
template <Precision P>
__device__ inline void multiply_add(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#define MMA(shape_and_types)                                                                              \
  asm("mma.sync.aligned." shape_and_types " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"        \
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                    \
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
  if constexpr (P == TF32) {
    MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
  } else if constexpr (P == BF16) {
    MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
  } else {
    MMA("m16n8k16.row.col.f32.f16.f16.f32");
  }
#undef MMA
}

// Computes what fma_multiply of gemm.cuh computes, on tensor cores.
template <class T, class A, class B, class F>
__device__ inline void tensor_multiply(float *c, A a, B b, int M, int N, int k_from, int k_to, int m0, int n0,
                                       F finish) {
  constexpr Precision P = T::PRECISION;
  constexpr int WM = T::BM / T::WARPS_M, WN = T::BN / T::WARPS_N, DOWN = WM / 16, ACROSS = WN / 8;
  static_assert(DOWN * 16 == WM && ACROSS * 8 == WN && T::WORDS / T::SLICES % 8 == 0,
                "a warp has whole products of mma");
  __shared__ unsigned shared_a[T::BM * T::STRIDE];
  __shared__ unsigned shared_b[T::BN * T::STRIDE];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int group = lane / 4, member = lane % 4;
  int slice = warp / (T::WARPS_M * T::WARPS_N), in_slice = warp % (T::WARPS_M * T::WARPS_N);
  int wm = in_slice / T::WARPS_N * WM, wn = in_slice % T::WARPS_N * WN;

  constexpr int GROUP = T::GROUP;
  constexpr bool EARLY = DOWN * ACROSS == 1;
  auto row_of = [=](int i, int g) { return wm + 16 * i + group + g / 2 * 8; };
  auto column_of = [=](int j, int g) { return wn + 8 * j + member * 2 + g % 2; };
  auto place = [=](int i, int j, int g) {
    if constexpr (T::SLICES > 1) {  // each of the first threads has an output
      int e = threadIdx.x;
      return output(e < T::BM * T::BN ? m0 + e / T::BN : M, n0 + e % T::BN, M, N);
    } else {
      return output(m0 + row_of(i, g), n0 + column_of(j, g), M, N);
    }
  };
  decltype(finish.load(0, 0)) loaded[GROUP];
  auto load = [&](int i, int j) { load_group(loaded, finish, [=](int g) { return place(i, j, g); }); };

  float sum[DOWN][ACROSS][4] = {};
  Carrier<T, T::BM, A> carry_a;
  Carrier<T, T::BN, B> carry_b;
  carry_a.load(a, m0, k_from, M, k_to);
  carry_b.load(b, n0, k_from, N, k_to);
  if constexpr (EARLY) {
    load(0, 0);
  }
  for (int k0 = k_from; k0 < k_to; k0 += T::BK) {
    carry_a.store(a, m0, k0, M, k_to, [&](int row, int word, auto &x) { shared_a[T::place(row, word)] = packed<P>(x); });
    carry_b.store(b, n0, k0, N, k_to, [&](int row, int word, auto &x) { shared_b[T::place(row, word)] = packed<P>(x); });
    __syncthreads();
    if (k0 + T::BK < k_to) {
      carry_a.load(a, m0, k0 + T::BK, M, k_to);
      carry_b.load(b, n0, k0 + T::BK, N, k_to);
    }
#pragma unroll
    for (int step = 0; step < T::WORDS / T::SLICES; step += 8) {
      int word = slice * (T::WORDS / T::SLICES) + step;
      unsigned am[DOWN][4], bn[ACROSS][2];
#pragma unroll
      for (int i = 0; i < DOWN; i++) {
        int row = wm + 16 * i + group;
        am[i][0] = shared_a[T::place(row, word + member)];
        am[i][1] = shared_a[T::place(row + 8, word + member)];
        am[i][2] = shared_a[T::place(row, word + member + 4)];
        am[i][3] = shared_a[T::place(row + 8, word + member + 4)];
      }
#pragma unroll
      for (int j = 0; j < ACROSS; j++) {
        int row = wn + 8 * j + group;
        bn[j][0] = shared_b[T::place(row, word + member)];
        bn[j][1] = shared_b[T::place(row, word + member + 4)];
      }
#pragma unroll
      for (int i = 0; i < DOWN; i++) {
#pragma unroll
        for (int j = 0; j < ACROSS; j++) {
          multiply_add<P>(sum[i][j], am[i], bn[j]);
        }
      }
    }
    __syncthreads();  // all threads have read these tiles before they are overwritten
  }

  if constexpr (T::SLICES > 1) {
    static_assert(EARLY && T::BM * T::BN * T::SLICES <= T::BM * T::STRIDE, "sums take the operands' place");
    float *sums = reinterpret_cast<float *>(shared_a);
#pragma unroll
    for (int g = 0; g < 4; g++) {
      sums[(slice * T::BM + row_of(0, g)) * T::BN + column_of(0, g)] = sum[0][0][g];
    }
    __syncthreads();
    Output o = place(0, 0, 0);
    if (o.inside) {
      float all = 0;
#pragma unroll
      for (int s = 0; s < T::SLICES; s++) {
        all += sums[s * T::BM * T::BN + threadIdx.x];
      }
      c[o.at] = finish.apply(loaded[0], all, o.at, o.n);
    }
  } else {
    each<DOWN * ACROSS>([&](int output) {
      int i = output / ACROSS, j = output % ACROSS;
      if constexpr (!EARLY) {
        load(i, j);
      }
#pragma unroll
      for (int g = 0; g < GROUP; g++) {  // two neighbours in each of two rows of an mma's output
        Output o = place(i, j, g);
        if (o.inside) {
          c[o.at] = finish.apply(loaded[g], sum[i][j][g], o.at, o.n);
        }
      }
    });
  }
}

}  // namespace op
