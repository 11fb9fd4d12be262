// Gathers a batch from a set of examples and normalises it in one pass, since each value must be read anyway.
//
// The kernel computes x (B, I) = scaling(features[row]) and y (B) = labels[row], where row b is rows[end - B + b], or b
// itself if rows is null: features and labels are the batch then. `end` lies on the device because a captured graph
// freezes its arguments. Each block has one row.
#pragma once

#include "operands.cuh"

namespace op {

// Maps a value to an input of the network in the same way in all columns.
struct UniformScaling {
  float scale, shift;

  __device__ float operator()(float value, int) const { return fmaf(value, scale, shift); }
};

// Maps a value to an input of the network as its column says. The difference is computed first: a large number with a
// small spread, such as a year, keeps its digits.
struct ColumnScaling {
  const float *centre, *factor;  // (I) each

  __device__ float operator()(float value, int column) const {
    return (value - __ldg(centre + column)) * __ldg(factor + column);
  }
};

// Four values of a row, which one load brings.
template <class Value>
struct Four;

template <>
struct Four<unsigned char> {
  using Type = uchar4;
};

template <>
struct Four<float> {
  using Type = float4;
};

// weights (B) = of_set[row], unless weights is null. x is written with its copy.
template <class Value, class Scaling>
__device__ inline void gather_forward(float *x, RoundedCopy copy, int *y, float *weights, const Value *features,
                                      const unsigned char *labels, const float *of_set, const int *rows,
                                      const int *end, int B, int I, Scaling scaling) {
  using Values = typename Four<Value>::Type;
  int b = blockIdx.x;
  int row = rows == nullptr ? b : rows[end[0] - B + b];
  const Value *from = features + size_t(row) * I;
  size_t begin = size_t(b) * I;
  float *to = x + begin;
  if (I % 4 == 0 && aligned(features, sizeof(Values)) && aligned(x, 16)) {  // a thread has 4 values, with one load
    auto from4 = reinterpret_cast<const Values *>(from);
    auto to4 = reinterpret_cast<float4 *>(to);
    for (int i = threadIdx.x; i < I / 4; i += blockDim.x) {
      Values v = from4[i];
      float4 scaled = make_float4(scaling(v.x, 4 * i), scaling(v.y, 4 * i + 1), scaling(v.z, 4 * i + 2),
                                  scaling(v.w, 4 * i + 3));
      to4[i] = scaled;
      copy.store4(begin / 4 + i, scaled);
    }
  } else {
    for (int i = threadIdx.x; i < I; i += blockDim.x) {
      float scaled = scaling(from[i], i);
      to[i] = scaled;
      copy.store(begin + i, scaled);
    }
  }
  if (threadIdx.x == 0) {
    y[b] = labels[row];
    if (weights != nullptr) {
      weights[b] = of_set[row];
    }
  }
}

}  // namespace op
