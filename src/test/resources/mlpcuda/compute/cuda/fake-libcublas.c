/*
 * A libcublas.so.12 for fake-libcuda.c's memory: its product is a real one, so that operands in
 * the wrong places show.
 */
#include "fake.h"

int cublasCreate_v2(void **handle) {
  *handle = (void *) 0xb1a5;
  return call("cublasCreate", "");
}

int cublasDestroy_v2(void *handle) { return call("cublasDestroy", " 0x%zx", (size_t) handle); }

int cublasSetStream_v2(void *handle, void *stream) {
  return call("cublasSetStream", " 0x%zx 0x%zx", (size_t) handle, (size_t) stream);
}

int cublasSetMathMode(void *handle, int mode) {
  return call("cublasSetMathMode", " 0x%zx %d", (size_t) handle, mode);
}

int cublasSetPointerMode_v2(void *handle, int mode) {
  return call("cublasSetPointerMode", " 0x%zx %d", (size_t) handle, mode);
}

int cublasGetVersion_v2(void *handle, int *version) {
  *version = 120604;
  return call("cublasGetVersion", " 0x%zx", (size_t) handle);
}

int cublasSetWorkspace_v2(void *handle, void *memory, size_t bytes) {
  return call(
      "cublasSetWorkspace", " 0x%zx 0x%zx %zu", (size_t) handle, (size_t) memory, bytes);
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
  return call(
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
}
