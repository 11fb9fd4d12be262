// Products by tensor cores: what nvcc makes of them is what the emulator is tested on.
//
//     nvcc -ptx -arch=sm_80 -O3 -std=c++17 tensor.cu -o tensor.ptx
#include <cuda_bf16.h>
#include <cuda_fp16.h>

// c += a b of 16 x 8 elements, by fragments.
#define MMA(SHAPE, TYPE)                                                                             \
  asm volatile("mma.sync.aligned." SHAPE ".row.col.f32." TYPE "." TYPE                               \
               ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                          \
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                      \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

struct Tf32 {
  using Stored = unsigned;
  static __device__ Stored of(float x) {
    Stored y;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
    return y;
  }
  static __device__ void multiply(float* c, const unsigned* a, const unsigned* b) { MMA("m16n8k8", "tf32"); }
};

struct Brain {
  using Stored = unsigned short;
  static __device__ Stored of(float x) { return __bfloat16_as_ushort(__float2bfloat16_rn(x)); }
  static __device__ void multiply(float* c, const unsigned* a, const unsigned* b) { MMA("m16n8k16", "bf16"); }
};

struct Half {
  using Stored = unsigned short;
  static __device__ Stored of(float x) { return __half_as_ushort(__float2half_rn(x)); }
  static __device__ void multiply(float* c, const unsigned* a, const unsigned* b) { MMA("m16n8k16", "f16"); }
};

// C = A B (row-major): m x k times k x n; a warp for 16 x 8 elements. A register holds 32 bits of a
// row of A or of a column of B, so the tile of B lies in shared memory column by column.
template <typename T>
__device__ void product(const float* a, const float* b, float* c, int m, int n, int k) {
  constexpr int PER_REGISTER = 4 / sizeof(typename T::Stored);
  constexpr int DEPTH = 8 * PER_REGISTER;
  __shared__ __align__(4) typename T::Stored as[16][DEPTH];
  __shared__ __align__(4) typename T::Stored bs[8][DEPTH];
  int lane = threadIdx.x, group = lane / 4, in = lane % 4;
  int row0 = blockIdx.y * 16, col0 = blockIdx.x * 8;
  float sum[4] = {};
  for (int k0 = 0; k0 < k; k0 += DEPTH) {
#pragma unroll 1
    for (int i = lane; i < 16 * DEPTH; i += 32) {
      int r = row0 + i / DEPTH, q = k0 + i % DEPTH;
      as[i / DEPTH][i % DEPTH] = T::of(r < m && q < k ? a[r * k + q] : 0.0f);
    }
#pragma unroll 1
    for (int i = lane; i < 8 * DEPTH; i += 32) {
      int q = k0 + i / 8, col = col0 + i % 8;
      bs[i % 8][i / 8] = T::of(q < k && col < n ? b[q * n + col] : 0.0f);
    }
    __syncwarp();
    auto left = [&](int row, int at) { return reinterpret_cast<const unsigned*>(as[row])[at]; };
    auto right = [&](int at) { return reinterpret_cast<const unsigned*>(bs[group])[at]; };
    unsigned x[4] = {left(group, in), left(group + 8, in), left(group, in + 4), left(group + 8, in + 4)};
    unsigned y[2] = {right(in), right(in + 4)};
    T::multiply(sum, x, y);
    __syncwarp();
  }
  for (int i = 0; i < 4; i++) {
    int row = row0 + group + i / 2 * 8, col = col0 + in * 2 + i % 2;
    if (row < m && col < n) c[row * n + col] = sum[i];
  }
}

extern "C" __global__ void tf32(const float* a, const float* b, float* c, int m, int n, int k) {
  product<Tf32>(a, b, c, m, n, k);
}

extern "C" __global__ void bf16(const float* a, const float* b, float* c, int m, int n, int k) {
  product<Brain>(a, b, c, m, n, k);
}

extern "C" __global__ void f16(const float* a, const float* b, float* c, int m, int n, int k) {
  product<Half>(a, b, c, m, n, k);
}

// Pairs to 16 bits and back.
extern "C" __global__ void pairs(const float2* x, unsigned* bf16, unsigned* f16, float2* back, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  __nv_bfloat162 brain = __floats2bfloat162_rn(x[i].x, x[i].y);
  __half2 half = __floats2half2_rn(x[i].x, x[i].y);
  bf16[i] = reinterpret_cast<unsigned&>(brain);
  f16[i] = reinterpret_cast<unsigned&>(half);
  back[i] = make_float2(__bfloat162float(brain.x), __half2float(half.y));
}
