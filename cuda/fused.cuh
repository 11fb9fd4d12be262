// A whole training step in three launches. The time of a small network is that of its launches and not of its
// arithmetic: each node of a graph waits for the one before it, and then takes time to start. Work on one row of the
// batch depends on no other row, and so needs no launch of its own.
//
//   fused_input    computes the first layer's outputs from features: bytes or floats are gathered and normalised on
//                  their way into the product, and bias, activation and dropout are its epilogue
//   fused_head     computes the other layers, the loss, and all gradients before activations: a block has a few rows of
//                  the batch, and takes them through all layers forward and backward
//   fused_update   computes all gradients of weights and biases, and applies the optimizer: a block has a tile of one
//                  layer's weights, or some of its biases, sums its gradient over the batch in a fixed order, and
//                  updates it in place
//
// Work of a single thread, for which others would wait, has a block of its own: the scalars of the step and of its
// optimizer in fused_input, the log in fused_update.
//
// The run's position is read by fused_input and advanced by fused_head: no launch does both, so no thread reads a count
// while it changes. The loss scale, if there is one, is handled alike: fused_input settles the step before, fused_head
// stores which of its blocks found an operand that is out of the range of half precision, and fused_update then leaves
// all weights as they are.
#pragma once

#include "adam.cuh"
#include "dropout.cuh"
#include "gather.cuh"
#include "gemm.cuh"
#include "sgd.cuh"
#include "softmax.cuh"

namespace op {

// A layer, as mlpcuda.compute.cuda.FusedTable lays it out. A place is a number of floats from the beginning of an
// arena.
struct FusedLayer {
  int I, O;
  int w, b;           // the places of its weights and biases in the parameters' arenas
  int in;             // the place of its inputs (B, I) in the arena of activations; unused in the first layer
  int out;            // the place of its outputs (B, O); the last layer's are kept in shared memory alone
  int kept;           // the place of its outputs after dropout; equal to out if it has no dropout
  int dz;             // the place of the gradient before its activation (B, O)
  int activation;
  float rate, scale;  // the rate of dropout after it, and the factor for what dropout keeps
  int tile;           // the first block of fused_update with its weights
  int biases;         // the first block of fused_update with its biases
};
static_assert(sizeof(FusedLayer) == 13 * sizeof(int), "FusedTable.COLUMNS");

// All layers, as a parameter of a kernel: a parameter is read from the constant bank, where a table in global memory
// would cost each block one latency before it knows the address of anything else.
struct FusedLayers {
  FusedLayer of[32];  // mlpcuda.compute.cuda.FusedTable.MOST_LAYERS
};

// The examples of a batch, as gather_forward takes them: bytes with one scaling, or floats with one for each column.
template <class Value_, class Scaling_>
struct Batch {
  using Value = Value_;
  using Scaling = Scaling_;
  const Value *features;
  const int *rows;  // null: the batch is examples 0 to B - 1
  int first, I;     // the batch's first element of rows; the inputs of an example
  Scaling scaling;

  __device__ int row(int b) const { return rows == nullptr ? b : rows[first + b]; }
};

using ByteBatch = Batch<unsigned char, UniformScaling>;
using FloatBatch = Batch<float, ColumnScaling>;

// The batch's features as an operand of a product. `rows` has the numbers of the examples, beginning with that of
// example b0.
template <Layout LAYOUT_, class Batch>
struct Inputs {
  static constexpr Layout LAYOUT = LAYOUT_;
  using Raw = typename Batch::Value;
  const Raw *features;
  const int *rows;
  int b0, I;
  typename Batch::Scaling scaling;

