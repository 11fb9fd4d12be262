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

  private DeviceBuffer(DeviceBuffer of, String name, Type type, int from, int length) {
    super(of, name, type, length);
    this.device = null;
    this.address = of.address + from;
  }

  /** The {@code length} elements of that type that begin at byte {@code from} of these bytes. */
  Buffer part(String name, Type type, int from, int length) {
    return new DeviceBuffer(this, name, type, from, length);
  }

  /** The address of a buffer's first byte on the device. */
  static long address(Buffer buffer) {
    return ((DeviceBuffer) buffer).address;
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
