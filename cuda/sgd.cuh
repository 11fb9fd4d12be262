// Stochastic gradient descent with momentum over all parameters at once, as torch.optim.SGD with dampening 0: g = dw +
// weight_decay * w, velocity = momentum * velocity + g, w = w - rate * velocity, or, Nesterov, w = w - rate * (g +
// momentum * velocity). A velocity of zeros makes the first step PyTorch's, and momentum 0 the plain descent.
#pragma once

namespace op {

// One thread an element of w, velocity, dw (n).
__device__ inline void sgd_step(float *w, float *velocity, const float *dw, const float *rate, int n, float momentum,
                                int nesterov, float weight_decay) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    float weight = w[i];
    float g = dw[i] + weight_decay * weight;
    float v = momentum * velocity[i] + g;
    velocity[i] = v;
    w[i] = weight - rate[0] * (nesterov ? g + momentum * v : v);
  }
}

}  // namespace op
