package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.stream.Stream;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests the checks of {@link Ops} and {@link Buffer} on every device, before a device sees a call.
 */
class OpsTest {
  static Stream<Named<Ops>> devices() {
    return Stream.of(Named.of("reference", new ReferenceOps()), Named.of("CPU", new CpuOps(1)));
  }

  @ParameterizedTest(autoCloseArguments = false)
  @MethodSource("devices")
  void aBufferThatIsTooShortIsNamedWithBothLengths(Ops ops) {
    try (ops;
        Buffer y = ops.allocate("y", Type.FLOAT32, 6);
        Buffer x = ops.allocate("x", Type.FLOAT32, 8);
        Buffer w = ops.allocate("w", Type.FLOAT32, 11);
        Buffer b = ops.allocate("b", Type.FLOAT32, 3)) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> ops.linearForward(y, x, w, b, 2, 4, 3, Activation.NONE));
      assertEquals(
          "linearForward: w must be FLOAT32[12] or longer, found w FLOAT32[11]", e.getMessage());
    }
  }

  @ParameterizedTest(autoCloseArguments = false)
  @MethodSource("devices")
  void sizesThatOverflowAnIntAreRefused(Ops ops) {
    try (ops;
        Buffer x = ops.allocate("x", Type.FLOAT32, 8)) {
      assertThrows(
          IllegalArgumentException.class, () -> ops.logSoftmaxForward(x, x, 1 << 16, 1 << 16));
      assertThrows(
          IllegalArgumentException.class,
          () -> ops.activationBackward(x, x, x, 0, Activation.RELU));
      assertThrows(
          IllegalArgumentException.class,
          () -> ops.activationBackward(x, x, x, -1, Activation.RELU));
    }
  }

  @ParameterizedTest(autoCloseArguments = false)
  @MethodSource("devices")
  void typesAndScalarsAreChecked(Ops ops) {
    try (ops;
        Buffer x = ops.allocate("x", Type.FLOAT32, 8);
        Buffer norm = ops.allocate("norm", Type.FLOAT32, Ops.NORM_LENGTH);
        Buffer step = ops.allocate("step", Type.INT32, 1)) {
      var targets = new Targets(step, Optional.empty());
      var outputs = new LossOutputs(Optional.empty(), x, x);
      assertThrows(IllegalArgumentException.class, () -> ops.advance(x, x, x, Optional.empty(), 1));
      for (float rate : new float[] {-0.1f, 1f, Float.NaN}) {
        assertThrows(
            IllegalArgumentException.class, () -> ops.dropoutForward(x, x, step, 8, rate, 0, 0));
        assertThrows(
            IllegalArgumentException.class,
            () -> ops.crossEntropyForward(outputs, x, targets, step, Optional.empty(), 1, 1, rate));
      }
      for (double decay : new double[] {-1, 0, 1, Double.NaN}) {
        assertThrows(IllegalArgumentException.class, () -> ops.averageStep(x, x, step, 8, decay));
      }
      assertThrows(IllegalArgumentException.class, () -> ops.averageStep(x, x, x, 8, 0.5));
      assertThrows(IllegalArgumentException.class, () -> ops.averageStep(x, x, step, 9, 0.5));
      for (float limit : new float[] {-1, 0, Float.NaN}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> ops.clipNorm(x, norm, Optional.empty(), 8, limit));
      }
    }
  }

  @Test
  void settingsOfDescentAreCheckedAsPyTorchChecksThem() {
    assertThrows(IllegalArgumentException.class, () -> new SgdSettings(-0.1, false, 0));
    assertThrows(IllegalArgumentException.class, () -> new SgdSettings(Double.NaN, false, 0));
    assertThrows(IllegalArgumentException.class, () -> new SgdSettings(0.9, false, -0.1));
    assertThrows(IllegalArgumentException.class, () -> new SgdSettings(0, true, 0));
  }

  @Test
  void aBufferOfAnotherDeviceIsRefused() {
    try (Ops one = new ReferenceOps();
        Ops other = new ReferenceOps();
        Buffer x = one.allocate("x", Type.FLOAT32, 1)) {
      var e =
          assertThrows(IllegalArgumentException.class, () -> other.logSoftmaxForward(x, x, 1, 1));
      assertTrue(e.getMessage().contains("must be a buffer of this device"), e.getMessage());
    }
  }

  @ParameterizedTest(autoCloseArguments = false)
  @MethodSource("devices")
  void slicesShareTheirOwnersMemory(Ops ops) {
    try (ops;
        Buffer x = ops.allocate("x", Type.FLOAT32, 5)) {
      Buffer inner = x.slice("most", 1, 4).slice("inner", 1, 2);
      ops.write(inner, new float[] {7, 8});
      float[] values = new float[5];
      ops.read(x, values);
      assertArrayEquals(new float[] {0, 0, 7, 8, 0}, values);
      assertThrows(IndexOutOfBoundsException.class, () -> x.slice("s", 2, 4));
      assertThrows(IndexOutOfBoundsException.class, () -> x.slice("s", -1, 2));
      assertThrows(IndexOutOfBoundsException.class, () -> inner.slice("s", 1, Integer.MAX_VALUE));
      assertThrows(IllegalStateException.class, inner::close);
    }
  }

  @ParameterizedTest(autoCloseArguments = false)
  @MethodSource("devices")
  void secondCloseAndUseAfterCloseThrow(Ops ops) {
    Buffer x = ops.allocate("x", Type.FLOAT32, 4);
    Buffer slice = x.slice("s", 1, 2);
    assertEquals(16, ops.liveBytes());
    x.close();
    assertEquals(0, ops.liveBytes());
    assertThrows(IllegalStateException.class, x::close);
    assertThrows(IllegalStateException.class, () -> ops.logSoftmaxForward(x, x, 1, 1));
    assertThrows(IllegalStateException.class, () -> ops.logSoftmaxForward(slice, slice, 1, 1));
    assertThrows(IllegalStateException.class, () -> x.slice("s", 0, 1));
    Buffer forgotten = ops.allocate("forgotten", Type.INT32, 4);
    var e = assertThrows(IllegalStateException.class, ops::close);
    assertTrue(e.getMessage().contains("forgotten"), e.getMessage());
    assertEquals(0, ops.liveBytes());
    assertThrows(IllegalStateException.class, forgotten::close);
    assertThrows(IllegalStateException.class, ops::close);
    assertThrows(IllegalStateException.class, () -> ops.allocate("y", Type.FLOAT32, 1));
  }
}
