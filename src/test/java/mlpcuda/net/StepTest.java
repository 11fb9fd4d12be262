package mlpcuda.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.NoSuchElementException;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import org.junit.jupiter.api.Test;

class StepTest {
  /** The row of a step whose losses were not read would be overwritten. */
  @Test
  void lossesMustBeReadBeforeTheirRowsAreNeeded() {
    int N = Step.LOG_ROWS + 1;
    var shape = new MlpShape(List.of(1, 2), Activation.RELU, Activation.NONE);
    try (Ops ops = new CpuOps(1);
        var parameters = new Parameters(ops, shape);
        var examples =
            new Batches(
                parameters,
                ExampleSet.images(1, 1, new byte[N], new byte[N]),
                new PixelScaling("unit", 0, 1),
                1,
                1);
        var adam = new Optimizer(parameters, AdamSettings.DEFAULT, 0);
        var step = new Step(adam, examples, Regularisation.NONE, N)) {
      step.begin(new int[N], 0, new float[N]);
      for (int i = 0; i < Step.LOG_ROWS; i++) {
        step.run(1, 1);
      }
      assertThrows(IllegalStateException.class, () -> step.run(1, 1));
      step.askLog();
      step.run(1, 1); // the step's row of the log is being read
      step.askLog();
      assertThrows(IllegalStateException.class, step::askLog, "two reads are under way");
      Step.Log first = step.takeLog();
      assertEquals(Step.LOG_ROWS, first.steps());
      assertEquals(2 * Step.LOG_ROWS, first.rows().length);
      assertEquals(1, step.reads());
      Step.Log second = step.takeLog();
      assertEquals(Step.LOG_ROWS + 1, second.steps());
      assertEquals(2, second.rows().length);
      assertThrows(NoSuchElementException.class, step::takeLog);
    }
  }
}
