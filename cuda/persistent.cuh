// Many training steps in one launch of blocks that all run at once. The first layer's weights and their moments, which
// a step of three launches writes to memory and reads again, stay in the shared memory of the blocks that use them, and
// two barriers of the whole grid take the place of launches. A step has these phases:
//
//   all blocks     compute the first layer, each block for its tile of the weights: parts of the outputs' sums
//   barrier        meanwhile the row numbers of the next batch are read, and the optimizer's scalars are computed
//   a block a row  computes the other layers forward and backward: the loss, and all gradients before activations
//   barrier        meanwhile the next batch's features are read
//   all blocks     compute the gradients of the weights and update these: a block has its tile of the first layer, and
//                  items of the other layers
//
// Data that one block writes and others read lies in global memory, and a barrier of the grid lies between the write
// and the read: the parts of sums, the other layers' weights, and a batch's inputs and gradients of the layers. No
// buffer is written twice between the same two barriers, so that none is overwritten before all blocks have read it.
#pragma once

#include "adam.cuh"
#include "persistent_head.cuh"
#include "sgd.cuh"

namespace op {

// The arguments of the launch, as mlpcuda.compute.cuda.PersistentKernels passes them.
struct Persistent {
  float *w, *m, *v, *log, *losses, *arena, *partial, *rate;
  int *position;
  unsigned *arrivals;  // 0 when the launch begins
  const PersistentLayer *layers;
  int steps, L, B, I, S;
  int chunk;                   // the rows of inputs that lie in shared memory at once
  int slices, quads, across;   // the tiles: a block's number is group * slices + slice, group < across
  int from, length;            // the place and the length of what follows the first layer's weights in the arena
  int copies;                  // whether each block has a copy of that in shared memory
  float smoothing;
  int use;
  unsigned long long seed;
};

// The arrays in shared memory, whose sizes mlpcuda.compute.cuda.PersistentLayout adds up.
struct Held {
  float *w, *m, *v;  // (groups of the block, GROUP, stride)
  float *x;          // (chunk, stride)
  float *dz;         // (chunk, GROUP)
  int *rows;         // (2, B): the row numbers of the batches of even and of odd steps
  PersistentLayer *layers;
  float *scratch;    // used by each phase for itself: parts of sums, or a row of all layers
  float *red;        // lies in scratch, after the parts of a tile's gradient: the parts of an item's gradient
};

// Arrives at the barrier: other blocks that have waited for this arrival may read what this block wrote before it.
__device__ inline void arrive(unsigned *arrivals) {
  __syncthreads();
  if (threadIdx.x == 0) {
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(__cvta_generic_to_global(arrivals)) : "memory");
  }
}

// Waits until all blocks together have arrived `expected` times.
__device__ inline void wait(const unsigned *arrivals, unsigned expected) {
  if (threadIdx.x == 0) {
    unsigned seen;
    do {
      asm volatile("ld.acquire.gpu.global.u32 %0, [%1];"
                   : "=r"(seen)
                   : "l"(__cvta_generic_to_global(arrivals))
                   : "memory");
    } while (seen < expected);
  }
  __syncthreads();
}

// A block's tile of the first layer, with the batch that it works on.
struct Tile {
  Slice slice;
  int group, O;
  int rows;  // the rows of the batch; 0 if the block has no tile: its loops then end at once, without a branch

  __device__ bool has(const Persistent &its, int n) const { return (group + n * its.across) * GROUP < O; }
};

// Computes this block's parts of the first layer's outputs, for the batch whose first quads are fetched.
template <class Value, class Scaling>
__device__ inline void tile_forward(const Persistent &its, const Held &held, const Tile &tile,
                                    const Value *__restrict__ features, Scaling scaling, const int *rows,
                                    Quads<Value> &quads) {
  const Slice &slice = tile.slice;
  int number = blockIdx.x % its.slices, width = held.layers[0].width;
  int pitch = its.slices * width;
  for (int c = 0; c < its.B; c += its.chunk) {
    int count = min(its.chunk, its.B - c);
    stage_inputs(held.x, quads, c == 0, features, rows + c, count, its.chunk, slice, its.I, scaling);
    for (int n = 0; tile.has(its, n); n++) {
      __syncthreads();  // x is stored, and all threads have read the last group's parts
      forward_group(held.scratch, held.x, held.w + n * GROUP * slice.stride, its.chunk, slice);
      __syncthreads();
      float *out = its.partial + c * pitch + number * width + (tile.group + n * its.across) * GROUP;
      publish_group(out, held.scratch, its.chunk, count, pitch);
    }
  }
}

