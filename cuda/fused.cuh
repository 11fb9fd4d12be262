// A whole training step in three launches. A network this small is bound by launches, not by arithmetic: each node of a
// graph waits for the one before, and starts. What depends on nothing but a row of the batch needs no launch of its own.
//
//   fused_input    images to the first layer's outputs: bytes are read, gathered and normalised on their way into the
//                  product, bias, activation and dropout are its epilogue
//   fused_head     the other layers, the loss, and all gradients before activations: a block has a few rows of the batch
//                  and takes them all the way up and down
//   fused_update   all gradients of weights and biases, and the optimizer: a block owns a tile of one layer's weights, or
//                  some of its biases, sums its gradient over the batch, in a fixed order, and updates it in place
//
// What one thread does, and others would wait for, has a block of its own: the scalars of the step and of its optimizer
// in fused_input, the log in fused_update.
//
// The run's position is read by fused_input and bumped by fused_head: a launch either reads it or bumps it. So with the
// loss scale, if there is one: fused_input settles the step before, fused_head notes which of its blocks met an operand
// that half precision cannot hold, and fused_update then moves nothing.
#pragma once

#include "adam.cuh"
#include "dropout.cuh"
#include "gemm.cuh"
#include "sgd.cuh"
#include "softmax.cuh"

namespace op {

// A layer, as mlpcuda.compute.cuda.FusedKernels lays it out. Places are floats from the beginning of an arena.
struct FusedLayer {
  int I, O;
  int w, b;           // of its weights and biases: in the parameters' arenas
  int in;             // of its inputs (B, I), in the arena of activations; the first layer's are images
  int out;            // of its outputs (B, O); the last layer's are kept in shared memory alone
  int kept;           // of what dropout left of them: out where there is none
  int dz;             // of the gradient before its activation (B, O)
  int activation;
  float rate, scale;  // of dropout after it
  int tile;           // its first block of fused_update with weights
  int biases;         // its first block of fused_update with biases
};
static_assert(sizeof(FusedLayer) == 13 * sizeof(int), "FusedKernels.COLUMNS");

// All layers, as a parameter of a kernel: a parameter is read from the constant bank, where a table in global memory would
// cost each block one latency before it knows the address of anything else.
struct FusedLayers {
  FusedLayer of[32];  // mlpcuda.compute.FusedStep.MOST_LAYERS
};

// The images of a batch: as gather_forward has them.
struct Batch {
  const unsigned char *images;
  const int *rows;  // null: the batch is the images
  int first, I;     // of rows
  float scale, shift;

  __device__ int row(int b) const { return rows == nullptr ? b : rows[first + b]; }
};

// The batch's images as an operand of a product. rows has the numbers of the images, from that of example b0 on.
template <Layout LAYOUT_>
struct Pixels {
  static constexpr Layout LAYOUT = LAYOUT_;
  using Raw = unsigned char;
  const unsigned char *images;
  const int *rows;
  int b0, I;
  float scale, shift;

