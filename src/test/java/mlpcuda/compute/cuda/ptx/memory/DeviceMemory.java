package mlpcuda.compute.cuda.ptx.memory;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import mlpcuda.compute.cuda.ptx.Fault;

/**
 * The memory of the emulated device: allocations with gaps between them, and notes of what was
 * written.
 */
public final class DeviceMemory {
  private static final long START = 0x7f0000000000L;
  private static final int ALIGNMENT = 256;

  private final TreeMap<Long, Allocation> live = new TreeMap<>();
  private final TreeMap<Long, Long> freed = new TreeMap<>();
  private long next = START + ALIGNMENT;
  private long liveBytes;

  /** Allocates {@code bytes}, which count as never written; the address is aligned to 256. */
  public long allocate(long bytes) {
    if (bytes <= 0 || bytes > Integer.MAX_VALUE - 8) {
      throw new Fault("allocation of " + bytes + " bytes");
    }
    long start = next;
    live.put(start, new Allocation(start, (int) bytes));
    liveBytes += bytes;
    // No address is used twice, and a gap follows, so that a wrong address stays wrong.
    next = (start + bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
    return start;
  }

  /** Ends an allocation; {@link Fault} unless {@code address} is the start of a live one. */
  public void free(long address) {
    Allocation allocation = live.remove(address);
    if (allocation == null) {
      throw new Fault(
          freed.containsKey(address)
              ? "free of " + hex(address) + ", which is freed already"
              : "free of " + hex(address) + ", where no allocation starts");
    }
    liveBytes -= allocation.data.length;
    freed.put(address, (long) allocation.data.length);
  }

  /** Writes the {@code bytes} remaining in {@code from}; {@link Fault} outside an allocation. */
  public void write(long to, ByteBuffer from) {
    int bytes = from.remaining();
    Allocation allocation = find(to, bytes, "copy of " + bytes + " bytes to ");
    int at = (int) (to - allocation.start);
    from.get(allocation.data, at, bytes);
    allocation.setAllKnown(at, bytes);
  }

  /** Fills {@code to}; {@link Fault} outside an allocation or where never written. */
  public void read(long from, ByteBuffer to) {
    int bytes = to.remaining();
    Allocation allocation = find(from, bytes, "copy of " + bytes + " bytes from ");
    int at = (int) (from - allocation.start);
    int unknown = allocation.firstUnknown(at, bytes);
    if (unknown >= 0) {
      throw new Fault(
          "copy of "
              + bytes
              + " bytes from "
              + hex(from)
              + ": byte "
              + unknown
              + " of the allocation of "
              + allocation.data.length
              + " bytes at "
              + hex(allocation.start)
              + " was never written");
    }
    to.put(allocation.data, at, bytes);
  }

  /** The start of the allocation that holds the address; {@link Fault} where there is none. */
  public long allocationOf(long address) {
    return find(address, 1, "use of ").start;
  }

  /** The number of bytes of all allocations. */
  public long liveBytes() {
    return liveBytes;
  }

  private Allocation find(long address, int bytes, String what) {
    Allocation allocation = find(address, bytes);
    if (allocation == null) {
      throw new Fault(what + hex(address) + ", " + explain(address, bytes));
    }
    return allocation;
  }

  /** The allocation with all of these bytes; null if there is none. */
  public Allocation find(long address, int bytes) {
    Map.Entry<Long, Allocation> below = live.floorEntry(address);
    if (below == null) {
      return null;
    }
    Allocation allocation = below.getValue();
    long at = address - allocation.start;
    return at <= (long) allocation.data.length - bytes ? allocation : null;
  }

  /** Says why no allocation holds these bytes. */
  public String explain(long address, int bytes) {
    if (address == 0) {
      return "the null pointer";
    }
    if (address < START || address >= next) {
      return "not an address of the device";
    }
    Map.Entry<Long, Long> gone = freed.floorEntry(address);
    if (gone != null && address < gone.getKey() + gone.getValue()) {
      return "in " + range(gone.getValue(), gone.getKey()) + ", which is freed";
    }
    Map.Entry<Long, Allocation> below = live.floorEntry(address);
    Map.Entry<Long, Allocation> above = live.higherEntry(address);
    if (below != null && (gone == null || below.getKey() > gone.getKey())) {
      long length = below.getValue().data.length;
      long end = address - below.getKey() + bytes;
      return "ends " + (end - length) + " bytes after the end of " + range(length, below.getKey());
    }
    return above == null
        ? "outside all allocations"
        : (above.getKey() - address)
            + " bytes before the start of "
            + range(above.getValue().data.length, above.getKey());
  }

  private static String range(long bytes, long start) {
    return "the allocation of " + bytes + " bytes at " + hex(start);
  }

  /** An address as messages show it. */
  public static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }
}
