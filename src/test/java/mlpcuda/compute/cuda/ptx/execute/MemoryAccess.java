package mlpcuda.compute.cuda.ptx.execute;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.memory.Allocation;
import mlpcuda.compute.cuda.ptx.memory.BankConflicts;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Type;
import mlpcuda.compute.cuda.ptx.races.Shadow;

/** A load or a store, with its address and the checks that both need. */
public abstract class MemoryAccess extends Instruction {
  /**
   * Where an access is.
   *
   * @param base the register of the address
   * @param wide whether the address has 64 bits, not 32
   * @param offset the number that is added to the address
   */
  public record Address(int base, boolean wide, long offset) {
    /** The address for a lane. */
    long of(Warp warp, int lane) {
      long from = warp.registers[base][lane];
      return (wide ? from : from & 0xffffffffL) + offset;
    }
  }

  /**
   * The operands of an access.
   *
   * @param type the type of an element
   * @param elements the register of each element; −1 to drop it
   */
  public record Operands(Address address, Type type, int[] elements) {}

  private static final VarHandle SHORTS =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final Address address;
  private final int size;
  private final boolean signed;
  final int[] elements;

  /** The number of bytes of the access. */
  final int bytes;

  MemoryAccess(Statement statement, Operands operands) {
    super(statement);
    address = operands.address();
    size = operands.type().bytes();
    signed = operands.type().isSigned();
    elements = operands.elements();
    bytes = size * elements.length;
  }

  /** An access whose bytes are no elements with a register each. */
  MemoryAccess(Statement statement, Address address, int bytes) {
    super(statement);
    this.address = address;
    this.bytes = bytes;
    size = 1;
    signed = false;
    elements = new int[0];
  }

  /** The address of a lane's access. */
  final long address(Warp warp, int lane) {
    return address.of(warp, lane);
  }

  /** Loads the registers of a lane. */
  final void load(byte[] data, int at, Warp warp, int lane) {
    int element = at;
    for (int to : elements) {
      if (to >= 0) {
        warp.registers[to][lane] =
            switch (size) {
              case 4 ->
                  signed
                      ? (int) INTS.get(data, element)
                      : Integer.toUnsignedLong((int) INTS.get(data, element));
              case 1 -> signed ? data[element] : data[element] & 0xff;
              case 2 ->
                  signed
                      ? (short) SHORTS.get(data, element)
                      : (short) SHORTS.get(data, element) & 0xffff;
              default -> (long) LONGS.get(data, element);
            };
      }
      element += size;
    }
  }

  /** Stores the registers of a lane. */
  final void store(byte[] data, int at, Warp warp, int lane) {
    int element = at;
    for (int from : elements) {
      long value = warp.registers[from][lane];
      switch (size) {
        case 4 -> INTS.set(data, element, (int) value);
        case 1 -> data[element] = (byte) value;
        case 2 -> SHORTS.set(data, element, (short) value);
        default -> LONGS.set(data, element, value);
      }
      element += size;
    }
  }

  /** The bits of the first element in memory. */
  final long peek(byte[] data, int at) {
    return size == 4
        ? Integer.toUnsignedLong((int) INTS.get(data, at))
        : (long) LONGS.get(data, at);
  }

  /** Stores the first element of 4 or 8 bytes; whether memory changes by that. */
  final boolean poke(byte[] data, int at, long value) {
    boolean changes = differ(peek(data, at), value);
    if (size == 4) {
      INTS.set(data, at, (int) value);
    } else {
      LONGS.set(data, at, value);
    }
    return changes;
  }

  /** Whether storing the registers of a lane changes memory. */
  final boolean changes(byte[] data, int at, Warp warp, int lane) {
    int element = at;
    for (int from : elements) {
      long before =
          switch (size) {
            case 4 -> (int) INTS.get(data, element);
            case 1 -> data[element];
            case 2 -> (short) SHORTS.get(data, element);
            default -> (long) LONGS.get(data, element);
          };
      if (differ(before, warp.registers[from][lane])) {
        return true;
      }
      element += size;
    }
    return false;
  }

