// Dropout without a stored mask: whether an element is kept is a function of its index, the layer, the step and the
// seed, so that the backward pass and the CPU compute the same mask.
#pragma once

#include "operands.cuh"
#include "philox.cuh"

namespace op {

// The dropout after one layer; a rate of 0 means that there is none.
struct Dropout {
  float rate, scale;
  int layer, step, use;
  unsigned long long seed;

  // Returns what dropout leaves of element i. Four neighbouring elements compute the same block of random numbers, each
  // for itself: this is for kernels that have other work to hide it behind.
  __device__ float operator()(float x, unsigned i) const {
    Block words =
        philox({i / 4, unsigned(layer), unsigned(step), unsigned(use)}, unsigned(seed), unsigned(seed >> 32));
    unsigned low = i % 2 == 0 ? words.word[0] : words.word[1];
    unsigned high = i % 2 == 0 ? words.word[2] : words.word[3];
    unsigned word = i % 4 < 2 ? low : high;
    return (word >> 8) * 0x1p-24f >= rate ? x * scale : 0;
  }
};

// Computes y (n), with its copy, = x * scale for kept elements and 0 for the others; y may be x. Element i is kept where word i mod 4
// of the block of counter (i / 4, layer, step, use) and key `seed`, as a number in [0, 1), is at least `rate`. Each
// thread has 4 elements.
__device__ inline void dropout_forward(float *y, RoundedCopy copy, const float *x, const int *step, int n, float rate,
                                       float scale, int layer, int use, unsigned long long seed) {
  unsigned block = blockIdx.x * blockDim.x + threadIdx.x;
  if (block > (n - 1) / 4) {
    return;
  }
  float mine[4];  // loaded before the step, so that all loads are under way together
#pragma unroll  // an array indexed at run time would leave the registers
  for (unsigned k = 0; k < 4; k++) {
    mine[k] = x[min(4 * block + k, n - 1)];
  }
  Block words = philox({block, unsigned(layer), unsigned(step[0]), unsigned(use)}, unsigned(seed), unsigned(seed >> 32));
#pragma unroll
  for (unsigned k = 0; k < 4; k++) {
    unsigned i = 4 * block + k;
    if (i < n) {
      float left = (words.word[k] >> 8) * 0x1p-24f >= rate ? mine[k] * scale : 0;
      y[i] = left;
      copy.store(i, left);
    }
  }
}

}  // namespace op
