package mlpcuda.compute.cuda;

import mlpcuda.compute.Resources;
import mlpcuda.error.DeviceException;

/**
 * Memory of the device for a product's intermediate results. It grows in the first batch of a size,
 * which is never recorded, and keeps its former blocks, whose addresses graphs may have.
 */
final class Workspace implements AutoCloseable {
  private final CudaDriver driver;
  private final String name;
  private final Resources blocks = new Resources();
  private long address; // the block in use, which is the longest; 0: none
  private long size; // the size of that block, in bytes

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
        address = driver.allocate(bytes);
      } catch (CudaException e) {
        throw GpuProblem.ofAllocation(e, driver, name, bytes, "");
      }
      long block = address;
      blocks.add(() -> driver.free(block));
      size = bytes;
    }
    return address;
  }

  @Override
  public void close() {
    blocks.close();
  }
}
