// The outputs of the products of tensor_async.cuh: sums that lie in shared memory become outputs in memory.
#pragma once

#include "activation.cuh"
#include "precision.cuh"

namespace op {

// What follows a product: the output is apply(activation, loaded, sum), where `loaded` is an element of `source`: that
// of the output's column if BY_COLUMN, else that of the output's place; 0 if `source` is null. The activation that
// `apply` gets is known to the compiler.
template <bool BY_COLUMN_, class Apply>
struct Epilogue {
  static constexpr bool BY_COLUMN = BY_COLUMN_;
  const float *source;
  int activation;
  Apply apply;
};

template <bool BY_COLUMN, class Apply>
__device__ Epilogue<BY_COLUMN, Apply> epilogue(const float *source, int activation, Apply apply) {
  return {source, activation, apply};
}

// An activation that the compiler knows.
template <int ACTIVATION_>
struct Known {
  static constexpr int ACTIVATION = ACTIVATION_;
};

// Calls f with the activation as a type, so that one branch serves many outputs.
template <class F>
__device__ inline void with_known(int activation, F f) {
  switch (activation) {
    case RELU: f(Known<RELU>()); break;
    case SIGMOID: f(Known<SIGMOID>()); break;
    case TANH: f(Known<TANH>()); break;
    case LECUN_TANH: f(Known<LECUN_TANH>()); break;
    default: f(Known<NONE>());
  }
}

// Access to 4 neighbours in a row of a matrix: to all of them at once if WHOLE, else to the first `count` one by one.
template <bool WHOLE>
struct Four {
  int count;

  __device__ void load(float (&x)[4], const float *from) const {
    if constexpr (WHOLE) {
      float4 four = *reinterpret_cast<const float4 *>(from);
      x[0] = four.x, x[1] = four.y, x[2] = four.z, x[3] = four.w;
    } else {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        x[j] = j < count ? from[j] : 0;
      }
    }
  }

  __device__ void store(float *to, const float (&x)[4]) const {
    if constexpr (WHOLE) {
      *reinterpret_cast<float4 *>(to) = make_float4(x[0], x[1], x[2], x[3]);
    } else {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        if (j < count) {
          to[j] = x[j];
        }
      }
    }
  }

  // Stores x rounded, from element `at` of a copy on.
  template <Precision P>
  __device__ void keep(void *copy, size_t at, const float (&x)[4]) const {
    if constexpr (WHOLE && PACKED<P> == 2) {
      *reinterpret_cast<uint2 *>(static_cast<unsigned short *>(copy) + at) =
          make_uint2(packed<P>({x[0], x[1]}), packed<P>({x[2], x[3]}));
    } else if constexpr (WHOLE) {
      store(static_cast<float *>(copy) + at, {rounded<P>(x[0]), rounded<P>(x[1]), rounded<P>(x[2]), rounded<P>(x[3])});
    } else {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        if (j < count) {
          keep_rounded<P>(copy, at + j, x[j]);
        }
      }
    }
  }
};

// The rows of a block's tile that go through shared memory together, 32 of each warp: `sums` has them STRIDE apart. A
// thread finishes 4 neighbours of every AT_ONCE-th row, so that a warp stores whole lines.
template <class T>
struct Pass {
  static constexpr int ROWS = 64, STRIDE = T::SIZE + 8;  // the lanes that store a pair of sums together meet all banks
  static constexpr int ACROSS = T::SIZE / 4, AT_ONCE = T::THREADS / ACROSS;
  const float *sums;
  int m0, n0, M, N;  // where the tile begins whose rows these are, and the size of the output

  // Computes the outputs from the sums, and stores them and, if `copy` is not null, their rounded copy.
  template <bool WHOLE, class E>
  __device__ void finish(float *c, void *copy, E epilogue) const {
    constexpr int GROUP = !WHOLE ? 1 : E::BY_COLUMN ? 2 : 8;  // rows whose loads are under way together
    int n = n0 + threadIdx.x % ACROSS * 4;
    Four<WHOLE> four{N - n};
    float loaded[E::BY_COLUMN ? 1 : GROUP][4] = {};
    if (n >= N) {
      return;
    }
    if (E::BY_COLUMN && epilogue.source != nullptr) {
      four.load(loaded[0], epilogue.source + n);
    }
#pragma unroll 1
    for (int first = threadIdx.x / ACROSS; first < ROWS; first += GROUP * AT_ONCE) {
      auto row = [=](int g) { return first + g * AT_ONCE; };
      auto m = [=](int g) { return m0 + row(g) / 32 * T::WARP_TILE + row(g) % 32; };
      float y[GROUP][4];
#pragma unroll
      for (int g = 0; g < GROUP; g++) {
        if (!E::BY_COLUMN && epilogue.source != nullptr && m(g) < M) {
          four.load(loaded[g], epilogue.source + size_t(m(g)) * N + n);
        }
        Four<true>{4}.load(y[g], sums + row(g) * STRIDE + n - n0);
      }
      with_known(epilogue.activation, [&](auto activation) {
#pragma unroll
        for (int g = 0; g < GROUP; g++) {
#pragma unroll
          for (int j = 0; j < 4; j++) {
            y[g][j] = epilogue.apply(activation, loaded[E::BY_COLUMN ? 0 : g][j], y[g][j]);
          }
        }
      });
#pragma unroll
      for (int g = 0; g < GROUP; g++) {
        if (m(g) < M) {
          size_t at = size_t(m(g)) * N + n;
          four.store(c + at, y[g]);
          if (copy != nullptr) {
            four.template keep<T::PRECISION>(copy, at, y[g]);
          }
        }
      }
    }
  }
};

}  // namespace op