// Takes this block's rows of the batch through the other layers.
__device__ inline void heads(const Persistent &its, const Held &held, const unsigned char *__restrict__ labels,
                             const int *rows, int step) {
  Head head = {its.arena, its.losses, its.partial, held.layers, held.scratch, its.L, its.B, its.slices, its.smoothing,
               {0, 0, 0, step, its.use, its.seed}};
  float *copy = held.scratch + held.layers[its.L - 1].dz + held.layers[its.L - 1].width;  // lies after the row
  for (int b = blockIdx.x; b < its.B; b += gridDim.x) {
    int y = labels[rows[b]], O = held.layers[0].O;
    const float *biases = its.w + its.from;
    float parts[8] = {}, bias = 0;  // loaded while the weights are copied
    if (threadIdx.x < O) {
      fetch_parts(parts, head, b, threadIdx.x, 0);
      bias = biases[threadIdx.x];
    }
    if (its.copies && b == blockIdx.x) {
      copy_weights(copy, its.w + its.from, its.length);
    }
    for (int o = threadIdx.x; o < O; o += PERSISTENT_THREADS) {
      if (o >= PERSISTENT_THREADS) {
        fetch_parts(parts, head, b, o, 0);
        bias = biases[o];
      }
      head.finish(sum_parts(parts, head, b, o) + bias, 0, b, o);
    }
    __syncthreads();
    if (its.copies) {
      head_row(head, copy, its.from, y, b);
    } else {
      head_row(head, its.w + its.from, its.from, y, b);
    }
  }
}

// A parameter of any layer but the first: its place and its moments. A thread may have no parameter.
struct Parameter {
  int place;
  float weight, mean, square;

  __device__ Parameter(const Persistent &its, int place, bool squares) : place(place), weight(0), mean(0), square(0) {
    if (place >= 0) {
      weight = its.w[place];
      mean = its.m[place];
      square = squares ? its.v[place] : 0;
    }
  }

  // Updates the parameter by the gradient whose parts are in `red`.
  template <class Update>
  __device__ void operator()(const Persistent &its, const float *red, const Update &update) {
    if (place >= 0) {
      its.w[place] = update(weight, mean, square, item_sum(red));
      its.m[place] = mean;
      if (Update::SQUARES) {
        its.v[place] = square;
      }
    }
  }
};

// The gradients dz (rows, width) of a group of outputs while they are loaded: the rows of a chunk from c on, two quads
// of each row.
__device__ inline void fetch_dz(float4 (&dz)[2], const Persistent &its, const PersistentLayer &layer, int group, int c,
                                int rows) {
#pragma unroll
  for (int k = 0; k < 2; k++) {
    int e = threadIdx.x + k * PERSISTENT_THREADS, b = c + e / 2;
    dz[k] = make_float4(0, 0, 0, 0);
    if (e < 2 * its.chunk && b < rows) {
      dz[k] = at4(its.arena + layer.dz_all + b * layer.width + group * GROUP + e % 2 * 4);
    }
  }
}

__device__ inline void put_dz(float *to, const float4 (&dz)[2], int chunk) {
#pragma unroll
  for (int k = 0; k < 2; k++) {
    int e = threadIdx.x + k * PERSISTENT_THREADS;
    if (e < 2 * chunk) {
      reinterpret_cast<float4 *>(to)[e] = dz[k];
    }
  }
}

