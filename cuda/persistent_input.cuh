// The first layer of the persistent step. A block owns a tile of its weights, some groups of outputs by a slice of the
// inputs, and keeps them and their moments in shared memory from step to step. Each value is converted once in
// each step, by each block that needs it. The outputs of a slice are parts of sums, which persistent_head adds up.
#pragma once

#include "gather.cuh"
#include "reduce.cuh"

namespace op {

constexpr int PERSISTENT_THREADS = 256;
constexpr int GROUP = 8;       // the outputs that are computed together
constexpr int AHEAD = 16;      // the most quads of 4 values that a thread loads at once
constexpr int HALF = 8;        // half of AHEAD: a thread has no more quads in a short batch
constexpr int MOST_ROWS = 256;  // the most rows of a chunk of the batch

// A block's slice of the inputs, in quads of 4, and a thread's share of the slice: quad q of the rows g, g + groups,
// ...
struct Slice {
  int first, quads;  // the slice's first quad of all inputs, and its number of quads
  int q, g, groups;  // a thread without a share has q = quads
  int stride;        // the floats from one row of the slice to the next in shared memory

  // `most` is the number of quads of the longest slice, at most PERSISTENT_THREADS.
  __device__ Slice(int number, int most, int I) {
    first = number * most;
    quads = min(most, (I - 1) / 4 + 1 - first);
    groups = PERSISTENT_THREADS / most;  // a shorter slice has no more: there is no memory for more sums
    g = threadIdx.x / quads;
    q = g < groups ? threadIdx.x % quads : quads;
    stride = stride_of(most);
  }

  // The stride is at least 4 floats for each quad, and 4 more than a multiple of 32, so that eight rows lie in
  // different banks.
  __device__ static int stride_of(int quads) { return (4 * quads + 27) / 32 * 32 + 4; }

  __device__ bool mine() const { return q < quads; }
};

// The 4 values of a quad while they are loaded: bytes in a word, or floats.
template <class Value>
struct Quad4;

template <>
struct Quad4<unsigned char> {
  unsigned word = 0;

  __device__ void set(int e, unsigned char value) { word |= value << 8 * e; }
  __device__ float get(int e) const { return word >> 8 * e & 255; }
};

template <>
struct Quad4<float> {
  float4 four = {0, 0, 0, 0};

