// Products with many outputs, in single precision, at the rate of the chip's multiply-add units.
//
// A block has a tile of 128 x 128 outputs and walks along K in steps of 16. Shared memory has room for two steps: while
// the block multiplies one, the next one is on its way, so that a step has one barrier. A thread has 8 x 8 outputs:
// rows 4t to 4t + 3 of either half of the tile, and columns alike. From compute capability 8.0 on, a multiprocessor has
// two such blocks: while one waits at its barrier, the other one multiplies.
//
// An operand is copied in quads, which are 4 elements that are neighbours in memory: elements along K of one row where
// K is contiguous, else rows of one element along K. Shared memory keeps them as they are, and a thread reads 8 quads
// of either operand for 4 elements along K, with which it multiplies 256 times. All quads begin at multiples of 16
// bytes: mlpcuda.compute.cuda.PtxGemm takes medium tiles for other operands.
//
// No loop asks for the edges of the matrix: rows beyond it are copies of its last row, or zeros, and their sums are not
// stored; elements beyond the end of K are copied as zeros. Each sum is taken in the order of K: the same operands give
// the same bits.
#pragma once

#include "precision.cuh"
#include "tiles.cuh"

namespace op {

struct LargeTiles {
  static constexpr Precision PRECISION = FP32;
  static constexpr int BM = 128, BN = 128, BK = 16, THREADS = 256;
  static constexpr int PANEL = 128 * BK * sizeof(float);  // the bytes of one operand in a step
};

#if __CUDA_ARCH__ >= 800
constexpr bool ASYNC = true;  // whether memory is copied to shared memory past the registers
#else
constexpr bool ASYNC = false;
#endif

// The number of blocks that a multiprocessor has registers for, at least: a block that copies through registers needs
// more than half of them.
constexpr int LARGE_BLOCKS = ASYNC ? 2 : 1;

// Begins to copy 16 bytes from global to shared memory; if not `inside`, it sets them to 0 and reads nothing.
__device__ inline void begin_copy(unsigned to, const float *from, bool inside) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(inside ? 16 : 0) : "memory");
}

// Waits until all copies that this thread has begun are in shared memory.
__device__ inline void wait_for_copies() {
  asm volatile("cp.async.wait_all;" ::: "memory");
}

// Returns threadIdx.x, read anew at each call: the compiler keeps nothing that is computed from it in registers, which
// the sums of a product need.
__device__ inline int thread_anew() {
  int thread;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
  return thread;
}

// Returns what lies at an address of shared memory.
template <class Value>
__device__ inline Value &shared_at(unsigned address) {
  return *static_cast<Value *>(__cvta_shared_to_generic(address));
}

// Whether a matrix is made of quads that begin at multiples of 16 bytes, if `length` elements lie side by side.
__device__ inline bool in_quads(const void *matrix, int length) {
  return reinterpret_cast<size_t>(matrix) % sizeof(float4) == 0 && length % 4 == 0;
}

// The 128 rows of an operand that a block multiplies: the two quads of each step that this thread copies to shared
// memory, and those that it reads there.
//
// Where K is contiguous, 128 bytes of shared memory have the 4 quads of each of two rows. Their places are permuted by
// the rows' eighth of 4 rows, so that no two of 8 threads that read the same quad of rows 0, 4, 8, ... meet in a bank,
// and 8 threads that store the first two quads of rows 0, 1, 8, 9 do not meet either. Else 512 bytes have the quads of
// one element along K, in the order of rows.
template <Layout LAYOUT>
struct Panel {
  static constexpr bool ALONG_K = LAYOUT == K_CONTIGUOUS;
  Matrix<LAYOUT> x;
  const float *from;  // the first quad that this thread copies next; the second one is 8 elements along K further on
  unsigned at;        // the address in shared memory of the quads that this thread reads next
  float4 carried[ASYNC ? 1 : 2];

  // Takes rows from row0 on, and elements from k_from on. The panel begins at the address `shared`. This thread
  // multiplies rows 4t to 4t + 3 of either half of the panel.
  __device__ Panel(Matrix<LAYOUT> x, int row0, int k_from, unsigned shared, int t) : x(x) {
    int first = row0 + row(), k = k_from + along(threadIdx.x);
    from = x.place(min(first, x.rows - (ALONG_K ? 1 : 4)), k);
    at = shared + (ALONG_K ? t * 256 + t % 8 * 16 : t * 16);
  }

  // The place, along K, of the first quad of a step that a thread copies.
  static __device__ int along(int thread) { return ALONG_K ? thread % 2 * 4 : thread / 32; }

  // The first row, in the panel, of the quads that this thread copies.
  static __device__ int row() {
    int t = threadIdx.x;
    return ALONG_K ? t / 32 * 16 + t / 4 % 2 * 8 + t / 8 % 4 * 2 + t / 2 % 2 : t % 32 * 4;
  }

