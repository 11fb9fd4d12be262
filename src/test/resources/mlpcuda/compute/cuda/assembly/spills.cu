// Kernels that need local memory, for PtxAssemblyTest. Compiled with
// nvcc -arch=sm_75 -ptx spills.cu, and .version set to 8.0.

// More floats at once than its registers may hold.
extern "C" __global__ void __maxnreg__(24) spills(float *out, const float *in, int n) {
  float values[40];
#pragma unroll
  for (int i = 0; i < 40; i++) values[i] = in[i * n + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 40; i++) out[i * n + threadIdx.x] = values[i] * values[(i * 7 + 1) % 40];
}

// An array with indices that are not known when compiling.
extern "C" __global__ void indexes(int *out, const int *in, int n) {
  int counts[64] = {};
  for (int i = 0; i < n; i++) counts[in[i] & 63]++;
  for (int i = 0; i < 64; i++) out[i] = counts[i];
}

extern "C" __global__ void plain(float *out, float x) { out[threadIdx.x] = x; }
