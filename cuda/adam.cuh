// Adam and AdamW, for all parameters at once: the parameters lie in one arena, so that the update is one launch.
//
// The formulas are those of torch.optim.Adam: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w = w - rate
// / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps), where g = dw + weight_decay * w, or, decoupled (AdamW), w
// shrinks by rate * weight_decay first. The step t and the rate lie on the device, because a captured graph freezes its
// arguments.
#pragma once

#include "operands.cuh"
#include "scaling.cuh"

namespace op {

// Returns x^n, computed by squaring: exact to a few roundings, and a handful of products where pow() is a long
// function.
__device__ inline double power(double x, int n) {
  double result = 1;
  for (; n > 0; n /= 2) {
    if (n % 2 == 1) {
      result *= x;
    }
    x *= x;
  }
  return result;
}

// mlpcuda.compute.cuda.FusedKernels has memory for them.
struct __align__(16) AdamScalars {
  float step_size, root_correction, shrink, decay;
  float keep1, take1, keep2, take2;  // beta1, 1 - beta1, beta2 and 1 - beta2, each rounded to float
};

struct AdamSettings {
  double beta1, beta2, weight_decay;
  int decoupled;
};

// Computes the scalars of a step in double, as PyTorch does on the host: 1 - beta2^t loses digits in single precision.
__device__ inline AdamScalars adam_scalars(int step, double rate, AdamSettings adam) {
  auto [beta1, beta2, weight_decay, decoupled] = adam;
  AdamScalars scalars;
  scalars.step_size = float(rate / (1 - power(beta1, step)));
  scalars.root_correction = float(sqrt(1 - power(beta2, step)));
  scalars.shrink = decoupled ? float(1 - rate * weight_decay) : 1;
  scalars.decay = decoupled ? 0 : float(weight_decay);
  scalars.keep1 = float(beta1);
  scalars.take1 = float(1 - beta1);
  scalars.keep2 = float(beta2);
  scalars.take2 = float(1 - beta2);
  return scalars;
}

// Returns the new weight; `mean` and `square` become the new moments.
__device__ inline float adam_weight(float weight, float &mean, float &square, float g, const AdamScalars &scalars,
                                    float eps) {
  weight *= scalars.shrink;
  g += scalars.decay * weight;
  mean = mean * scalars.keep1 + scalars.take1 * g;
  square = square * scalars.keep2 + scalars.take2 * g * g;
  return weight - scalars.step_size * mean / (sqrtf(square) / scalars.root_correction + eps);
}

// Updates w with its copy, m and v (n) by the gradients dw (n). Each thread has one element.
__device__ inline void adam_step(float *w, RoundedCopy copy, float *m, float *v, const float *dw, const int *step,
                                 const float *rate, const LossScale *scaling, int n, float eps, AdamSettings adam) {
  if (skips(scaling)) {
    return;
  }
  __shared__ AdamScalars scalars;
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  float weight = 0, g = 0, mean = 0, square = 0;
  if (i < n) {  // loaded while the first thread computes the scalars
    weight = w[i];
    g = dw[i];
    mean = m[i];
    square = v[i];
  }
  if (threadIdx.x == 0) {
    scalars = adam_scalars(step[0] - skipped_before(scaling), rate[0], adam);
  }
  __syncthreads();
  if (i < n) {
    float updated = adam_weight(weight, mean, square, g, scalars, eps);
    w[i] = updated;
    copy.store(i, updated);
    m[i] = mean;
    v[i] = square;
  }
}

}  // namespace op