  __device__ const Raw *place(int row, int k) const {
    int b = LAYOUT == K_CONTIGUOUS ? row : k, i = LAYOUT == K_CONTIGUOUS ? k : row;
    return features + unsigned(rows[b - b0] * I + i);  // a buffer has less than 2^31 values
  }
  __device__ float value(Raw raw, int row, int k) const { return scaling(raw, LAYOUT == K_CONTIGUOUS ? k : row); }
};

// The run's position, as advance of vector.cuh describes it.
struct Position {
  int steps, examples, batches;
};

// Computes this step's number, its learning rate, its loss scale and, unless `scalars` is null, the scalars of Adam.
// One thread calls this.
__device__ inline void begin_step(int *step, float *rate, AdamScalars *scalars, Position position, const float *rates,
                                  LossScale *scaling, AdamSettings adam) {
  LossScale state{};
  if (scaling != nullptr) {  // loaded together with the position, on which the load of the rate depends
    state = *scaling;
  }
  float its_rate = rates[position.batches];
  int t = position.steps + 1;
  step[0] = t;
  rate[0] = its_rate;
  if (scaling != nullptr) {
    if (position.steps > 0) {
      state = settled(state);
      *scaling = state;
    }
    t -= int(state.skipped);
  }
  if (scalars != nullptr) {
    *scalars = adam_scalars(t, its_rate, adam);
  }
}

// Computes out (B, O) = activation(features times w (O, I) transposed + b) and, if the layer has dropout, kept (B, O),
// which is `out` after dropout. Stores the batch's classes in y (B), and the numbers of its examples in chosen (B). The
// grid has B / BM x O / BN blocks, both rounded up, and one more, which does other work.
template <class T, class Batch>
__device__ inline void fused_input(float *out, float *kept, int *y, int *chosen, const unsigned char *labels,
                                   Position position, const float *w, const float *b, int B, int O, int activation,
                                   Batch batch, Dropout dropout) {
  __shared__ int row_of[T::BM];
  int across = (O - 1) / T::BN + 1, I = batch.I;
  int m0 = blockIdx.x / across * T::BM, n0 = blockIdx.x % across * T::BN;
  batch.first = position.examples;
  dropout.step = position.steps + 1;
  bool tells = threadIdx.x < T::BM && m0 + threadIdx.x < B;
  int row = 0, label = 0;
  if (tells) {
    row = batch.row(m0 + threadIdx.x);
    row_of[threadIdx.x] = row;
    label = labels[row];
  }
  __syncthreads();
  multiply<T>(out, Inputs<K_CONTIGUOUS, Batch>{batch.features, row_of, m0, I, batch.scaling},
              Matrix<K_CONTIGUOUS>{w, O, I}, B, O, 0, I, m0, n0,
              finish([=](size_t, int o) { return b[o]; },
                     [=](float bias, float sum, size_t at, int) {
                       float a = activate(sum + bias, activation);
                       if (dropout.rate > 0) {
                         kept[at] = dropout(a, at);
                       }
                       return a;
                     }));
  if (tells && n0 == 0) {  // stored after the products, as the label arrives from memory late
    chosen[m0 + threadIdx.x] = row;
    y[m0 + threadIdx.x] = label;
  }
}

constexpr int HEAD_ROWS = 4;      // the rows of the batch that each block has
constexpr int HEAD_WIDTH = 1024;  // the outputs of the widest layer: mlpcuda.compute.cuda.FusedTable.WIDEST
constexpr int HEAD_OUTPUTS = 8;   // the outputs that a warp computes at once: a lane finishes one of them for one row
constexpr int HEAD_INPUTS = 4;    // the weights of each of these outputs that a lane loads at once
constexpr int HEAD_READS = 32;    // the weights that a thread loads at once in the backward pass
static_assert(HEAD_ROWS * HEAD_OUTPUTS == WARP, "transposed_sum");

// The values of a layer for the rows of a block.
struct Held {
  float4 of[HEAD_WIDTH];

  // Sets value i of row r without rounding.
  __device__ void keep(int i, int r, float value) { reinterpret_cast<float *>(of + i)[r] = value; }

