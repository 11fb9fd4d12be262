package mlpcuda.compute.cuda.emulator;

import static mlpcuda.compute.cuda.emulator.EmulatedScenario.faults;
import static mlpcuda.compute.cuda.emulator.EmulatedScenario.passes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Consumer;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.Blas;
import mlpcuda.compute.cuda.Blas.ColumnMajor;
import mlpcuda.compute.cuda.Blas.Factor;
import mlpcuda.compute.cuda.Blas.Op;
import mlpcuda.compute.cuda.CudaException;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.Test;

/** Tests the product of cuBLAS. */
class EmulatedBlasTest {
  private static final float NONE = -1;

  // A is 2 x 3 and B is 3 x 2. All matrices here are column-major.
  private static final float[] A = {1, 4, 2, 5, 3, 6};
  private static final float[] A_TRANSPOSED = {1, 2, 3, 4, 5, 6};
  private static final float[] B = {7, 9, 11, 8, 10, 12};
  private static final float[] B_TRANSPOSED = {7, 8, 9, 10, 11, 12};
  private static final float[] C = {58, 139, 64, 154};

  private static Factor factor(long address, int rows, int columns, int stride, Op op) {
    return new Factor(new ColumnMajor(address, rows, columns, stride), op);
  }

  /** Multiplies A, at t.a, by B, at t.b, and puts the result at {@code to}. */
  private static void multiply(EmulatedLibrary<Blas> t, long to) {
    t.library.multiply(
        factor(t.a, 2, 3, 2, Op.NONE), factor(t.b, 3, 2, 3, Op.NONE), new ColumnMajor(to, 2, 2, 2));
  }

  private static Consumer<EmulatedDriver> with(Consumer<EmulatedLibrary<Blas>> scenario) {
    return EmulatedLibrary.with(
        (cuda, stream) -> cuda.openBlas(stream, Precision.FP32), Blas::close, scenario);
  }

  @Test
  void multipliesTransposedOrNot() {
    passes(
        with(
            t -> {
              for (int i = 0; i < 4; i++) {
                boolean ofA = (i & 1) != 0;
                boolean ofB = (i & 2) != 0;
                t.put(t.a, ofA ? A_TRANSPOSED : A);
                t.put(t.b, ofB ? B_TRANSPOSED : B);
                t.library.multiply(
                    ofA ? factor(t.a, 3, 2, 3, Op.TRANSPOSE) : factor(t.a, 2, 3, 2, Op.NONE),
                    ofB ? factor(t.b, 2, 3, 2, Op.TRANSPOSE) : factor(t.b, 3, 2, 3, Op.NONE),
                    new ColumnMajor(t.c, 2, 2, 2));
                assertArrayEquals(C, t.get(t.c, 4));
              }
              assertTrue(t.library.description().contains("cuBLAS"));
            }));
  }

  @Test
  void leavesWhatLiesBetweenColumns() {
    passes(
        with(
            t -> {
              t.put(t.a, 1, 4, NONE, 2, 5, NONE, 3, 6);
              t.put(t.b, B);
              t.put(t.c, NONE, NONE, NONE, NONE, NONE, NONE);
              t.library.multiply(
                  factor(t.a, 2, 3, 3, Op.NONE),
                  factor(t.b, 3, 2, 3, Op.NONE),
                  new ColumnMajor(t.c, 2, 2, 4));
              assertArrayEquals(new float[] {58, 139, NONE, NONE, 64, 154}, t.get(t.c, 6));
            }));
  }

  @Test
  void emptyProducts() {
    passes(
        with(
            t -> {
              t.library.multiply(
                  factor(t.a, 2, 0, 2, Op.NONE),
                  factor(t.b, 0, 2, 1, Op.NONE),
                  new ColumnMajor(t.c, 2, 2, 2));
              assertArrayEquals(new float[4], t.get(t.c, 4));
              t.library.multiply(
                  factor(t.a, 0, 3, 1, Op.NONE),
                  factor(t.b, 3, 2, 3, Op.NONE),
                  new ColumnMajor(t.c, 0, 2, 1));
            }));
  }

  @Test
  void isRecordedAsOneNode() {
    passes(
        with(
            t -> {
              t.put(t.a, A);
              t.put(t.b, B);
              t.cuda.beginCapture(t.stream);
              multiply(t, t.c);
              long graph = t.cuda.endCapture(t.stream);
              assertEquals(1, t.cuda.nodes(graph));
              t.cuda.launchGraph(graph, t.stream);
              assertArrayEquals(C, t.get(t.c, 4));
              t.cuda.destroyGraph(graph);
            }));
  }

