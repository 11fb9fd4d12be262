package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Replay;
import mlpcuda.compute.cpu.ReferenceOps;

/** Whether a device computes: a small kernel, a small product and a replayed step. */
final class DeviceCheck {
  /** What single precision stays far below at these sizes. */
  private static final double LIMIT = 1e-10;

  /**
   * What a check found.
   *
   * @param error normalised mean squared error against the reference
   */
  record Result(String name, double error) {
    boolean passed() {
      return error <= LIMIT; // not so for NaN
    }

    Map<String, Object> json() {
      var json = new LinkedHashMap<String, Object>();
      json.put("check", name);
      json.put("passed", passed());
      json.put("error", Double.isFinite(error) ? error : null); // JSON has no NaN
      json.put("limit", LIMIT);
      return json;
    }

    @Override
    public String toString() {
      return "%s: %s, error %.1e, limit %.1e"
          .formatted(name, passed() ? "right" : "WRONG", error, LIMIT);
    }
  }

  private interface Work {
    float[] on(Ops ops);
  }

  private DeviceCheck() {}

  /** Runs all checks on a device. */
  static List<Result> run(Ops ops) {
    var results = new ArrayList<Result>();
    try (Ops reference = new ReferenceOps()) {
      results.add(compare("kernel", DeviceCheck::sum, ops, reference));
      results.add(compare("product", DeviceCheck::product, ops, reference));
      results.add(compare("replay", DeviceCheck::replay, ops, reference));
    }
    return results;
  }

  private static Result compare(String name, Work work, Ops ops, Ops reference) {
    float[] found = work.on(ops);
    float[] expected = work.on(reference);
    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      double d = (double) found[i] - expected[i];
      difference += d * d;
      size += (double) expected[i] * expected[i];
    }
    return new Result(name, difference / size);
  }

  private static float[] wave(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) Math.sin(i);
    }
    return values;
  }

  private static Buffer buffer(Ops ops, String name, int n) {
    Buffer buffer = ops.allocate(name, Type.FLOAT32, n);
    ops.write(buffer, wave(n));
    return buffer;
  }

  private static float[] sum(Ops ops) {
    int n = 1000;
    try (Buffer x = buffer(ops, "x", n);
        Buffer out = ops.allocate("out", Type.FLOAT32, 1)) {
      ops.sum(out, x, n);
      float[] sum = new float[1];
      ops.read(out, sum);
      return sum;
    }
  }

  private static float[] product(Ops ops) {
    int B = 33;
    int I = 103;
    int O = 31;
    try (Buffer x = buffer(ops, "x", B * I);
        Buffer w = buffer(ops, "w", O * I);
        Buffer b = buffer(ops, "b", O);
        Buffer y = ops.allocate("y", Type.FLOAT32, B * O)) {
      ops.linearForward(y, x, w, b, B, I, O, Activation.TANH);
      float[] values = new float[B * O];
      ops.read(y, values);
      return values;
    }
  }

  private static float[] replay(Ops ops) {
    int steps = 3;
    try (Buffer position = ops.allocate("position", Type.INT32, 3);
        Buffer rate = ops.allocate("rate", Type.FLOAT32, 1);
        Buffer rates = buffer(ops, "rates", steps);
        Replay replay = ops.replay()) {
      for (int i = 0; i < steps; i++) {
        replay.run(0, 64, () -> ops.advance(position, rate, rates, 64));
      }
      int[] values = new int[3];
      float[] last = new float[1];
      ops.read(position, values);
      ops.read(rate, last);
      return new float[] {values[0], values[1], values[2], last[0]};
    }
  }
}
