package mlpcuda.spark;

import java.io.Serializable;
import java.util.Map;
import mlpcuda.Device;
import mlpcuda.error.DeviceException;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/**
 * The device that a task computes on.
 *
 * @param kind {@code auto}, {@code gpu} or {@code cpu}
 * @param precision the precision of products on a GPU, such as {@code fp32}
 * @param threads the number of threads on the CPU, from 1; 0: all of the JVM's processors
 */
record DeviceChoice(String kind, String precision, int threads) implements Serializable {
  /** The name of Spark's resource for GPUs. */
  private static final String RESOURCE = "gpu";

  /** Opens the device for the running task, or for the driver where no task runs. */
  Device open() {
    if (!kind.equals("cpu")) {
      int assigned = assigned();
      try {
        return Device.gpu(Math.max(0, assigned), precision);
      } catch (DeviceException e) {
        if (kind.equals("gpu") || assigned >= 0) { // whoever was promised a GPU must not miss it
          throw e;
        }
      }
    }
    return threads == 0 ? Device.cpu() : Device.cpu(threads);
  }

  /** The number of the GPU that Spark assigned to the running task; -1: none. */
  static int assigned() {
    TaskContext task = TaskContext.get();
    if (task == null) {
      return -1;
    }
    Map<String, ResourceInformation> resources = task.resourcesJMap();
    ResourceInformation gpus = resources.get(RESOURCE);
    if (gpus == null || gpus.addresses().length == 0) {
      return -1;
    }
    String address = gpus.addresses()[0];
    try {
      return Integer.parseInt(address);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "the address of Spark's resource gpu must be the number of a GPU, found " + address, e);
    }
  }
}