  // Sets value i of row r, rounded as an operand of products; returns whether it is not finite then.
  template <Precision P>
  __device__ bool set(int i, int r, float value) {
    float x = rounded<P>(value);
    keep(i, r, x);
    return !isfinite(x);
  }
};

// Adds to the sum of each row the product of the weight and the row's value.
__device__ inline void add_products(float *sum, float weight, float4 values) {
  sum[0] = fmaf(values.x, weight, sum[0]);
  sum[1] = fmaf(values.y, weight, sum[1]);
  sum[2] = fmaf(values.z, weight, sum[2]);
  sum[3] = fmaf(values.w, weight, sum[3]);
}

// Computes from the first layer's outputs the loss, and back to the gradient before the first layer's activation. With
// a loss scale, lost (blocks) is set to 1 for each block that has an operand out of the range of its precision, which
// would make gradients that are not finite, and else to 0. The grid has B / HEAD_ROWS blocks, rounded up, of at least
// HEAD_ROWS whole warps each.
//
// The time of this kernel is a chain of waits for memory. Therefore a thread loads all weights that it needs next
// before it uses any of them, and values that only one block needs stay in shared memory.
template <Precision P>
__device__ inline void fused_head(float *arena, float *losses, int *lost, int *position, const float *w,
                                  const FusedLayer *layers, const int *y, const int *step, const LossScale *scaling,
                                  int L, int B, float smoothing, Dropout dropout) {
  __shared__ __align__(16) Held held[2];  // one is read while the other is written
  __shared__ bool lost_of[WARP];          // whether a warp has an operand out of range
  bool mine_lost = false;
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  int row0 = blockIdx.x * HEAD_ROWS, rows = min(HEAD_ROWS, B - row0);
  int label = y[row0 + min(warp, rows - 1)];
  float share = scale_of(scaling) / B;
  dropout.step = step[0];
  int now = 0;  // the one of the two that is read
  {
    int O = layers[0].O;
    const float *from = arena + layers[0].kept + size_t(row0) * O;
    for (int o = threadIdx.x; o < O; o += blockDim.x) {
      float value[HEAD_ROWS];
#pragma unroll
      for (int r = 0; r < HEAD_ROWS; r++) {
        value[r] = from[size_t(min(r, rows - 1)) * O + o];
      }
#pragma unroll
      for (int r = 0; r < HEAD_ROWS; r++) {
        float its = r < rows ? value[r] : 0;
        if (L > 1) {
          mine_lost |= held[now].set<P>(o, r, its);
        } else {
          held[now].keep(o, r, its);  // logits are not operands of a product
        }
      }
    }
    __syncthreads();
  }
  for (int l = 1; l < L; l++) {  // each warp has HEAD_OUTPUTS outputs of each row
    const FusedLayer &layer = layers[l];
    int I = layer.I, O = layer.O;
    dropout.rate = layer.rate;
    dropout.scale = layer.scale;
    dropout.layer = l + 1;
    for (int o0 = warp * HEAD_OUTPUTS; o0 < O; o0 += warps * HEAD_OUTPUTS) {
      int row = lane % HEAD_ROWS, o = o0 + lane / HEAD_ROWS;  // the row and the output that this lane will finish
      float bias = w[layer.b + min(o, O - 1)];
      float sum[HEAD_OUTPUTS * HEAD_ROWS] = {};
#pragma unroll 1
      for (int i0 = 0; i0 < I; i0 += HEAD_INPUTS * WARP) {
        float weight[HEAD_OUTPUTS][HEAD_INPUTS];
#pragma unroll
        for (int k = 0; k < HEAD_OUTPUTS; k++) {
#pragma unroll
          for (int j = 0; j < HEAD_INPUTS; j++) {  // without a condition: products outside are unused or zero
            weight[k][j] = w[layer.w + size_t(min(o0 + k, O - 1)) * I + min(i0 + j * WARP + lane, I - 1)];
          }
        }
#pragma unroll
        for (int j = 0; j < HEAD_INPUTS; j++) {
          int i = i0 + j * WARP + lane;
          float4 values = i < I ? held[now].of[i] : make_float4(0, 0, 0, 0);
#pragma unroll
          for (int k = 0; k < HEAD_OUTPUTS; k++) {
            add_products(sum + k * HEAD_ROWS, rounded<P>(weight[k][j]), values);
          }
        }
      }
      float mine = transposed_sum(sum, lane);
      if (o < O) {
        float kept = 0;  // rows beyond the batch are zeros
        if (row < rows) {
          size_t at = size_t(row0 + row) * O + o;
          kept = activate(mine + bias, layer.activation);
          if (l + 1 < L) {
            arena[layer.out + at] = kept;
            if (layer.rate > 0) {
              kept = dropout(kept, at);
              arena[layer.kept + at] = kept;
            }
          }
        }
        if (l + 1 < L) {
          mine_lost |= held[1 - now].set<P>(o, row, kept);
        } else {
          held[1 - now].keep(o, row, kept);
        }
      }
    }
    __syncthreads();  // the next layer reads the values of all warps
    now = 1 - now;
  }

  const FusedLayer &last = layers[L - 1];
  if (warp < HEAD_ROWS) {  // each of these warps has a row of logits
    int C = last.O, row = row0 + warp;
    const float *logits = reinterpret_cast<const float *>(held[now].of) + warp;
    float *dz = arena + last.dz + size_t(row) * C;
    Held &gradients = held[1 - now];
    if (warp < rows) {
      cross_entropy_row(
          losses, [=](int c) { return logits[c * HEAD_ROWS]; }, label, 1, row, B, C, smoothing, share, lane,
          [&](int c, float dx) {
            float g = differentiate(dx, logits[c * HEAD_ROWS], last.activation);
            dz[c] = g;
            mine_lost |= gradients.set<P>(c, warp, g);
          });
    } else {
      for (int c = lane; c < C; c += WARP) {
        gradients.keep(c, warp, 0);
      }
    }
  }
  __syncthreads();
  now = 1 - now;

  for (int l = L - 1; l > 0; l--) {  // each thread has one input of each row
    const FusedLayer &layer = layers[l], &below = layers[l - 1];
    int I = layer.I, O = layer.O;
    dropout.rate = below.rate;
    dropout.scale = below.scale;
    dropout.layer = l;
    for (int i = threadIdx.x; i < I; i += blockDim.x) {
      float output[HEAD_ROWS];  // the layer below's outputs, loaded before the stores, which might alias them
#pragma unroll
      for (int r = 0; r < HEAD_ROWS; r++) {
        output[r] = arena[below.out + size_t(row0 + min(r, rows - 1)) * I + i];
      }
      float sum[HEAD_ROWS] = {};
#pragma unroll 1
      for (int o0 = 0; o0 < O; o0 += HEAD_READS) {
        float weight[HEAD_READS];
#pragma unroll
        for (int k = 0; k < HEAD_READS; k++) {
          weight[k] = w[layer.w + size_t(min(o0 + k, O - 1)) * I + i];
        }
#pragma unroll
        for (int k = 0; k < HEAD_READS; k++) {
          add_products(sum, o0 + k < O ? rounded<P>(weight[k]) : 0, held[now].of[min(o0 + k, O - 1)]);
        }
      }
#pragma unroll
      for (int r = 0; r < HEAD_ROWS; r++) {
        float g = 0;
        if (r < rows) {
          size_t at = size_t(row0 + r) * I + i;
          g = below.rate > 0 ? dropout(sum[r], at) : sum[r];
          g = differentiate(g, output[r], below.activation);
          arena[below.dz + at] = g;
        }
        mine_lost |= held[1 - now].set<P>(i, r, g);
      }
    }
    __syncthreads();
    now = 1 - now;
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) {  // this is done last, as no other thread waits for it
    position[0] += 1;
    position[1] += B;
    position[2] += 1;
  }
  if (scaling != nullptr) {
    bool its_lost = __any_sync(WHOLE_WARP, mine_lost);
    if (lane == 0) {
      lost_of[warp] = its_lost;
    }
    __syncthreads();
    if (warp == 0) {
      bool any_lost = __any_sync(WHOLE_WARP, lane < warps && lost_of[lane]);
      if (lane == 0) {
        lost[blockIdx.x] = any_lost;
      }
    }
  }
}

// Updates all weights and biases: update.load(place in the arena) loads what is needed besides the gradient, and
// update(what was loaded, gradient, place) returns the new value. The grid has a block for each tile of a layer's
// weights, then one for each WARP biases of a layer, and a last one that writes the batch's row of the log and whether
// the step is skipped. Blocks must have whole warps.
template <class T, class Batch, class Update>
__device__ inline void fused_update(float *w, float *log, const float *arena, const float *losses, const int *lost,
                                    const FusedLayer *layers, const int *step, const int *chosen, LossScale *scaling,
                                    int L, int B, int S, Batch batch, Update update) {
  bool logs = blockIdx.x == gridDim.x - 1;
  if (logs) {
    log_losses(log, losses, step, B, S);
  }
  float unscale = 1;
  if (scaling != nullptr) {
    float scale = scaling->scale;
    int any = 0;
#pragma unroll 1
    for (int i = threadIdx.x % WARP; i < (B - 1) / HEAD_ROWS + 1; i += WARP) {
      any |= lost[i];
    }
    bool skipped = __any_sync(WHOLE_WARP, any);  // all warps compute the same
    if (logs && threadIdx.x == 0) {
      scaling->skips = skipped;
    }
    if (skipped) {
      return;
    }
    unscale = 1 / scale;
  }
  if (logs) {
    return;
  }
  int block = blockIdx.x, l = 0;
  bool biases = block >= layers[0].biases;
  while (l + 1 < L && block >= (biases ? layers[l + 1].biases : layers[l + 1].tile)) {
    l++;
  }
  const FusedLayer &layer = layers[l];
  int O = layer.O, I = layer.I;
  const float *dz = arena + layer.dz;
  if (biases) {
    int o0 = (block - layer.biases) * WARP, o = o0 + threadIdx.x % WARP;
    auto loaded = update.load(layer.b + min(o, O - 1));
    float gradient = block_column_sum<1>(dz, o0, 0, B, O);
    if (threadIdx.x < WARP && o < O) {
      w[layer.b + o] = update(loaded, gradient * unscale, layer.b + o);
    }
    return;
  }
  int tile = block - layer.tile, across = (I - 1) / T::BN + 1;
  int m0 = tile / across * T::BM, n0 = tile % across * T::BN;
  auto apply = finish([=](size_t at, int) { return update.load(layer.w + at); },
                      [=](auto loaded, float g, size_t at, int) { return update(loaded, g * unscale, layer.w + at); });
  Matrix<K_STRIDED> gradients = {dz, O, B};
  if (l == 0) {  // two calls, so that no load waits for a choice between features and activations
    Inputs<K_STRIDED, Batch> inputs = {batch.features, chosen, 0, I, batch.scaling};
    multiply<T>(w + layer.w, gradients, inputs, O, I, 0, B, m0, n0, apply);
  } else {
    multiply<T>(w + layer.w, gradients, Matrix<K_STRIDED>{arena + layer.in, I, B}, O, I, 0, B, m0, n0, apply);
  }
}

}  // namespace op
