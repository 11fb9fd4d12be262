package mlpcuda.spark;

import java.io.Serializable;
import java.util.OptionalInt;
import mlpcuda.Device;
import mlpcuda.error.DeviceException;

/**
 * The device that a task computes on.
 *
 * @param kind {@code auto}, {@code gpu} or {@code cpu}
 * @param precision the precision of products on a GPU, such as {@code fp32}
 * @param threads the number of threads on the CPU, from 1; 0: all of the JVM's processors
 */
record DeviceChoice(String kind, String precision, int threads) implements Serializable {
  /** The number of the GPU that Spark assigned to the running task; empty: none, or not wanted. */
  OptionalInt gpu() {
    return kind.equals("cpu") ? OptionalInt.empty() : AssignedGpu.index();
  }

  /** Opens the device for the running task, or for the driver where no task runs. */
  Device open() {
    if (!kind.equals("cpu")) {
      OptionalInt assigned = gpu();
      try {
        return Device.gpu(assigned.orElse(0), precision);
      } catch (DeviceException e) {
        // Whoever was promised a GPU must not miss it.
        if (kind.equals("gpu") || assigned.isPresent()) {
          throw e;
        }
      }
    }
    return threads == 0 ? Device.cpu() : Device.cpu(threads);
  }
}
