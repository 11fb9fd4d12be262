package mlpcuda.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import mlpcuda.benchmark.Throughput;
import mlpcuda.benchmark.Timing;
import mlpcuda.compute.Ops;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.conformance.GuardedBuffers;
import mlpcuda.train.Learner;

/**
 * The time of an operation or a training step on a device and on the reference. The reference is
 * not tuned, so the comparison shows only whether the device's time is plausible.
 *
 * @param seconds the time on the device
 * @param expected the time on the reference
 */
record SpeedUp(String what, double seconds, double expected) {
  // The first calls are not compiled yet; the reference may take seconds for one step.
  private static final Timing.Plan PLAN = new Timing.Plan(0.1, 0.005, 7, 1);

  /** Times an operation. */
  static SpeedUp of(Case operation, Ops ops, Ops reference) {
    return new SpeedUp(operation.name(), seconds(operation, ops), seconds(operation, reference));
  }

  /** Times calls that are enqueued one after another before a wait, as in training. */
  private static double seconds(Case operation, Ops ops) {
    try (var buffers = new GuardedBuffers(ops)) {
      Runnable call = operation.inputs().apply(buffers);
      return Timing.of(
              PLAN,
              calls -> {
                for (int i = 0; i < calls; i++) {
                  call.run();
                }
                buffers.await();
              })
          .median();
    }
  }

  /** Times a training step. */
  static SpeedUp ofStep(Learner device, Learner reference) {
    return new SpeedUp("the whole step", seconds(device), seconds(reference));
  }

  private static double seconds(Learner learner) {
    return Timing.of(PLAN, Throughput.steps(learner)).median();
  }

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("what", what);
    json.put("seconds", seconds);
    json.put("reference_seconds", expected);
    json.put("ratio", expected / seconds);
    return json;
  }

  static final String HEADER =
      "%12s %12s %9s  %s".formatted("device", "reference", "ratio", "median time of");

  @Override
  public String toString() {
    return "%9.1f us %9.1f us %8.1fx  %s"
        .formatted(1e6 * seconds, 1e6 * expected, expected / seconds, what);
  }
}
