// Reductions in a fixed order: the same numbers give the same bits, however warps are scheduled.
#pragma once

namespace op {

constexpr unsigned WHOLE_WARP = 0xffffffff;
constexpr int WARP = 32;

// The sum over the lanes of a warp, in each of them.
template <class T>
__device__ inline T warp_sum(T x) {
  for (int offset = WARP / 2; offset > 0; offset /= 2) {
    x += __shfl_xor_sync(WHOLE_WARP, x, offset);
  }
  return x;
}

// The sum over the lanes of a warp of x[lane]: each lane gets the sum of another element, in 31 shuffles where a warp_sum
// of each element takes 160. A recursion of templates, not a loop: an array indexed at run time would leave
// the registers.
template <int COUNT>
__device__ inline float transposed_sum(float (&x)[COUNT], int lane) {
  if constexpr (COUNT == 1) {
    return x[0];
  } else {
    constexpr int HALF = COUNT / 2;  // a lane keeps the half of its bit, and gives the other one
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

// The sum over the threads of a block of whole warps, right in thread 0. `partial` (32) is shared; it may be used again
// after the block's next barrier.
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

// out[0] = the sum of x (n). One block.
__device__ inline void sum(float *out, const float *x, int n) {
  __shared__ float partial[WARP];
  float mine = 0;
  for (unsigned i = threadIdx.x; i < n; i += blockDim.x) {
    mine += x[i];
  }
  float all = block_sum(mine, partial);
  if (threadIdx.x == 0) {
    out[0] = all;
  }
}

// The sum of column o of dy (B, O), in lane o mod 32 of the first warp of a block of 8 warps, all of which have the same
// columns by lane: row r goes to warp r mod 8, and the partial sums of a column are added in their order.
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

// db (O) = the column sums of dy (B, O). A block of 32 x 32 threads has 32 columns: a warp reads one row's part at once,
// row r goes to warp r mod 32, and the 32 partial sums of a column are added in their order.
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
