package mlpcuda.compute.cuda.emulator;

import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.Blas;
import mlpcuda.compute.cuda.emulator.EmulatedProduct.Matrix;
import mlpcuda.compute.cuda.ptx.Fault;

/**
 * The product of cuBLAS, enqueued on one stream. For TF32 its tensor cores truncate operands, which
 * does not change those that are rounded.
 */
final class EmulatedBlas extends EmulatedResource implements Blas {
  private final EmulatedStream stream;
  private final Precision precision;
  private final EmulatedCalls calls;
  private final EmulatedMemory memory;
  private final EmulatedQueue queue;
  private final EmulatedHandles handles;

  EmulatedBlas(
      EmulatedStream stream,
      Precision precision,
      EmulatedCalls calls,
      EmulatedMemory memory,
      EmulatedQueue queue,
      EmulatedHandles handles) {
    super("cuBLAS of " + stream);
    this.stream = stream;
    this.precision = precision;
    this.calls = calls;
    this.memory = memory;
    this.queue = queue;
    this.handles = handles;
  }

  @Override
  public void multiply(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      long a,
      int lda,
      long b,
      int ldb,
      long c,
      int ldc) {
    calls.run(
        precision.isHalf() ? "cublasGemmEx" : "cublasSgemm",
        () -> {
          if (!live() || !stream.live()) {
            throw new Fault("%s, after it or its stream was given back".formatted(this));
          }
          int rowsA = transposeA ? k : m;
          int rowsB = transposeB ? n : k;
          if (Math.min(m, Math.min(n, k)) < 0
              || lda < Math.max(1, rowsA)
              || ldb < Math.max(1, rowsB)
              || ldc < Math.max(1, m)) {
            throw calls.failure(EmulatedFailure.CUBLAS_INVALID_VALUE);
          }
          Matrix left = Matrix.of(memory, precision, a, rowsA, transposeA ? m : k, lda);
          Matrix right = Matrix.of(memory, precision, b, rowsB, transposeB ? k : n, ldb);
          Matrix result = Matrix.of(memory, Precision.FP32, c, m, n, ldc);
          checkApart(left, result);
          checkApart(right, result);
          queue.ask(
              stream,
              () ->
                  new EmulatedProduct(
                      memory.bytes(), this, transposeA, transposeB, left, right, result));
        });
  }

  private static void checkApart(Matrix operand, Matrix result) {
    if (operand.address() < result.end() && result.address() < operand.end()) {
      throw new Fault("a product is written over one of its operands");
    }
  }

  @Override
  public String description() {
    return "cuBLAS, emulated";
  }

  @Override
  public void close() {
    calls.run("cublasDestroy", () -> handles.release(this));
  }
}