  // The place, from the beginning of the panel, of the first quad that this thread copies.
  static __device__ unsigned place() {
    int quad = row() % 2 * 4 + threadIdx.x % 2;
    return ALONG_K ? row() / 2 * 128 + (quad ^ row() / 4 % 8) * 16 : threadIdx.x * 16;
  }

  // The address of quad i of those that this thread copies, of which the first one lies at `to`.
  static __device__ unsigned place(unsigned to, int i) { return i == 0 ? to : ALONG_K ? to ^ 32 : to + 4096; }

  __device__ size_t along_k(int count) const { return ALONG_K ? count : size_t(count) * x.rows; }

  // Begins to copy this thread's quads of the next step, from which `left` elements along K are left, to the address
  // `to`.
  __device__ void start(unsigned to, int left, int thread) {
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const float *quad = from + along_k(8 * i);
      bool inside = left - 8 * i > along(thread);
      if constexpr (ASYNC) {
        begin_copy(place(to, i), quad, inside);
      } else {
        carried[i] = inside ? *reinterpret_cast<const float4 *>(quad) : float4{};
      }
    }
    from += along_k(LargeTiles::BK);
  }

  // Ends what `start` has begun: other threads may read it after a barrier.
  __device__ void end(unsigned to) const {
    if constexpr (!ASYNC) {
      shared_at<float4>(to) = carried[0];
      shared_at<float4>(place(to, 1)) = carried[1];
    }
  }

  // Returns a quad of group `group` of 4 elements along K, of a half of the rows: where K is contiguous, the elements of
  // row e of this thread's 4, else its rows of element e.
  __device__ float4 quad(int group, int half, int e) const {
    return ALONG_K ? shared_at<float4>((at ^ (group * 16 + e % 2 * 64)) + half * 4096 + e / 2 * 128)
                   : shared_at<float4>(at + (4 * group + e) * 512 + half * 256);
  }
};

// Returns element e of a quad.
__device__ inline float element(float4 x, int e) {
  return e == 0 ? x.x : e == 1 ? x.y : e == 2 ? x.z : x.w;
}

// The last step of a product: place(at, n) is the address of a number that is needed besides the sum, or null where no
// output needs one, and apply(that number or 0, sum, at, n) returns the output. The numbers of neighbouring outputs are
// neighbours in memory.
template <class Place, class Apply>
struct FinishAt {
  Place place;
  Apply apply;

  __device__ float load(size_t at, int n) const {
    const float *from = place(at, n);
    return from == nullptr ? 0 : *from;
  }
};

template <class Place, class Apply>
__device__ FinishAt<Place, Apply> finish_at(Place place, Apply apply) {
  return {place, apply};
}

// Sets x to the numbers that 4 outputs from (m, n) on need; `quads` says whether they can be read at once.
template <class F>
__device__ inline void load_four(float (&x)[4], F finish, int m, int n, int M, int N, bool quads) {
#pragma unroll
  for (int e = 0; e < 4; e++) {
    x[e] = 0;
  }
  Output o = output(m, n, M, N);
  const float *from = finish.place(o.at, n);
  if (from != nullptr && o.inside) {
    if (quads) {
      float4 four = *reinterpret_cast<const float4 *>(from);
      x[0] = four.x;
      x[1] = four.y;
      x[2] = four.z;
      x[3] = four.w;
    } else {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        x[e] = n + e < N ? from[e] : 0;
      }
    }
  }
}

// Stores 4 outputs from (m, n) on.
__device__ inline void store_four(float *c, const float (&x)[4], int m, int n, int M, int N, bool quads) {
  Output o = output(m, n, M, N);
  if (o.inside) {
    if (quads) {
      *reinterpret_cast<float4 *>(c + o.at) = make_float4(x[0], x[1], x[2], x[3]);
    } else {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        if (n + e < N) {
          c[o.at + e] = x[e];
        }
      }
    }
  }
}

// Finishes and stores a thread's sums, which begin at (m0, n0), row by row. The code that finishes is long, so it exists
// once: all rows pass through the first one's registers.
template <class F>
__device__ inline void store_sums(float *c, float (&sum)[8][8], int M, int N, int m0, int n0, F finish) {
  bool quads = in_quads(c, N) && in_quads(finish.place(0, 0), N);
#pragma unroll 1
  for (int row = 0; row < 8; row++) {
    int m = m0 + row / 4 * 64 + row % 4;
    float x[2][4];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      load_four(x[half], finish, m, n0 + half * 64, M, N, quads);
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int n = n0 + half * 64;
#pragma unroll
      for (int e = 0; e < 4; e++) {
        x[half][e] = finish.apply(x[half][e], sum[0][half * 4 + e], output(m, n + e, M, N).at, n + e);
      }
      store_four(c, x[half], m, n, M, N, quads);
    }
#pragma unroll
    for (int i = 0; i < 7; i++) {
#pragma unroll
      for (int j = 0; j < 8; j++) {
        sum[i][j] = sum[i + 1][j];
      }
    }
  }
}

