// The entry points of all operations but products: module layers.ptx. mlpcuda.compute.cuda.CudaOps, and what it
// calls, launches them with these parameters in this order.
#include "activation.cuh"
#include "adam.cuh"
#include "average.cuh"
#include "clip.cuh"
#include "dropout.cuh"
#include "gather.cuh"
#include "operands.cuh"
#include "reduce.cuh"
#include "sgd.cuh"
#include "softmax.cuh"
#include "vector.cuh"

// `threads` is the most threads of a block. One block on each multiprocessor is enough: the assembler may give its
// threads as many registers as that leaves.
#define ENTRY(name, threads) extern "C" __global__ void __launch_bounds__(threads, 1) name

// `copy` is the rounded copy of the output before it, or null; `precision` is the one that it is rounded to.
ENTRY(activation_backward, 256)(float *dx, void *copy, const float *dy, const float *y, int n, int activation,
                                int precision) {
  op::activation_backward(dx, {copy, precision}, dy, y, n, activation);
}

ENTRY(adam_step, 256)(float *w, void *copy, float *m, float *v, const float *dw, const int *step, const float *rate,
                      const op::LossScale *scaling, int n, int precision, double beta1, double beta2, float eps,
                      double weight_decay, int decoupled) {
  op::adam_step(w, {copy, precision}, m, v, dw, step, rate, scaling, n, eps, {beta1, beta2, weight_decay, decoupled});
}

ENTRY(advance, 1)(int *position, float *rate, const float *rates, op::LossScale *scaling, int B) {
  op::advance(position, rate, rates, scaling, B);
}

ENTRY(average_step, 256)(float *average, void *copy, const float *w, const int *step, int n, int precision,
                         float least) {
  op::average_step(average, {copy, precision}, w, step, n, least);
}

ENTRY(bias_activation_forward, 256)(float *y, void *copy, const float *b, int B, int O, int activation,
                                    int precision) {
  op::bias_activation_forward(y, {copy, precision}, b, B, O, activation);
}

ENTRY(clip_norm, 256)(float *dw, float *norm, op::LossScale *scaling, int n, int P, float limit) {
  op::clip_norm(dw, norm, scaling, n, P, limit);
}

ENTRY(column_sum, 256)(float *sums, const float *dy, int B, int O, int share) {
  op::column_sum(sums, dy, B, O, share);
}

ENTRY(cross_entropy_forward, 1024)(float *dx, void *copy, float *log, float *losses, const float *x, const int *y,
                                   const float *weights, const int *step, const op::LossScale *scaling, int B, int C,
                                   int S, int precision, float smoothing) {
  op::cross_entropy_forward(dx, {copy, precision}, log, losses, x, y, weights, step, scaling, B, C, S, smoothing);
}

ENTRY(dropout_forward, 256)(float *y, void *copy, const float *x, const int *step, int n, int precision, float rate,
                            float scale, int layer, int use, unsigned long long seed) {
  op::dropout_forward(y, {copy, precision}, x, step, n, rate, scale, layer, use, seed);
}

// Features are bytes or floats, and are scaled in one way or column by column.
#define GATHER(name, Value, scaling, ...)                                                                             \
  ENTRY(name, 256)(float *x, void *copy, int *y, float *weights, const Value *features, const unsigned char *labels,  \
                   const float *of_set, const int *rows, const int *end, int B, int I, int precision, __VA_ARGS__) {  \
    op::gather_forward(x, {copy, precision}, y, weights, features, labels, of_set, rows, end, B, I, scaling);         \
  }

GATHER(gather_bytes, unsigned char, (op::UniformScaling{scale, shift}), float scale, float shift)
GATHER(gather_bytes_by_column, unsigned char, (op::ColumnScaling{centre, factor}), const float *centre,
       const float *factor)
GATHER(gather_floats, float, (op::UniformScaling{scale, shift}), float scale, float shift)
GATHER(gather_floats_by_column, float, (op::ColumnScaling{centre, factor}), const float *centre, const float *factor)

ENTRY(log_losses, 1024)(float *log, const float *losses, const int *step, int B, int S) {
  op::log_losses(log, losses, step, B, S);
}

ENTRY(log_softmax_forward, 256)(float *y, const float *x, int B, int C) {
  op::log_softmax_forward(y, x, B, C);
}

ENTRY(partial_norms, 1024)(float *norm, const float *dw, int n) {
  op::partial_norms(norm, dw, n);
}

ENTRY(round_floats, 256)(void *copy, const float *x, int n, int precision) {
  op::round_floats({copy, precision}, x, n);
}

ENTRY(sgd_step, 256)(float *w, void *copy, float *velocity, const float *dw, const float *rate,
                     const op::LossScale *scaling, int n, int precision, float momentum, int nesterov,
                     float weight_decay) {
  op::sgd_step(w, {copy, precision}, velocity, dw, rate, scaling, n, momentum, nesterov, weight_decay);
}

ENTRY(zero, 256)(float *x, int n) {
  op::zero(x, n);
}