  __device__ void set(int e, float value) {  // selects, because registers have no index
    four.x = e == 0 ? value : four.x;
    four.y = e == 1 ? value : four.y;
    four.z = e == 2 ? value : four.z;
    four.w = e == 3 ? value : four.w;
  }
  __device__ float get(int e) const { return e == 0 ? four.x : e == 1 ? four.y : e == 2 ? four.z : four.w; }
};

// The quads that a thread loads at once.
template <class Value>
using Quads = Quad4<Value>[AHEAD];

// Returns the 4 values of a quad of example `row`, with 0 for values beyond the last one. This is for rows that do not
// begin at quads.
template <class Value>
__device__ inline Quad4<Value> quad_of(const Value *__restrict__ features, int row, int quad, int I) {
  Quad4<Value> values;
#pragma unroll 1
  for (int i = 4 * quad; i < min(4 * quad + 4, I); i++) {
    values.set(i % 4, features[row * I + i]);
  }
  return values;
}

// Loads into `quads` this thread's quad of rows g + k * groups, from k on; rows beyond the last are 0. `rows` has the
// numbers of `count` examples. Nothing waits for these loads here: put_inputs converts the values.
template <class Value>
__device__ inline void fetch_inputs(Quads<Value> &quads, const Value *__restrict__ features, const int *rows,
                                    int count, int from, const Slice &slice, int I) {
  int quad = slice.first + slice.q;
#pragma unroll
  for (int k = 0; k < AHEAD; k++) {
    quads[k] = {};
  }
#pragma unroll
  for (int half = 0; half < AHEAD; half += HALF) {
    if ((from + half) * slice.groups >= count) {
      break;
    }
    if (I % 4 == 0) {
#pragma unroll
      for (int k = half; k < half + HALF; k++) {
        int b = slice.g + (from + k) * slice.groups;
        if (slice.mine() && b < count) {
          quads[k] = reinterpret_cast<const Quad4<Value> *>(features)[rows[b] * (I / 4) + quad];
        }
      }
    } else {
#pragma unroll
      for (int k = half; k < half + HALF; k++) {
        int b = slice.g + (from + k) * slice.groups;
        if (slice.mine() && b < count) {
          quads[k] = quad_of(features, rows[b], quad, I);
        }
      }
    }
  }
}

// Stores in x (chunk, stride) the values of `quads`, scaled, and 0 for inputs beyond the last one.
template <class Value, class Scaling>
__device__ inline void put_inputs(float *x, const Quads<Value> &quads, int chunk, int from, const Slice &slice, int I,
                                  Scaling scaling) {
  int first = 4 * (slice.first + slice.q), there = I - first;  // the number of inputs from this quad on
#pragma unroll
  for (int half = 0; half < AHEAD; half += HALF) {
    if ((from + half) * slice.groups >= chunk) {
      break;
    }
#pragma unroll
    for (int k = half; k < half + HALF; k++) {
      int b = slice.g + (from + k) * slice.groups;
      if (slice.mine() && b < chunk) {
        float4 p;
        p.x = scaling(quads[k].get(0), first);
        p.y = there > 1 ? scaling(quads[k].get(1), first + 1) : 0;
        p.z = there > 2 ? scaling(quads[k].get(2), first + 2) : 0;
        p.w = there > 3 ? scaling(quads[k].get(3), first + 3) : 0;
        *reinterpret_cast<float4 *>(x + b * slice.stride + 4 * slice.q) = p;
      }
    }
  }
}

// Stores in x (chunk, stride) the examples of `rows`. If `fetched` is true, `quads` holds the first of them.
template <class Value, class Scaling>
__device__ inline void stage_inputs(float *x, Quads<Value> &quads, bool fetched, const Value *__restrict__ features,
                                    const int *rows, int count, int chunk, const Slice &slice, int I,
                                    Scaling scaling) {
  for (int from = 0; from * slice.groups < chunk; from += AHEAD) {
    if (from > 0 || !fetched) {
      fetch_inputs(quads, features, rows, count, from, slice, I);
    }
    put_inputs<Value>(x, quads, chunk, from, slice, I, scaling);
  }
}

__device__ inline float4 at4(const float *p) { return *reinterpret_cast<const float4 *>(p); }

__device__ inline float dot4(float sum, float4 a, float4 b) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

__device__ inline void add4(float4 &sum, float4 x) {
  sum.x += x.x;
  sum.y += x.y;
  sum.z += x.z;
  sum.w += x.w;
}

// Adds the product of a and x to sum.
__device__ inline void fma4(float4 &sum, float a, float4 x) {
  sum.x = fmaf(a, x.x, sum.x);
  sum.y = fmaf(a, x.y, sum.y);
  sum.z = fmaf(a, x.z, sum.z);
  sum.w = fmaf(a, x.w, sum.w);
}

// Computes part (KP, chunk, GROUP) = x (chunk, stride) times w (GROUP, stride) transposed, where each of the KP groups
// of the block's threads has every KP-th quad of inputs. A thread has 4 rows and 4 outputs; KP * chunk = 2 * threads.
// `chunk` is a power of two, from 8 to MOST_ROWS.
__device__ inline void forward_group(float *part, const float *x, const float *w, int chunk, const Slice &slice) {
  int bits = 31 - __clz(chunk);
  int apart = chunk / 4, position = threadIdx.x & (chunk / 2 - 1), its = threadIdx.x >> (bits - 1);
  int row = position & (apart - 1), output = position >> (bits - 2) << 2;
  int parts = 2 * PERSISTENT_THREADS >> bits;
  float sum[4][4] = {};
  for (int k = its; k < slice.quads; k += parts) {
    float4 xs[4], ws[4];
#pragma unroll
    for (int j = 0; j < 4; j++) {
      xs[j] = at4(x + (row + j * apart) * slice.stride + 4 * k);
      ws[j] = at4(w + (output + j) * slice.stride + 4 * k);
    }
#pragma unroll
    for (int r = 0; r < 4; r++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        sum[r][j] = dot4(sum[r][j], xs[r], ws[j]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < 4; r++) {
    int at = ((its << bits) + row + r * apart) * GROUP + output;
    *reinterpret_cast<float4 *>(part + at) = make_float4(sum[r][0], sum[r][1], sum[r][2], sum[r][3]);
  }
}

// Stores in out (`count` rows, `pitch` floats apart) the sums over part's first dimension: GROUP outputs of each row.
__device__ inline void publish_group(float *out, const float *part, int chunk, int count, int pitch) {
  int parts = 2 * PERSISTENT_THREADS >> (31 - __clz(chunk));
  for (int e = threadIdx.x; e < 2 * count; e += PERSISTENT_THREADS) {
    float4 sum = at4(part + 4 * e);
    for (int r = 1; r < parts; r++) {
      add4(sum, at4(part + r * chunk * GROUP + 4 * e));
    }
    *reinterpret_cast<float4 *>(out + e / 2 * pitch + e % 2 * 4) = sum;
  }
}

// Adds to sum (GROUP) the gradient of this thread's quad of weights, from its rows of x (count, stride) and dz (count,
// GROUP).
__device__ inline void backward_group(float4 (&sum)[GROUP], const float *x, const float *dz, int count,
                                      const Slice &slice) {
  if (!slice.mine()) {
    return;
  }
#pragma unroll 2
  for (int b = slice.g; b < count; b += slice.groups) {
    float4 p = at4(x + b * slice.stride + 4 * slice.q);
    float4 low = at4(dz + b * GROUP), high = at4(dz + b * GROUP + 4);
    fma4(sum[0], low.x, p);
    fma4(sum[1], low.y, p);
    fma4(sum[2], low.z, p);
    fma4(sum[3], low.w, p);
    fma4(sum[4], high.x, p);
    fma4(sum[5], high.y, p);
    fma4(sum[6], high.z, p);
    fma4(sum[7], high.w, p);
  }
}

// Stores in part (groups, GROUP, quads of 4) the sum of each thread.
__device__ inline void put_gradient(float *part, const float4 (&sum)[GROUP], const Slice &slice) {
  if (slice.mine()) {
#pragma unroll
    for (int o = 0; o < GROUP; o++) {
      reinterpret_cast<float4 *>(part)[(slice.g * GROUP + o) * slice.quads + slice.q] = sum[o];
    }
  }
}

// Updates w, m, v (GROUP, stride) by the gradient, which is the sum over part's first dimension.
template <class Update>
__device__ inline void update_group(float *w, float *m, float *v, const float *part, const Slice &slice,
                                    const Update &update) {
  if (!slice.mine()) {
    return;
  }
  for (int o = slice.g; o < GROUP; o += slice.groups) {
    auto its = reinterpret_cast<const float4 *>(part) + o * slice.quads + slice.q;
    float4 sum = its[0];
#pragma unroll 4
    for (int r = 1; r < slice.groups; r++) {
      add4(sum, its[r * GROUP * slice.quads]);
    }
    int at = o * slice.stride + 4 * slice.q;
    float4 weight = at4(w + at), mean = at4(m + at), square = Update::SQUARES ? at4(v + at) : make_float4(0, 0, 0, 0);
    weight.x = update(weight.x, mean.x, square.x, sum.x);
    weight.y = update(weight.y, mean.y, square.y, sum.y);
    weight.z = update(weight.z, mean.z, square.z, sum.z);
    weight.w = update(weight.w, mean.w, square.w, sum.w);
    *reinterpret_cast<float4 *>(w + at) = weight;
    *reinterpret_cast<float4 *>(m + at) = mean;
    if (Update::SQUARES) {
      *reinterpret_cast<float4 *>(v + at) = square;
    }
  }
}

// Copies the tile's part of `all` (O, I) to `its` (groups of the block, GROUP, stride), with zeros beyond its edges; or
// copies it back. The block's n-th group of outputs is group + n * across.
template <bool BACK>
__device__ inline void move_tile(float *its, float *all, int group, int across, int O, int I, const Slice &slice) {
  for (int n = 0; (group + n * across) * GROUP < O; n++) {
#pragma unroll 1
    for (int i = threadIdx.x; i < 4 * slice.quads; i += PERSISTENT_THREADS) {
      int input = 4 * slice.first + i;
#pragma unroll
      for (int o = 0; o < GROUP; o++) {
        int output = (group + n * across) * GROUP + o, at = output * I + input;
        bool there = output < O && input < I;
        float &here = its[(n * GROUP + o) * slice.stride + i];
        if (!BACK) {
          here = there ? all[at] : 0;
        } else if (there) {
          all[at] = here;
        }
      }
    }
  }
}

}  // namespace op
