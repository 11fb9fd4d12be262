// Adam and AdamW over all parameters at once: they lie in one arena, so an optimizer step is one launch.
//
// As torch.optim.Adam: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
// w = w - rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps), where g = dw + weight_decay * w, or, decoupled
// (AdamW), w shrinks by rate * weight_decay first. The step t and the rate lie on the device, because a captured graph
// freezes its arguments.
#pragma once

namespace op {

// x^n by squaring: exact to a few roundings, and a handful of products where pow() is a long function.
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

struct AdamScalars {
  float step_size, root_correction, shrink;
  float keep1, take1, keep2, take2;  // beta and 1 - beta, rounded apart
};

// One thread an element of w, m, v, dw (n).
__device__ inline void adam_step(float *w, float *m, float *v, const float *dw, const int *step, const float *rate,
                                 int n, double beta1, double beta2, float eps, double weight_decay, int decoupled) {
  __shared__ AdamScalars scalars;
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  float weight = 0, g = 0, mean = 0, square = 0;
  if (i < n) {  // on their way while the first thread computes
    weight = w[i];
    g = dw[i];
    mean = m[i];
    square = v[i];
  }
  if (threadIdx.x == 0) {  // in double, as PyTorch computes them on the host: 1 - beta2^t cancels
    double lr = rate[0];
    scalars.step_size = float(lr / (1 - power(beta1, step[0])));
    scalars.root_correction = float(sqrt(1 - power(beta2, step[0])));
    scalars.shrink = decoupled ? float(1 - lr * weight_decay) : 1;
    scalars.keep1 = float(beta1);
    scalars.take1 = float(1 - beta1);
    scalars.keep2 = float(beta2);
    scalars.take2 = float(1 - beta2);
  }
  __syncthreads();
  if (i < n) {
    weight *= scalars.shrink;
    g += decoupled ? 0 : float(weight_decay) * weight;
    mean = mean * scalars.keep1 + scalars.take1 * g;
    square = square * scalars.keep2 + scalars.take2 * g * g;
    m[i] = mean;
    v[i] = square;
    w[i] = weight - scalars.step_size * mean / (sqrtf(square) / scalars.root_correction + eps);
  }
}

}  // namespace op
