// Products on tensor cores for large outputs, whose operands lie in memory rounded: 16 bits each for BF16 and FP16, and
// floats for TF32. Nothing is converted on the way, so that cp.async copies them to shared memory past the registers.
//
// A block of 4 warps has a square tile of the output, and each warp a quarter of it. The block walks along K in steps.
// Shared memory has room for the tiles of STAGES steps: while the warps multiply those of one step, the copies of the
// next ones are under way. There is one barrier a step, after which the tiles of the step are there for all threads,
// and those of the step before have been read by all threads and can be overwritten.
//
// A tile lies in shared memory as it does in global memory: in lines along K where K is contiguous, else in lines along
// the rows. A line is a number of chunks of 16 bytes, whose places are exchanged by the line's number so that neither
// a copy nor ldmatrix nor a load of words meets a bank of shared memory twice.
#pragma once

#include "tensor.cuh"
#include "tensor_output.cuh"

namespace op {

template <Precision P, int SIZE_, int WORDS_>
struct AsyncTiles {
  static constexpr Precision PRECISION = P;
  static constexpr int SIZE = SIZE_, WORDS = WORDS_;  // rows and columns of a tile; words of a step along K
  static constexpr int BYTES = 4 / PACKED<P>;         // the size of an element
  static constexpr int BK = WORDS * PACKED<P>, THREADS = 128, STAGES = 3;
  static constexpr int TILE = SIZE * WORDS * 4;  // bytes of an operand's tile
  static constexpr int WARP_TILE = SIZE / 2, DOWN = WARP_TILE / 16, ACROSS = WARP_TILE / 8;
  static_assert(STAGES * 2 * TILE <= 48 << 10, "a block has no more shared memory without asking for it");
};

template <Precision P>
struct AsyncTilings {
  using Medium = AsyncTiles<P, 64, 32>;
  using Large = AsyncTiles<P, 128, 16>;
};

// An operand X (rows, K) that lies in memory rounded.
template <Layout LAYOUT_>
struct Rounded {
  static constexpr Layout LAYOUT = LAYOUT_;
  const void *x;
  int rows, K;

  // Returns the number of elements that lie side by side.
  __device__ int line() const { return LAYOUT == K_CONTIGUOUS ? K : rows; }
};

// The lines of an operand's tile in shared memory.
template <class T, Layout LAYOUT>
struct Lines {
  static constexpr int COUNT = LAYOUT == K_CONTIGUOUS ? T::SIZE : T::BK;
  static constexpr int BYTES = T::TILE / COUNT, CHUNKS = BYTES / 16;

  // Returns the number whose bits tell which chunks of a line change places.
  static __device__ int exchange(int line) {
    if constexpr (LAYOUT == K_STRIDED && T::PRECISION == TF32) {
      return line % 4 * 2;  // a load of words meets 4 lines and 8 words of each
    } else {
      return CHUNKS == 4 ? line / 2 % 4 : line % 8;  // ldmatrix meets 8 lines and a chunk of each
    }
  }
  static __device__ int place(int line, int chunk) { return line * BYTES + (chunk ^ exchange(line)) * 16; }
};

// Copies WIDTH bytes to shared memory if `inside`, else writes zeros.
template <int WIDTH>
__device__ inline void copy_async(unsigned to, const char *from, bool inside) {
  if constexpr (WIDTH == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(inside ? 16 : 0) : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(to), "l"(from), "r"(inside ? 8 : 0) : "memory");
  }
}

// The copies of one thread from an operand to shared memory: COUNT pieces of WIDTH bytes a step, at the same place of
// lines that are APART lines from each other.
template <class T, class Operand, int WIDTH>
struct AsyncCopier {
  static constexpr bool ALONG_K = Operand::LAYOUT == K_CONTIGUOUS;
  using L = Lines<T, Operand::LAYOUT>;
  static constexpr int PIECES = L::BYTES / WIDTH, APART = T::THREADS / PIECES, COUNT = L::COUNT / APART;
  static_assert(APART * PIECES == T::THREADS && COUNT * APART == L::COUNT, "threads have the same number of pieces");

