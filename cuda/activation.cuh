// The activations, which follow a layer's affine map, and their derivatives.
//
// They are fused into a kernel that has the values in registers already: the epilogue of a product, or the addition of
// the bias after a product of cuBLAS. The derivative is a function of the output, so that a backward pass needs nothing
// but the outputs.
#pragma once

#include "operands.cuh"

namespace op {

// The activations, in the order of mlpcuda.compute.Activation.
enum Activation { NONE, RELU, SIGMOID, TANH, LECUN_TANH };

constexpr float LECUN_SCALE = 1.7159f, LECUN_SLOPE = 2 / 3.0f;  // as in Activation

__device__ inline float activate(float z, int activation) {
  switch (activation) {
    case RELU: return z < 0 ? 0 : z;  // not fmaxf, which would hide a NaN
    case SIGMOID: return 1 / (1 + expf(-z));
    case TANH: return tanhf(z);
    case LECUN_TANH: return LECUN_SCALE * tanhf(LECUN_SLOPE * z);
    default: return z;
  }
}

// Returns dy times the activation's derivative, where y is the activation's output.
__device__ inline float differentiate(float dy, float y, int activation) {
  switch (activation) {
    case RELU: return y > 0 ? dy : 0;  // the derivative at 0 is taken as 0
    case SIGMOID: return dy * (y * (1 - y));
    case TANH:
    case LECUN_TANH: {  // one path for both, which spares registers; at an end of y's range the product is 0
      bool plain = activation == TANH;
      float scale = plain ? 1 : LECUN_SCALE, factor = plain ? 1 : LECUN_SLOPE / LECUN_SCALE;
      return dy * (factor * ((scale - y) * (scale + y)));
    }
    default: return dy;
  }
}

// Computes y (B, O) = activation(y + b), in place and with its copy, after a product of cuBLAS, which adds no bias. Each
// thread has one element.
__device__ inline void bias_activation_forward(float *y, RoundedCopy copy, const float *b, int B, int O,
                                               int activation) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < unsigned(B) * O) {
    float a = activate(y[i] + b[i % O], activation);
    y[i] = a;
    copy.store(i, a);
  }
}

// Computes dx (n), with its copy, = dy * activation'(y); dx may be dy. Each thread has one element.
__device__ inline void activation_backward(float *dx, RoundedCopy copy, const float *dy, const float *y, int n,
                                           int activation) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    float d = differentiate(dy[i], y[i], activation);
    dx[i] = d;
    copy.store(i, d);
  }
}

}  // namespace op
