package mlpcuda.benchmark;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Replay;

/**
 * The most that a device was seen to do, by its own operations: what a step's time is held against.
 *
 * @param flops floating-point operations a second, in the largest product
 * @param memory bytes read and written a second, by Adam over ever more parameters: up to what fits
 *     a cache, and beyond
 * @param operation seconds from one operation to the next when they do nothing
 */
public record DeviceLimits(double flops, NavigableMap<Double, Double> memory, double operation) {
  private static final int SMALLEST_PRODUCT = 64;
  private static final int LARGEST_PRODUCT = 8192;
  private static final double LONG_ENOUGH = 0.02; // seconds: what is larger is no faster
  private static final Timing.Plan PLAN = new Timing.Plan(0.05, 0.01, 3);
  private static final int LEAST_PARAMETERS = 1 << 13;
  private static final int MOST_PARAMETERS = 1 << 23;
  private static final int BYTES_A_PARAMETER = 28; // w, m, v read and written, dw read
  private static final int OPERATIONS = 64;

  /** Measures a device. */
  public static DeviceLimits of(Ops ops) {
    var memory = new TreeMap<Double, Double>();
    for (int n = LEAST_PARAMETERS; n <= MOST_PARAMETERS; n *= 4) {
      double bytes = (double) BYTES_A_PARAMETER * n;
      double seconds = adam(ops, n);
      memory.put(bytes, bytes / seconds);
      if (seconds > LONG_ENOUGH) {
        break;
      }
    }
    return new DeviceLimits(flops(ops), memory, operation(ops));
  }

  /** Seconds that so many bytes take. */
  public double seconds(double bytes) {
    Map.Entry<Double, Double> like = memory.ceilingEntry(bytes);
    return bytes / (like == null ? memory.lastEntry() : like).getValue();
  }

  private static double flops(Ops ops) {
    double best = 0;
    for (int n = SMALLEST_PRODUCT; n <= LARGEST_PRODUCT; n *= 2) {
      double seconds = product(ops, n);
      best = Math.max(best, 2.0 * n * n * n / seconds);
      if (seconds > LONG_ENOUGH) {
        break;
      }
    }
    return best;
  }

  private static double product(Ops ops, int n) {
    try (Buffer y = ops.allocate("y", Type.FLOAT32, n * n);
        Buffer x = ops.allocate("x", Type.FLOAT32, n * n);
        Buffer w = ops.allocate("w", Type.FLOAT32, n * n);
        Buffer b = ops.allocate("b", Type.FLOAT32, n)) {
      return fastest(ops, b, () -> ops.linearForward(y, x, w, b, n, n, n, Activation.NONE));
    }
  }

  private static double adam(Ops ops, int n) {
    try (Buffer w = ops.allocate("w", Type.FLOAT32, n);
        Buffer m = ops.allocate("m", Type.FLOAT32, n);
        Buffer v = ops.allocate("v", Type.FLOAT32, n);
        Buffer dw = ops.allocate("dw", Type.FLOAT32, n);
        Buffer step = ops.allocate("step", Type.INT32, 1);
        Buffer rate = ops.allocate("rate", Type.FLOAT32, 1)) {
      ops.write(step, new int[] {1}, 0, 1);
      Runnable adam = () -> ops.adamStep(w, m, v, dw, step, rate, n, AdamSettings.DEFAULT);
      return fastest(ops, rate, adam);
    }
  }

  private static double operation(Ops ops) {
    try (Buffer x = ops.allocate("x", Type.FLOAT32, 1);
        Replay replay = ops.replay()) {
      Runnable operations =
          () -> {
            for (int i = 0; i < OPERATIONS; i++) {
              ops.zero(x);
            }
          };
      return fastest(ops, x, () -> replay.run(0, 1, operations)) / OPERATIONS;
    }
  }

  /** Seconds of the fastest repeat, once the JIT compilers are done with it. */
  private static double fastest(Ops ops, Buffer of, Runnable work) {
    float[] one = new float[1];
    return Timing.of(
            PLAN,
            times -> {
              for (int i = 0; i < times; i++) {
                work.run();
              }
              ops.read(of, one); // waits
            })
        .min();
  }
}
