// The layers of the persistent step after the first. A block takes a row of the batch forward and backward through
// these layers by itself. Their weights lie in the arena, where all blocks read them, and are updated by items of 4
// outputs by 32 inputs each.
#pragma once

#include "activation.cuh"
#include "dropout.cuh"
#include "persistent_input.cuh"
#include "softmax.cuh"

namespace op {

// A layer, as mlpcuda.compute.cuda.PersistentKernels lays it out.
struct PersistentLayer {
  int I, O;
  int w, b;              // the places of its weights and biases in the parameters' arenas, in floats
  int width;             // O rounded up to GROUP: the length of a row in the arena of the batch
  int out, kept, dz;     // places in a row in shared memory: outputs, outputs after dropout, gradient before activation
  int kept_all, dz_all;  // places of the batch's outputs after dropout and gradients (B, width), in its arena
  int activation;
  float rate, scale;     // the rate of dropout after it, and the factor for what dropout keeps
  int item;              // the number of its first item
};
static_assert(sizeof(PersistentLayer) == 14 * sizeof(int), "PersistentKernels.COLUMNS");

// The batch and the network, as far as a row on its way through the layers needs them.
struct Head {
  float *arena, *losses;
  const float *partial;          // (B, slices, width of the first layer): parts of the sums of its outputs
  const PersistentLayer *layers;  // in shared memory, like `row`
  float *row;                    // a row's values of all layers
  int L, B, slices;
  float smoothing;
  Dropout dropout;

  // Returns x, output o of layer l in row b, after dropout.
  __device__ float drop(float x, int l, int b, int o) const {
    const PersistentLayer &layer = layers[l];
    Dropout its = {layer.rate, layer.scale, l + 1, dropout.step, dropout.use, dropout.seed};
    return its(x, unsigned(b) * layer.O + o);
  }

