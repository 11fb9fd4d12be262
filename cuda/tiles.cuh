// The operands of a product, and the way in which a block's threads carry tiles of them to shared memory.
#pragma once

namespace op {

// The layout of an operand X (ROWS, K) in memory.
enum Layout { K_CONTIGUOUS, K_STRIDED };

// An operand that lies in memory as floats. A thread loads a value of type `Raw`, and `value` later converts it to the
// number that is multiplied, by its row and its element along K: a conversion between a load and the next one would
// make each load wait for the one before.
template <Layout LAYOUT_>
struct Matrix {
  static constexpr Layout LAYOUT = LAYOUT_;
  using Raw = float;
  const float *x;
  int rows, K;

  __device__ const float *place(int row, int k) const {
    return x + (LAYOUT == K_CONTIGUOUS ? size_t(row) * K + k : size_t(k) * rows + row);
  }
  __device__ float value(Raw raw, int, int) const { return raw; }
};

// The part of a tile (SIZE, T::WORDS of K) of an operand that one thread carries from global to shared memory.
template <class T, int SIZE, class Operand>
struct Carrier {
  static constexpr int WIDTH = T::BK / T::WORDS;  // the number of elements of a word
  static constexpr int COUNT = SIZE * T::WORDS / T::THREADS;
  static_assert(COUNT * T::THREADS == SIZE * T::WORDS, "each thread carries the same number of words");
  typename Operand::Raw raw[COUNT][WIDTH];

  // Returns the place of word i of this thread: words that are neighbours in memory go to neighbouring threads.
  static __device__ int row(int i) {
    int e = i * T::THREADS + threadIdx.x;
    return Operand::LAYOUT == K_CONTIGUOUS ? e / T::WORDS : e % SIZE;
  }
  static __device__ int word(int i) {
    int e = i * T::THREADS + threadIdx.x;
    return Operand::LAYOUT == K_CONTIGUOUS ? e % T::WORDS : e / SIZE;
  }

  // Loads rows row0 up to `rows`, elements k0 up to k_to, both ends excluded. For a place outside, the last place
  // inside is loaded, so that no load has a condition.
  __device__ void load(Operand x, int row0, int k0, int rows, int k_to) {
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
#pragma unroll
      for (int e = 0; e < WIDTH; e++) {
        raw[i][e] = *x.place(min(row0 + row(i), rows - 1), min(k0 + word(i) * WIDTH + e, k_to - 1));
      }
    }
  }

  // Calls put(row, word, its elements) for each word that `load` has loaded with the same arguments; elements outside
  // are 0.
  template <class Put>
  __device__ void store(Operand x, int row0, int k0, int rows, int k_to, Put put) const {
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      float value[WIDTH];
#pragma unroll
      for (int e = 0; e < WIDTH; e++) {
        bool inside = row0 + row(i) < rows && k0 + word(i) * WIDTH + e < k_to;
        value[e] = inside ? x.value(raw[i][e], row0 + row(i), k0 + word(i) * WIDTH + e) : 0;
      }
      put(row(i), word(i), value);
    }
  }
};

// An output of a product: its column n, and its place in the matrix.
struct Output {
  bool inside;  // whether the output is in the matrix
  int n;
  size_t at;
};

__device__ inline Output output(int m, int n, int M, int N) {
  return {m < M && n < N, n, size_t(m) * N + n};
}

// The last step of a product: load(at, n) fetches what is needed besides the sum, and apply(what was fetched, sum, at,
// n) returns the output. A group is T::GROUP outputs of a thread. All loads of a group come before its stores, since a
// load after a store waits for it; where a thread has a single group, they come before the products.
template <class Load, class Apply>
struct Finish {
  Load load;
  Apply apply;
};

template <class Load, class Apply>
__device__ Finish<Load, Apply> finish(Load load, Apply apply) {
  return {load, apply};
}

// Loads what a group of outputs needs besides the sums, where place(g) is output g of the group.
template <class Loaded, int GROUP, class F, class Place>
__device__ inline void load_group(Loaded (&loaded)[GROUP], F finish, Place place) {
#pragma unroll
  for (int g = 0; g < GROUP; g++) {
    Output o = place(g);
    loaded[g] = o.inside ? finish.load(o.at, o.n) : Loaded{};
  }
}

}  // namespace op
