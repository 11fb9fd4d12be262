// Stochastic gradient descent with momentum, for all parameters at once, as torch.optim.SGD with dampening 0: g = dw +
// weight_decay * w, velocity = momentum * velocity + g, w = w - rate * velocity, or, with Nesterov's momentum, w = w -
// rate * (g + momentum * velocity). A velocity of zeros makes the first step the same as PyTorch's, and a momentum of 0
// makes it plain descent.
#pragma once

#include "operands.cuh"
#include "scaling.cuh"

namespace op {

// Returns the new weight; `velocity` becomes the new velocity.
__device__ inline float sgd_weight(float weight, float &velocity, float g, float rate, float momentum, int nesterov,
                                   float weight_decay) {
  g += weight_decay * weight;
  velocity = momentum * velocity + g;
  return weight - rate * (nesterov ? g + momentum * velocity : velocity);
}

// Updates w with its copy, and velocity (n), by the gradients dw (n). Each thread has one element.
__device__ inline void sgd_step(float *w, RoundedCopy copy, float *velocity, const float *dw, const float *rate,
                                const LossScale *scaling, int n, float momentum, int nesterov, float weight_decay) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n && !skips(scaling)) {
    float v = velocity[i];
    float updated = sgd_weight(w[i], v, dw[i], rate[0], momentum, nesterov, weight_decay);
    w[i] = updated;
    copy.store(i, updated);
    velocity[i] = v;
  }
}

}  // namespace op
