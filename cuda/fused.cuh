// A whole training step in three launches. A network this small is bound by launches, not by arithmetic: each node of a
// graph waits for the one before, and starts. What depends on nothing but a row of the batch needs no launch of its own.
//
//   fused_input    images to the first layer's outputs: bytes are read, gathered and normalised on their way into the
//                  product, bias, activation and dropout are its epilogue
//   fused_head     the other layers, the loss, and all gradients before activations: a block has a few rows of the batch
//                  and takes them all the way up and down
//   fused_update   all gradients of weights and biases, and the optimizer: a block owns a tile of one layer's weights,
//                  sums its gradient over the batch, in a fixed order, and updates it in place
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
  int out;            // of its outputs (B, O)
  int kept;           // of what dropout left of them: out where there is none
  int dz;             // of the gradient before its activation (B, O)
  int activation;
  float rate, scale;  // of dropout after it
  int tile;           // its first block of fused_update
};
static_assert(sizeof(FusedLayer) == 12 * sizeof(int), "FusedKernels.COLUMNS");

// The images of a batch: as gather_forward has them.
struct Batch {
  const unsigned char *images;
  const int *rows;  // null: the batch is the images
  int first, I;     // of rows
  float scale, shift;

  __device__ int row(int b) const { return rows == nullptr ? b : rows[first + b]; }
  __device__ float pixel(int row, int i) const { return fmaf(images[size_t(row) * I + i], scale, shift); }
};

// This step's number and learning rate, and its loss scale. One thread.
__device__ inline void begin_step(int *step, float *rate, const int *position, const float *rates, LossScale *scaling) {
  step[0] = position[0] + 1;
  rate[0] = rates[position[2]];
  if (scaling != nullptr && position[0] > 0) {
    *scaling = settled(*scaling);
  }
}

// out (B, O) = activation(images times w (O, I) transposed + b), kept (B, O) = what dropout leaves of it, if it does; the
// batch's classes y (B). A grid of B / BM x O / BN blocks, both rounded up, and one that is another's.
template <class T>
__device__ inline void fused_input(float *out, float *kept, int *y, const unsigned char *labels, const int *position,
                                   const float *w, const float *b, int B, int O, int activation, Batch batch,
                                   Dropout dropout) {
  __shared__ int row_of[T::BM];
  int across = (O - 1) / T::BN + 1, I = batch.I;
  int m0 = blockIdx.x / across * T::BM, n0 = blockIdx.x % across * T::BN;
  batch.first = position[1];
  dropout.step = position[0] + 1;
  if (threadIdx.x < T::BM && m0 + threadIdx.x < B) {
    int row = batch.row(m0 + threadIdx.x);
    row_of[threadIdx.x] = row;
    if (n0 == 0) {
      y[m0 + threadIdx.x] = labels[row];
    }
  }
  __syncthreads();
  const int *rows = row_of;
  multiply<T, K_CONTIGUOUS, K_CONTIGUOUS>(
      out, [=](int r, int i) { return batch.pixel(rows[r - m0], i); }, Matrix<K_CONTIGUOUS>{w, O, I}, B, O, 0, I, m0, n0,
      finish([=](size_t, int o) { return b[o]; },
             [=](float bias, float sum, size_t at, int) {
               float a = activate(sum + bias, activation);
               if (dropout.rate > 0) {
                 kept[at] = dropout(a, at);
               }
               return a;
             }));
}

constexpr int HEAD_ROWS = 4;      // of the batch, for each block
constexpr int HEAD_WIDTH = 1024;  // outputs of the widest layer: mlpcuda.compute.FusedStep.WIDEST
constexpr int HEAD_OUTPUTS = 4;   // that a warp makes at once: as many reads of weights are under way
constexpr int HEAD_READS = 8;     // of weights that a thread has under way on the way down

// Values of a layer, for the rows of a block: operands of products, and so rounded.
struct Held {
  float4 of[HEAD_WIDTH];

  // Sets row r's value i; returns whether it is one that its precision cannot hold.
  template <Precision P>
  __device__ bool set(int i, int r, float value) {
    float x = rounded<P>(value);
    reinterpret_cast<float *>(of + i)[r] = x;
    return !isfinite(x);
  }
};