  /** Whether two registers have different bits in an element. */
  private boolean differ(long a, long b) {
    return (a ^ b) << 64 - 8 * size != 0;
  }

  /**
   * Fails for a write that is a race, unless it is with a lane that writes the same to the same
   * address by the same instruction.
   *
   * @param other the lane of this warp that wrote there before; −1 if it was another thread
   * @param mask the lanes that execute the instruction
   */
  final void checkSame(Warp warp, int pc, int lane, int other, int mask, String race) {
    long address = address(warp, lane);
    boolean same =
        other >= 0 && other < lane && (mask >> other & 1) != 0 && address(warp, other) == address;
    if (!same) {
      throw fault(warp, pc, lane, address, race);
    }
    for (int element : elements) {
      if (differ(warp.registers[element][lane], warp.registers[element][other])) {
        throw fault(
            warp,
            pc,
            lane,
            address,
            "a race with " + warp.thread(other) + ", which writes another value at once");
      }
    }
  }

  /** The allocation with the bytes at an address. */
  final Allocation allocation(Warp warp, int pc, int lane, long address) {
    return allocation(warp, pc, lane, address, bytes);
  }

  /** The allocation with that many bytes at an address. */
  final Allocation allocation(Warp warp, int pc, int lane, long address, int count) {
    Allocation cached = warp.caches[pc];
    if (cached != null) {
      long at = address - cached.start;
      if (at >= 0 && at <= cached.data.length - count) {
        return cached;
      }
    }
    DeviceMemory memory = warp.block.launch.memory;
    Allocation found = memory.find(address, count);
    if (found == null) {
      throw fault(warp, pc, lane, address, memory.explain(address, count));
    }
    warp.caches[pc] = found;
    warp.block.launch.touch(found);
    return found;
  }

  /** Fails unless the address is a multiple of the bytes accessed. */
  final void checkAligned(Warp warp, int pc, int lane, long address) {
    if ((address & bytes - 1) != 0) {
      throw fault(warp, pc, lane, address, "which is no multiple of " + bytes);
    }
  }

  /** Fails if the access leaves the block's shared memory, or meets a copy that is under way. */
  final int checkShared(Warp warp, int pc, int lane, long address) {
    int length = warp.block.shared.length;
    if (address < 0 || address > length - bytes) {
      throw fault(
          warp, pc, lane, address, "outside the " + length + " bytes of the block's shared memory");
    }
    checkAligned(warp, pc, lane, address);
    String copy = warp.block.copies.explain((int) address, bytes);
    if (copy != null) {
      throw fault(warp, pc, lane, address, copy);
    }
    return (int) address;
  }

  /** Counts the bank conflicts of an access to shared memory, if the launch counts them. */
  final void countBankConflicts(Warp warp, int mask) {
    countBankConflicts(warp, mask, address);
  }

  /** Counts the bank conflicts of an access to shared memory at another address. */
  final void countBankConflicts(Warp warp, int mask, Address where) {
    BankConflicts conflicts = warp.block.launch.conflicts;
    if (conflicts == null) {
      return;
    }
    long[] addresses = new long[Lanes.COUNT];
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      addresses[lane] = where.of(warp, lane);
    }
    String line = "line " + statement.line() + ": " + statement.text();
    conflicts.count(warp.block.launch.program.name(), line, bytes, addresses, mask);
  }

  /** Says why a shadow refuses a lane's access. */
  final String explain(Shadow shadow, int at, Warp warp, int lane, boolean write) {
    return shadow.explain(at, bytes, warp.clock, lane, write, warp.block);
  }

  /** The fault of a lane's access. */
  final Fault fault(Warp warp, int pc, int lane, long address, String what) {
    return warp.fault(pc, lane, "at " + DeviceMemory.hex(address) + ": " + what);
  }
}
