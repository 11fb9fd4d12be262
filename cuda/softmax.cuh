// Log-softmax, and cross-entropy with its gradient.
//
// Cross-entropy fuses log-softmax, loss, gradient and the count of right answers: the logits are read from memory once
// and from the cache after that, and the probabilities are never stored. Each warp has one row, of any number of
// classes. The row's largest logit is subtracted from all logits before exponentials, so that logits of any finite size
// are safe.
#pragma once

#include "operands.cuh"
#include "reduce.cuh"
#include "scaling.cuh"

namespace op {

// A row of up to WARP values in registers: lane c has value c.
struct RowOfLanes {
  float mine;

  __device__ float operator()(int) const { return mine; }
};

// A row in memory.
struct RowOfMemory {
  const float *x;

  __device__ float operator()(int c) const { return x[c]; }
};

// Calls use(row) with the row x (C). Short rows are loaded into registers first: each later load would wait for memory
// again.
template <class Use>
__device__ inline void with_row(const float *x, int C, int lane, Use use) {
  if (C <= WARP) {
    use(RowOfLanes{x[min(lane, C - 1)]});
  } else {
    use(RowOfMemory{x});
  }
}

struct Largest {
  float value;
  int index;  // the first one of equal values
};

// Returns the largest of x (C) to each lane of the warp. Only lane c mod 32 calls x(c).
template <class Row>
__device__ inline Largest row_largest(Row x, int C, int lane) {
  Largest mine = {-INFINITY, C};
  for (int c = lane; c < C; c += WARP) {
    float its = x(c);
    if (its > mine.value || mine.index == C) {
      mine = {its, c};
    }
  }
  for (int offset = WARP / 2; offset > 0; offset /= 2) {
    float value = __shfl_xor_sync(WHOLE_WARP, mine.value, offset);
    int index = __shfl_xor_sync(WHOLE_WARP, mine.index, offset);
    if (value > mine.value || (value == mine.value && index < mine.index)) {
      mine = {value, index};
    }
  }
  return mine;
}

// Returns the sum of e^(x - max) over x (C) to each lane of the warp.
template <class Row>
__device__ inline float row_exponentials(Row x, int C, float max, int lane) {
  float sum = 0;
  for (int c = lane; c < C; c += WARP) {
    sum += expf(x(c) - max);
  }
  return warp_sum(sum);
}

// Returns the sum of share * (max - x) over x (C) to each lane of the warp. The sum of max - x may overflow where this
// one does not.
template <class Row>
__device__ inline float row_distances(Row x, int C, float max, float share, int lane) {
  float sum = 0;
  for (int c = lane; c < C; c += WARP) {
    sum += share * (max - x(c));
  }
  return warp_sum(sum);
}

// Computes y (B, C) = x - log of the sum of e^x over the row, for each row. Blocks must have whole warps.
__device__ inline void log_softmax_forward(float *y, const float *x, int B, int C) {
  int lane = threadIdx.x % WARP;
  int row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP;
  if (row >= B) {
    return;  // the whole warp returns
  }
  y += size_t(row) * C;
  with_row(x + size_t(row) * C, C, lane, [=](auto x) {
    float max = row_largest(x, C, lane).value;
    float log_sum = logf(row_exponentials(x, C, max, lane));
    for (int c = lane; c < C; c += WARP) {
      y[c] = (x(c) - max) - log_sum;
    }
  });
}

// Stores in row (step - 1) mod S of log (S, 2) the sums of the two rows of losses (2, B), summed in a fixed order. The
// grid has one block.
__device__ inline void log_losses(float *log, const float *losses, const int *step, int B, int S) {
  __shared__ float partial[2][WARP];
  float loss = 0;
  float count = 0;
  for (unsigned b = threadIdx.x; b < B; b += blockDim.x) {
    loss += losses[b];
    count += losses[size_t(B) + b];
  }
  loss = block_sum(loss, partial[0]);
  count = block_sum(count, partial[1]);
  if (threadIdx.x == 0) {
    int row = (step[0] - 1) % S;
    row = row < 0 ? row + S : row;
    log[2 * row] = loss;
    log[2 * row + 1] = count;
  }
}

// Stores in losses (2, B) the loss of a row of logits (C) times the row's weight, and 1 if its answer is right, else 0.
// Calls put(c, dx), in lane c mod 32, with the gradient of the loss without the weight times `share`: a batch's mean
// loss has 1 / B of each row's. The target is (1 - smoothing) one-hot(label) + smoothing / C. One warp does this.
template <class Row, class Put>
__device__ inline void cross_entropy_row(float *losses, Row logits, int label, float weight, int row, int B, int C,
                                         float smoothing, float share, int lane, Put put) {
  float others = smoothing / C;  // the target of each class but the label
  float its = 1 - (smoothing - others);
  Largest largest = row_largest(logits, C, lane);
  float sum = row_exponentials(logits, C, largest.value, lane);
  float distances = smoothing > 0 ? row_distances(logits, C, largest.value, others, lane) : 0;
  if (lane == label % WARP) {  // the lane that may call logits(label)
    losses[row] = ((largest.value - logits(label)) * (1 - smoothing) + distances + logf(sum)) * weight;
    losses[size_t(B) + row] = largest.index == label ? 1 : 0;
  }
  for (int c = lane; c < C; c += WARP) {
    float softmax = expf(logits(c) - largest.value) / sum;
    put(c, (softmax - (c == label ? its : others)) * share);
  }
}

// Computes, from logits x (B, C) and classes y (B), losses (2, B): each row's loss, then 1 for each right answer; and
// dx (B, C) with its copy, unless it is null: the gradient of the batch's mean loss times the loss scale. A row's loss and gradient
// are multiplied by its element of weights (B), unless that is null. A grid of one block sums the losses into the log
// at once, which saves a node of the graph; after a larger grid log_losses must be launched. Blocks must have whole
// warps.
__device__ inline void cross_entropy_forward(float *dx, RoundedCopy copy, float *log, float *losses, const float *x,
                                             const int *y, const float *weights, const int *step,
                                             const LossScale *scaling, int B, int C, int S, float smoothing) {
  int lane = threadIdx.x % WARP;
  unsigned warps = gridDim.x * blockDim.x / WARP;
  float share = scale_of(scaling) / B;
  for (unsigned row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP; row < B; row += warps) {
    int label = y[row];
    float weight = weights == nullptr ? 1 : weights[row];
    size_t begin = size_t(row) * C;
    with_row(x + begin, C, lane, [=](auto logits) {
      cross_entropy_row(losses, logits, label, weight, row, B, C, smoothing, share * weight, lane,
                        [=](int c, float its) {
                          if (dx != nullptr) {
                            dx[begin + c] = its;
                            copy.store(begin + c, its);
                          }
                        });
    });
  }
  if (gridDim.x == 1) {
    __syncthreads();  // the losses of all rows are stored
    log_losses(log, losses, step, B, S);
  }
}

}  // namespace op
