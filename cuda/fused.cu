// The entry points of the fused step: module fused.ptx, and fused_tf32.ptx, fused_bf16.ptx and fused_fp16.ptx for
// operands of less precision. mlpcuda.compute.cuda.FusedKernels launches them with these parameters in this order.
#include "fused.cuh"

using Thin = op::Tilings<op::MODULE_PRECISION>::Thin;
using Small = op::Tilings<op::MODULE_PRECISION>::Small;
static_assert(Thin::THREADS == Small::THREADS, "entries have one size of blocks");

// One block on each multiprocessor is enough: a small network has no more blocks. A block may therefore use many
// registers, which cost less than spills.
#define ENTRY(name) extern "C" __global__ void __launch_bounds__(Small::THREADS, 1) name

// The features of a batch and the parameters that scale them: bytes with one scaling, or floats with one for each
// column.
#define BYTES(rows, first) (op::ByteBatch{features, rows, first, I, {scale, shift}})
#define FLOATS(rows, first) (op::FloatBatch{features, rows, first, I, {centre, factor}})

// `scalars` is Adam's, and null for another optimizer; the last four parameters are what the scalars are computed from.
#define FUSED_INPUT(name, tiles, Value, BATCH, ScaleType, scale, shift)                                               \
  ENTRY(name)(float *__restrict__ out, float *__restrict__ kept, int *y, int *chosen, int *step, float *rate,         \
              op::AdamScalars *scalars, const Value *__restrict__ features, const unsigned char *labels,              \
              const int *rows, const int *position, const float *rates, op::LossScale *scaling,                       \
              const float *__restrict__ w, const float *__restrict__ b, int B, int I, int O, int activation,          \
              ScaleType scale, ScaleType shift, float drop_rate, float drop_scale, int use, unsigned long long seed,  \
              double beta1, double beta2, double weight_decay, int decoupled) {                                       \
    op::Position at = {position[0], position[1], position[2]};                                                        \
    if (blockIdx.x == gridDim.x - 1) {                                                                                \
      if (threadIdx.x == 0) {                                                                                         \
        op::begin_step(step, rate, scalars, at, rates, scaling, {beta1, beta2, weight_decay, decoupled});             \
      }                                                                                                               \
      return;                                                                                                         \
    }                                                                                                                 \
    op::fused_input<tiles>(out, kept, y, chosen, labels, at, w, b, B, O, activation, BATCH(rows, 0),                  \
                           {drop_rate, drop_scale, 1, 0, use, seed});                                                 \
  }

FUSED_INPUT(fused_input_thin, Thin, unsigned char, BYTES, float, scale, shift)
FUSED_INPUT(fused_input_small, Small, unsigned char, BYTES, float, scale, shift)
FUSED_INPUT(fused_input_thin_floats, Thin, float, FLOATS, const float *, centre, factor)
FUSED_INPUT(fused_input_small_floats, Small, float, FLOATS, const float *, centre, factor)

ENTRY(fused_head)(float *arena, float *losses, int *lost, int *position, const float *__restrict__ w,
                  const __grid_constant__ op::FusedLayers layers, const int *__restrict__ y,
                  const int *__restrict__ step, const op::LossScale *__restrict__ scaling, int L, int B, float smoothing,
                  int use, unsigned long long seed) {
  op::fused_head<op::MODULE_PRECISION>(arena, losses, lost, position, w, layers.of, y, step, scaling, L, B, smoothing,
                                       {0, 0, 0, 0, use, seed});
}

struct AdamUpdate {
  float *w, *m, *v;
  op::AdamScalars scalars;
  float eps;

  struct Loaded {
    float weight, mean, square;
  };
  __device__ Loaded load(size_t at) const { return {w[at], m[at], v[at]}; }
  __device__ float operator()(Loaded its, float g, size_t at) const {
    float weight = op::adam_weight(its.weight, its.mean, its.square, g, scalars, eps);
    m[at] = its.mean;
    v[at] = its.square;
    return weight;
  }
};

#define FUSED_UPDATE_ADAM(name, Value, BATCH, ScaleType, scale, shift)                                                \
  ENTRY(name)(float *w, float *m, float *v, float *log, const float *__restrict__ arena,                              \
              const float *__restrict__ losses, const int *__restrict__ lost,                                         \
              const __grid_constant__ op::FusedLayers layers, const Value *__restrict__ features,                     \
              const int *__restrict__ chosen, const int *__restrict__ step,                                           \
              const op::AdamScalars *__restrict__ scalars, op::LossScale *scaling, int L, int B, int I, int S,        \
              ScaleType scale, ScaleType shift, float eps) {                                                          \
    op::fused_update<Small>(w, log, arena, losses, lost, layers.of, step, chosen, scaling, L, B, S,                   \
                            BATCH(nullptr, 0), AdamUpdate{w, m, v, *scalars, eps});                                   \
  }

FUSED_UPDATE_ADAM(fused_update_adam, unsigned char, BYTES, float, scale, shift)
FUSED_UPDATE_ADAM(fused_update_adam_floats, float, FLOATS, const float *, centre, factor)

struct SgdUpdate {
  float *w, *velocity;
  float rate, momentum;
  int nesterov;
  float weight_decay;

  struct Loaded {
    float weight, velocity;
  };
  __device__ Loaded load(size_t at) const { return {w[at], velocity[at]}; }
  __device__ float operator()(Loaded its, float g, size_t at) const {
    float weight = op::sgd_weight(its.weight, its.velocity, g, rate, momentum, nesterov, weight_decay);
    velocity[at] = its.velocity;
    return weight;
  }
};

#define FUSED_UPDATE_SGD(name, Value, BATCH, ScaleType, scale, shift)                                                 \
  ENTRY(name)(float *w, float *velocity, float *log, const float *__restrict__ arena,                                 \
              const float *__restrict__ losses, const int *__restrict__ lost,                                         \
              const __grid_constant__ op::FusedLayers layers, const Value *__restrict__ features,                     \
              const int *__restrict__ chosen, const int *__restrict__ step, const float *__restrict__ rate,           \
              op::LossScale *scaling, int L, int B, int I, int S, ScaleType scale, ScaleType shift, float momentum,   \
              int nesterov, float weight_decay) {                                                                     \
    op::fused_update<Small>(w, log, arena, losses, lost, layers.of, step, chosen, scaling, L, B, S,                   \
                            BATCH(nullptr, 0), SgdUpdate{w, velocity, rate[0], momentum, nesterov, weight_decay});    \
  }

FUSED_UPDATE_SGD(fused_update_sgd, unsigned char, BYTES, float, scale, shift)
FUSED_UPDATE_SGD(fused_update_sgd_floats, float, FLOATS, const float *, centre, factor)
