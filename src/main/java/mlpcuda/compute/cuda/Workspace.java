package mlpcuda.compute.cuda;

import java.util.ArrayList;
import java.util.List;
import mlpcuda.error.DeviceException;

/**
 * Memory of the device for a product's intermediate results. It grows in the first batch of a size,
 * which is never recorded, and keeps its former blocks, whose addresses graphs may have.
 */
final class Workspace implements AutoCloseable {
  private final CudaDriver driver;
  private final String name;
  private final List<Long> memory = new ArrayList<>(); // the last block is in use
  private long size; // the size of the last block, in bytes

  /** {@code name} is what the memory is for, in the message that there is none. */
  Workspace(CudaDriver driver, String name) {
    this.driver = driver;
    this.name = name;
  }

  /**
   * The address of at least {@code bytes}, whose content is undefined.
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