// sum += weight times the values of all rows.
__device__ inline void add_products(float (&sum)[HEAD_ROWS], float weight, float4 values) {
  sum[0] = fmaf(values.x, weight, sum[0]);
  sum[1] = fmaf(values.y, weight, sum[1]);
  sum[2] = fmaf(values.z, weight, sum[2]);
  sum[3] = fmaf(values.w, weight, sum[3]);
}

// From the first layer's outputs to the loss, and back to the gradient before the first layer's activation. With a loss
// scale, lost (blocks) = 1 for each block that has an operand of the gradients of weights that its precision cannot
// hold, which makes gradients that are not finite, else 0. A grid of B / HEAD_ROWS blocks, rounded up, of whole warps:
// HEAD_ROWS of them at least.
template <Precision P>
__device__ inline void fused_head(float *arena, float *losses, int *lost, int *position, const float *w,
                                  const FusedLayer *layers, const int *y, const int *step, const LossScale *scaling,
                                  int L, int B, float smoothing, Dropout dropout) {
  __shared__ __align__(16) Held held[2];  // one is read while the other is made
  __shared__ bool lost_of[WARP];          // by warp
  bool mine_lost = false;
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  int row0 = blockIdx.x * HEAD_ROWS, rows = min(HEAD_ROWS, B - row0);
  dropout.step = step[0];
  int now = 0;  // which of the two is read
  if (L > 1) {
    int I = layers[1].I;
    const float *in = arena + layers[1].in + size_t(row0) * I;
    for (int i = threadIdx.x; i < I; i += blockDim.x) {
#pragma unroll
      for (int r = 0; r < HEAD_ROWS; r++) {
        mine_lost |= held[now].set<P>(i, r, r < rows ? in[size_t(r) * I + i] : 0);
      }
    }
    __syncthreads();
  }
  for (int l = 1; l < L; l++) {  // a warp has an output of each row
    FusedLayer layer = layers[l];
    dropout.rate = layer.rate;
    dropout.scale = layer.scale;
    dropout.layer = l + 1;
    for (int o0 = warp * HEAD_OUTPUTS; o0 < layer.O; o0 += warps * HEAD_OUTPUTS) {
      int row = lane % HEAD_ROWS, o = o0 + lane / HEAD_ROWS;  // what this lane will finish
      bool finishes = lane < HEAD_ROWS * HEAD_OUTPUTS && o < layer.O;
      float bias = finishes ? w[layer.b + o] : 0;
      float sum[HEAD_OUTPUTS][HEAD_ROWS] = {};
#pragma unroll 2
      for (int i = lane; i < layer.I; i += WARP) {
        float weight[HEAD_OUTPUTS];
#pragma unroll
        for (int k = 0; k < HEAD_OUTPUTS; k++) {
          weight[k] = w[layer.w + size_t(min(o0 + k, layer.O - 1)) * layer.I + i];  // no branch; the last's go nowhere
        }
        float4 values = held[now].of[i];
#pragma unroll
        for (int k = 0; k < HEAD_OUTPUTS; k++) {
          add_products(sum[k], rounded<P>(weight[k]), values);
        }
      }
      float mine = 0;
#pragma unroll
      for (int k = 0; k < HEAD_OUTPUTS; k++) {
#pragma unroll
        for (int r = 0; r < HEAD_ROWS; r++) {
          float all = warp_sum(sum[k][r]);
          mine = lane == k * HEAD_ROWS + r ? all : mine;
        }
      }
      float kept = 0;  // rows that are none have zeros
      if (finishes && row < rows) {
        size_t at = size_t(row0 + row) * layer.O + o;
        kept = activate(mine + bias, layer.activation);
        arena[layer.out + at] = kept;
        if (layer.rate > 0) {
          kept = dropout(kept, at);
          arena[layer.kept + at] = kept;
        }
      }
      if (l + 1 < L && finishes) {
        mine_lost |= held[1 - now].set<P>(o, row, kept);
      }
    }
    __syncthreads();  // the next layer reads all of it
    now = 1 - now;
  }

  FusedLayer last = layers[L - 1];
  if (warp < HEAD_ROWS) {
    int row = row0 + warp, C = last.O;
    const float *logits = arena + last.out + size_t(row) * C;
    float *dz = arena + last.dz + size_t(row) * C;
    if (warp < rows) {
      cross_entropy_row(dz, losses, logits, y[row], row, B, C, smoothing, scale_of(scaling) / B, lane);
    }
    for (int c = lane; c < C; c += WARP) {  // each lane those that it wrote
      float g = 0;
      if (warp < rows) {
        g = differentiate(dz[c], logits[c], last.activation);
        dz[c] = g;
      }
      mine_lost |= held[now].set<P>(c, warp, g);
    }
  }
  __syncthreads();

  for (int l = L - 1; l > 0; l--) {  // a thread has an input of each row
    FusedLayer layer = layers[l], below = layers[l - 1];
    dropout.rate = below.rate;
    dropout.scale = below.scale;
    dropout.layer = l;
    for (int i = threadIdx.x; i < layer.I; i += blockDim.x) {
      float sum[HEAD_ROWS] = {};
      for (int o0 = 0; o0 < layer.O; o0 += HEAD_READS) {
        float weight[HEAD_READS];
#pragma unroll
        for (int k = 0; k < HEAD_READS; k++) {
          weight[k] = w[layer.w + size_t(min(o0 + k, layer.O - 1)) * layer.I + i];
        }
#pragma unroll
        for (int k = 0; k < HEAD_READS; k++) {
          if (o0 + k < layer.O) {
            add_products(sum, rounded<P>(weight[k]), held[now].of[o0 + k]);
          }
        }
      }
#pragma unroll
      for (int r = 0; r < HEAD_ROWS; r++) {
        float g = 0;
        if (r < rows) {
          size_t at = size_t(row0 + r) * layer.I + i;
          g = below.rate > 0 ? dropout(sum[r], at) : sum[r];
          g = differentiate(g, arena[below.out + at], below.activation);
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
// the new value. A grid of all layers' tiles, and a block for the batch's row of the log and whether the step is skipped.
// Blocks of whole warps.
template <class T, class Update>
__device__ inline void fused_update(float *w, float *log, const float *arena, const float *losses, const int *lost,
                                    const FusedLayer *layers, const int *step, const int *position, LossScale *scaling,
                                    int L, int B, int S, Batch batch, Update update) {
  static_assert(T::BM == WARP, "a lane has a bias");
  bool logs = blockIdx.x == gridDim.x - 1;
  if (logs) {
    log_losses(log, losses, step, B, S);
  }
  float unscale = 1;
  if (scaling != nullptr) {
    int any = 0;
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
    unscale = 1 / scaling->scale;
  }
  if (logs) {
    return;
  }
  int l = 0;
  while (l + 1 < L && int(blockIdx.x) >= layers[l + 1].tile) {
    l++;
  }
  FusedLayer layer = layers[l];
  int O = layer.O, I = layer.I;
  int tile = blockIdx.x - layer.tile, across = (I - 1) / T::BN + 1;
  int m0 = tile / across * T::BM, n0 = tile % across * T::BN;
  batch.first = position[1] - B;  // which fused_head has bumped
  const float *dz = arena + layer.dz, *in = l == 0 ? nullptr : arena + layer.in;
  multiply<T, K_STRIDED, K_STRIDED>(
      w + layer.w, Matrix<K_STRIDED>{dz, O, B},
      [=](int i, int b) { return in == nullptr ? batch.pixel(batch.row(b), i) : in[size_t(b) * I + i]; }, O, I, 0, B, m0,
      n0, finish([=](size_t at, int) { return update.load(layer.w + at); },
                 [=](auto loaded, float g, size_t at, int) { return update(loaded, g * unscale, layer.w + at); }));
  if (n0 == 0) {
    __shared__ float partial[T::THREADS / WARP][WARP];
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    int o = m0 + lane;
    float mine = 0;
    if (o < O) {
      for (int b = warp; b < B; b += T::THREADS / WARP) {
        mine += dz[size_t(b) * O + o];
      }
    }
    partial[warp][lane] = mine;
    __syncthreads();
    if (warp == 0 && o < O) {
      float all = 0;
      for (int r = 0; r < T::THREADS / WARP; r++) {
        all += partial[r][lane];
      }
      w[layer.b + o] = update(update.load(layer.b + o), all * unscale, layer.b + o);
    }
  }
}

}  // namespace op