  const char *from;       // this thread's first piece of the next step
  size_t apart, a_step;   // bytes from a piece to the next one, and from a step to the next one
  int line, element;      // the line of the tile that this thread's first piece is in, and where in it
  int rows_left, k_left;  // the operand's rows, and its elements along K, from that piece on

  __device__ AsyncCopier(Operand operand, int row0, int k_from, int k_to) {
    line = threadIdx.x / PIECES;
    element = threadIdx.x % PIECES * (WIDTH / T::BYTES);
    size_t length = size_t(operand.line()) * T::BYTES;
    from = static_cast<const char *>(operand.x) + size_t((ALONG_K ? row0 : k_from) + line) * length +
           size_t((ALONG_K ? k_from : row0) + element) * T::BYTES;
    apart = APART * length;
    a_step = ALONG_K ? T::BK * T::BYTES : T::BK * length;
    rows_left = operand.rows - row0 - (ALONG_K ? line : element);
    k_left = k_to - k_from - (ALONG_K ? element : line);
  }

  // Starts the copies of the next step to the tile at `to`. Pieces outside of the operand become zeros; they are whole
  // pieces, since lines are a multiple of a piece long.
  __device__ void copy(unsigned to) {
    int lines_left = ALONG_K ? (k_left > 0 ? rows_left : 0) : (rows_left > 0 ? k_left : 0);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      int l = line + i * APART;
      unsigned place = L::place(l, element * T::BYTES / 16) + element * T::BYTES % 16;
      copy_async<WIDTH>(to + place, from + i * apart, i * APART < lines_left);
    }
    from += a_step;
    k_left -= T::BK;
  }
};

__device__ inline void end_of_stage() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until all stages but the last `LATER` are copied, as far as this thread copies them.
template <int LATER>
__device__ inline void await_stages() {
  asm volatile("cp.async.wait_group %0;" ::"n"(LATER) : "memory");
}

// Loads four matrices of 8 rows of 16 bytes, whose rows are at the addresses that the lanes give: those of the first
// matrix are given by lanes 0 to 7.
template <bool TRANSPOSED>
__device__ inline void load_matrices(unsigned (&x)[4], unsigned from) {
  if constexpr (TRANSPOSED) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(from)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(from)
                 : "memory");
  }
}

// Loads a warp's fragments of an operand. A quarter is 4 words of K of 8 rows, a word for each lane. The quarters of an
// operand A are ordered by words, then rows, and make one fragment of mma; those of B are ordered by rows, then words,
// and make two.
template <class T, Layout LAYOUT, bool OF_A>
struct FragmentLoader {
  using L = Lines<T, LAYOUT>;
  static constexpr bool ALONG_K = LAYOUT == K_CONTIGUOUS, BY_WORDS = !ALONG_K && T::PRECISION == TF32;
  static constexpr int KINDS = ALONG_K ? T::WORDS / 8 : BY_WORDS ? 4 : T::WARP_TILE / 16;
  unsigned at[KINDS];  // the places of a lane's words that differ in the exchange of chunks, for a row or word of 0

  static __device__ int row_of(int quarter) { return (OF_A ? quarter % 2 : quarter / 2) * 8; }
  static __device__ int word_of(int quarter) { return (OF_A ? quarter / 2 : quarter % 2) * 4; }

  // The warp's rows begin at row `base` of the tile, which is a multiple of 32.
  __device__ explicit FragmentLoader(int base) {
    int lane = threadIdx.x % 32, quarter = lane / 8, in_quarter = lane % 8;
#pragma unroll
    for (int k = 0; k < KINDS; k++) {
      if constexpr (ALONG_K) {
        int line = base + row_of(quarter) + in_quarter;
        at[k] = line * L::BYTES + ((2 * k + word_of(quarter) / 4) ^ L::exchange(in_quarter)) * 16;
      } else if constexpr (!BY_WORDS) {
        int line = 2 * word_of(quarter) + in_quarter;
        at[k] = line * L::BYTES + ((base / 8 + 2 * k + row_of(quarter) / 8) ^ L::exchange(in_quarter)) * 16;
      } else {
        at[k] = L::place(lane % 4, (base + 8 * k + lane / 4) / 4) + lane / 4 % 4 * 4;
      }
    }
  }

