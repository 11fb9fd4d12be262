package mlpcuda.compute.cuda.emulator;

import static mlpcuda.compute.cuda.emulator.EmulatedScenario.faults;
import static mlpcuda.compute.cuda.emulator.EmulatedScenario.passes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Consumer;
import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.CudaException;
import mlpcuda.compute.cuda.DeviceMatrix;
import mlpcuda.compute.cuda.Dnn;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Tests the operations of cuDNN. */
class EmulatedDnnTest {
  private static final float NAN = Float.NaN;
  private static final float INFINITY = Float.POSITIVE_INFINITY;

  private static Consumer<EmulatedDriver> with(Consumer<EmulatedLibrary<Dnn>> scenario) {
    return EmulatedLibrary.with(EmulatedDriver::openDnn, Dnn::close, scenario);
  }

  private static DeviceMatrix matrix(long address, int rows, int columns) {
    return new DeviceMatrix(address, rows, columns);
  }

  private static void expect(EmulatedLibrary<Dnn> t, long from, float... values) {
    assertArrayEquals(values, t.get(from, values.length), 1e-6f);
  }

  @Test
  void addsARowToEach() {
    passes(
        with(
            t -> {
              t.put(t.c, 1, 2, 3, 4, 5, 6, -1);
              t.put(t.a, 10, 20, 30);
              t.library.addTensor(matrix(t.c, 2, 3), t.a);
              expect(t, t.c, 11, 22, 33, 14, 25, 36, -1);
              assertTrue(t.library.description().contains("cuDNN"));
            }));
  }

  @Test
  void activatesAndPropagatesNan() {
    passes(
        with(
            t -> {
              t.put(t.a, -2, 0.5f, NAN, INFINITY, -INFINITY, 0);
              t.library.activationForward(matrix(t.b, 2, 3), matrix(t.a, 2, 3), Activation.RELU);
              expect(t, t.b, 0, 0.5f, NAN, INFINITY, 0, 0);
              t.library.activationForward(matrix(t.b, 3, 2), matrix(t.a, 3, 2), Activation.SIGMOID);
              expect(t, t.b, 0.1192029f, 0.6224593f, NAN, 1, 0, 0.5f);
              t.library.activationForward(matrix(t.a, 6, 1), matrix(t.a, 6, 1), Activation.TANH);
              expect(t, t.a, -0.9640276f, 0.4621172f, NAN, 1, -1, 0);
            }));
  }

  /** The gradient of a ReLU depends on its input; the other gradients depend on the output. */
  @Test
  void takesGradientsWhereCudnnTakesThem() {
    passes(
        with(
            t -> {
              t.put(t.a, 0.5f, 0.5f, 0.5f); // y
              t.put(t.b, 8, 4, 2); // dy
              t.put(t.c, -1, 1, 0); // x
              t.library.activationBackward(
                  matrix(t.d, 1, 3),
                  matrix(t.a, 1, 3),
                  matrix(t.b, 1, 3),
                  matrix(t.c, 1, 3),
                  Activation.RELU);
              expect(t, t.d, 0, 4, 0);
              t.library.activationBackward(
                  matrix(t.d, 1, 3),
                  matrix(t.a, 1, 3),
                  matrix(t.b, 1, 3),
                  matrix(t.c, 1, 3),
                  Activation.SIGMOID);
              expect(t, t.d, 2, 1, 0.5f);
              t.library.activationBackward(
                  matrix(t.b, 1, 3),
                  matrix(t.a, 1, 3),
                  matrix(t.b, 1, 3),
                  matrix(t.a, 1, 3),
                  Activation.TANH);
              expect(t, t.b, 6, 3, 1.5f);
            }));
  }

  @Test
  void takesTheLogSoftmaxOfRows() {
    passes(
        with(
            t -> {
              t.put(t.a, 1000, 1000, 0, 1, 2, 3);
              t.library.logSoftmaxForward(matrix(t.b, 2, 3), matrix(t.a, 2, 3));
              expect(
                  t,
                  t.b,
                  -0.6931472f,
                  -0.6931472f,
                  -1000.69315f,
                  -2.407606f,
                  -1.407606f,
                  -0.407606f);
              t.library.logSoftmaxForward(matrix(t.b, 3, 2), matrix(t.a, 3, 2));
              expect(t, t.b, -0.6931472f, -0.6931472f, -1.313262f, -0.3132617f);
            }));
  }

  @Test
  void eachIsRecordedAsOneNode() {
    passes(
        with(
            t -> {
              t.put(t.a, 1, 2);
              t.put(t.b, -3, 4);
              t.cuda.beginCapture(t.stream);
              t.library.addTensor(matrix(t.b, 1, 2), t.a);
              t.library.activationForward(matrix(t.b, 1, 2), matrix(t.b, 1, 2), Activation.RELU);
              long graph = t.cuda.endCapture(t.stream);
              assertEquals(2, t.cuda.nodes(graph));
              t.cuda.launchGraph(graph, t.stream);
              t.cuda.launchGraph(graph, t.stream);
              expect(t, t.b, 1, 8);
              t.cuda.destroyGraph(graph);
            }));
  }

