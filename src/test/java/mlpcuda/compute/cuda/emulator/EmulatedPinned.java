package mlpcuda.compute.cuda.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.ptx.Fault;

/**
 * A page-locked buffer. While a copy from the buffer is pending, the host must not change its
 * bytes. While a copy to the buffer is pending, its bytes are garbage; the copied bytes appear when
 * the host has waited for the copy.
 */
final class EmulatedPinned extends EmulatedResource {
  private static final byte POISON = (byte) 0xA5;

  private final Pinned pinned;
  // This is a view of its own: position, limit and order of the other belong to its user.
  private final ByteBuffer bytes;
  private final List<CopyToDevice> outgoing = new ArrayList<>();
  private final List<CopyToHost> incoming = new ArrayList<>();

  EmulatedPinned(long address, int size) {
    super("pinned buffer 0x%x (%d bytes)".formatted(address, size));
    this.pinned =
        new Pinned(address, ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder()));
    this.bytes = pinned.bytes().duplicate();
    poison(size);
  }

  Pinned pinned() {
    return pinned;
  }

  /** Throws a {@link Fault} unless these bytes are in the buffer. */
  void checkRange(int from, int count) {
    if (from < 0 || count < 0 || count > bytes.capacity() - from) {
      throw new Fault("%d bytes from %d on are not in %s".formatted(count, from, this));
    }
  }

  private void poison(int count) {
    byte[] poison = new byte[count];
    Arrays.fill(poison, POISON);
    bytes.put(0, poison);
  }

  private byte[] get(int from, int count) {
    byte[] got = new byte[count];
    bytes.get(from, got);
    return got;
  }

  private Fault notEmulated(EmulatedOperation asked, EmulatedOperation pending) {
    return new Fault(
        "%s uses %s, which %s uses the other way; without waiting in between, that is not emulated"
            .formatted(asked, this, pending));
  }

  /** Copies a part of the buffer to the device. */
  static final class CopyToDevice extends EmulatedOperation {
    private final EmulatedMemory memory;
    private final EmulatedMemory.Allocation allocation;
    private final EmulatedPinned pinned;
    private final long to;
    private final int from;
    private final int count;
    private byte[] then;

    CopyToDevice(
        EmulatedMemory memory,
        EmulatedMemory.Allocation allocation,
        long to,
        EmulatedPinned pinned,
        int from,
        int count) {
      super(
          "copy of %d bytes from %s to %s".formatted(count, pinned, allocation),
          pinned,
          allocation);
      this.memory = memory;
      this.allocation = allocation;
      this.pinned = pinned;
      this.to = to;
      this.from = from;
      this.count = count;
    }

    @Override
    void asked() {
      pinned.outgoing.forEach(CopyToDevice::checkUnchanged);
      if (!pinned.incoming.isEmpty()) {
        throw pinned.notEmulated(this, pinned.incoming.get(0));
      }
      then = pinned.get(from, count);
      pinned.outgoing.add(this);
    }

    @Override
    void run() {
      pinned.readBy(this);
      allocation.writtenBy(this);
      checkUnchanged();
      memory.bytes().write(to, ByteBuffer.wrap(then));
    }

    @Override
    void known() {
      checkUnchanged();
      pinned.outgoing.remove(this);
      then = null;
    }

    // This is checked after the copy ran, too: a real device may not have copied before the change.
    private void checkUnchanged() {
      int at = Arrays.mismatch(then, pinned.get(from, count));
      if (at >= 0) {
        throw new Fault(
            "byte %d of %s was changed by the host while this was pending: %s"
                .formatted(from + at, pinned, this));
      }
    }
  }

  /** Copies to the start of the buffer. */
  static final class CopyToHost extends EmulatedOperation {
    private final EmulatedMemory memory;
    private final EmulatedMemory.Allocation allocation;
    private final EmulatedPinned pinned;
    private final long from;
    private final int count;
    private byte[] copied;

    CopyToHost(
        EmulatedMemory memory,
        EmulatedPinned pinned,
        EmulatedMemory.Allocation allocation,
        long from,
        int count) {
      super(
          "copy of %d bytes from %s to %s".formatted(count, allocation, pinned),
          pinned,
          allocation);
      this.memory = memory;
      this.allocation = allocation;
      this.pinned = pinned;
      this.from = from;
      this.count = count;
    }

    @Override
    void asked() {
      if (!pinned.outgoing.isEmpty()) {
        throw pinned.notEmulated(this, pinned.outgoing.get(0));
      }
      pinned.poison(count);
      pinned.incoming.add(this);
    }

    @Override
    void run() {
      allocation.readBy(this);
      pinned.writtenBy(this);
      copied = new byte[count];
      memory.bytes().read(from, ByteBuffer.wrap(copied));
    }

    @Override
    void known() {
      for (byte now : pinned.get(0, count)) {
        if (now != POISON) {
          throw new Fault(
              "%s was changed by the host while this was pending: %s".formatted(pinned, this));
        }
      }
      pinned.incoming.remove(this);
      // Bytes that another copy will write must not be read yet.
      int first = pinned.incoming.stream().mapToInt(other -> other.count).max().orElse(0);
      if (first < count) {
        pinned.bytes.put(first, copied, first, count - first);
      }
      copied = null;
    }
  }
}
