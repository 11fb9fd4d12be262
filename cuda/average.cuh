// The exponential moving average of the weights, for all parameters at once.
#pragma once

#include "operands.cuh"

namespace op {

// Moves average (n), with its copy, towards w (n) by 1 - d, where d = min(decay, (1 + t) / (10 + t)) and t is the step's
// number; `least` is 1 - decay. Each thread has one element.
__device__ inline void average_step(float *average, RoundedCopy copy, const float *w, const int *step, int n,
                                    float least) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    float take = fmaxf(least, 9 / (10 + float(step[0])));  // 9 / (10 + t) is 1 - (1 + t) / (10 + t)
    float a = average[i];
    a += take * (w[i] - a);
    average[i] = a;
    copy.store(i, a);
  }
}

}  // namespace op
