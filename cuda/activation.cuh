// What follows a layer's affine map, and its derivative.
//
// Fused into whatever kernel has the values in registers already: the epilogue of a product, the bias of a cuBLAS
// product. The derivative is a function of the output, so that a backward pass needs nothing but the outputs.
#pragma once

namespace op {

// The order of mlpcuda.compute.Activation.
enum Activation { NONE, RELU, SIGMOID, TANH };

__device__ inline float activate(float z, int activation) {
  switch (activation) {
    case RELU: return z < 0 ? 0 : z;  // not fmaxf, which would hide a NaN
    case SIGMOID: return 1 / (1 + expf(-z));
    case TANH: return tanhf(z);
    default: return z;
  }
}

// dy times the activation's derivative, where y is its output.
__device__ inline float differentiate(float dy, float y, int activation) {
  switch (activation) {
    case RELU: return y > 0 ? dy : 0;  // the derivative at 0 is taken as 0
    case SIGMOID: return dy * (y * (1 - y));
    case TANH: return dy * (1 - y * y);
    default: return dy;
  }
}

// y (B, O) = activation(y + b), in place, after a product that knows no bias: cuBLAS's. One thread an element.
__device__ inline void bias_activation_forward(float *y, const float *b, int B, int O, int activation) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < unsigned(B) * O) {
    y[i] = activate(y[i] + b[i % O], activation);
  }
}

// dx (n) = dy * activation'(y); dx may be dy. One thread an element.
__device__ inline void activation_backward(float *dx, const float *dy, const float *y, int n, int activation) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    dx[i] = differentiate(dy[i], y[i], activation);
  }
}

}  // namespace op