// Adds the products of a group of 4 elements along K to a thread's sums, in the order of K. Where K is contiguous in an
// operand, its quads hold several elements along K, and one of the operands waits in registers for all 4.
template <Layout A, Layout B>
__device__ inline void multiply_group(float (&sum)[8][8], const Panel<A> &panel_a, const Panel<B> &panel_b, int group) {
  float4 am[2][4];
  auto read = [&](int e) {
    am[0][e] = panel_a.quad(group, 0, e);
    am[1][e] = panel_a.quad(group, 1, e);
  };
  auto of_a = [&](int i, int k) {
    return Panel<A>::ALONG_K ? element(am[i / 4][i % 4], k) : element(am[i / 4][k], i % 4);
  };
  if constexpr (Panel<A>::ALONG_K || Panel<B>::ALONG_K) {
#pragma unroll
    for (int e = 0; e < 4; e++) {
      read(e);
    }
  }
#pragma unroll
  for (int outer = 0; outer < (Panel<B>::ALONG_K ? 8 : 4); outer++) {
    if constexpr (Panel<B>::ALONG_K) {
      float4 bn = panel_b.quad(group, outer / 4, outer % 4);
#pragma unroll
      for (int k = 0; k < 4; k++) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
          sum[i][outer] = fmaf(of_a(i, k), element(bn, k), sum[i][outer]);
        }
      }
    } else {
      if constexpr (!Panel<A>::ALONG_K) {
        read(outer);
      }
      float4 bn[2] = {panel_b.quad(group, 0, outer), panel_b.quad(group, 1, outer)};
#pragma unroll
      for (int i = 0; i < 8; i++) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
          sum[i][j] = fmaf(of_a(i, outer), element(bn[j / 4], j % 4), sum[i][j]);
        }
      }
    }
  }
}

// The 8 x 8 outputs of a thread: rows 4m to 4m + 3 of either half of the block's tile, and columns 4n to 4n + 3 alike.
//
// A warp has 4 x 8 threads. Each square of 2 x 2 lanes has neighbours, so that lanes that read the same quad are close
// to one another, whichever operand they read.
struct Share {
  int m, n;

  __device__ explicit Share(int thread) {
    int lane = thread % 32, warp = thread / 32;
    m = warp / 2 * 4 + lane / 16 * 2 + lane % 2;
    n = warp % 2 * 8 + lane / 2 % 8;
  }
};

// Computes what fma_multiply of gemm.cuh computes.
template <Layout A, Layout B, class F>
__device__ inline void large_multiply(float *c, Matrix<A> a, Matrix<B> b, int M, int N, int k_from, int k_to, int m0,
                                      int n0, F finish) {
  constexpr int PANEL = LargeTiles::PANEL;
  __shared__ __align__(256) char shared[4 * PANEL];
  Share read(threadIdx.x);
  float sum[8][8] = {};
  unsigned first = unsigned(__cvta_generic_to_shared(shared));
  Panel<A> panel_a(a, m0, k_from, first, read.m);
  Panel<B> panel_b(b, n0, k_from, first + PANEL, read.n);
  unsigned to = first + Panel<A>::place(), apart = PANEL + Panel<B>::place() - Panel<A>::place();
  auto start = [&](int left) {
    int thread = thread_anew();
    panel_a.start(to, left, thread);
    panel_b.start(to + apart, left, thread);
  };
  auto end = [&]() {
    if constexpr (ASYNC) {
      wait_for_copies();
    } else {
      panel_a.end(to);
      panel_b.end(to + apart);
    }
  };
  start(k_to - k_from);
  end();
  int other = 2 * PANEL;  // from the step that is multiplied to the one that is copied
#pragma unroll 1
  for (int k0 = k_from; k0 < k_to; k0 += LargeTiles::BK) {
    to += other;
    __syncthreads();  // all copies of this step have ended, and all threads have read what lies at `to`
    start(k_to - k0 - LargeTiles::BK);  // after the last step, zeros
#pragma unroll 1
    for (int group = 0; group < LargeTiles::BK / 4; group++) {
      multiply_group(sum, panel_a, panel_b, group);
    }
    end();
    panel_a.at += other;
    panel_b.at += other;
    other = -other;
  }
  Share stored(thread_anew());
  store_sums(c, sum, M, N, m0 + 4 * stored.m, n0 + 4 * stored.n, finish);
}

}  // namespace op
