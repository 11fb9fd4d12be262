package mlpcuda.compute.cuda.ptx.decode;

import java.util.List;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.execute.Atomics;
import mlpcuda.compute.cuda.ptx.execute.Compute;
import mlpcuda.compute.cuda.ptx.execute.Loads;
import mlpcuda.compute.cuda.ptx.execute.Meetings;
import mlpcuda.compute.cuda.ptx.execute.MemoryAccess;
import mlpcuda.compute.cuda.ptx.execute.Stores;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Statement.Address;
import mlpcuda.compute.cuda.ptx.parse.Statement.Name;
import mlpcuda.compute.cuda.ptx.parse.Statement.Operand;
import mlpcuda.compute.cuda.ptx.parse.Statement.Vector;
import mlpcuda.compute.cuda.ptx.parse.Type;
import mlpcuda.compute.cuda.ptx.races.Ordering;

/** Makes instructions of loads, stores, atomic operations, fences and conversions of addresses. */
final class MemoryDecoder {
  private static final Lanes COPY = (d, a, b, c) -> System.arraycopy(a, 0, d, 0, Lanes.COUNT);

  /**
   * The generic address of the first byte of shared memory. Its lower half is large, so that the
   * lower half of any generic address, of whichever space, lies outside of shared memory.
   */
  private static final long SHARED_WINDOW = 0x7e_f000_0000L;

  private final EntryDecoder entry;
  private final Operands operands;

  MemoryDecoder(EntryDecoder entry, Operands operands) {
    this.entry = entry;
    this.operands = operands;
  }

  Instruction load(Opcode op) {
    Statement at = op.statement;
    Operands.count(at, 2);
    Type type = type(op);
    String space = takeShared(op) ? "shared" : op.takeOneOf("global", "param");
    Operand to = at.operands().get(0);
    if ("param".equals(space)) {
      boolean whole =
          at.operands().get(1) instanceof Address address
              && entry.parameterIndex(address.base()) >= 0
              && entry.structureAddress(address.base()) < 0;
      return whole
          ? parameter(at, type, to)
          : new Loads.Parameter(at, where(op, type, to, at.operands().get(1), true));
    }
    boolean constant = "global".equals(space) && op.take("nc");
    Ordering ordering = ordering(op, space, constant, "acquire");
    // Cache hints change nothing here.
    op.takeOneOf("ca", "cg", "cs", "lu");
    MemoryAccess.Operands where = where(op, type, to, at.operands().get(1), true);
    return "shared".equals(space)
        ? new Loads.Shared(at, where)
        : new Loads.Global(at, where, constant, ordering);
  }

  Instruction store(Opcode op) {
    Statement at = op.statement;
    Operands.count(at, 2);
    Type type = type(op);
    String space = takeShared(op) ? "shared" : op.takeOneOf("global");
    Ordering ordering = ordering(op, space, false, "release");
    op.takeOneOf("wb", "cg", "cs", "wt");
    MemoryAccess.Operands where =
        where(op, type, at.operands().get(1), at.operands().get(0), false);
    return "shared".equals(space)
        ? new Stores.Shared(at, where)
        : new Stores.Global(at, where, ordering);
  }

  /** What a load or store orders: in shared memory only volatile is known, which orders nothing. */
  private static Ordering ordering(Opcode op, String space, boolean constant, String sem) {
    if (constant || "shared".equals(space)) {
      op.take("volatile");
      return null;
    }
    return Orderings.ofAccess(op, sem);
  }

  Instruction prefetch(Opcode op) {
    Statement at = op.statement;
    Operands.count(at, 1);
    boolean known = op.take("global") & op.takeOneOf("L1", "L2") != null;
    if (!known) {
      throw at.fault("is not known to the emulator");
    }
    Type one = Type.of("u8");
    Operand none = new Name("_", false);
    return new Loads.Prefetch(at, where(op, one, none, at.operands().get(0), true));
  }