// Updates the block's tile of the first layer; the parts of its gradients are summed in held.scratch.
template <class Value, class Scaling, class Update>
__device__ inline void update_tile(const Persistent &its, const Held &held, const Tile &tile, float4 (&dz)[2],
                                   const Value *__restrict__ features, Scaling scaling, const int *rows,
                                   const Update &update) {
  const Slice &slice = tile.slice;
  for (int n = 0; tile.has(its, n); n++) {
    float4 sum[GROUP] = {};
    for (int c = 0; c < its.B; c += its.chunk) {
      int count = min(its.chunk, its.B - c);
      bool whole = its.B <= its.chunk;  // the inputs still lie in shared memory
      if (n > 0 || !whole) {            // in the other case `updates` has loaded the gradients
        __syncthreads();                // all threads have read x and dz
        if (!whole) {
          Quads<Value> quads;
          stage_inputs(held.x, quads, false, features, rows + c, count, its.chunk, slice, its.I, scaling);
        }
        fetch_dz(dz, its, held.layers[0], tile.group + n * its.across, c, its.B);
        put_dz(held.dz, dz, its.chunk);
        __syncthreads();
      }
      backward_group(sum, held.x, held.dz, count, slice);
    }
    put_gradient(held.scratch, sum, slice);
    __syncthreads();
    int at = n * GROUP * slice.stride;
    update_group(held.w + at, held.m + at, held.v + at, held.scratch, slice, update);
  }
}

// Updates the block's tile and the block's items. `item` is the first of these items, and `place` the place of this
// thread's parameter in it. A block without an item sums the last item, drops the sum, and has no place.
template <class Value, class Scaling, class Update>
__device__ inline void updates(const Persistent &its, const Held &held, const Tile &tile, bool owner, const Item &item,
                               int place, int items, const Value *__restrict__ features, Scaling scaling,
                               const int *rows, const Update &update) {
  float4 dz[2];
  fetch_dz(dz, its, held.layers[0], tile.group, 0, tile.rows);
  Parameter first(its, place, Update::SQUARES);
  item_gradient(held.red, its.arena, held.layers, item, its.B);  // not after a branch, which would wait for other reads
  if (owner) {
    put_dz(held.dz, dz, its.chunk);
  }
  __syncthreads();
  first(its, held.red, update);
  if (owner) {
    update_tile(its, held, tile, dz, features, scaling, rows, update);
  }
  for (int number = blockIdx.x + gridDim.x; number < items; number += gridDim.x) {
    Item next(held.layers, its.L, number);
    Parameter parameter(its, next.place(held.layers), Update::SQUARES);
    __syncthreads();  // all threads have read red
    item_gradient(held.red, its.arena, held.layers, next, its.B);
    __syncthreads();
    parameter(its, held.red, update);
  }
}

// Returns the places of the arrays in shared memory; `groups` is the largest number of groups of a block.
template <class Update>
__device__ inline Held hold(float *shared, const Persistent &its, int groups) {
  Held held;
  int stride = Slice::stride_of(its.quads), tile = groups * GROUP * stride;
  held.w = shared;
  held.m = held.w + tile;
  held.v = held.m + tile;
  held.x = Update::SQUARES ? held.v + tile : held.v;
  held.dz = held.x + its.chunk * stride;
  held.rows = reinterpret_cast<int *>(held.dz + its.chunk * GROUP);
  held.layers = reinterpret_cast<PersistentLayer *>(held.rows + 2 * its.B);
  int table = its.L * int(sizeof(PersistentLayer) / sizeof(int));
  held.scratch = held.dz + its.chunk * GROUP + (2 * its.B + table + 3) / 4 * 4;
  held.red = held.scratch + PERSISTENT_THREADS / its.quads * its.quads * GROUP * 4;
  return held;
}

