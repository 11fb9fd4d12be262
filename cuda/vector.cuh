// The small things: the run's position, and zeros.
#pragma once

namespace op {

// position (2) = steps begun, and examples of the epoch taken until the end of this step's batch. One thread, and a
// launch of its own: no thread may read a count that another one bumps.
__device__ inline void advance(int *position, int B) {
  position[0] += 1;
  position[1] += B;
}

// x (n) = 0. One thread an element.
__device__ inline void zero(float *x, int n) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    x[i] = 0;
  }
}

}  // namespace op
