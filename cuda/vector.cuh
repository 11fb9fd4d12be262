// The small things: the run's position and its learning rate, and zeros.
#pragma once

#include "scaling.cuh"

namespace op {

// position (3) = steps begun, examples of the epoch taken until the end of this step's batch, and batches of the epoch
// begun; rate (1) = this step's of rates (S); the loss scale settled, if a step has begun before. One thread, and a launch
// of its own: no thread may read a count that another one bumps.
__device__ inline void advance(int *position, float *rate, const float *rates, LossScale *scaling, int B) {
  if (scaling != nullptr && position[0] > 0) {
    *scaling = settled(*scaling);
  }
  rate[0] = rates[position[2]];
  position[0] += 1;
  position[1] += B;
  position[2] += 1;
}

// x (n) = 0. One thread an element.
__device__ inline void zero(float *x, int n) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    x[i] = 0;
  }
}

}  // namespace op
