package mlpcuda.compute.cuda.emulator;

import java.nio.ByteBuffer;

/** The memory of the emulated device: allocations with gaps between them, and what was written. */
public final class DeviceMemory {
  /** {@code bytes} that were never written; the address is aligned to 256. */
  public long allocate(long bytes) {
    throw new UnsupportedOperationException("stub");
  }

  /** Ends an allocation; {@link Fault} unless {@code address} is the start of a live one. */
  public void free(long address) {
    throw new UnsupportedOperationException("stub");
  }

  /** Writes the {@code bytes} remaining in {@code from}; {@link Fault} outside an allocation. */
  public void write(long to, ByteBuffer from) {
    throw new UnsupportedOperationException("stub");
  }

  /** Fills {@code to}; {@link Fault} outside an allocation or where never written. */
  public void read(long from, ByteBuffer to) {
    throw new UnsupportedOperationException("stub");
  }

  /** The start of the allocation that holds the address; {@link Fault} where there is none. */
  public long allocationOf(long address) {
    throw new UnsupportedOperationException("stub");
  }

  /** Bytes of all allocations. */
  public long liveBytes() {
    throw new UnsupportedOperationException("stub");
  }
}
