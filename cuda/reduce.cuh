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

// Reads WIDTH neighbouring elements by one load; four of them lie at a multiple of 16 bytes.
template <int WIDTH>
__device__ inline void read_at_once(float (&x)[WIDTH], const float *from) {
  if constexpr (WIDTH == 4) {
    float4 four = *reinterpret_cast<const float4 *>(from);
    x[0] = four.x;
    x[1] = four.y;
    x[2] = four.z;
    x[3] = four.w;
  } else {
    x[0] = *from;
  }
}

// Returns the sum of column o0 + t of dy (B, O), over the rows from `from` up to `to`, to thread t of the first warp of
// a block of 256 threads. Groups of threads read WIDTH columns a thread, 8 rows before they wait: row r goes to group
// r - from mod the number of groups, and the partial sums of a column are added in the order of the groups.
template <int WIDTH>
__device__ inline float block_column_sum(const float *dy, int o0, int from, int to, int O) {
  constexpr int GROUP = WARP / WIDTH, GROUPS = 256 / GROUP, AT_ONCE = 8;
  __shared__ float partial[GROUPS][WARP];
  int group = threadIdx.x / GROUP, column = threadIdx.x % GROUP * WIDTH;
  const float *first = dy + min(o0 + column, O - WIDTH);
  float mine[WIDTH] = {};
#pragma unroll 1
  for (int b0 = from + group; b0 < to; b0 += GROUPS * AT_ONCE) {
    float x[AT_ONCE][WIDTH];
#pragma unroll
    for (int k = 0; k < AT_ONCE; k++) {
      read_at_once(x[k], first + size_t(min(b0 + k * GROUPS, to - 1)) * O);
    }
#pragma unroll
    for (int k = 0; k < AT_ONCE; k++) {
#pragma unroll
      for (int i = 0; i < WIDTH; i++) {
        mine[i] += b0 + k * GROUPS < to ? x[k][i] : 0;
      }
    }
  }
#pragma unroll
  for (int i = 0; i < WIDTH; i++) {
    partial[group][column + i] = mine[i];
  }
  __syncthreads();
  float all = 0;
  for (int r = 0; r < GROUPS; r++) {
    all += partial[r][threadIdx.x % WARP];
  }
  return all;
}

// Computes sums (P, O), the column sums of dy (B, O) over P parts of its rows: rows p * share up to (p + 1) * share are
// part p. A block has 32 columns of a part. Sums of sums (P, O) are one more launch with one part.
__device__ inline void column_sum(float *sums, const float *dy, int B, int O, int share) {
  int o0 = blockIdx.x * WARP, from = blockIdx.y * share, to = min(B, from + share);
  bool quads = O % 4 == 0 && reinterpret_cast<size_t>(dy) % sizeof(float4) == 0;
  float sum = quads ? block_column_sum<4>(dy, o0, from, to, O) : block_column_sum<1>(dy, o0, from, to, O);
  int o = o0 + threadIdx.x;
  if (threadIdx.x < WARP && o < O) {
    sums[size_t(blockIdx.y) * O + o] = sum;
  }
}

}  // namespace op
