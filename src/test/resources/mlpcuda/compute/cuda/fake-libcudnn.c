/*
 * A libcudnn.so.9 for fake-libcuda.c's memory: its operations are real ones, so that operands in
 * the wrong places show. A tensor descriptor is a number, 0x7e0 and more, and an activation's 0xac0
 * and more; tensors are N x C x 1 x 1.
 */
#include "fake.h"
#include <math.h>

static int rows[256], columns[256], modes[256];

size_t cudnnGetVersion(void) { return (size_t) setting("cudnnGetVersion", 91002); }

/* The status codes of cuDNN 9 are not those of cuDNN 8. */
const char *cudnnGetErrorString(int code) {
  return code == 2000 ? "CUDNN_STATUS_BAD_PARAM" : "FAKE_STATUS";
}

int cudnnCreate(void **handle) {
  *handle = (void *) 0xd22;
  return call("cudnnCreate", "");
}

int cudnnDestroy(void *handle) { return call("cudnnDestroy", " 0x%zx", (size_t) handle); }

int cudnnSetStream(void *handle, void *stream) {
  return call("cudnnSetStream", " 0x%zx 0x%zx", (size_t) handle, (size_t) stream);
}

int cudnnCreateTensorDescriptor(void **tensor) {
  static size_t last = 0x7e0;
  *tensor = (void *) last++;
  return call("cudnnCreateTensorDescriptor", "");
}

int cudnnSetTensor4dDescriptor(void *tensor, int format, int type, int n, int c, int h, int w) {
  rows[(size_t) tensor & 255] = n;
  columns[(size_t) tensor & 255] = c;
  return call(
      "cudnnSetTensor4dDescriptor",
      " 0x%zx %d %d %d %d %d %d",
      (size_t) tensor,
      format,
      type,
      n,
      c,
      h,
      w);
}

int cudnnDestroyTensorDescriptor(void *tensor) {
  return call("cudnnDestroyTensorDescriptor", " 0x%zx", (size_t) tensor);
}

int cudnnCreateActivationDescriptor(void **activation) {
  static size_t last = 0xac0;
  *activation = (void *) last++;
  return call("cudnnCreateActivationDescriptor", "");
}

int cudnnSetActivationDescriptor(void *activation, int mode, int nan, double coefficient) {
  modes[(size_t) activation & 255] = mode;
  return call(
      "cudnnSetActivationDescriptor",
      " 0x%zx %d %d %g",
      (size_t) activation,
      mode,
      nan,
      coefficient);
}

int cudnnDestroyActivationDescriptor(void *activation) {
  return call("cudnnDestroyActivationDescriptor", " 0x%zx", (size_t) activation);
}

int cudnnAddTensor(
    void *handle,
    const float *alpha,
    void *aTensor,
    const float *a,
    const float *beta,
    void *cTensor,
    float *c) {
  int code = call(
      "cudnnAddTensor",
      " 0x%zx %g 0x%zx 0x%zx %g 0x%zx 0x%zx",
      (size_t) handle,
      *alpha,
      (size_t) aTensor,
      (size_t) a,
      *beta,
      (size_t) cTensor,
      (size_t) c);
  int n = rows[(size_t) cTensor & 255], length = columns[(size_t) cTensor & 255];
  for (int i = 0; i < n * length && !code; i++) {
    c[i] = *alpha * a[i % length] + *beta * c[i];
  }
  return code;
}

/* 0: sigmoid, 1: ReLU, 2: tanh */
static float forward(int mode, float x) {
  return mode == 0 ? 1 / (1 + expf(-x)) : mode == 1 ? fmaxf(x, 0) : tanhf(x);
}

int cudnnActivationForward(
    void *handle,
    void *activation,
    const float *alpha,
    void *xTensor,
    const float *x,
    const float *beta,
    void *yTensor,
    float *y) {
  int code = call(
      "cudnnActivationForward",
      " 0x%zx 0x%zx %g 0x%zx 0x%zx %g 0x%zx 0x%zx",
      (size_t) handle,
      (size_t) activation,
      *alpha,
      (size_t) xTensor,
      (size_t) x,
      *beta,
      (size_t) yTensor,
      (size_t) y);
  int n = rows[(size_t) yTensor & 255] * columns[(size_t) yTensor & 255];
  for (int i = 0; i < n && !code; i++) {
    y[i] = *alpha * forward(modes[(size_t) activation & 255], x[i])
        + (*beta == 0 ? 0 : *beta * y[i]);
  }
  return code;
}

int cudnnActivationBackward(
    void *handle,
    void *activation,
    const float *alpha,
    void *yTensor,
    const float *y,
    void *dyTensor,
    const float *dy,
    void *xTensor,
    const float *x,
    const float *beta,
    void *dxTensor,
    float *dx) {
  int code = call(
      "cudnnActivationBackward",
      " 0x%zx 0x%zx %g 0x%zx 0x%zx 0x%zx 0x%zx 0x%zx 0x%zx %g 0x%zx 0x%zx",
      (size_t) handle,
      (size_t) activation,
      *alpha,
      (size_t) yTensor,
      (size_t) y,
      (size_t) dyTensor,
      (size_t) dy,
      (size_t) xTensor,
      (size_t) x,
      *beta,
      (size_t) dxTensor,
      (size_t) dx);
  int n = rows[(size_t) dxTensor & 255] * columns[(size_t) dxTensor & 255];
  int mode = modes[(size_t) activation & 255];
  for (int i = 0; i < n && !code; i++) {
    float derivative = mode == 0 ? y[i] * (1 - y[i]) : mode == 1 ? x[i] > 0 : 1 - y[i] * y[i];
    dx[i] = *alpha * dy[i] * derivative + (*beta == 0 ? 0 : *beta * dx[i]);
  }
  return code;
}

int cudnnSoftmaxForward(
    void *handle,
    int algorithm,
    int mode,
    const float *alpha,
    void *xTensor,
    const float *x,
    const float *beta,
    void *yTensor,
    float *y) {
  int code = call(
      "cudnnSoftmaxForward",
      " 0x%zx %d %d %g 0x%zx 0x%zx %g 0x%zx 0x%zx",
      (size_t) handle,
      algorithm,
      mode,
      *alpha,
      (size_t) xTensor,
      (size_t) x,
      *beta,
      (size_t) yTensor,
      (size_t) y);
  int length = columns[(size_t) yTensor & 255];
  for (int row = 0; row < rows[(size_t) yTensor & 255] && !code; row++) {
    float sum = 0;
    for (int i = row * length; i < (row + 1) * length; i++) sum += expf(x[i]);
    for (int i = row * length; i < (row + 1) * length; i++) {
      y[i] = *alpha * (x[i] - logf(sum)) + (*beta == 0 ? 0 : *beta * y[i]);
    }
  }
  return code;
}
