package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.Blas.ColumnMajor;
import mlpcuda.compute.cuda.Blas.Factor;
import mlpcuda.compute.cuda.Blas.Op;
import mlpcuda.compute.cuda.CudaDriver.Pinned;

/** Calls every method of {@link Cublas} on {@link FakeCuda}, which has cuBLAS 12 and cuBLAS 13. */
final class CublasCalls {
  private final FakeCuda fake;
  private final JCudaDriver driver;
  private final long stream;
  private final String description;
  private final String handle;

  private CublasCalls(OpenDriver open, String description, String handle) {
    fake = open.fake();
    driver = open.driver();
    stream = open.stream();
    this.description = description;
    this.handle = handle;
  }

  /** The calls of cuBLAS 12, on a driver for CUDA 12. */
  static CublasCalls twelve(OpenDriver open) {
    return new CublasCalls(open, "cuBLAS 12.6.4", "0xb1a5");
  }

  /** The calls of cuBLAS 13, on a driver for CUDA 13. */
  static CublasCalls thirteen(OpenDriver open) {
    return new CublasCalls(open, "cuBLAS 13.1.2", "0x13b1a500000000");
  }

  private void expect(String... calls) {
    assertEquals(List.of(calls), fake.calls());
  }

  private static Factor factor(long address, int rows, int columns, int stride, Op op) {
    return new Factor(new ColumnMajor(address, rows, columns, stride), op);
  }

  void multiplies() {
    fake.control("cublasSetWorkspace 7");
    assertThrows(CudaException.class, () -> driver.openBlas(stream, Precision.FP32));
    List<String> calls = fake.calls();
    assertEquals("cublasDestroy " + handle, calls.get(calls.size() - 2));
    assertTrue(calls.get(calls.size() - 1).startsWith("cuMemFree "), calls.toString());

    fake.control("");
    Blas blas = driver.openBlas(stream, Precision.FP32);
    assertEquals(description, blas.description());
    calls = fake.calls();
    String workspace = calls.get(6).split(" ")[2];
    assertEquals(
        List.of(
            "cublasCreate",
            "cublasSetStream %s 0x%x".formatted(handle, stream),
            "cublasSetMathMode %s 0".formatted(handle),
            "cublasSetPointerMode %s 0".formatted(handle),
            "cublasGetVersion " + handle,
            "cuMemAlloc 4194304",
            "cublasSetWorkspace %s %s 4194304".formatted(handle, workspace)),
        calls);

    // C (2, 1) = transpose of A (3, 2) times B (3, 1), each with more rows in memory than are used
    Pinned pinned = driver.allocatePinned(64);
    float[] values = {1, 2, 3, 9, 4, 5, 6, 9, /* B */ 1, 10, 100, 9, /* C */ 9, 9, 9, 9};
    for (int i = 0; i < values.length; i++) {
      pinned.bytes().putFloat(4 * i, values[i]);
    }
    long memory = driver.allocate(64);
    driver.copyToDevice(memory, pinned, 0, 64, stream);
    fake.calls();
    blas.multiply(
        factor(memory, 3, 2, 4, Op.TRANSPOSE),
        factor(memory + 32, 3, 1, 5, Op.NONE),
        new ColumnMajor(memory + 48, 2, 1, 6));
    expect(
        "cublasSgemm %s 1 0 2 1 3 1 0x%x 4 0x%x 5 0 0x%x 6"
            .formatted(handle, memory, memory + 32, memory + 48));
    driver.copyToHost(pinned, memory + 48, 16, stream);
    assertEquals(321, pinned.bytes().getFloat(0));
    assertEquals(654, pinned.bytes().getFloat(4));
    assertEquals(9, pinned.bytes().getFloat(8));
    fake.calls();

    fake.control("cublasSgemm 13");
    var e =
        assertThrows(
            CudaException.class,
            () ->
                blas.multiply(
                    factor(memory, 1, 1, 1, Op.NONE),
                    factor(memory, 1, 1, 1, Op.TRANSPOSE),
                    new ColumnMajor(memory, 1, 1, 1)));
    assertEquals(
        "cublasSgemm failed: CUBLAS_STATUS_EXECUTION_FAILED (13): fails as asked", e.why());
    fake.control("");
    fake.calls();
    driver.free(memory);
    driver.freePinned(pinned);
    fake.calls();
    blas.close();
    expect("cublasDestroy " + handle, "cuMemFree " + workspace);
    assertThrows(IllegalStateException.class, blas::close);
    assertThrows(
        IllegalStateException.class,
        () ->
            blas.multiply(
                factor(memory, 1, 1, 1, Op.NONE),
                factor(memory, 1, 1, 1, Op.NONE),
                new ColumnMajor(memory, 1, 1, 1)));
    expect();
    multipliesLessThanSinglePrecision();
  }

  /** Checks cuBLAS's numbers: TF32 is a mode, 14 and 2 are bfloat16 and half, 0 and 68 single. */
  private void multipliesLessThanSinglePrecision() {
    Blas tf32 = driver.openBlas(stream, Precision.TF32);
    assertTrue(fake.calls().contains("cublasSetMathMode %s 3".formatted(handle)));
    tf32.multiply(
        factor(64, 0, 0, 4, Op.TRANSPOSE),
        factor(128, 0, 0, 5, Op.NONE),
        new ColumnMajor(192, 0, 0, 6));
    expect("cublasSgemm %s 1 0 0 0 0 1 0x40 4 0x80 5 0 0xc0 6".formatted(handle));
    tf32.close();
    for (Precision half : List.of(Precision.BF16, Precision.FP16)) {
      fake.calls();
      Blas gemm = driver.openBlas(stream, half);
      assertTrue(fake.calls().contains("cublasSetMathMode %s 0".formatted(handle)));
      gemm.multiply(
          factor(64, 3, 2, 4, Op.TRANSPOSE),
          factor(128, 3, 1, 5, Op.NONE),
          new ColumnMajor(192, 2, 1, 6));
      expect(
          "cublasGemmEx %s 1 0 2 1 3 1 0x40 %2$d 4 0x80 %2$d 5 0 0xc0 0 6 68 -1"
              .formatted(handle, half == Precision.BF16 ? 14 : 2));
      fake.control("cublasGemmEx 15");
      var refused =
          assertThrows(
              CudaException.class,
              () ->
                  gemm.multiply(
                      factor(64, 1, 1, 1, Op.NONE),
                      factor(128, 1, 1, 1, Op.NONE),
                      new ColumnMajor(192, 1, 1, 1)));
      assertEquals(
          "cublasGemmEx failed: CUBLAS_STATUS_NOT_SUPPORTED (15): fails as asked", refused.why());
      fake.control("");
      gemm.close();
    }
    fake.calls();
  }
}
