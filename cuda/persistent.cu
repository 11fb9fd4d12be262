// The entry points of the persistent step: module persistent.ptx. mlpcuda.compute.cuda.PersistentKernels launches them,
// all blocks at once, with these parameters in this order.
#include "persistent.cuh"

// `scale` and `shift` are the numbers of UniformScaling, or the pointers of ColumnScaling.
#define PERSISTENT(name, Value, Scaling, ScaleType, settings, ...)                                                    \
  extern "C" __global__ void __launch_bounds__(op::PERSISTENT_THREADS, 1) name(                                       \
      float *w, float *m, float *v, float *log, float *losses, float *arena, float *partial, float *rate,             \
      int *position, unsigned *arrivals, const void *layers, const Value *__restrict__ features,                      \
      const unsigned char *__restrict__ labels, const int *__restrict__ rows, const float *__restrict__ rates,        \
      int steps, int L, int B, int I, int S, int chunk, int slices, int quads, int across, int from, int length,      \
      int copies, ScaleType scale, ScaleType shift, float smoothing, int use, unsigned long long seed, __VA_ARGS__) { \
    op::persistent({w, m, v, log, losses, arena, partial, rate, position, arrivals,                                   \
                    static_cast<const op::PersistentLayer *>(layers), steps, L, B, I, S, chunk, slices, quads,        \
                    across, from, length, copies, smoothing, use, seed},                                              \
                   features, Scaling{scale, shift}, labels, rows, rates, settings);                                   \
  }

#define PERSISTENT_BYTES(name, ...) PERSISTENT(name, unsigned char, op::UniformScaling, float, __VA_ARGS__)
#define PERSISTENT_FLOATS(name, ...) PERSISTENT(name, float, op::ColumnScaling, const float *, __VA_ARGS__)

struct Adam {
  double beta1, beta2;
  float eps;
  double weight_decay;
  int decoupled;

  using Scalars = op::AdamScalars;
  __device__ Scalars scalars(int step, float rate) const {
    return op::adam_scalars(step, rate, {beta1, beta2, weight_decay, decoupled});
  }
  struct Update {
    static constexpr bool SQUARES = true;
    Scalars scalars;
    float eps;
    __device__ float operator()(float weight, float &mean, float &square, float g) const {
      return op::adam_weight(weight, mean, square, g, scalars, eps);
    }
  };
  __device__ Update update(const Scalars &scalars) const { return {scalars, eps}; }
};

struct Sgd {
  float momentum;
  int nesterov;
  float weight_decay;

  using Scalars = float;  // the rate
  __device__ Scalars scalars(int, float rate) const { return rate; }
  struct Update {
    static constexpr bool SQUARES = false;
    float rate, momentum;
    int nesterov;
    float weight_decay;
    __device__ float operator()(float weight, float &velocity, float &, float g) const {
      return op::sgd_weight(weight, velocity, g, rate, momentum, nesterov, weight_decay);
    }
  };
  __device__ Update update(float rate) const { return {rate, momentum, nesterov, weight_decay}; }
};

#define ADAM (Adam{beta1, beta2, eps, weight_decay, decoupled})
#define SGD (Sgd{momentum, nesterov, weight_decay})

PERSISTENT_BYTES(persistent_adam, ADAM, double beta1, double beta2, float eps, double weight_decay, int decoupled)
PERSISTENT_FLOATS(persistent_adam_floats, ADAM, double beta1, double beta2, float eps, double weight_decay,
                  int decoupled)
PERSISTENT_BYTES(persistent_sgd, SGD, float momentum, int nesterov, float weight_decay)
PERSISTENT_FLOATS(persistent_sgd_floats, SGD, float momentum, int nesterov, float weight_decay)