  // Stores an output of row b, whose sum of products and bias is z.
  __device__ void finish(float z, int l, int b, int o) const {
    const PersistentLayer &layer = layers[l];
    float a = activate(z, layer.activation);
    row[layer.out + o] = a;
    if (layer.rate > 0) {
      a = drop(a, l, b, o);
      row[layer.kept + o] = a;
    }
    if (l + 1 < L) {
      arena[layer.kept_all + b * layer.width + o] = a;
    }
  }
};

// Copies from (n) to to (n), both at a multiple of 16 bytes, with 12 reads under way: the default network needs 9.
__device__ inline void copy_weights(float *to, const float *from, int n) {
  constexpr int READS = 12;
  for (int i0 = threadIdx.x; i0 < n / 4; i0 += READS * PERSISTENT_THREADS) {
    float4 values[READS];
#pragma unroll
    for (int k = 0; k < READS; k++) {  // without a condition: there are too few predicates for 12 of them
      values[k] = at4(from + 4 * min(i0 + k * PERSISTENT_THREADS, n / 4 - 1));
    }
#pragma unroll
    for (int k = 0; k < READS; k++) {
      int i = i0 + k * PERSISTENT_THREADS;
      if (i < n / 4) {
        *reinterpret_cast<float4 *>(to + 4 * i) = values[k];
      }
    }
  }
  int last = n / 4 * 4 + threadIdx.x;
  if (last < n) {
    to[last] = from[last];
  }
}

// Reads 8 parts of output o of row b, from slice `from` on; parts beyond the last slice are 0.
__device__ inline void fetch_parts(float (&values)[8], const Head &head, int b, int o, int from) {
  int width = head.layers[0].width;
#pragma unroll
  for (int k = 0; k < 8; k++) {
    values[k] = 0;
    if (from + k < head.slices) {
      values[k] = head.partial[(b * head.slices + from + k) * width + o];
    }
  }
}

// Returns the sum of the parts of output o of row b, in the order of slices; `values` has the first 8 parts.
__device__ inline float sum_parts(float (&values)[8], const Head &head, int b, int o) {
  float sum = 0;
  for (int from = 0; from < head.slices; from += 8) {
    if (from > 0) {
      fetch_parts(values, head, b, o, from);
    }
#pragma unroll
    for (int k = 0; k < 8; k++) {
      sum += values[k];
    }
  }
  return sum;
}

// Returns to lanes 4 k to 4 k + 3 the sum of x[k] over the lanes of a warp. In each of three steps lanes exchange half
// of their values, which takes 9 shuffles, where eight whole sums would take 40.
__device__ inline float transposed_sum(float (&x)[8], int lane) {
#pragma unroll
  for (int half = 4; half > 0; half /= 2) {
    bool upper = lane & 4 * half;
#pragma unroll
    for (int k = 0; k < half; k++) {
      float theirs = upper ? x[k] : x[k + half];
      x[k] = (upper ? x[k + half] : x[k]) + __shfl_xor_sync(WHOLE_WARP, theirs, 4 * half);
    }
  }
  x[0] += __shfl_xor_sync(WHOLE_WARP, x[0], 2);
  return x[0] + __shfl_xor_sync(WHOLE_WARP, x[0], 1);
}

// Computes layer l > 0 of row b; its weights and biases lie at `w`. A warp has 8 outputs at once, and the next warp the
// neighbouring ones.
__device__ inline void head_forward(const Head &head, const float *w, const float *biases, int l, int b) {
  constexpr int WARPS = PERSISTENT_THREADS / WARP;
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
  int I = head.layers[l].I, O = head.layers[l].O;
  const float *in = head.row + head.layers[l - 1].kept;
  for (int o0 = warp; o0 < O; o0 += 8 * WARPS) {
    int o = o0 + lane / 4 * WARPS;  // the output that this lane finishes, if there is one
    float bias = o < O ? biases[o] : 0;
    float sum[8] = {};
    if (I % 4 == 0) {
      for (int i = 4 * lane; i < I; i += 4 * WARP) {
        float4 weights[8] = {};
#pragma unroll
        for (int k = 0; k < 8; k++) {
          if (o0 + k * WARPS < O) {
            weights[k] = at4(w + (o0 + k * WARPS) * I + i);
          }
        }
        float4 x = at4(in + i);
#pragma unroll
        for (int k = 0; k < 8; k++) {
          sum[k] = dot4(sum[k], x, weights[k]);
        }
      }
    } else {
      for (int i = lane; i < I; i += WARP) {
#pragma unroll
        for (int k = 0; k < 8; k++) {
          sum[k] = fmaf(in[i], w[min(o0 + k * WARPS, O - 1) * I + i], sum[k]);
        }
      }
    }
    float all = transposed_sum(sum, lane);
    if (lane % 4 == 0 && o < O) {
      head.finish(all + bias, l, b, o);
    }
  }
}

// Returns the largest of x (C) and the sum of e^(x - largest), for C up to 16. Each thread computes both for itself, as
// shuffles would take longer.
__device__ inline void softmax_sums(float &largest, float &sum, const float *x, int C) {
  float values[16];
#pragma unroll
  for (int c = 0; c < 16; c++) {
    values[c] = c < C ? x[c] : -INFINITY;
  }
  largest = values[0];
#pragma unroll
  for (int c = 1; c < 16; c++) {
    largest = fmaxf(largest, values[c]);  // fmaxf drops a NaN, but its exponential brings it back into the sum
  }
  float sums[4] = {};
#pragma unroll
  for (int c = 0; c < 16; c++) {
    sums[c % 4] += c < C ? expf(values[c] - largest) : 0;
  }
  sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Computes dz, the gradient of the batch's mean loss before the last layer's activation, for row b of class y. One warp
// calls this.
__device__ inline void head_gradient(const Head &head, int y, int b, int lane) {
  const PersistentLayer &last = head.layers[head.L - 1];
  const float *logits = head.row + last.out;
  float largest, sum;
  if (last.O <= 16) {
    softmax_sums(largest, sum, logits, last.O);
  } else {
    largest = row_largest(RowOfMemory{logits}, last.O, lane).value;
    sum = row_exponentials(RowOfMemory{logits}, last.O, largest, lane);
  }
  float others = head.smoothing / last.O, its = 1 - (head.smoothing - others), share = scale_of(nullptr) / head.B;
  for (int c = lane; c < last.width; c += WARP) {
    float g = 0;
    if (c < last.O) {
      float dx = (expf(logits[c] - largest) / sum - (c == y ? its : others)) * share;
      g = differentiate(dx, logits[c], last.activation);
      head.arena[last.dz_all + b * last.width + c] = g;
    }
    head.row[last.dz + c] = g;
  }
}

// Computes, for row b, the gradient before the activation of the layer below l > 0 from the gradient before layer l's
// activation. Beyond a layer's outputs the row has zeros.
__device__ inline void head_backward(const Head &head, const float *w, int l, int b) {
  constexpr int READS = 16;  // the weights that a thread loads at once
  const PersistentLayer &below = head.layers[l - 1];
  int I = head.layers[l].I, O = head.layers[l].O, O8 = head.layers[l].width;
  const float *dz = head.row + head.layers[l].dz;
  for (int i = threadIdx.x; i < below.width; i += PERSISTENT_THREADS) {
    float g = 0;
    if (i < I) {
      float sum[2] = {};  // two sums, so that half as many additions wait for each other
      for (int o0 = 0; o0 < O; o0 += READS) {
        float weights[READS];
        if (o0 + READS <= O) {
#pragma unroll
          for (int k = 0; k < READS; k++) {
            weights[k] = w[(o0 + k) * I + i];
          }
        } else {
#pragma unroll
          for (int k = 0; k < READS; k++) {
            weights[k] = w[min(o0 + k, O - 1) * I + i];
          }
        }
#pragma unroll
        for (int k = 0; k < READS; k += 4) {
          if (o0 + k < O8) {
            float4 four = at4(dz + o0 + k);
            sum[0] = fmaf(four.x, weights[k], sum[0]);
            sum[1] = fmaf(four.y, weights[k + 1], sum[1]);
            sum[0] = fmaf(four.z, weights[k + 2], sum[0]);
            sum[1] = fmaf(four.w, weights[k + 3], sum[1]);
          }
        }
      }
      g = sum[0] + sum[1];
      g = below.rate > 0 ? head.drop(g, l - 1, b, i) : g;
      g = differentiate(g, head.row[below.out + i], below.activation);
      head.arena[below.dz_all + b * below.width + i] = g;
    }
    head.row[below.dz + i] = g;
  }
}

// Takes row b, of class y, from the first layer's outputs to the loss, and back to the gradient before the first
// layer's activation. `rest` is the arena of weights from place `from` on, or its copy. This ends with a barrier of the
// block.
__device__ inline void head_row(const Head &head, const float *rest, int from, int y, int b) {
  for (int l = 1; l < head.L; l++) {
    head_forward(head, rest + (head.layers[l].w - from), rest + (head.layers[l].b - from), l, b);
    __syncthreads();
  }
  const PersistentLayer &last = head.layers[head.L - 1];
  int lane = threadIdx.x % WARP;
  if (threadIdx.x < WARP) {
    head_gradient(head, y, b, lane);
  } else if (threadIdx.x < 2 * WARP) {  // the second warp does this at the same time
    cross_entropy_row(head.losses, RowOfMemory{head.row + last.out}, y, 1, b, head.B, last.O, head.smoothing, 0, lane,
                      [](int, float) {});
  }
  __syncthreads();
  for (int l = head.L - 1; l > 0; l--) {
    head_backward(head, rest + (head.layers[l].w - from), l, b);
    __syncthreads();
  }
}

// A block's item: 4 outputs by 32 inputs of a layer's weights, or 32 of its biases.
struct Item {
  int l, o, i;  // the layer, and the output and input of its first weight; i < 0: biases

  // The first layer has items of biases alone: persistent_input.cuh updates its weights.
  __device__ Item(const PersistentLayer *layers, int L, int number) {
    l = 0;
    while (l + 1 < L && number >= layers[l + 1].item) {
      l++;
    }
    int across = (layers[l].I - 1) / WARP + 1, weights = l == 0 ? 0 : ((layers[l].O - 1) / 4 + 1) * across;
    number -= layers[l].item;
    o = number < weights ? number / across * 4 : (number - weights) * WARP;
    i = number < weights ? number % across * WARP : -1;
  }

  // Returns the place in the arenas of this thread's parameter, one of the item's 128; -1 if it has none.
  __device__ int place(const PersistentLayer *layers) const {
    const PersistentLayer &layer = layers[l];
    int lane = threadIdx.x % WARP, number = threadIdx.x / WARP;
    if (i < 0) {
      return number == 0 && o + lane < layer.O ? layer.b + o + lane : -1;
    }
    return number < 4 && o + number < layer.O && i + lane < layer.I ? layer.w + (o + number) * layer.I + i + lane : -1;
  }
};

// Computes in red (4, warps, lanes) parts of the item's gradient: a warp has every eighth row of the batch, and a lane
// has one input.
__device__ inline void item_gradient(float *red, const float *arena, const PersistentLayer *layers, const Item &item,
                                     int B) {
  constexpr int WARPS = PERSISTENT_THREADS / WARP, ROWS = 8;  // ROWS: the rows whose reads are under way at once
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
  const PersistentLayer &layer = layers[item.l];
  const float *dz = arena + layer.dz_all + item.o;
  float4 sum = {};
  if (item.i < 0) {
    bool there = item.o + lane < layer.O;
    for (int b0 = warp; b0 < B; b0 += ROWS * WARPS) {
      float values[ROWS] = {};
#pragma unroll
      for (int k = 0; k < ROWS; k++) {
        if (there && b0 + k * WARPS < B) {
          values[k] = dz[(b0 + k * WARPS) * layer.width + lane];
        }
      }
#pragma unroll
      for (int k = 0; k < ROWS; k++) {
        sum.x += values[k];
      }
    }
  } else {
    const PersistentLayer &below = layers[item.l - 1];
    const float *in = arena + below.kept_all + item.i + lane;
    bool there = item.i + lane < layer.I;
    for (int b0 = warp; b0 < B; b0 += ROWS * WARPS) {
      float x[ROWS] = {};
      float4 g[ROWS] = {};
#pragma unroll
      for (int k = 0; k < ROWS; k++) {
        int b = b0 + k * WARPS;
        if (there && b < B) {
          x[k] = in[b * below.width];
          g[k] = at4(dz + b * layer.width);
        }
      }
#pragma unroll
      for (int k = 0; k < ROWS; k++) {
        fma4(sum, x[k], g[k]);
      }
    }
  }
  int at = warp * WARP + lane;
  red[at] = sum.x;
  red[PERSISTENT_THREADS + at] = sum.y;
  red[2 * PERSISTENT_THREADS + at] = sum.z;
  red[3 * PERSISTENT_THREADS + at] = sum.w;
}

// Returns the gradient of this thread's parameter: the sum of its parts from item_gradient.
__device__ inline float item_sum(const float *red) {
  const float *its = red + threadIdx.x / WARP * PERSISTENT_THREADS + threadIdx.x % WARP;
  float sum = its[0];
  for (int k = 1; k < PERSISTENT_THREADS / WARP; k++) {
    sum += its[k * WARP];
  }
  return sum;
}

}  // namespace op
