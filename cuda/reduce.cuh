// Reductions in a fixed order: the same numbers give the same bits, however warps are scheduled.
#pragma once

namespace op {

constexpr unsigned WHOLE_WARP = 0xffffffff;
constexpr int WARP = 32;

// Returns the sum over the lanes of a warp, to each lane.
template <class T>
__device__ inline T warp_sum(T x) {
  for (int offset = WARP / 2; offset > 0; offset /= 2) {
    x += __shfl_xor_sync(WHOLE_WARP, x, offset);
  }
  return x;
}

// Returns to lane i the sum of x[i] over the lanes of a warp. That takes 31 shuffles, where a warp_sum of each element
// takes 160. It is a recursion of templates and not a loop, because an array that is indexed at run time would leave
// the registers.
template <int COUNT>
__device__ inline float transposed_sum(float (&x)[COUNT], int lane) {
  if constexpr (COUNT == 1) {
    return x[0];
  } else {
    constexpr int HALF = COUNT / 2;  // a lane keeps the half that its bit selects, and gives the other half away
    bool upper = lane & HALF;
    float kept[HALF];
#pragma unroll
    for (int i = 0; i < HALF; i++) {
      float given = __shfl_xor_sync(WHOLE_WARP, upper ? x[i] : x[i + HALF], HALF);
      kept[i] = (upper ? x[i + HALF] : x[i]) + given;
    }
    return transposed_sum(kept, lane);
  }
}

// Returns the sum over the threads of a block of whole warps; only thread 0 gets the right value. `partial` (32) is in
// shared memory, and may be used again after the block's next barrier.
template <class T>
__device__ inline T block_sum(T x, T *partial) {
  x = warp_sum(x);
  if (threadIdx.x % WARP == 0) {
    partial[threadIdx.x / WARP] = x;
  }
  __syncthreads();
  if (threadIdx.x < WARP) {
    x = warp_sum(threadIdx.x < blockDim.x / WARP ? partial[threadIdx.x] : 0);
  }
  return x;
}

// Returns the sum of column o of dy (B, O) to lane o mod 32 of the first warp of a block of 8 warps. Lane i has the
// same column in all warps: row r goes to warp r mod 8, and the partial sums of a column are added in their order.
__device__ inline float block_column_sum(const float *dy, int o, int B, int O) {
  constexpr int WARPS = 8, AT_ONCE = 8;
  __shared__ float partial[WARPS][WARP];
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
  float mine = 0;
#pragma unroll 1
  for (int b0 = warp; b0 < B; b0 += WARPS * AT_ONCE) {
    float x[AT_ONCE];
#pragma unroll
    for (int k = 0; k < AT_ONCE; k++) {
      x[k] = dy[size_t(min(b0 + k * WARPS, B - 1)) * O + min(o, O - 1)];
    }
#pragma unroll
    for (int k = 0; k < AT_ONCE; k++) {
      mine += b0 + k * WARPS < B ? x[k] : 0;
    }
  }
  partial[warp][lane] = mine;
  __syncthreads();
  float all = 0;
  for (int r = 0; r < WARPS; r++) {
    all += partial[r][lane];
  }
  return all;
}

// Computes db (O), the column sums of dy (B, O). A block of 32 x 32 threads has 32 columns: a warp reads them of one
// row at once, row r goes to warp r mod 32, and the 32 partial sums of a column are added in their order.
__device__ inline void column_sum(float *db, const float *dy, int B, int O) {
  __shared__ float partial[WARP][WARP];
  int o = blockIdx.x * WARP + threadIdx.x;
  float mine = 0;
  if (o < O) {
    for (unsigned b = threadIdx.y; b < B; b += WARP) {
      mine += dy[size_t(b) * O + o];
    }
  }
  partial[threadIdx.y][threadIdx.x] = mine;
  __syncthreads();
  if (threadIdx.y == 0 && o < O) {
    float all = 0;
    for (int r = 0; r < WARP; r++) {
      all += partial[r][threadIdx.x];
    }
    db[o] = all;
  }
}

}  // namespace op