  /** Decodes atom, with a result, and red, without one. */
  Instruction atomic(Opcode op) {
    Statement at = op.statement;
    boolean reduces = op.name.equals("red");
    Type type = op.type();
    op.take("global");
    Ordering ordering = Orderings.ofAtomic(op);
    String name =
        op.takeOneOf("add", "exch", "cas", "min", "max", "inc", "dec", "and", "or", "xor");
    Atomics.Update update = name == null ? null : Atomics.find(name, type);
    if (update == null || reduces && (name.equals("exch") || name.equals("cas"))) {
      throw at.fault("is not known to the emulator");
    }
    int before = reduces ? 0 : 1;
    int sources = name.equals("cas") ? 2 : 1;
    Operands.count(at, before + 1 + sources);
    Operand to = reduces ? new Name("_", false) : at.operands().get(0);
    MemoryAccess.Operands where = where(op, type, to, at.operands().get(before), true);
    int b = operands.source(at, at.operands().get(before + 1), type);
    int c = sources == 1 ? b : operands.source(at, at.operands().get(before + 2), type);
    return new Atomics(at, where, ordering, update, b, c);
  }

  static Instruction fence(Opcode op) {
    Operands.count(op.statement, 0);
    return new Meetings.Fence(op.statement, Orderings.ofFence(op));
  }

  Instruction sleep(Opcode op) {
    Statement at = op.statement;
    Operands.count(at, 1);
    if (!Type.of("u32").equals(op.type())) {
      throw at.fault("is not known to the emulator");
    }
    operands.source(at, at.operands().get(0), Type.of("u32"));
    return new Meetings.Sleep(at);
  }

  private static Type type(Opcode op) {
    Type type = op.type();
    if (type.kind() == Type.Kind.PREDICATE) {
      throw op.statement.fault("is not known to the emulator");
    }
    return type;
  }

  private MemoryAccess.Operands where(
      Opcode op, Type type, Operand values, Operand where, boolean load) {
    Statement at = op.statement;
    String width = op.takeOneOf("v2", "v4");
    int expected = width == null ? 1 : width.charAt(1) - '0';
    List<Operand> items =
        width != null && values instanceof Vector vector ? vector.items() : List.of(values);
    if (items.size() != expected || type.bytes() * expected > 16) {
      throw at.fault("is not known to the emulator");
    }
    int[] slots = items.stream().mapToInt(item -> element(at, item, type, load)).toArray();
    return new MemoryAccess.Operands(operands.address(at, where), type, slots);
  }

  private int element(Statement at, Operand item, Type type, boolean load) {
    if (!load) {
      return operands.widerSource(at, item, type);
    }
    return Operands.isNone(item) ? -1 : operands.widerResult(at, item, type);
  }

  private Instruction parameter(Statement at, Type type, Operand to) {
    if (!(at.operands().get(1) instanceof Address address) || address.base() == null) {
      throw at.fault("has an operand that is no address");
    }
    int index = entry.parameterIndex(address.base());
    if (index < 0 || address.offset() != 0 || entry.parameterType(index).bits() != type.bits()) {
      throw at.fault("takes another than a whole parameter of this entry");
    }
    int slot = entry.registers().parameter(index);
    return new Compute(at, COPY, operands.result(at, to, type), slot, slot, slot);
  }

  /**
   * Decodes cvta: addresses of global memory are the same with and without their space, those of
   * shared memory differ by {@link #SHARED_WINDOW}.
   */
  Instruction toAddress(Opcode op) {
    Statement at = op.statement;
    Type type = op.type();
    boolean to = op.take("to");
    String space = takeShared(op) ? "shared" : op.takeOneOf("global");
    if (space == null || !type.equals(Type.of("u64"))) {
      throw at.fault("is not known to the emulator");
    }
    Operands.count(at, 2);
    int slot = operands.source(at, at.operands().get(1), type);
    long window = space.equals("global") ? 0 : to ? -SHARED_WINDOW : SHARED_WINDOW;
    Lanes move =
        (d, a, b, c) -> {
          for (int i = 0; i < Lanes.COUNT; i++) {
            d[i] = a[i] + window;
          }
        };
    return new Compute(at, move, operands.result(at, at.operands().get(0), type), slot, slot, slot);
  }

  /** Takes .shared or .shared::cta, which is the same, if it is there. */
  static boolean takeShared(Opcode op) {
    return op.takeOneOf("shared", "shared::cta") != null;
  }
}
