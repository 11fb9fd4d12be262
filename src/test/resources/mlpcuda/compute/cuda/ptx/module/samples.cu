// Kernels in the manner of the ones shipped: what nvcc makes of them is what the emulator is tested on.
//
//     nvcc -ptx -arch=sm_75 -O3 samples.cu -o samples.ptx
#define TILE_M 64
#define TILE_N 64
#define TILE_K 8

// C = A B (row-major): m x k times k x n; tiles in shared memory, 4 x 4 products for each thread.
extern "C" __global__ void __launch_bounds__(256)
blas(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, int m, int n, int k) {
  __shared__ __align__(16) float as[TILE_K][TILE_M];
  __shared__ __align__(16) float bs[TILE_K][TILE_N];
  int t = threadIdx.x;
  int row0 = blockIdx.y * TILE_M, col0 = blockIdx.x * TILE_N;
  int ty = t / 16 * 4, tx = t % 16 * 4;
  float acc[4][4] = {};
  for (int k0 = 0; k0 < k; k0 += TILE_K) {
    for (int i = t; i < TILE_M * TILE_K; i += 256) {
      int r = i / TILE_K, q = i % TILE_K;
      as[q][r] = row0 + r < m && k0 + q < k ? a[(size_t)(row0 + r) * k + k0 + q] : 0.0f;
    }
    for (int i = t; i < TILE_K * TILE_N; i += 256) {
      int q = i / TILE_N, col = i % TILE_N;
      bs[q][col] = k0 + q < k && col0 + col < n ? b[(size_t)(k0 + q) * n + col0 + col] : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int q = 0; q < TILE_K; q++) {
      float4 x = *reinterpret_cast<const float4*>(&as[q][ty]);
      float4 y = *reinterpret_cast<const float4*>(&bs[q][tx]);
      float xs[4] = {x.x, x.y, x.z, x.w}, ys[4] = {y.x, y.y, y.z, y.w};
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) acc[i][j] = fmaf(xs[i], ys[j], acc[i][j]);
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      if (row0 + ty + i < m && col0 + tx + j < n) c[(size_t)(row0 + ty + i) * n + col0 + tx + j] = acc[i][j];
}

// A warp for each row: the row's softmax, and the loss of its label.
extern "C" __global__ void softmax(const float* x, float* y, float* loss, const unsigned char* label, int rows, int cols) {
  int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (row >= rows) return;
  float top = -INFINITY;
  for (int i = lane; i < cols; i += 32) top = fmaxf(top, x[row * cols + i]);
  for (int d = 16; d > 0; d /= 2) top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, d));
  float sum = 0;
  for (int i = lane; i < cols; i += 32) sum += expf(x[row * cols + i] - top);
  for (int d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, d);
  for (int i = lane; i < cols; i += 32) y[row * cols + i] = expf(x[row * cols + i] - top) / sum;
  if (lane == 0) loss[row] = logf(sum) + top - x[row * cols + label[row]];
}

enum { NONE, RELU, SIGMOID, TANH, LEAKY };
__device__ float activate(float x, int kind) {
  switch (kind) {
    case RELU: return x > 0 ? x : 0;
    case SIGMOID: return 1 / (1 + expf(-x));
    case TANH: return tanhf(x);
    case LEAKY: return x >= 0 ? x : 0.01f * x;
    case 5: return log1pf(expf(x));
    case 6: return expm1f(x);
    case 7: return erff(x);
    case 8: return rsqrtf(x);
    case 9: return roundf(x) + rintf(x) + floorf(x) + ceilf(x) + truncf(x);
    case 10: return copysignf(1.0f, x) * fabsf(x);
    case 11: return powf(x, 3.5f);
    case 12: return __expf(x) + __logf(x) + __fdividef(x, 3.0f);
    case 13: return __saturatef(x);
    case 14: return fmodf(x, 3.0f);
    case 15: return isnan(x) ? 1 : isinf(x) ? 2 : 3;
    case 16: return exp2f(x) + log2f(x) + log10f(x);
    case 17: return ldexpf(x, 3);
    default: return x;
  }
}
extern "C" __global__ void activation(const float* x, const float* bias, float* y, int count, int cols, int kind) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
    y[i] = activate(x[i] + bias[i % cols], kind);
}

// Adam with bias corrections by repeated squaring in double.
__device__ double power(double base, unsigned n) {
  double r = 1;
  for (; n > 0; n >>= 1, base *= base)
    if (n & 1) r *= base;
  return r;
}
extern "C" __global__ void adam(float* w, const float* g, float* m, float* v, const long long* step, long long count, float rate,
                                float beta1, float beta2, float epsilon) {
  __shared__ float correction[2];
  if (threadIdx.x == 0) {
    unsigned t = (unsigned)*step;
    correction[0] = (float)(1 - power((double)beta1, t));
    correction[1] = (float)sqrt(1 - power((double)beta2, t));
  }
  __syncthreads();
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x) {
    float gi = g[i];
    float mi = m[i] = beta1 * m[i] + (1 - beta1) * gi;
    float vi = v[i] = beta2 * v[i] + (1 - beta2) * gi * gi;
    w[i] -= rate / correction[0] * mi / (sqrtf(vi) / correction[1] + epsilon);
  }
}

