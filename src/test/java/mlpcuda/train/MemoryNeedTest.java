package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import mlpcuda.compute.Activation;
import mlpcuda.compute.InputOrder;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.data.BadFileException;
import mlpcuda.data.Scaling;
import mlpcuda.net.Mlp;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import org.junit.jupiter.api.Test;

/** Tests that the memory which is computed in advance is that which is allocated afterwards. */
class MemoryNeedTest {
  private static final int N = 300;

  private static MlpShape shape(Integer... sizes) {
    return new MlpShape(List.of(sizes), Activation.RELU, Activation.NONE);
  }

  private static void assertNear(long allocated, long computed) {
    assertTrue(computed <= allocated, computed + " of " + allocated);
    // Beside weights and activations there are labels, losses and positions.
    assertTrue(computed > 0.97 * allocated, computed + " of " + allocated);
  }

  @Test
  void isWhatIsAllocated() {
    for (MlpShape shape : List.of(shape(6, 3000, 40), shape(500, 70, 80, 10), shape(6, 5000))) {
      try (var ops = new ReferenceOps();
          var parameters = Parameters.forInference(ops, shape, InputOrder.natural(shape.inputs()));
          var inference =
              new Inference(
                  ops,
                  shape,
                  parameters,
                  new byte[N * shape.inputs()],
                  new byte[N],
                  Scaling.of("unit", null),
                  64)) {
        assertEquals(64, inference.batchSize());
        long images = (long) N * shape.inputs(); // which every caller has, whatever the network
        assertNear(ops.liveBytes() - images, MemoryNeed.ofEvaluation(shape, N, 64).deviceBytes());
      }
      try (var ops = new ReferenceOps();
          var parameters = new Parameters(ops, shape);
          var mlp = Mlp.forTraining(ops, shape, parameters, 64, Regularisation.NONE)) {
        assertEquals(64, mlp.logits().length() / shape.classes());
        assertNear(ops.liveBytes(), MemoryNeed.ofTraining(shape, 64).deviceBytes());
      }
    }
  }

  @Test
  void countsTheConfusionMatrixOfTheHeap() {
    MemoryNeed need = MemoryNeed.ofEvaluation(shape(1, 40_000), 10, 1000);
    assertEquals(8L * 40_000 * 40_000 + 4 * (10 * 40_000 + 80_000), need.heapBytes());
    assertEquals(400_000, need.largest());
  }

  @Test
  void aPredictionOfManyTakesNoMoreThanOneBatch() {
    MlpShape wide = shape(1, 500_000, 1);
    assertEquals(33, Predictor.batch(wide));
    assertTrue(MemoryNeed.ofPrediction(wide, 1_000_000).deviceBytes() < 100L << 20);
    assertEquals(1000, Predictor.batch(shape(784, 128, 64, 10)));
    assertEquals(1, Predictor.batch(shape(1, 50_000_000)));
  }

  /** A device with little memory, and short buffers. */
  private static final class Small extends ReferenceOps {
    @Override
    public long freeBytes() {
      return 3 << 20;
    }

    @Override
    public int longestBuffer() {
      return 400_000;
    }
  }

  @Test
  void namesBothNumbers() {
    try (var ops = new Small()) {
      MemoryNeed.ofPrediction(shape(1, 100_000, 1), 2).check(ops, "fits", "");
      assertMessage(
          "wide needs 4 MiB on the device, and 3 MiB are free; take less",
          ops,
          new MemoryNeed(4 << 20, 1000, 0),
          "wide");
      assertMessage(
          "long needs a buffer of 400,001 values on the device, and one may have 400,000; take less",
          ops,
          new MemoryNeed(1, 400_001, 0),
          "long");
      var e =
          assertThrows(
              BadFileException.class,
              () -> new MemoryNeed(1, 1, Long.MAX_VALUE / 4).check(ops, "heap", ""));
      assertTrue(
          e.getMessage()
              .matches(
                  "heap needs 2,199,023,255,552 MiB of the Java heap, and [\\d,]+ MiB are free; java"
                      + " -Xmx\\d+m gives it more"),
          e.getMessage());
    }
  }

  private static void assertMessage(
      String message, ReferenceOps ops, MemoryNeed need, String what) {
    var e = assertThrows(BadFileException.class, () -> need.check(ops, what, "; take less"));
    assertEquals(message, e.getMessage());
  }
}