  // Loads 16 rows, from `row` on, of 8 words, from `word` on, of the tile at that address.
  __device__ void load(unsigned (&x)[4], unsigned tile, int row, int word) const {
    if constexpr (ALONG_K) {
      load_matrices<false>(x, tile + at[word / 8] + row * L::BYTES);
    } else if constexpr (!BY_WORDS) {
      load_matrices<true>(x, tile + at[row / 16] + word * 2 * L::BYTES);
    } else {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        int in_32 = row % 32 + row_of(i);
        asm volatile("ld.shared.b32 %0, [%1];"
                     : "=r"(x[i])
                     : "r"(tile + at[in_32 / 8] + row / 32 * 128 + (word + word_of(i)) * L::BYTES)
                     : "memory");
      }
    }
  }
};

// Adds the products of a step's tiles to a warp's sums. `meanwhile` is called while the first fragments are under way.
template <class T, class A, class B, class F>
__device__ inline void multiply_tiles(float (&sum)[T::DOWN][T::ACROSS][4], A load_a, B load_b, unsigned tile_a,
                                      unsigned tile_b, F meanwhile) {
#pragma unroll
  for (int word = 0; word < T::WORDS; word += 8) {
    unsigned a[T::DOWN][4], b[T::ACROSS / 2][4];
#pragma unroll
    for (int i = 0; i < T::DOWN; i++) {
      load_a.load(a[i], tile_a, 16 * i, word);
    }
#pragma unroll
    for (int j = 0; j < T::ACROSS / 2; j++) {
      load_b.load(b[j], tile_b, 16 * j, word);
    }
    if (word == 0) {
      meanwhile();
    }
#pragma unroll
    for (int i = 0; i < T::DOWN; i++) {
#pragma unroll
      for (int j = 0; j < T::ACROSS; j++) {
        multiply_add<T::PRECISION>(sum[i][j], a[i], {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]});
      }
    }
  }
}

// Adds the products of k_from <= k < k_to to the sums of a warp, whose part of the block's tile begins at (wm, wn).
template <class T, int WIDTH, class A, class B>
__device__ inline void multiply_stages(float (&sum)[T::DOWN][T::ACROSS][4], unsigned shared, A a, B b, int m0, int n0,
                                       int k_from, int k_to, int wm, int wn) {
  constexpr int STAGE = 2 * T::TILE;
  AsyncCopier<T, A, WIDTH> copier_a(a, m0, k_from, k_to);
  AsyncCopier<T, B, WIDTH> copier_b(b, n0, k_from, k_to);
  FragmentLoader<T, A::LAYOUT, true> load_a(wm);
  FragmentLoader<T, B::LAYOUT, false> load_b(wn);
#pragma unroll
  for (int s = 0; s < T::STAGES - 1; s++) {
    copier_a.copy(shared + s * STAGE);
    copier_b.copy(shared + s * STAGE + T::TILE);
    end_of_stage();
  }
  unsigned read = shared, write = shared + (T::STAGES - 1) * STAGE, end = shared + T::STAGES * STAGE;
#pragma unroll 1
  for (int k0 = k_from; k0 < k_to; k0 += T::BK) {
    await_stages<T::STAGES - 2>();
    __syncthreads();
    multiply_tiles<T>(sum, load_a, load_b, read, read + T::TILE, [&] {
      copier_a.copy(write);
      copier_b.copy(write + T::TILE);
      end_of_stage();
    });
    write = read;
    read = read + STAGE == end ? shared : read + STAGE;
  }
  await_stages<0>();
}

// Stores two neighbours to shared memory. The compiler would split some of such stores, and their lanes would meet.
__device__ inline void store_pair(unsigned to, float x, float y) {
  asm volatile("st.shared.v2.f32 [%0], {%1, %2};" ::"r"(to), "f"(x), "f"(y) : "memory");
}

