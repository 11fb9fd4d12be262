// Dynamic loss scaling, for gradients in half precision: mlpcuda.compute.LossScale has the rules. A null pointer means
// that there is no loss scale.
#pragma once

namespace op {

// The state of the loss scale, in the order of mlpcuda.compute.LossScale.
struct __align__(16) LossScale {
  float scale;
  float clean;    // the number of steps with finite gradients since the scale changed
  float skipped;  // the number of steps before this one that were skipped
  float skips;    // 1 if this step is skipped, else 0
};

constexpr float GROWTH_INTERVAL = 2000;
constexpr float LEAST_SCALE = 0x1p-24f, MOST_SCALE = 0x1p126f;

// Returns the state after the step that it describes: the state with which the next step begins.
__device__ inline LossScale settled(LossScale state) {
  if (state.skips != 0) {
    return {fmaxf(state.scale / 2, LEAST_SCALE), 0, state.skipped + 1, 0};
  }
  if (state.clean + 1 == GROWTH_INTERVAL) {
    return {fminf(state.scale * 2, MOST_SCALE), 0, state.skipped, 0};
  }
  return {state.scale, state.clean + 1, state.skipped, 0};
}

__device__ inline float scale_of(const LossScale *scaling) { return scaling == nullptr ? 1 : scaling->scale; }

__device__ inline int skipped_before(const LossScale *scaling) {
  return scaling == nullptr ? 0 : int(scaling->skipped);
}

__device__ inline bool skips(const LossScale *scaling) { return scaling != nullptr && scaling->skips != 0; }

}  // namespace op
