package mlpcuda.compute.cuda;

import java.util.ArrayList;
import java.util.List;
import mlpcuda.compute.DeviceException;

/**
 * Memory of the device for what a product makes on the way. It grows in the first batch of a size,
 * which is never recorded, and keeps what it had: graphs have its address.
 */
final class Workspace implements AutoCloseable {
  private final CudaDriver driver;
  private final String name;
  private final List<Long> memory = new ArrayList<>(); // the last is used
  private long size; // of the last, bytes

  /** {@code name}: for the message where there is no memory. */
  Workspace(CudaDriver driver, String name) {
    this.driver = driver;
    this.name = name;
  }

  /**
   * The address of {@code bytes}, whose content is undefined.
   *
   * @throws DeviceException if there is no memory
   */
  long reserve(long bytes) {
    if (bytes > size) {
      try {
        memory.add(driver.allocate(bytes));
      } catch (CudaException e) {
        throw Obstacle.ofAllocation(e, driver, name, bytes, "");
      }
      size = bytes;
    }
    return memory.get(memory.size() - 1);
  }

  @Override
  public void close() {
    memory.forEach(driver::free);
    memory.clear();
  }
}
