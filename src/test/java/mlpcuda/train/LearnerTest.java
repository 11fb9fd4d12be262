package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.error.DeviceException;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import org.junit.jupiter.api.Test;

class LearnerTest {
  private static final int STEPS = 7; // an epoch has 3

  private static TrainingSetup training(double rate) {
    byte[] pixels = new byte[10 * 6];
    new Random(1).nextBytes(pixels);
    return new TrainingSetup(
        new MlpShape(List.of(6, 5, 4), Activation.RELU, Activation.NONE),
        ExampleSet.images(2, 3, pixels, new byte[] {0, 1, 2, 3, 0, 1, 2, 3, 0, 1}),
        new PixelScaling("unit", 0, 1),
        3,
        new Update(AdamSettings.DEFAULT, 0, Regularisation.NONE),
        rate,
        1);
  }

  private static void assertSame(Learner.State expected, Learner.State found) {
    for (int t = 0; t < expected.weights().size(); t++) {
      assertArrayEquals(expected.weights().get(t), found.weights().get(t));
      assertArrayEquals(expected.moments().m().get(t), found.moments().m().get(t));
      assertArrayEquals(expected.moments().v().get(t), found.moments().v().get(t));
    }
  }

  /** Setting the rate, also in the middle of an epoch, changes nothing else. */
  @Test
  void theRateMayBeSetBeforeAnyStep() {
    try (var ops = new ReferenceOps();
        var one = new Learner(ops, training(0.01));
        var other = new Learner(ops, training(0.5))) {
      for (int i = 0; i < STEPS; i++) {
        one.run();
        other.rate(0.01);
        other.run();
        assertEquals(one.loss(), other.loss());
      }
      assertSame(one.state(), other.state());
      one.rate(0.02);
      one.run();
      other.run();
      assertEquals(one.loss(), other.loss(), "the loss is that of before the update");
      assertNotEquals(one.state().weights().get(0)[0], other.state().weights().get(0)[0]);
    }
  }

  /**
   * A range test sets the rate before each step: the order and other rates need not be copied each
   * time.
   */
  @Test
  void aRateWithinAnEpochIsAllThatIsWritten() {
    int[] written = {0}; // elements
    try (var ops =
            new ReferenceOps() {
              @Override
              protected void writeK(Buffer to, float[] values) {
                written[0] += values.length;
                super.writeK(to, values);
              }

              @Override
              protected void writeK(Buffer to, int[] values, int from, int n) {
                written[0] += n;
                super.writeK(to, values, from, n);
              }
            };
        var learner = new Learner(ops, training(0.01))) {
      learner.run();
      written[0] = 0;
      learner.rate(0.02);
      learner.run();
      assertEquals(1, written[0], "a new rate");
      learner.rate(0.01);
      learner.run();
      assertEquals(1, written[0], "the rate that the device has");
    }
  }

  @Test
  void aStepCanBeTakenFromAnothersState() {
    try (var ops = new CpuOps(1);
        var one = new Learner(ops, training(0.01));
        var other = new Learner(ops, training(0.01))) {
      for (int i = 0; i < STEPS; i++) {
        one.run();
        other.run();
        other.loss();
      }
      Learner.State before = one.state();
      one.run();
      Learner.State after = one.state();
      other.start(new Learner.State(zeros(before.weights()), before.moments()));
      other.start(before);
      other.run();
      assertSame(after, other.state());
    }
    assertEquals(3, training(0).batches());
  }

  /** A device that has room for a limited number of buffers. */
  private static final class Full extends ReferenceOps {
    private int room;

    Full(int room) {
      this.room = room;
    }

    @Override
    protected Buffer allocateK(String name, Type type, int length) {
      take(name);
      return super.allocateK(name, type, length);
    }

    @Override
    protected Buffer constantK(String name, byte[] values) {
      take(name);
      return super.constantK(name, values);
    }

    private void take(String name) {
      if (room-- == 0) {
        throw new DeviceException("no room for " + name, "Ask for less.");
      }
    }
  }

  /** The device's own close throws, too, if a buffer is left open. */
  @Test
  void whatWasMadeIsClosedWhereTheRestDoesNotFit() {
    TrainingSetup clipped = clipped(training(0.01));
    int buffers = 0;
    for (boolean fits = false; !fits; buffers++) {
      try (var ops = new Full(buffers)) {
        try (var learner = new Learner(ops, clipped)) {
          fits = learner.parameters() != null;
        } catch (DeviceException e) {
          assertEquals(0, e.getSuppressed().length, e.toString());
        }
        assertEquals(0, ops.liveBytes(), buffers + " buffers");
      }
    }
    assertTrue(buffers > 20, "with dropout and clipping, found " + buffers);
  }

  @Test
  void anEvaluationClosesWhatItMadeWhereTheRestDoesNotFit() {
    TrainingSetup any = training(0.01);
    int buffers = 4; // the parameters have four
    for (boolean fits = false; !fits; buffers++) {
      try (var ops = new Full(buffers);
          var parameters = new Parameters(ops, any.shape())) {
        long before = ops.liveBytes();
        try (var evaluator = new Evaluator(parameters, any.set(), any.scaling(), any.B())) {
          fits = evaluator.run() != null;
        } catch (DeviceException e) {
          assertEquals(0, e.getSuppressed().length, e.toString());
        }
        assertEquals(before, ops.liveBytes(), buffers + " buffers");
      }
    }
    assertTrue(buffers > 4 + 8, "found " + buffers);
  }

  /** A training with dropout and clipping, which have buffers of their own. */
  private static TrainingSetup clipped(TrainingSetup like) {
    return new TrainingSetup(
        like.shape(),
        like.set(),
        like.scaling(),
        like.B(),
        new Update(like.update().optimizer(), 1, new Regularisation(List.of(0.5f), 0, 1)),
        like.rate(),
        like.seed());
  }

  private static List<float[]> zeros(List<float[]> like) {
    return like.stream().map(tensor -> new float[tensor.length]).toList();
  }
}
