package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import org.junit.jupiter.api.Test;

/** Tests pixels and weights in an order other than the natural one. */
class InputOrderTest {
  private static final InputOrder ORDER = InputOrder.of(new int[] {2, 0, 1}, 2);

  @Test
  void pixelsMoveToTheirPlaces() {
    assertArrayEquals(new byte[] {3, 1, 2, 6, 4, 5}, ORDER.images(new byte[] {1, 2, 3, 4, 5, 6}));
    byte[] images = {1, 2, 3};
    assertSame(images, InputOrder.natural(3).images(images));
  }

  @Test
  void columnsMoveWithThemAndBack() {
    float[] device = new float[7];
    ORDER.toDevice(new float[] {1, 2, 3, 4, 5, 6}, device, 1);
    assertArrayEquals(new float[] {0, 3, 1, 2, 6, 4, 5}, device);
    float[] back = new float[6];
    ORDER.fromDevice(device, 1, back);
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, back);
  }

  @Test
  void atLeastOneInputIsMultiplied() {
    for (int multiplied : new int[] {0, 4}) {
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> InputOrder.of(new int[] {2, 0, 1}, multiplied));
      assertEquals("from 1 to 3 inputs must be multiplied, found " + multiplied, e.getMessage());
    }
  }

  /** Parameters return what was written to them; the order of inputs is the device's affair. */
  @Test
  void parametersKeepItToThemselves() {
    var shape = new MlpShape(List.of(3, 2), Activation.RELU, Activation.NONE);
    try (var ops = new CpuOps(1);
        var natural = new Parameters(ops, shape);
        var ordered = new Parameters(ops, shape, ORDER)) {
      natural.initialise(9);
      ordered.initialise(9);
      assertArrayEquals(natural.read().get(0), ordered.read().get(0));
      assertArrayEquals(natural.read().get(1), ordered.read().get(1));
      float[] weights = {1, 2, 3, 4, 5, 6};
      ordered.write(List.of(weights, new float[] {7, 8}));
      assertArrayEquals(weights, ordered.read().get(0));
      ordered.writeState(
          new Parameters.State(
              List.of(weights, new float[2]), List.of(weights.clone(), new float[2])));
      assertArrayEquals(weights, ordered.readState().m().get(0));
      assertArrayEquals(weights, ordered.readState().v().get(0));
      assertThrows(
          IllegalArgumentException.class, () -> new Parameters(ops, shape, InputOrder.natural(4)));
    }
  }
}
