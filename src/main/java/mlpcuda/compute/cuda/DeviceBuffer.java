package mlpcuda.compute.cuda;

import mlpcuda.compute.Buffer;

/** A buffer in the memory of a GPU. */
final class DeviceBuffer extends Buffer {
  private final CudaOps device; // null in a slice
  private final long address;

  DeviceBuffer(CudaOps device, String name, Type type, int length, long address) {
    super(device, name, type, length);
    this.device = device;
    this.address = address;
  }

  private DeviceBuffer(DeviceBuffer of, String name, int from, int length) {
    super(of, name, length);
    this.device = null;
    this.address = of.address + (long) from * of.type().bytes();
  }

  /** The address of a buffer's first byte on the device; 0, the null pointer, for null. */
  static long address(Buffer buffer) {
    return buffer == null ? 0 : ((DeviceBuffer) buffer).address;
  }

  @Override
  protected Buffer sliceK(String name, int from, int length) {
    return new DeviceBuffer(this, name, from, length);
  }

  @Override
  protected void release() {
    device.free(address);
  }
}