// Computes what fma_multiply of gemm.cuh computes, for operands that are rounded and begin, and whose lines begin, at a
// multiple of 8 bytes. If `copy` is not null, it gets the outputs rounded.
template <class T, class A, class B, class E>
__device__ inline void async_multiply(float *c, void *copy, A a, B b, int M, int N, int k_from, int k_to, int m0,
                                      int n0, E epilogue) {
  __shared__ __align__(128) unsigned char shared[T::STAGES * 2 * T::TILE];
  static_assert(Pass<T>::ROWS * Pass<T>::STRIDE * sizeof(float) <= sizeof(shared), "sums take the operands' place");
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int wm = warp / 2 * T::WARP_TILE, wn = warp % 2 * T::WARP_TILE;

  float sum[T::DOWN][T::ACROSS][4] = {};
  unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  size_t begins = size_t(a.x) | size_t(b.x) | size_t(a.line()) * T::BYTES | size_t(b.line()) * T::BYTES;
  if (begins % 16 == 0) {
    multiply_stages<T, 16>(sum, to, a, b, m0, n0, k_from, k_to, wm, wn);
  } else {
    multiply_stages<T, 8>(sum, to, a, b, m0, n0, k_from, k_to, wm, wn);
  }

  bool whole = N % 4 == 0 && (size_t(c) | size_t(epilogue.source)) % 16 == 0 && size_t(copy) % (4 * T::BYTES) == 0;
#pragma unroll 1
  for (int pass = 0; pass < T::WARP_TILE / 32; pass++) {
    __syncthreads();  // all threads have read the operands, or the sums of the pass before
#pragma unroll
    for (int i = 0; i < T::DOWN; i++) {
      if (i / 2 == pass) {
#pragma unroll
        for (int j = 0; j < T::ACROSS; j++) {
#pragma unroll
          for (int half = 0; half < 2; half++) {
            int row = warp / 2 * 32 + i % 2 * 16 + half * 8 + lane / 4, column = wn + 8 * j + lane % 4 * 2;
            store_pair(to + (row * Pass<T>::STRIDE + column) * 4, sum[i][j][2 * half], sum[i][j][2 * half + 1]);
          }
        }
      }
    }
    __syncthreads();
    Pass<T> rows{reinterpret_cast<float *>(shared), m0 + pass * 32, n0, M, N};
    if (whole) {
      rows.template finish<true>(c, copy, epilogue);
    } else {
      rows.template finish<false>(c, copy, epilogue);
    }
  }
}

// Computes what linear_forward of gemm.cuh computes, from a rounded x and w.
template <class T>
__device__ inline void linear_forward_async(float *y, void *copy, const void *x, const void *w, const float *b, int B,
                                            int I, int O, int activation) {
  async_multiply<T>(y, copy, Rounded<K_CONTIGUOUS>{x, B, I}, Rounded<K_CONTIGUOUS>{w, O, I}, B, O, 0, I,
                    blockIdx.x * T::SIZE, blockIdx.y * T::SIZE,
                    epilogue<true>(b, activation, [](auto known, float bias, float sum) { return activate(sum + bias, known.ACTIVATION); }));
}

// Computes what linear_backward_weights of gemm.cuh computes, from a rounded dy and x.
template <class T>
__device__ inline void linear_backward_weights_async(float *dw, const void *dy, const void *x, int B, int I, int O,
                                                     int share) {
  int from = blockIdx.z * share;
  async_multiply<T>(dw + size_t(blockIdx.z) * O * I, nullptr, Rounded<K_STRIDED>{dy, O, B}, Rounded<K_STRIDED>{x, I, B},
                    O, I, from, min(B, from + share), blockIdx.x * T::SIZE, blockIdx.y * T::SIZE,
                    epilogue<true>(nullptr, NONE, [](auto, float, float sum) { return sum; }));
}

// Computes what linear_backward_inputs of gemm.cuh computes, from a rounded dy and w.
template <class T>
__device__ inline void linear_backward_inputs_async(float *dx, void *copy, const void *dy, const float *x,
                                                    const void *w, int B, int I, int O, int below) {
  async_multiply<T>(dx, copy, Rounded<K_CONTIGUOUS>{dy, B, O}, Rounded<K_STRIDED>{w, I, O}, B, I, 0, O,
                    blockIdx.x * T::SIZE, blockIdx.y * T::SIZE,
                    epilogue<false>(below == NONE ? nullptr : x, below,
                                    [](auto known, float y, float sum) { return differentiate(sum, y, known.ACTIVATION); }));
}

}  // namespace op
