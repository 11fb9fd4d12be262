// Small operations: the run's position with its learning rate, and zeros.
#pragma once

#include "scaling.cuh"

namespace op {

// Begins a step. position (3) becomes the number of steps begun, of examples of the epoch up to the end of this step's
// batch, and of batches of the epoch begun; rate (1) becomes this step's learning rate, from rates (S); and the loss
// scale is settled if this is not the first step. This is one thread in a launch of its own: no other thread may read a
// count while it changes.
__device__ inline void advance(int *position, float *rate, const float *rates, LossScale *scaling, int B) {
  if (scaling != nullptr && position[0] > 0) {
    *scaling = settled(*scaling);
  }
  rate[0] = rates[position[2]];
  position[0] += 1;
  position[1] += B;
  position[2] += 1;
}

// Sets x (n) to 0. Each thread has one element.
__device__ inline void zero(float *x, int n) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    x[i] = 0;
  }
}

}  // namespace op