// Trains on the next `steps` batches of B rows. All blocks of the grid must be resident at once. `rows` is the order of
// examples that the batches are parts of; if it is null, the batches are the examples as they lie, from the first on.
// `settings` makes a step's Update from its number and its learning rate.
template <class Value, class Scaling, class Settings>
__device__ inline void persistent(const Persistent &its, const Value *__restrict__ features, Scaling scaling,
                                  const unsigned char *__restrict__ labels, const int *__restrict__ rows,
                                  const float *__restrict__ rates, Settings settings) {
  using Update = typename Settings::Update;
  extern __shared__ __align__(16) float shared[];
  __shared__ typename Settings::Scalars scalars;
  int O = its.layers[0].O, groups = (O - 1) / GROUP + 1;
  Held held = hold<Update>(shared, its, (groups - 1) / its.across + 1);
  bool owner = blockIdx.x < its.across * its.slices;
  Tile tile = {Slice(blockIdx.x % its.slices, its.quads, its.I), int(blockIdx.x) / its.slices, O,
               owner ? its.B : 0};
  int before = its.position[0], example = its.position[1], batch = its.position[2];
  auto row_of = [=](int taken) { return rows == nullptr ? taken : rows[example + taken]; };

  for (int i = threadIdx.x; i < its.L * int(sizeof(PersistentLayer) / sizeof(int)); i += PERSISTENT_THREADS) {
    reinterpret_cast<int *>(held.layers)[i] = reinterpret_cast<const int *>(its.layers)[i];
  }
  for (int b = threadIdx.x; b < its.B; b += PERSISTENT_THREADS) {
    held.rows[b] = row_of(b);
  }
  if (owner) {
    move_tile<false>(held.w, its.w + its.layers[0].w, tile.group, its.across, O, its.I, tile.slice);
    move_tile<false>(held.m, its.m + its.layers[0].w, tile.group, its.across, O, its.I, tile.slice);
    if (Update::SQUARES) {
      move_tile<false>(held.v, its.v + its.layers[0].w, tile.group, its.across, O, its.I, tile.slice);
    }
  }
  __syncthreads();
  const PersistentLayer &last = held.layers[its.L - 1];
  int items = last.item + (last.O - 1) / WARP + 1;
  if (its.L > 1) {
    items += ((last.O - 1) / 4 + 1) * ((last.I - 1) / WARP + 1);
  }
  Item item(held.layers, its.L, min(int(blockIdx.x), items - 1));
  int place = blockIdx.x < items ? item.place(held.layers) : -1;
  Quads<Value> quads;
  if (owner) {
    fetch_inputs(quads, features, held.rows, min(its.chunk, its.B), 0, tile.slice, its.I);
  }

  unsigned expected = 0;
  for (int s = 0; s < its.steps; s++) {
    const int *batch_rows = held.rows + s % 2 * its.B;
    int step = before + s + 1;
    bool more = s + 1 < its.steps;
    if (owner) {
      tile_forward(its, held, tile, features, scaling, batch_rows, quads);
    }
    arrive(its.arrivals);
    for (int b = threadIdx.x; more && b < its.B; b += PERSISTENT_THREADS) {
      held.rows[(s + 1) % 2 * its.B + b] = row_of((s + 1) * its.B + b);
    }
    if (threadIdx.x == PERSISTENT_THREADS - 1) {  // this thread is in another warp than the one that waits
      scalars = settings.scalars(step, rates[batch + s]);
    }
    wait(its.arrivals, expected += gridDim.x);
    heads(its, held, labels, batch_rows, step);
    arrive(its.arrivals);
    if (owner && more) {
      fetch_inputs(quads, features, held.rows + (s + 1) % 2 * its.B, min(its.chunk, its.B), 0, tile.slice, its.I);
    }
    wait(its.arrivals, expected += gridDim.x);
    updates(its, held, tile, owner, item, place, items, features, scaling, batch_rows, settings.update(scalars));
    if (blockIdx.x == gridDim.x - 1) {
      log_losses(its.log, its.losses, &step, its.B, its.S);
    }
  }

  __syncthreads();  // the whole tile is updated
  if (owner) {
    move_tile<true>(held.w, its.w + its.layers[0].w, tile.group, its.across, O, its.I, tile.slice);
    move_tile<true>(held.m, its.m + its.layers[0].w, tile.group, its.across, O, its.I, tile.slice);
    if (Update::SQUARES) {
      move_tile<true>(held.v, its.v + its.layers[0].w, tile.group, its.across, O, its.I, tile.slice);
    }
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) {  // all blocks have read the position: each has arrived at a barrier since
    its.position[0] = before + its.steps;
    its.position[1] = example + its.steps * its.B;
    its.position[2] = batch + its.steps;
    its.rate[0] = rates[batch + its.steps - 1];
  }
}

}  // namespace op
