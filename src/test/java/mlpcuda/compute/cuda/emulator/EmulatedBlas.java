package mlpcuda.compute.cuda.emulator;

import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.Blas;
import mlpcuda.compute.cuda.emulator.EmulatedProduct.Matrix;
import mlpcuda.compute.cuda.emulator.EmulatedProduct.Operand;
import mlpcuda.compute.cuda.ptx.Fault;

/**
 * The product of cuBLAS, enqueued on one stream. For TF32 cuBLAS's tensor cores truncate operands,
 * which changes nothing in operands that are rounded already.
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
  public void multiply(Factor a, Factor b, ColumnMajor c) {
    Blas.checkShapes(a, b, c);
    calls.run(
        precision.isHalf() ? "cublasGemmEx" : "cublasSgemm",
        () -> {
          if (!live() || !stream.live()) {
            throw new Fault("%s, after it or its stream was given back".formatted(this));
          }
          if (!isValid(a.matrix()) || !isValid(b.matrix()) || !isValid(c)) {
            throw calls.failure(EmulatedFailure.CUBLAS_INVALID_VALUE);
          }
          Operand left = new Operand(Matrix.of(memory, precision, a.matrix()), a.op());
          Operand right = new Operand(Matrix.of(memory, precision, b.matrix()), b.op());
          Matrix result = Matrix.of(memory, Precision.FP32, c);
          checkApart(left.matrix(), result);
          checkApart(right.matrix(), result);
          queue.ask(stream, () -> new EmulatedProduct(memory.bytes(), this, left, right, result));
        });
  }

  /** Whether cuBLAS takes a matrix of that shape. */
  private static boolean isValid(ColumnMajor matrix) {
    return matrix.rows() >= 0
        && matrix.columns() >= 0
        && matrix.stride() >= Math.max(1, matrix.rows());
  }

  private static void checkApart(Matrix operand, Matrix result) {
    if (operand.place().address() < result.end() && result.place().address() < operand.end()) {
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
