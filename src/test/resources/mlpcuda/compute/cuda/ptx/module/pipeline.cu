// A product of 16-bit matrices as fast kernels have it: what nvcc makes of it is what the emulator's asynchronous copies
// and loads of matrices are tested on.
//
//     nvcc -ptx -arch=sm_80 -O3 pipeline.cu -o pipeline.ptx
#define STAGES 3
#define TILE_M 32 // rows of a block: 16 for each of its two warps
#define TILE_N 16
#define TILE_K 16
#define PITCH 24  // elements from row to row in shared memory: 48 bytes, so that 8 rows have different banks

__device__ __forceinline__ unsigned place(const void* shared) {
  return static_cast<unsigned>(__cvta_generic_to_shared(shared));
}

// Copies 8 elements, of which those from 'most' on become zeros.
__device__ __forceinline__ void copy8(unsigned short* to, const unsigned short* from, int most) {
  int bytes = 2 * max(0, min(8, most));
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(place(to)), "l"(from), "r"(bytes)
               : "memory");
}

// C = A B (row-major, bf16 with float sums): m x k times k x n, where k and n are multiples of 8.
extern "C" __global__ void __launch_bounds__(64)
pipeline(const unsigned short* a, const unsigned short* b, float* c, int m, int n, int k) {
  __shared__ __align__(16) unsigned short as[STAGES * TILE_M * PITCH];
  __shared__ __align__(16) unsigned short bs[STAGES * TILE_K * PITCH];
  int t = threadIdx.x, lane = t % 32, warp = t / 32;
  int row0 = blockIdx.y * TILE_M, col0 = blockIdx.x * TILE_N;
  int steps = (k + TILE_K - 1) / TILE_K;
  auto load = [&](int step) {
    int stage = step % STAGES, half = warp * 8, row = lane;
    int k0 = step * TILE_K;
    copy8(as + (stage * TILE_M + row) * PITCH + half, a + (size_t)(row0 + row) * k + k0 + half,
          row0 + row < m ? k - k0 - half : 0);
    if (row < TILE_K) {
      copy8(bs + (stage * TILE_K + row) * PITCH + half, b + (size_t)(k0 + row) * n + col0 + half,
            k0 + row < k ? n - col0 - half : 0);
    }
  };
#pragma unroll
  for (int step = 0; step < STAGES - 1; step++) {
    if (step < steps) load(step);
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  float sum[2][4] = {};
#pragma unroll 1
  for (int step = 0; step < steps; step++) {
    asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
    __syncthreads();
    if (step + STAGES - 1 < steps) load(step + STAGES - 1);
    asm volatile("cp.async.commit_group;" ::: "memory");
    int stage = step % STAGES;
    unsigned x[4], y[4];
    const unsigned short* from = as + (stage * TILE_M + warp * 16 + lane % 16) * PITCH + lane / 16 * 8;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(place(from))
                 : "memory");
    from = bs + (stage * TILE_K + lane % 16) * PITCH + lane / 16 * 8;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared::cta.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(y[0]), "=r"(y[1]), "=r"(y[2]), "=r"(y[3])
                 : "r"(place(from))
                 : "memory");
    for (int j = 0; j < 2; j++) {
      asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                   "{%0, %1, %2, %3};"
                   : "+f"(sum[j][0]), "+f"(sum[j][1]), "+f"(sum[j][2]), "+f"(sum[j][3])
                   : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(y[2 * j]), "r"(y[2 * j + 1]));
    }
  }
  for (int j = 0; j < 2; j++) {
    for (int i = 0; i < 4; i++) {
      int row = row0 + warp * 16 + lane / 4 + i / 2 * 8;
      int col = col0 + j * 8 + lane % 4 * 2 + i % 2;
      if (row < m && col < n) c[(size_t)row * n + col] = sum[j][i];
    }
  }
}