  @Test
  void shapesOfAProductMustFit() {
    passes(
        with(
            t -> {
              Factor a = factor(t.a, 2, 3, 2, Op.NONE);
              Factor b = factor(t.b, 3, 2, 3, Op.NONE);
              var c = new ColumnMajor(t.c, 2, 2, 2);
              var thrown =
                  assertThrows(
                      IllegalArgumentException.class,
                      () -> t.library.multiply(a, factor(t.b, 3, 2, 3, Op.TRANSPOSE), c));
              assertEquals(
                  "a product of (2, 3) and (2, 3) does not have the shape (2, 2)",
                  thrown.getMessage());
              for (ColumnMajor other :
                  new ColumnMajor[] {
                    new ColumnMajor(t.c, 3, 2, 3), new ColumnMajor(t.c, 2, 3, 2)
                  }) {
                assertThrows(IllegalArgumentException.class, () -> t.library.multiply(a, b, other));
              }
            }));
  }

  @Test
  void checksItsArgumentsAsCublasDoes() {
    int[][] bad = {
      {-1, 2, 3, 2, 3, 2},
      {2, -1, 3, 2, 3, 2},
      {2, 2, -1, 2, 3, 2},
      {2, 2, 3, 1, 3, 2},
      {2, 2, 3, 2, 2, 2},
      {2, 2, 3, 2, 3, 1},
      {0, 0, 0, 0, 1, 1}
    };
    passes(
        with(
            t -> {
              for (int[] d : bad) {
                CudaException thrown =
                    assertThrows(
                        CudaException.class,
                        () ->
                            t.library.multiply(
                                factor(t.a, d[0], d[2], d[3], Op.NONE),
                                factor(t.b, d[2], d[1], d[4], Op.NONE),
                                new ColumnMajor(t.c, d[0], d[1], d[5])));
                assertTrue(
                    thrown.why().startsWith("cublasSgemm failed: CUBLAS_STATUS_INVALID_VALUE (7)"),
                    thrown::getMessage);
              }
            }));
  }

  @Test
  void staysInItsMatrices() {
    faults(
        with(
            t ->
                t.library.multiply(
                    factor(t.a, 2, 3, 9, Op.NONE),
                    factor(t.b, 3, 2, 3, Op.NONE),
                    new ColumnMajor(t.c, 2, 2, 2))),
        "cublasSgemm",
        "are not in allocation");
    faults(
        with(
            t ->
                t.library.multiply(
                    factor(t.a + 2, 2, 3, 2, Op.NONE),
                    factor(t.b, 3, 2, 3, Op.NONE),
                    new ColumnMajor(t.c, 2, 2, 2))),
        "which 4 does not divide");
    faults(
        with(
            t ->
                t.library.multiply(
                    factor(t.a, 2, 3, 2, Op.NONE),
                    factor(t.b, 3, 2, 3, Op.NONE),
                    new ColumnMajor(t.a + 8, 2, 2, 2))),
        "over one of its operands");
  }

  @Test
  void racesLikeAnythingElse() {
    faults(
        with(
            t -> {
              t.put(t.a, A);
              t.put(t.b, B);
              multiply(t, t.c);
              long other = t.cuda.createStream();
              t.cuda.zero(t.a, 4, other);
              t.cuda.synchronizeStream(t.stream);
              t.cuda.synchronizeStream(other);
            }),
        "race on allocation",
        "product of 2 x 2",
        "zero fill");
  }

  // Both products would use the workspace of cuBLAS at once.
  @Test
  void aGraphOnAnotherStreamSharesTheWorkspace() {
    faults(
        with(
            t -> {
              t.put(t.a, A);
              t.put(t.b, B);
              t.cuda.beginCapture(t.stream);
              multiply(t, t.c);
              long graph = t.cuda.endCapture(t.stream);
              long other = t.cuda.createStream();
              t.cuda.launchGraph(graph, other);
              multiply(t, t.c + 16);
              t.cuda.synchronizeStream(t.stream);
              t.cuda.synchronizeStream(other);
            }),
        "race on cuBLAS of stream 1");
  }

  @Test
  void closesOnceWhenAllIsDone() {
    faults(
        with(
            t -> {
              t.library.close();
              t.library.close();
            }),
        "given back before");
    faults(
        with(
            t -> {
              t.put(t.a, A);
              t.put(t.b, B);
              multiply(t, t.c);
              t.library.close();
            }),
        "the host has not waited for that");
    faults(
        with(
            t -> {
              t.library.close();
              multiply(t, t.c);
            }),
        "after it or its stream was given back");
  }

  @Test
  void mayBeMissing() {
    EmulatedOptions options = EmulatedOptions.of(EmulatedPolicy.EAGER).withoutCublas();
    try (EmulatedDriver cuda = new EmulatedDriver(options)) {
      long stream = cuda.createStream();
      DeviceException thrown =
          assertThrows(DeviceException.class, () -> cuda.openBlas(stream, Precision.FP32));
      assertTrue(thrown.getMessage().startsWith("cuBLAS 12 was not found"));
      cuda.destroyStream(stream);
    }
  }
}