  __device__ const unsigned char *place(int row, int k) const {
    int b = LAYOUT == K_CONTIGUOUS ? row : k, i = LAYOUT == K_CONTIGUOUS ? k : row;
    return images + unsigned(rows[b - b0] * I + i);  // a buffer has less than 2 GiB
  }
  __device__ float value(Raw raw) const { return fmaf(raw, scale, shift); }
};

// The run's position, as advance of vector.cuh has it.
struct Position {
  int steps, examples, batches;
};

// This step's number and learning rate, its loss scale, and what its optimizer needs of them, if that is Adam (else
// scalars is null). One thread.
__device__ inline void begin_step(int *step, float *rate, AdamScalars *scalars, Position position, const float *rates,
                                  LossScale *scaling, AdamSettings adam) {
  LossScale state{};
  if (scaling != nullptr) {  // loaded beside the position, which the rate waits for
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

// out (B, O) = activation(images times w (O, I) transposed + b), kept (B, O) = what dropout leaves of it, if it does; the
// batch's classes y (B), and the numbers of its images, chosen (B). A grid of B / BM x O / BN blocks, both rounded up, and
// one that is another's.
template <class T>
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
  multiply<T>(out, Pixels<K_CONTIGUOUS>{batch.images, row_of, m0, I, batch.scale, batch.shift},
              Matrix<K_CONTIGUOUS>{w, O, I}, B, O, 0, I, m0, n0,
              finish([=](size_t, int o) { return b[o]; },
                     [=](float bias, float sum, size_t at, int) {
                       float a = activate(sum + bias, activation);
                       if (dropout.rate > 0) {
                         kept[at] = dropout(a, at);
                       }
                       return a;
                     }));
  if (tells && n0 == 0) {  // after the products: a label takes a latency to come
    chosen[m0 + threadIdx.x] = row;
    y[m0 + threadIdx.x] = label;
  }
}

constexpr int HEAD_ROWS = 4;      // of the batch, for each block
constexpr int HEAD_WIDTH = 1024;  // outputs of the widest layer: mlpcuda.compute.FusedStep.WIDEST
constexpr int HEAD_OUTPUTS = 8;   // that a warp makes at once: a lane finishes one row's of one of them
constexpr int HEAD_INPUTS = 4;    // that a lane has under way of each of them
constexpr int HEAD_READS = 32;    // of weights that a thread has under way on the way down
static_assert(HEAD_ROWS * HEAD_OUTPUTS == WARP, "transposed_sum");

// Values of a layer, for the rows of a block.
struct Held {
  float4 of[HEAD_WIDTH];

  // Sets row r's value i as it is.
  __device__ void keep(int i, int r, float value) { reinterpret_cast<float *>(of + i)[r] = value; }

  // Sets row r's value i, an operand of products and so rounded; returns whether it is one that its precision cannot hold.
  template <Precision P>
  __device__ bool set(int i, int r, float value) {
    float x = rounded<P>(value);
    keep(i, r, x);
    return !isfinite(x);
  }
};

// sum += weight times the values of all rows.
__device__ inline void add_products(float *sum, float weight, float4 values) {
  sum[0] = fmaf(values.x, weight, sum[0]);
  sum[1] = fmaf(values.y, weight, sum[1]);
  sum[2] = fmaf(values.z, weight, sum[2]);
  sum[3] = fmaf(values.w, weight, sum[3]);
}

// From the first layer's outputs to the loss, and back to the gradient before the first layer's activation. With a loss
// scale, lost (blocks) = 1 for each block that has an operand of the gradients of weights that its precision cannot
// hold, which makes gradients that are not finite, else 0. A grid of B / HEAD_ROWS blocks, rounded up, of whole warps:
// HEAD_ROWS of them at least.
//
// This is one chain of latencies, which is why all weights that a thread needs next are loaded before it uses any, and
// what a block alone needs stays in shared memory.
template <Precision P>
__device__ inline void fused_head(float *arena, float *losses, int *lost, int *position, const float *w,
                                  const FusedLayer *layers, const int *y, const int *step, const LossScale *scaling,
                                  int L, int B, float smoothing, Dropout dropout) {
  __shared__ __align__(16) Held held[2];  // one is read while the other is made
  __shared__ bool lost_of[WARP];          // by warp
  bool mine_lost = false;
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  int row0 = blockIdx.x * HEAD_ROWS, rows = min(HEAD_ROWS, B - row0);
  int label = y[row0 + min(warp, rows - 1)];
  float share = scale_of(scaling) / B;
  dropout.step = step[0];
  int now = 0;  // which of the two is read
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
          held[now].keep(o, r, its);  // logits are no operands
        }
      }
    }
    __syncthreads();
  }
  for (int l = 1; l < L; l++) {  // a warp has HEAD_OUTPUTS outputs of each row
    const FusedLayer &layer = layers[l];
    int I = layer.I, O = layer.O;
    dropout.rate = layer.rate;
    dropout.scale = layer.scale;
    dropout.layer = l + 1;
    for (int o0 = warp * HEAD_OUTPUTS; o0 < O; o0 += warps * HEAD_OUTPUTS) {
      int row = lane % HEAD_ROWS, o = o0 + lane / HEAD_ROWS;  // what this lane will finish
      float bias = w[layer.b + min(o, O - 1)];
      float sum[HEAD_OUTPUTS * HEAD_ROWS] = {};
#pragma unroll 1
      for (int i0 = 0; i0 < I; i0 += HEAD_INPUTS * WARP) {
        float weight[HEAD_OUTPUTS][HEAD_INPUTS];
#pragma unroll
        for (int k = 0; k < HEAD_OUTPUTS; k++) {
#pragma unroll
          for (int j = 0; j < HEAD_INPUTS; j++) {  // no condition: products outside go nowhere, or are of zeros
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
        float kept = 0;  // rows beyond the batch have zeros
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
    __syncthreads();  // the next layer reads all of it
    now = 1 - now;
  }

  const FusedLayer &last = layers[L - 1];
  if (warp < HEAD_ROWS) {  // a warp has a row of logits
    int C = last.O, row = row0 + warp;
    const float *logits = reinterpret_cast<const float *>(held[now].of) + warp;
    float *dz = arena + last.dz + size_t(row) * C;
    Held &gradients = held[1 - now];
    if (warp < rows) {
      cross_entropy_row(
          losses, [=](int c) { return logits[c * HEAD_ROWS]; }, label, row, B, C, smoothing, share, lane,
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

  for (int l = L - 1; l > 0; l--) {  // a thread has an input of each row
    const FusedLayer &layer = layers[l], &below = layers[l - 1];
    int I = layer.I, O = layer.O;
    dropout.rate = below.rate;
    dropout.scale = below.scale;
    dropout.layer = l;
    for (int i = threadIdx.x; i < I; i += blockDim.x) {
      float output[HEAD_ROWS];  // of the layer below; loaded before the stores, which may write anywhere
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
  if (blockIdx.x == 0 && threadIdx.x == 0) {  // last: nobody waits for it
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

// All weights and biases, by update.load(place in the arena) and update(what that fetched, gradient, place), which gives
// the new value. A grid of a block for each tile of a layer's weights, then for each WARP biases of a layer, and at last
// one for the batch's row of the log and whether the step is skipped. Blocks of whole warps.
template <class T, class Update>
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
    bool skipped = __any_sync(WHOLE_WARP, any);  // alike in all warps
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
    int o = (block - layer.biases) * WARP + threadIdx.x % WARP;
    auto loaded = update.load(layer.b + min(o, O - 1));
    float gradient = block_column_sum(dz, o, B, O);
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
  if (l == 0) {  // two products, so that neither has a load that depends on what it loads
    Pixels<K_STRIDED> pixels = {batch.images, chosen, 0, I, batch.scale, batch.shift};
    multiply<T>(w + layer.w, gradients, pixels, O, I, 0, B, m0, n0, apply);
  } else {
    multiply<T>(w + layer.w, gradients, Matrix<K_STRIDED>{arena + layer.in, I, B}, O, I, 0, B, m0, n0, apply);
  }
}

}  // namespace op
