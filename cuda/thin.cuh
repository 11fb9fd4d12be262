// Products with few outputs and long sums, in single precision: a batch of 64 times the first layer's weights has 64
// tiles of 16 x 8 outputs, and each sum has 784 terms.
//
// The threads of a block are SLICES groups, each with all outputs of the tile and its share of every step along K. A
// thread has 4 x 4 outputs and takes 4 elements of K at a time, which are 16 bytes in shared memory. Global memory is
// read 4 elements at a time, too: where K is contiguous they are neighbours along K, else neighbouring rows, and they
// keep that order in shared memory, so that nothing is transposed and no two lanes of a store meet in a bank. That
// needs operands whose rows (their columns, where K is strided) are a multiple of 4 elements long, and begin at a
// multiple of 4 elements: mlpcuda.compute.cuda.Tiling checks that. A step along K is long, because each step waits for
// global memory once: 784 inputs take two steps.
#pragma once

#include "precision.cuh"
#include "reduce.cuh"
#include "tiles.cuh"

namespace op {

template <int BM_, int BN_, int BK_>
struct ThinTiles {
  static constexpr Precision PRECISION = FP32;
  static constexpr int BM = BM_, BN = BN_, BK = BK_, THREADS = 256;
  static constexpr int DOWN = BM / 4, ACROSS = BN / 4;  // threads of a slice
  static constexpr int SLICES = THREADS / (DOWN * ACROSS), SLICES_A_WARP = WARP / (DOWN * ACROSS);
  static_assert(SLICES_A_WARP == 4, "the slices of a warp meet in two steps");
};

// A quad: 4 elements that are neighbours in memory, which one load brings.
template <class Raw>
struct Quad;

template <>
struct Quad<float> {
  float4 bits;

  __device__ float operator[](int e) const { return e == 0 ? bits.x : e == 1 ? bits.y : e == 2 ? bits.z : bits.w; }
};

template <>
struct Quad<unsigned char> {
  unsigned bits;

  __device__ unsigned char operator[](int e) const { return bits >> 8 * e; }
};

// A thread's part of a tile (SIZE, T::BK) of an operand, in quads.
template <class T, int SIZE, class Operand>
struct QuadCarrier {
  using Raw = typename Operand::Raw;
  static constexpr bool ALONG_K = Operand::LAYOUT == K_CONTIGUOUS;
  static constexpr int QUADS = SIZE * T::BK / 4, COUNT = (QUADS - 1) / T::THREADS + 1;
  static constexpr int STRIDE = ALONG_K ? T::BK + 4 : SIZE;  // from a row, or a column of K, to the next one
  static constexpr int SHARED = (ALONG_K ? SIZE : T::BK) * STRIDE;
  static_assert(!ALONG_K || STRIDE % 8 == 4, "rows that are read together begin in different banks");
  Quad<Raw> quads[COUNT];

  static __device__ int quad(int i) { return i * T::THREADS + threadIdx.x; }
  static __device__ int row(int q) { return ALONG_K ? q / (T::BK / 4) : q % (SIZE / 4) * 4; }
  static __device__ int k(int q) { return ALONG_K ? q % (T::BK / 4) * 4 : q / (SIZE / 4); }

  // Loads what Carrier::load of tiles.cuh loads.
  __device__ void load(Operand x, int row0, int k0, int rows, int k_to) {
    constexpr int ROWS = ALONG_K ? 1 : 4, ELEMENTS = ALONG_K ? 4 : 1;  // the rows and the elements along K of a quad
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      int q = min(quad(i), QUADS - 1);
      quads[i].bits = *reinterpret_cast<const decltype(quads[i].bits) *>(
          x.place(min(row0 + row(q), rows - ROWS), min(k0 + k(q), k_to - ELEMENTS)));
    }
  }

  // Stores the quads to shared memory; elements outside of the operand are stored as 0.
  __device__ void store(float *shared, Operand x, int row0, int k0, int rows, int k_to) const {
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      int q = quad(i);
      if (q < QUADS) {
        bool inside = row0 + row(q) < rows && k0 + k(q) < k_to;
        float value[4];
#pragma unroll
        for (int e = 0; e < 4; e++) {
          int r = row0 + row(q) + (ALONG_K ? 0 : e), along = k0 + k(q) + (ALONG_K ? e : 0);
          value[e] = inside ? x.value(quads[i][e], r, along) : 0;
        }
        int at = ALONG_K ? row(q) * STRIDE + k(q) : k(q) * STRIDE + row(q);
        *reinterpret_cast<float4 *>(shared + at) = make_float4(value[0], value[1], value[2], value[3]);
      }
    }
  }

  // Returns row i of the 4 rows that thread t of `threads` has.
  static __device__ int row_of(int t, int i, int threads) { return ALONG_K ? t + i * threads : 4 * t + i; }

  // Sets x[i][e] to element k + e of row i of the 4 rows that thread t has.
  static __device__ void read(float (&x)[4][4], const float *shared, int t, int k, int threads) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      int at = ALONG_K ? row_of(t, j, threads) * STRIDE + k : (k + j) * STRIDE + 4 * t;
      float4 four = *reinterpret_cast<const float4 *>(shared + at);
      (ALONG_K ? x[j][0] : x[0][j]) = four.x;
      (ALONG_K ? x[j][1] : x[1][j]) = four.y;
      (ALONG_K ? x[j][2] : x[2][j]) = four.z;
      (ALONG_K ? x[j][3] : x[3][j]) = four.w;
    }
  }
};

