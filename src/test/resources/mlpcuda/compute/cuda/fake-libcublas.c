/*
 * A libcublas.so.12 or, compiled with -DTHIRTEEN, a libcublas.so.13 for fake-libcuda.c's memory:
 * its product is a real one, so that operands in the wrong places show. A call with another handle
 * than cublasCreate made, or with a number that this program has no use for, gets the status
 * CUBLAS_STATUS_INVALID_VALUE.
 */
#include "fake.h"

#ifdef THIRTEEN
#define HANDLE ((void *) 0x13b1a500000000) /* half of it would be 0 */
#define VERSION 130102
#else
#define HANDLE ((void *) 0xb1a5)
#define VERSION 120604
#endif

static int answer(int valid, int code) { return valid ? code : 7; }

int cublasCreate_v2(void **handle) {
  *handle = HANDLE;
  return call("cublasCreate", "");
}

int cublasDestroy_v2(void *handle) {
  return answer(handle == HANDLE, call("cublasDestroy", " 0x%zx", (size_t) handle));
}

int cublasSetStream_v2(void *handle, void *stream) {
  int code = call("cublasSetStream", " 0x%zx 0x%zx", (size_t) handle, (size_t) stream);
  return answer(handle == HANDLE, code);
}

int cublasSetMathMode(void *handle, int mode) {
  int code = call("cublasSetMathMode", " 0x%zx %d", (size_t) handle, mode);
  return answer(handle == HANDLE && (mode == 0 || mode == 3), code); // the default, and TF32
}

int cublasSetPointerMode_v2(void *handle, int mode) {
  int code = call("cublasSetPointerMode", " 0x%zx %d", (size_t) handle, mode);
  return answer(handle == HANDLE && mode == 0, code); // scalars on the host
}

int cublasGetVersion_v2(void *handle, int *version) {
  *version = VERSION;
  return answer(handle == HANDLE, call("cublasGetVersion", " 0x%zx", (size_t) handle));
}

int cublasSetWorkspace_v2(void *handle, void *memory, size_t bytes) {
  int code = call(
      "cublasSetWorkspace", " 0x%zx 0x%zx %zu", (size_t) handle, (size_t) memory, bytes);
  return answer(handle == HANDLE, code);
}

const char *cublasGetStatusString(int code) {
  (void) code;
  return "fails as asked";
}

int cublasSgemm_v2(
    void *handle,
    int transposeA,
    int transposeB,
    int m,
    int n,
    int k,
    const float *alpha,
    const float *a,
    int lda,
    const float *b,
    int ldb,
    const float *beta,
    float *c,
    int ldc) {
  int code = call(
      "cublasSgemm",
      " 0x%zx %d %d %d %d %d %g 0x%zx %d 0x%zx %d %g 0x%zx %d",
      (size_t) handle,
      transposeA,
      transposeB,
      m,
      n,
      k,
      *alpha,
      (size_t) a,
      lda,
      (size_t) b,
      ldb,
      *beta,
      (size_t) c,
      ldc);
  code = answer(handle == HANDLE && *alpha == 1 && *beta == 0, code);
  for (int i = 0; i < m && !code; i++) {
    for (int j = 0; j < n; j++) {
      float sum = 0;
      for (int l = 0; l < k; l++) {
        sum += (transposeA ? a[l + i * lda] : a[i + l * lda])
            * (transposeB ? b[j + l * ldb] : b[l + j * ldb]);
      }
      c[i + j * ldc] = *alpha * sum + (*beta == 0 ? 0 : *beta * c[i + j * ldc]);
    }
  }
  return code;
}

// What the header of cuBLAS asks before the call of the same name with the type of the sums.
int cublasGetMathMode(void *handle, int *mode) {
  (void) handle;
  *mode = 0;
  return 0;
}

#ifndef WITHOUT_GEMM_EX
// Computes nothing: what it is asked for is what counts.
int cublasGemmEx(
    void *handle,
    int transposeA,
    int transposeB,
    int m,
    int n,
    int k,
    const float *alpha,
    const void *a,
    int typeA,
    int lda,
    const void *b,
    int typeB,
    int ldb,
    const float *beta,
    void *c,
    int typeC,
    int ldc,
    int computeType,
    int algorithm) {
  int code = call(
      "cublasGemmEx",
      " 0x%zx %d %d %d %d %d %g 0x%zx %d %d 0x%zx %d %d %g 0x%zx %d %d %d %d",
      (size_t) handle,
      transposeA,
      transposeB,
      m,
      n,
      k,
      *alpha,
      (size_t) a,
      typeA,
      lda,
      (size_t) b,
      typeB,
      ldb,
      *beta,
      (size_t) c,
      typeC,
      ldc,
      computeType,
      algorithm);
  int half = typeA == typeB && (typeA == 2 || typeA == 14); // CUDA_R_16F, CUDA_R_16BF
  // 0: CUDA_R_32F; 68: CUBLAS_COMPUTE_32F; -1: CUBLAS_GEMM_DEFAULT
  int sums = typeC == 0 && computeType == 68 && algorithm == -1;
  return answer(handle == HANDLE && half && sums && *alpha == 1 && *beta == 0, code);
}
#endif
