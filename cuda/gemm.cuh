// Products of a layer's matrices, for where cuBLAS is missing. What follows a product is fused into it: bias and
// activation in the forward pass, the activation's derivative in the backward pass. That saves a pass over the output,
// and a node of the graph.
//
// A block has a tile of BM x BN of the output and walks along K in steps of BK: while it multiplies one pair of tiles
// in shared memory, the loads of the next pair are under way. A thread has TM x TN outputs, in groups of 4 so that it
// reads shared memory 16 bytes at a time. SLICES groups of threads share the BK products of each step, for outputs too
// small to fill the chip with tiles; their sums are added in a fixed order at the end. Nothing is atomic: the same
// operands give the same bits.
//
// All of this is for single precision; large.cuh has products with many outputs, thin.cuh those with few, and tensor.cuh
// products in other precisions.
#pragma once

#include <type_traits>

#include "activation.cuh"
#include "large.cuh"
#include "tensor.cuh"
#include "thin.cuh"
#include "tiles.cuh"

namespace op {

template <int BM_, int BN_, int BK_, int TM_, int TN_, int SLICES_, int ROWS_A_PASS_>
struct Tiles {
  static constexpr Precision PRECISION = FP32;
  static constexpr int BM = BM_, BN = BN_, BK = BK_, WORDS = BK_, TM = TM_, TN = TN_, SLICES = SLICES_;
  static constexpr int ROWS_A_PASS = ROWS_A_PASS_;  // how many of a thread's TM rows one pass stores
  static constexpr int THREADS = BM / TM * (BN / TN) * SLICES;
  static constexpr int STRIDE_A = BM + 4, STRIDE_B = BN + 4;  // fewer bank conflicts, and rows still begin at 16 bytes
  static constexpr int OPERANDS = BK * (STRIDE_A + STRIDE_B);
  static constexpr int OUTPUTS = SLICES * ROWS_A_PASS * (BM / TM) * BN;
  static constexpr int SHARED = OPERANDS > OUTPUTS ? OPERANDS : OUTPUTS;
  static constexpr int GROUP = 4;
};

// The tilings of each precision. Large has the most products per byte read, for batches of some 16384 examples. Thin
// has the most blocks, for batches of some 64, and the warps of a block share its long sums. The others are for sizes
// between these. mlpcuda.compute.cuda.Tiling has the same sizes. Large tiles are those of large.cuh and, in less than
// single precision, of tensor_async.cuh.
template <Precision P>
struct Tilings {
  using Thin = TensorTiles<P, 16, 8, 1, 1, P == TF32 ? 320 : 256, 8>;
  using Small = TensorTiles<P, 32, 32, 2, 4, 32>;
  using Medium = TensorTiles<P, 64, 64, 2, 4, 16>;
};

template <>
struct Tilings<FP32> {
  using Thin = ThinTiles<16, 8, 400>;
  using Small = Tiles<32, 32, 64, 4, 4, 4, 4>;
  using Medium = Tiles<64, 64, 32, 4, 4, 1, 4>;
};

// Copies COUNT floats, in groups of 4 that lie `apart` floats from each other.
template <int COUNT>
__device__ inline void read_groups(float *to, const float *from, int apart) {
#pragma unroll
  for (int g = 0; g < COUNT / 4; g++) {
    float4 four = *reinterpret_cast<const float4 *>(from + g * apart);
    to[4 * g] = four.x;
    to[4 * g + 1] = four.y;
    to[4 * g + 2] = four.z;
    to[4 * g + 3] = four.w;
  }
}

// Computes the block's tile, which begins at (m0, n0), of c (M, N) = a (M, K) times b (N, K) transposed, summed over
// k_from <= k < k_to, and applies `finish` to each sum. An operand is a function of its row and of k; elements that are
// neighbours in memory go to neighbouring threads.
template <class T, class A, class B, class F>
__device__ inline void fma_multiply(float *c, A a, B b, int M, int N, int k_from, int k_to, int m0, int n0, F finish) {
  __shared__ __align__(16) float shared[T::SHARED];
  float *shared_a = shared;
  float *shared_b = shared + T::BK * T::STRIDE_A;
  constexpr int ACROSS = T::BN / T::TN, SLICE_THREADS = T::THREADS / T::SLICES;
  constexpr int APART_M = T::BM / (T::TM / 4), APART_N = T::BN / (T::TN / 4);
  int slice = threadIdx.x / SLICE_THREADS, thread = threadIdx.x % SLICE_THREADS;
  int tm = thread / ACROSS * 4, tn = thread % ACROSS * 4;

  constexpr int DOWN = T::BM / T::TM, ROWS = T::ROWS_A_PASS * DOWN, PART = ROWS * T::BN;
  constexpr int GROUP = T::GROUP;
  constexpr bool EARLY = T::BM * T::BN <= GROUP * T::THREADS;
  auto place = [=](int pass, int e) {
    int i = pass * T::ROWS_A_PASS + e / T::BN / DOWN;
    int m = i / 4 * APART_M + e / T::BN % DOWN * 4 + i % 4;
    return output(e < PART ? m0 + m : M, n0 + e % T::BN, M, N);
  };
  decltype(finish.load(0, 0)) loaded[GROUP];
  auto load = [&](int pass, int first) {
    load_group(loaded, finish, [=](int g) { return place(pass, first + g * T::THREADS); });
  };

  float sum[T::TM][T::TN] = {};
  Carrier<T, T::BM, A> carry_a;
  Carrier<T, T::BN, B> carry_b;
  carry_a.load(a, m0, k_from, M, k_to);
  carry_b.load(b, n0, k_from, N, k_to);
  if constexpr (EARLY) {
    load(0, threadIdx.x);
  }
  for (int k0 = k_from; k0 < k_to; k0 += T::BK) {
    carry_a.store(a, m0, k0, M, k_to, [&](int row, int k, auto &x) { shared_a[k * T::STRIDE_A + row] = x[0]; });
    carry_b.store(b, n0, k0, N, k_to, [&](int row, int k, auto &x) { shared_b[k * T::STRIDE_B + row] = x[0]; });
    __syncthreads();
    if (k0 + T::BK < k_to) {
      carry_a.load(a, m0, k0 + T::BK, M, k_to);
      carry_b.load(b, n0, k0 + T::BK, N, k_to);
    }
    constexpr int SHARE = T::BK / T::SLICES;
#pragma unroll 8
    for (int k = 0; k < SHARE; k++) {
      float am[T::TM], bn[T::TN];
      read_groups<T::TM>(am, shared_a + (slice * SHARE + k) * T::STRIDE_A + tm, APART_M);
      read_groups<T::TN>(bn, shared_b + (slice * SHARE + k) * T::STRIDE_B + tn, APART_N);
#pragma unroll
      for (int i = 0; i < T::TM; i++) {
#pragma unroll
        for (int j = 0; j < T::TN; j++) {
          sum[i][j] = fmaf(am[i], bn[j], sum[i][j]);
        }
      }
    }
    __syncthreads();  // all threads have read these tiles before they are overwritten
  }

  // The sums go through shared memory, a few rows of each thread at a time: the sums of all slices are added there, and
  // neighbouring threads then finish and store neighbouring outputs.
#pragma unroll  // an array indexed at run time would leave the registers
  for (int pass = 0; pass < T::TM / T::ROWS_A_PASS; pass++) {
#pragma unroll
    for (int i = 0; i < T::ROWS_A_PASS; i++) {
#pragma unroll
      for (int j = 0; j < T::TN; j++) {
        shared[slice * PART + (i * DOWN + tm / 4) * T::BN + j / 4 * APART_N + tn + j % 4] =
            sum[pass * T::ROWS_A_PASS + i][j];
      }
    }
    __syncthreads();
    static_assert(PART % (GROUP * T::THREADS) == 0 || EARLY, "each thread has whole groups");
#pragma unroll 1
    for (int first = threadIdx.x; first < PART; first += GROUP * T::THREADS) {
      if constexpr (!EARLY) {
        load(pass, first);
      }
#pragma unroll
      for (int g = 0; g < GROUP; g++) {
        int e = first + g * T::THREADS;
        Output o = place(pass, e);
        if (o.inside) {
          float all = 0;
#pragma unroll
          for (int s = 0; s < T::SLICES; s++) {
            all += shared[s * PART + e];
          }
          c[o.at] = finish.apply(loaded[g], all, o.at, o.n);
        }
      }
    }
    if (pass + 1 < T::TM / T::ROWS_A_PASS) {
      __syncthreads();  // all threads have read the sums before the next pass writes
    }
  }
}

// Calls the multiply function of the tiling's precision.
template <class T, class A, class B, class F>
__device__ inline void multiply(float *c, A a, B b, int M, int N, int k_from, int k_to, int m0, int n0, F finish) {
  if constexpr (std::is_same_v<T, Tilings<FP32>::Thin>) {
    thin_multiply<T>(c, a, b, M, N, k_from, k_to, m0, n0, finish);
  } else if constexpr (std::is_same_v<T, LargeTiles>) {
    large_multiply(c, a, b, M, N, k_from, k_to, m0, n0, finish);
  } else if constexpr (T::PRECISION == FP32) {
    fma_multiply<T>(c, a, b, M, N, k_from, k_to, m0, n0, finish);
  } else {
    tensor_multiply<T>(c, a, b, M, N, k_from, k_to, m0, n0, finish);
  }
}

// Returns an output of a product. If `copy` is not null, its element `at` gets the output, rounded to the precision.
template <Precision P>
__device__ inline float kept(void *copy, size_t at, float x) {
  if (P != FP32 && copy != nullptr) {
    keep_rounded<P>(copy, at, x);
  }
  return x;
}

// Computes y (B, O) = activation(x (B, I) times w (O, I) transposed + b (O)), and its rounded copy.
template <class T>
__device__ inline void linear_forward(float *y, void *copy, const float *x, const float *w, const float *b, int B,
                                      int I, int O, int activation) {
  multiply<T>(
      y, Matrix<K_CONTIGUOUS>{x, B, I}, Matrix<K_CONTIGUOUS>{w, O, I}, B, O, 0, I, blockIdx.x * T::BM,
      blockIdx.y * T::BN, finish_at([=](size_t, int o) { return b + o; },
                                    [=](float bias, float sum, size_t at, int) {
                                      return kept<T::PRECISION>(copy, at, activate(sum + bias, activation));
                                    }));
}

// Computes dw (P, O, I) = dy (B, O) transposed times x (B, I), where part p of P is summed over examples p * share up
// to (p + 1) * share. Part p is computed by the blocks whose third index is p; add_parts then adds the parts up. More
// than one part is for long batches, and for matrices with fewer tiles than the chip has room for.
template <class T>
__device__ inline void linear_backward_weights(float *dw, const float *dy, const float *x, int B, int I, int O,
                                               int share) {
  int from = blockIdx.z * share;
  multiply<T>(
      dw + size_t(blockIdx.z) * O * I, Matrix<K_STRIDED>{dy, O, B}, Matrix<K_STRIDED>{x, I, B}, O, I, from,
      min(B, from + share), blockIdx.x * T::BM, blockIdx.y * T::BN,
      finish_at([](size_t, int) { return static_cast<const float *>(nullptr); },
                [](float, float sum, size_t, int) { return sum; }));
}

// Computes sum (n), the sum of parts (P, n) in their order. Each thread has one element.
__device__ inline void add_parts(float *sum, const float *parts, int n, int P) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    float all = 0;
    for (int p = 0; p < P; p++) {
      all += parts[size_t(p) * n + i];
    }
    sum[i] = all;
  }
}

// Computes dx (B, I) = dy (B, O) times w (O, I), times the derivative of the activation that made x (B, I), and the
// rounded copy of dx.
template <class T>
__device__ inline void linear_backward_inputs(float *dx, void *copy, const float *dy, const float *x, const float *w,
                                              int B, int I, int O, int below) {
  multiply<T>(
      dx, Matrix<K_CONTIGUOUS>{dy, B, O}, Matrix<K_STRIDED>{w, I, O}, B, I, 0, O, blockIdx.x * T::BM,
      blockIdx.y * T::BN, finish_at([=](size_t at, int) { return below == NONE ? nullptr : x + at; },
                                    [=](float y, float sum, size_t at, int) {
                                      return kept<T::PRECISION>(copy, at, differentiate(sum, y, below));
                                    }));
}

}  // namespace op