  @Test
  void checksItsArgumentsAsCudnnDoes() {
    passes(
        with(
            t -> {
              refuses(
                  "cudnnAddTensor",
                  "BAD_PARAM (2000)",
                  () -> t.library.addTensor(matrix(t.c, 0, 1), t.a));
              refuses(
                  "cudnnSoftmaxForward",
                  "BAD_PARAM (2000)",
                  () -> t.library.logSoftmaxForward(matrix(t.c, 1, -1), matrix(t.a, 1, -1)));
              refuses(
                  "cudnnSoftmaxForward",
                  "BAD_PARAM (2000)",
                  () -> t.library.logSoftmaxForward(matrix(t.c, 1, 2), matrix(t.a, 2, 1)));
              refuses(
                  "cudnnSoftmaxForward",
                  "NOT_SUPPORTED (3000)",
                  () ->
                      t.library.logSoftmaxForward(
                          matrix(t.c, 1 << 20, 1 << 11), matrix(t.a, 1 << 20, 1 << 11)));
              refuses(
                  "cudnnActivationForward",
                  "BAD_PARAM (2000)",
                  () ->
                      t.library.activationForward(
                          matrix(t.c, 1, 1), matrix(t.a, 1, 1), Activation.NONE));
              refuses(
                  "cudnnActivationBackward",
                  "BAD_PARAM (2000)",
                  () ->
                      t.library.activationBackward(
                          matrix(t.c, 1, 1),
                          matrix(t.a, 1, 1),
                          matrix(t.b, 1, 1),
                          matrix(t.d, 1, 1),
                          Activation.NONE));
            }));
  }

  private static void refuses(String call, String status, Executable body) {
    CudaException thrown = assertThrows(CudaException.class, body);
    assertTrue(
        thrown.why().startsWith("%s failed: CUDNN_STATUS_%s".formatted(call, status)),
        thrown::getMessage);
  }

  @Test
  void staysInItsTensors() {
    faults(
        with(t -> t.library.addTensor(matrix(t.c, 17, 1), t.a)),
        "cudnnAddTensor",
        "are not in allocation");
    faults(
        with(t -> t.library.addTensor(matrix(t.c + 2, 1, 1), t.a)),
        "cudnnAddTensor",
        "which 4 does not divide");
    faults(with(t -> t.library.addTensor(matrix(t.c, 2, 2), t.c)), "written over an input");
    faults(
        with(
            t ->
                t.library.activationForward(
                    matrix(t.c, 2, 2), matrix(t.c + 4, 2, 2), Activation.RELU)),
        "written over an input");
    faults(
        with(
            t ->
                t.library.activationBackward(
                    matrix(t.c, 2, 2),
                    matrix(t.a, 2, 2),
                    matrix(t.c + 4, 2, 2),
                    matrix(t.b, 2, 2),
                    Activation.RELU)),
        "written over an input");
    faults(
        with(
            t ->
                t.library.activationBackward(
                    matrix(t.c, 2, 2),
                    matrix(t.c, 2, 2),
                    matrix(t.a, 2, 2),
                    matrix(t.b, 2, 2),
                    Activation.TANH)),
        "written over an input");
    faults(
        with(
            t ->
                t.library.activationBackward(
                    matrix(t.c, 2, 2),
                    matrix(t.a, 2, 2),
                    matrix(t.b, 2, 2),
                    matrix(t.c, 2, 2),
                    Activation.TANH)),
        "written over an input");
    faults(
        with(t -> t.library.logSoftmaxForward(matrix(t.c, 2, 2), matrix(t.c, 2, 2))),
        "written over an input");
    faults(
        with(t -> t.library.logSoftmaxForward(matrix(t.c, 2, 2), matrix(t.a, 2, 2))),
        "was never written");
  }

  @Test
  void racesLikeAnythingElse() {
    faults(
        with(
            t -> {
              t.put(t.a, 1, 2);
              t.library.logSoftmaxForward(matrix(t.b, 1, 2), matrix(t.a, 1, 2));
              long other = t.cuda.createStream();
              t.cuda.zero(t.a, 4, other);
              t.cuda.synchronizeStream(t.stream);
              t.cuda.synchronizeStream(other);
            }),
        "race on allocation",
        "log-softmax of 1 x 2",
        "zero fill");
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
              t.put(t.a, 1, 2);
              t.library.logSoftmaxForward(matrix(t.b, 1, 2), matrix(t.a, 1, 2));
              t.library.close();
            }),
        "the host has not waited for that");
    faults(
        with(
            t -> {
              t.library.close();
              t.library.logSoftmaxForward(matrix(t.b, 1, 2), matrix(t.a, 1, 2));
            }),
        "after it or its stream was given back");
  }

  @Test
  void mayBeMissing() {
    EmulatedOptions options = EmulatedOptions.of(EmulatedPolicy.EAGER).withoutCudnn();
    try (EmulatedDriver cuda = new EmulatedDriver(options)) {
      long stream = cuda.createStream();
      DeviceException thrown = assertThrows(DeviceException.class, () -> cuda.openDnn(stream));
      assertTrue(thrown.getMessage().startsWith("cuDNN 9 was not found"));
      cuda.destroyStream(stream);
    }
  }
}