// Philox4x32-10: four words for each counter.
__device__ uint4 philox(unsigned long long counter, unsigned long long key) {
  uint4 x = make_uint4((unsigned)counter, (unsigned)(counter >> 32), 0, 0);
  unsigned k0 = (unsigned)key, k1 = (unsigned)(key >> 32);
  for (int i = 0; i < 10; i++) {
    unsigned hi0 = __umulhi(0xD2511F53u, x.x), lo0 = 0xD2511F53u * x.x;
    unsigned hi1 = __umulhi(0xCD9E8D57u, x.z), lo1 = 0xCD9E8D57u * x.z;
    x = make_uint4(hi1 ^ x.y ^ k0, lo1, hi0 ^ x.w ^ k1, lo0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return x;
}
extern "C" __global__ void dropout(float4* y, unsigned* mask, unsigned long long seed, const unsigned long long* offset, unsigned count,
                                   float keep) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  uint4 r = philox(*offset + i, seed);
  unsigned limit = (unsigned)((double)keep * 4294967296.0);
  float4 v = y[i];
  float s = 1 / keep;
  v.x = r.x < limit ? v.x * s : 0;
  v.y = r.y < limit ? v.y * s : 0;
  v.z = r.z < limit ? v.z * s : 0;
  v.w = r.w < limit ? v.w * s : 0;
  y[i] = v;
  mask[i] = (r.x < limit) | (r.y < limit) << 1 | (r.z < limit) << 2 | (r.w < limit) << 3;
}

// Gathers images of bytes by index and scales them.
extern "C" __global__ void gather(const unsigned char* __restrict__ pixels, const int* __restrict__ order, float* __restrict__ x,
                                  int count, int size, float mean, float deviation) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count * size; i += gridDim.x * blockDim.x)
    x[i] = ((float)pixels[(size_t)order[i / size] * size + i % size] / 255.0f - mean) / deviation;
}

// Gathers four bytes at once.
extern "C" __global__ void gather4(const uchar4* __restrict__ pixels, float4* __restrict__ x, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) {
    uchar4 p = __ldg(pixels + i);
    x[i] = make_float4(p.x, p.y, p.z, p.w);
  }
}

// Sums of columns, a block of 32 x 8 threads for 32 columns.
extern "C" __global__ void columns(const float* x, float* sum, int rows, int cols) {
  __shared__ float part[8][33];
  int col = blockIdx.x * 32 + threadIdx.x;
  float s = 0;
  if (col < cols)
    for (int row = threadIdx.y; row < rows; row += 8) s += x[row * cols + col];
  part[threadIdx.y][threadIdx.x] = s;
  __syncthreads();
  if (threadIdx.y == 0 && col < cols) {
    for (int i = 1; i < 8; i++) s += part[i][threadIdx.x];
    sum[col] = s;
  }
}

// Sum of all in double, and how many are right: one block.
extern "C" __global__ void total(const float* x, const int* right, double* sum, int* hits, int count) {
  __shared__ double part[32];
  __shared__ int parts[32];
  double s = 0;
  int h = 0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    s += x[i];
    h += right[i];
  }
  for (int d = 16; d > 0; d /= 2) {
    s += __shfl_down_sync(0xffffffffu, s, d);
    h += __shfl_down_sync(0xffffffffu, h, d);
  }
  if (threadIdx.x % 32 == 0) {
    part[threadIdx.x / 32] = s;
    parts[threadIdx.x / 32] = h;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int i = 1; i < blockDim.x / 32; i++) {
      s += part[i];
      h += parts[i];
    }
    *sum += s;
    *hits += h;
  }
}

// Where each row's largest is, the first of equals: a warp for a row.
extern "C" __global__ void argmax(const float* x, const unsigned char* label, int* right, int rows, int cols) {
  int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x & 31;
  if (row < rows) {
    float best = -INFINITY;
    int at = 0x7fffffff;
    for (int i = lane; i < cols; i += 32) {
      float v = x[row * cols + i];
      if (v > best || v == best && i < at) { best = v; at = i; }
    }
    for (int d = 16; d; d >>= 1) {
      float v = __shfl_xor_sync(0xffffffffu, best, d);
      int i = __shfl_xor_sync(0xffffffffu, at, d);
      if (v > best || v == best && i < at) { best = v; at = i; }
    }
    unsigned any = __ballot_sync(0xffffffffu, at == label[row]);
    bool large = __any_sync(0xffffffffu, best > 3) && __all_sync(0xffffffffu, best > 4);
    if (lane == 0) right[row] = (any != 0) + 2 * large;
    __syncwarp();
  }
}
