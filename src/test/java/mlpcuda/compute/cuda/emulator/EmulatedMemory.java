package mlpcuda.compute.cuda.emulator;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;

/** The allocations: those of the device, with a limit, and page-locked ones of the host. */
final class EmulatedMemory {
  /** An allocation of the device. */
  static final class Allocation extends EmulatedResource {
    private final long address;
    private final long bytes;

    Allocation(long address, long bytes) {
      super("allocation 0x%x (%d bytes)".formatted(address, bytes));
      this.address = address;
      this.bytes = bytes;
    }
  }

  /** Sets bytes to zero. */
  static final class Zero extends EmulatedOperation {
    private final DeviceMemory memory;
    private final Allocation allocation;
    private final long to;
    private final long bytes;

    Zero(DeviceMemory memory, Allocation allocation, long to, long bytes) {
      super("zero fill of %d bytes in %s".formatted(bytes, allocation), allocation);
      this.memory = memory;
      this.allocation = allocation;
      this.to = to;
      this.bytes = bytes;
    }

    @Override
    void run() {
      allocation.writtenBy(this);
      ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(bytes, 1 << 20));
      for (long at = 0; at < bytes; at += zeros.capacity()) {
        zeros.clear().limit((int) Math.min(bytes - at, zeros.capacity()));
        memory.write(to + at, zeros);
      }
    }
  }

  // Addresses of the host are far from handles and from addresses of the device. They are negative
  // as longs, and the program must accept that.
  private static final long FIRST_PINNED = 0xFFFF_7000_0000_0000L;

  private final DeviceMemory memory = new DeviceMemory();
  private final TreeMap<Long, Allocation> allocations = new TreeMap<>();
  private final Map<Long, EmulatedPinned> pinned = new HashMap<>();
  private final long total;
  private long nextPinned = FIRST_PINNED;

  /** The memory of a device of {@code total} bytes. */
  EmulatedMemory(long total) {
    this.total = total;
  }

  /** The content of the memory. */
  DeviceMemory bytes() {
    return memory;
  }

  /** The number of free bytes. */
  long free() {
    return total - memory.liveBytes();
  }

  /** Allocates {@code bytes}, and returns the address. */
  long allocate(long bytes) {
    long address = memory.allocate(bytes);
    allocations.put(address, new Allocation(address, bytes));
    return address;
  }

  /** The allocation that starts there; {@link Fault} if there is none. */
  Allocation startingAt(long address) {
    Allocation allocation = allocations.get(address);
    if (allocation == null) {
      throw new Fault("no allocation starts at 0x%x".formatted(address));
    }
    return allocation;
  }

  /** Ends an allocation. */
  void free(Allocation allocation) {
    memory.free(allocation.address);
    allocations.remove(allocation.address);
    allocation.end();
  }

  /** The allocation that holds an address; null if there is none. */
  Allocation holding(long address) {
    Map.Entry<Long, Allocation> before = allocations.floorEntry(address);
    return before != null && address - before.getKey() < before.getValue().bytes
        ? before.getValue()
        : null;
  }

  /** The allocation that holds all {@code bytes} from an address on; {@link Fault} otherwise. */
  Allocation holding(long address, long bytes) {
    Allocation allocation = holding(address);
    if (allocation == null
        || bytes < 0
        || bytes > allocation.bytes - (address - allocation.address)) {
      throw new Fault(
          "%d bytes at 0x%x are not in %s"
              .formatted(bytes, address, allocation == null ? "any allocation" : allocation));
    }
    return allocation;
  }

  /** Allocates page-locked memory. */
  Pinned allocatePinned(int bytes) {
    EmulatedPinned made = new EmulatedPinned(nextPinned, bytes);
    pinned.put(nextPinned, made);
    nextPinned += (bytes + 0xFFFL & ~0xFFFL) + 0x1000;
    return made.pinned();
  }

  /** The buffer of {@code wanted}; {@link Fault} if it was not allocated here, or is freed. */
  EmulatedPinned find(Pinned wanted) {
    EmulatedPinned found = pinned.get(wanted.address());
    if (found == null || found.pinned().bytes() != wanted.bytes()) {
      throw new Fault("0x%x is no pinned buffer, or one given back".formatted(wanted.address()));
    }
    return found;
  }

  /** Ends a pinned buffer. */
  void freePinned(EmulatedPinned freed) {
    pinned.remove(freed.pinned().address());
    freed.end();
  }

  /** The allocations that were not freed. */
  List<EmulatedResource> left() {
    return Stream.<EmulatedResource>concat(allocations.values().stream(), pinned.values().stream())
        .toList();
  }
}