// Computes what fma_multiply of gemm.cuh computes.
template <class T, class A, class B, class F>
__device__ inline void thin_multiply(float *c, A a, B b, int M, int N, int k_from, int k_to, int m0, int n0, F finish) {
  using CarrierA = QuadCarrier<T, T::BM, A>;
  using CarrierB = QuadCarrier<T, T::BN, B>;
  constexpr int WARPS = T::THREADS / WARP, OUTPUTS = T::BM * T::BN;
  constexpr int OPERANDS = CarrierA::SHARED + CarrierB::SHARED;
  static_assert(WARPS * OUTPUTS <= OPERANDS && OUTPUTS == 4 * WARP && WARPS >= 4, "a thread finishes an output");
  __shared__ __align__(16) float shared[OPERANDS];
  float *shared_a = shared, *shared_b = shared + CarrierA::SHARED;
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
  int thread = threadIdx.x % (T::DOWN * T::ACROSS), slice = threadIdx.x / (T::DOWN * T::ACROSS);
  int tm = thread / T::ACROSS, tn = thread % T::ACROSS;

  // The output that this thread finishes: row (its lane's slice of the warp) and column (its warp) of the 4 x 4 that a
  // thread has, so that neither the stores of sums nor their loads meet in a bank.
  int m = CarrierA::row_of(tm, lane / (T::DOWN * T::ACROSS), T::DOWN), n = CarrierB::row_of(tn, warp, T::ACROSS);
  Output o = output(warp < 4 ? m0 + m : M, n0 + n, M, N);
  decltype(finish.load(0, 0)) loaded{};

  float sum[4][4] = {};
  CarrierA carry_a;
  CarrierB carry_b;
#pragma unroll 1
  for (int k0 = k_from - T::BK; k0 < k_to; k0 += T::BK) {  // the first pass does nothing but load
    int next = k0 + T::BK;
    if (next < k_to) {
      carry_a.load(a, m0, next, M, k_to);
      carry_b.load(b, n0, next, N, k_to);
    }
    if (k0 < k_from && o.inside) {  // this load is under way together with those of the first tiles
      loaded = finish.load(o.at, o.n);
    }
    int end = k0 < k_from ? 0 : min(T::BK, k_to - k0);
#pragma unroll 1
    for (int k = 4 * slice; k < end; k += 4 * T::SLICES) {
      float am[4][4], bn[4][4];
      CarrierA::read(am, shared_a, tm, k, T::DOWN);
      CarrierB::read(bn, shared_b, tn, k, T::ACROSS);
#pragma unroll
      for (int kk = 0; kk < 4; kk++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
          for (int j = 0; j < 4; j++) {
            sum[i][j] = fmaf(am[i][kk], bn[j][kk], sum[i][j]);
          }
        }
      }
    }
    __syncthreads();  // all threads have read these tiles before they are overwritten
    if (next < k_to) {
      carry_a.store(shared_a, a, m0, next, M, k_to);
      carry_b.store(shared_b, b, n0, next, N, k_to);
      __syncthreads();
    }
  }

  // The sums of a warp's 4 slices are added in two exchanges, after which each lane has one row of its 4. After the
  // first exchange a lane has rows 0 and 1, or 2 and 3, as its bit 4 says; after the second one it has one of these
  // two, as its bit 3 says.
  float two[2][4];
  bool upper = lane & 16, odd = lane & 8;
#pragma unroll
  for (int i = 0; i < 2; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      float given = __shfl_xor_sync(WHOLE_WARP, upper ? sum[i][j] : sum[i + 2][j], 16);
      two[i][j] = (upper ? sum[i + 2][j] : sum[i][j]) + given;
    }
  }
#pragma unroll
  for (int j = 0; j < 4; j++) {
    float given = __shfl_xor_sync(WHOLE_WARP, odd ? two[0][j] : two[1][j], 8);
    shared[warp * OUTPUTS + j * WARP + lane] = (odd ? two[1][j] : two[0][j]) + given;
  }
  __syncthreads();
  if (o.inside) {
    float all = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
      all += shared[w * OUTPUTS + threadIdx.x];
    }
    c[o.at] = finish.apply(loaded, all, o.at, o.n);
  }
}

}  // namespace op
