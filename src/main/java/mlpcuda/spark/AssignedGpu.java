package mlpcuda.spark;

import java.util.OptionalInt;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** Reads which GPU Spark assigned to the running task. */
public final class AssignedGpu {
  private AssignedGpu() {}

  /**
   * The number of the first GPU among the resources {@code gpu} of the running task; empty if Spark
   * assigned none, or no task runs.
   *
   * @throws IllegalArgumentException if the resource's address is not the number of a GPU
   */
  public static OptionalInt index() {
    TaskContext task = TaskContext.get();
    ResourceInformation gpus = task == null ? null : task.resourcesJMap().get("gpu");
    if (gpus == null || gpus.addresses().length == 0) {
      return OptionalInt.empty();
    }
    String address = gpus.addresses()[0];
    try {
      return OptionalInt.of(Integer.parseInt(address));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "the address of Spark's resource gpu must be the number of a GPU, found " + address, e);
    }
  }
}
