package mlpcuda.cli;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import mlpcuda.compute.Ops;
import mlpcuda.conformance.Bench;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.train.Learner;

/**
 * How long something takes on a device and on the reference, which nobody has tuned: whether the
 * device's time is plausible, and no more.
 *
 * @param seconds on the device
 * @param expected on the reference
 */
record SpeedUp(String what, double seconds, double expected) {
  private static final int ROUNDS = 7;
  private static final double ROUND = 0.005; // seconds that a round lasts at least
  private static final double WARM = 0.1; // seconds: what is first is not compiled yet
  private static final double MOST = 1; // seconds, after which no further round begins

  /** Times an operation. */
  static SpeedUp of(Case operation, Ops ops, Ops reference) {
    return new SpeedUp(operation.name(), seconds(operation, ops), seconds(operation, reference));
  }

  private static double seconds(Case operation, Ops ops) {
    try (var bench = new Bench(ops)) {
      return seconds(operation.inputs().apply(bench), bench::await);
    }
  }

  /** Times a training step. */
  static SpeedUp ofStep(Learner device, Learner reference) {
    return new SpeedUp(
        "the whole step",
        seconds(device::run, device::loss),
        seconds(reference::run, reference::loss));
  }

  /**
   * Median over rounds of the seconds of a call, in rounds of several calls and one wait: a device
   * that has what it was asked for still before it is waited for as in training.
   */
  private static double seconds(Runnable call, Runnable await) {
    long begin = System.nanoTime();
    int calls = 0;
    do {
      call.run();
      await.run();
      calls++;
    } while (since(begin) < WARM);
    int n = (int) Math.max(1, Math.min(1000, ROUND / (since(begin) / calls)));
    double[] rounds = new double[ROUNDS];
    int done = 0;
    begin = System.nanoTime();
    do {
      long start = System.nanoTime();
      for (int i = 0; i < n; i++) {
        call.run();
      }
      await.run();
      rounds[done++] = since(start) / n;
    } while (done < ROUNDS && since(begin) < MOST);
    Arrays.sort(rounds, 0, done);
    return rounds[done / 2];
  }

  private static double since(long nanos) {
    return (System.nanoTime() - nanos) * 1e-9;
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
