package mlpcuda.benchmark;

import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerState;
import mlpcuda.error.DeviceException;

/**
 * The most that a device was seen to do, by its own operations: a step's time is compared with it.
 *
 * @param flops floating-point operations a second, in the fastest of several square products
 * @param memory bytes read and written a second, by the number of bytes that Adam passes over: from
 *     sizes that fit a cache to larger ones
 */
public record DeviceLimits(double flops, NavigableMap<Double, Double> memory) {
  private static final int SMALLEST_PRODUCT = 64;
  private static final int LARGEST_PRODUCT = 8192;
  private static final double LONG_ENOUGH = 0.02; // seconds: larger work is no faster
  private static final int LEAST_PARAMETERS = 1 << 13;
  private static final int MOST_PARAMETERS = 1 << 23;
  private static final int BYTES_A_PARAMETER = 28; // w, m, v read and written, dw read

  /**
   * Measures a device by its fastest repeats, because others may use it at the same time, at sizes
   * up to the first that does not fit.
   *
   * @param plan the plan for each product, and for each size of memory
   */
  public static DeviceLimits of(Ops ops, Timing.Plan plan) {
    double flops = flops(ops, plan);
    var memory = new TreeMap<Double, Double>();
    for (int n = LEAST_PARAMETERS; n <= MOST_PARAMETERS; n *= 4) {
      double bytes = (double) BYTES_A_PARAMETER * n;
      double seconds;
      try {
        seconds = adam(ops, plan, n);
      } catch (DeviceException e) {
        if (memory.isEmpty()) {
          throw e;
        }
        break;
      }
      memory.put(bytes, bytes / seconds);
      if (seconds > LONG_ENOUGH) {
        break;
      }
    }
    // Measures again, a while later: a peak that others' work has hidden would flatter every row.
    return new DeviceLimits(Math.max(flops, flops(ops, plan)), memory);
  }

  /** Bytes a second for more of them than a cache holds. */
  public double bandwidth() {
    return memory.lastEntry().getValue();
  }

  /**
   * The seconds that {@code bytes} take, at the fastest rate that was measured for as many or more.
   */
  public double seconds(double bytes) {
    double rate =
        memory.tailMap(bytes, true).values().stream()
            .mapToDouble(Double::doubleValue)
            .max()
            .orElse(bandwidth());
    return bytes / rate;
  }

  private static double flops(Ops ops, Timing.Plan plan) {
    double best = 0;
    for (int n = SMALLEST_PRODUCT; n <= LARGEST_PRODUCT; n *= 2) {
      double seconds;
      try {
        seconds = product(ops, plan, n);
      } catch (DeviceException e) {
        if (best == 0) {
          throw e;
        }
        break;
      }
      best = Math.max(best, 2.0 * n * n * n / seconds);
      if (seconds > LONG_ENOUGH) {
        break;
      }
    }
    return best;
  }

  private static double product(Ops ops, Timing.Plan plan, int n) {
    try (Buffer y = ops.allocate("y", Type.FLOAT32, n * n);
        Buffer x = ops.allocate("x", Type.FLOAT32, n * n);
        Buffer w = ops.allocate("w", Type.FLOAT32, n * n);
        Buffer b = ops.allocate("b", Type.FLOAT32, n)) {
      Runnable product = () -> ops.linearForward(y, x, w, b, n, n, n, Activation.NONE);
      return fastest(ops, plan, b, product);
    }
  }

  private static double adam(Ops ops, Timing.Plan plan, int n) {
    try (Buffer w = ops.allocate("w", Type.FLOAT32, n);
        Buffer m = ops.allocate("m", Type.FLOAT32, n);
        Buffer v = ops.allocate("v", Type.FLOAT32, n);
        Buffer dw = ops.allocate("dw", Type.FLOAT32, n);
        Buffer step = ops.allocate("step", Type.INT32, 1);
        Buffer rate = ops.allocate("rate", Type.FLOAT32, 1)) {
      ops.write(step, new int[] {1}, 0, 1);
      var state = new OptimizerState(w, m, v);
      AdamSettings settings = AdamSettings.DEFAULT;
      Runnable adam = () -> ops.adamStep(state, dw, step, rate, Optional.empty(), n, settings);
      return fastest(ops, plan, rate, adam);
    }
  }

  /** Seconds of the fastest repeat of {@code work}, which uses {@code buffer}. */
  private static double fastest(Ops ops, Timing.Plan plan, Buffer buffer, Runnable work) {
    float[] one = new float[1];
    return Timing.of(
            plan,
            times -> {
              for (int i = 0; i < times; i++) {
                work.run();
              }
              ops.read(buffer, one); // waits
            })
        .min();
  }
}
