package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.machine.Grid;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.memory.Allocation;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Type;
import mlpcuda.compute.cuda.ptx.races.GridPage;
import mlpcuda.compute.cuda.ptx.races.Ordering;
import mlpcuda.compute.cuda.ptx.races.Shadow;

/** atom and red: a read of global memory and a write of what it becomes, with nothing between. */
public final class Atomics extends GlobalAccess {
  /** Computes what memory becomes of what it was ({@code a}) and of the operands. */
  public interface Update {
    long of(long a, long b, long c);
  }

  private final Update update;
  private final int b;
  private final int c;

  /** {@code b} and {@code c} are the registers of the operands; its element takes the result. */
  public Atomics(
      Statement statement, Operands operands, Ordering ordering, Update update, int b, int c) {
    super(statement, operands, ordering);
    this.update = update;
    this.b = b;
    this.c = c;
  }

  /** The operation of that name on values of a type; null if the emulator knows none. */
  public static Update find(String name, Type type) {
    boolean wide = type.bits() == 64;
    if (type.bits() < 32) {
      return null;
    }
    if (type.isFloat()) {
      return name.equals("add") && !wide ? (a, b, c) -> floatSum(a, b) : null;
    }
    if (type.kind() == Type.Kind.BITS) {
      return switch (name) {
        case "exch" -> (a, b, c) -> b;
        case "cas" -> (a, b, c) -> (a ^ b) << 64 - type.bits() == 0 ? c : a;
        case "and" -> (a, b, c) -> a & b;
        case "or" -> (a, b, c) -> a | b;
        case "xor" -> (a, b, c) -> a ^ b;
        default -> null;
      };
    }
    boolean signed = type.isSigned();
    return switch (name) {
      case "add" -> wide && signed ? null : (a, b, c) -> a + b;
      case "min" -> (a, b, c) -> less(type.extend(a), type.extend(b), signed) ? a : b;
      case "max" -> (a, b, c) -> less(type.extend(a), type.extend(b), signed) ? b : a;
      case "inc" -> wide || signed ? null : (a, b, c) -> unsigned(a) >= unsigned(b) ? 0 : a + 1;
      case "dec" ->
          wide || signed
              ? null
              : (a, b, c) -> unsigned(a) == 0 || unsigned(a) > unsigned(b) ? b : a - 1;
      default -> null;
    };
  }

  private static boolean less(long a, long b, boolean signed) {
    return signed ? a < b : Long.compareUnsigned(a, b) < 0;
  }

  private static long unsigned(long bits) {
    return bits & 0xffffffffL;
  }

  /** The sum as in global memory, where subnormal numbers become zero (PTX ISA, atom). */
  private static long floatSum(long a, long b) {
    float sum = flushed(Float.intBitsToFloat((int) a)) + flushed(Float.intBitsToFloat((int) b));
    return Float.floatToRawIntBits(flushed(sum));
  }

  private static float flushed(float x) {
    return Math.abs(x) < Float.MIN_NORMAL ? Math.copySign(0, x) : x;
  }

  @Override
  public void run(Warp warp, int pc, int mask) {
    Grid grid = warp.block.grid;
    if (grid == null) {
      int lane = Integer.numberOfTrailingZeros(mask);
      throw warp.fault(pc, lane, "is known to the emulator in cooperative launches alone");
    }
    warp.poll(pc);
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      long address = address(warp, lane);
      Allocation allocation = allocation(warp, pc, lane, address);
      checkAligned(warp, pc, lane, address);
      checkKnown(warp, pc, lane, address, allocation);
      allocation.isRead = true;
      allocation.isWritten = true;
      int at = (int) (address - allocation.start);
      int inPage = at & Shadow.PAGE - 1;
      GridPage page = allocation.page(at, grid.order);
      int thread = thread(warp, lane);
      check(warp, pc, lane, address, page.readStrongly(inPage, bytes, thread, pc, ordering));
      check(warp, pc, lane, address, page.writeStrongly(inPage, bytes, thread, pc, ordering, true));
      long before = peek(allocation.data, at);
      long after = update.of(before, warp.registers[b][lane], warp.registers[c][lane]);
      if (poke(allocation.data, at, after)) {
        grid.changed();
      }
      if (elements[0] >= 0) {
        warp.registers[elements[0]][lane] = before;
      }
    }
  }
}
