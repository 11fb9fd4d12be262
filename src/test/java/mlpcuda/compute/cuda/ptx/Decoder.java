package mlpcuda.compute.cuda.ptx;

import java.util.List;
import mlpcuda.compute.cuda.ptx.Statement.Name;
import mlpcuda.compute.cuda.ptx.Statement.Number;
import mlpcuda.compute.cuda.ptx.Statement.Operand;
import mlpcuda.compute.cuda.ptx.Statement.Pair;

/** Makes instructions of statements. */
final class Decoder {
  private static final Type B32 = Type.of("b32");
  private static final Type F32 = Type.of("f32");
  private static final Type PREDICATE = Type.of("pred");

  private final EntryBuilder entry;
  private final Operands operands;
  private final MemoryDecoder memory;

  Decoder(EntryBuilder entry) {
    this.entry = entry;
    this.operands = new Operands(entry);
    this.memory = new MemoryDecoder(entry, operands);
  }

  Instruction decode(Statement at) {
    Opcode op = new Opcode(at, entry.target);
    Instruction instruction =
        switch (op.name) {
          case "ld" -> memory.load(op);
          case "st" -> memory.store(op);
          case "atom", "red" -> memory.atomic(op);
          case "prefetch" -> memory.prefetch(op);
          case "nanosleep" -> memory.sleep(op);
          case "cvta" -> memory.toAddress(op);
          case "mov" -> move(op);
          case "setp" -> compare(op);
          case "selp" -> select(op);
          case "slct" -> selectBySign(op);
          case "testp" -> test(op);
          case "bra" -> branch(op);
          case "brx" -> branchByIndex(op);
          case "ret", "exit" -> new Branches.Exit(at);
          case "bar", "barrier" -> barrier(op);
          case "membar", "fence" -> MemoryDecoder.fence(op);
          case "shfl" -> shuffle(op);
          case "vote" -> vote(op);
          case "activemask" -> activeMask(op);
          case "mma" -> multiply(op);
          default -> PREDICATE.equals(op.peekType()) ? combine(op) : compute(op);
        };
    op.done();
    if (at.guard() != null) {
      instruction.guard = operands.predicate(at, at.guard());
      instruction.guardFlip = at.negated() ? -1 : 0;
    }
    return instruction;
  }

  private Instruction compute(Opcode op) {
    Statement at = op.statement;
    Operation operation = IntegerOperations.find(op);
    operation = operation == null ? BitOperations.find(op) : operation;
    operation = operation == null ? FloatOperations.find(op) : operation;
    operation = operation == null ? DoubleOperations.find(op) : operation;
    operation = operation == null ? NarrowFloats.find(op) : operation;
    // These take registers wider than their types.
    boolean converts = operation == null && op.name.equals("cvt");
    operation = operation == null ? Conversions.find(op) : operation;
    if (operation == null) {
      throw at.fault("is not known to the emulator");
    }
    int sources = operation.sources().size();
    // The tables and fields of these are numbers that the operation holds itself.
    int numbers = op.name.equals("lop3") ? 1 : op.name.equals("bfi") ? 2 : 0;
    Operands.count(at, 1 + sources + numbers);
    int[] from = new int[3];
    for (int i = 0; i < sources; i++) {
      Type type = operation.sources().get(i);
      Operand operand = at.operands().get(1 + i);
      from[i] =
          converts ? operands.widerSource(at, operand, type) : operands.source(at, operand, type);
    }
    for (int i = sources; i < 3; i++) {
      from[i] = from[0];
    }
    Operand result = at.operands().get(0);
    int to =
        converts
            ? operands.widerResult(at, result, operation.result())
            : operands.result(at, result, operation.result());
    return new Compute(at, operation.lanes(), to, from[0], from[1], from[2]);
  }

  private Instruction move(Opcode op) {
    Statement at = op.statement;
    Type type = op.type();
    Operands.count(at, 2);
    Operand to = at.operands().get(0);
    Operand from = at.operands().get(1);
    if (type.equals(PREDICATE)) {
      return moveOfPredicate(at, to, from);
    }
    if (type.bits() < 16) {
      throw at.fault("is not known to the emulator");
    }
    if (from instanceof Statement.Vector parts) {
      Type part = part(at, type, parts);
      int[] slots = sources(at, parts.items(), part);
      return new Moves.Pack(at, operands.result(at, to, type), slots, part.bits());
    }
    if (to instanceof Statement.Vector parts) {
      Type part = part(at, type, parts);
      int[] slots = parts.items().stream().mapToInt(item -> resultOrNone(at, item, part)).toArray();
      return new Moves.Unpack(at, slots, operands.source(at, from, type), part.bits());
    }
    Lanes copy = (d, a, b, c) -> System.arraycopy(a, 0, d, 0, Lanes.COUNT);
    int slot = operands.source(at, from, type);
    return new Compute(at, copy, operands.result(at, to, type), slot, slot, slot);
  }

  private static Type part(Statement at, Type type, Statement.Vector parts) {
    Type part = Type.of("b" + type.bits() / parts.items().size());
    if (type.kind() != Type.Kind.BITS || part == null || part.bits() < 16) {
      throw at.fault("is not known to the emulator");
    }
    return part;
  }

  private int resultOrNone(Statement at, Operand operand, Type type) {
    boolean none = operand instanceof Name name && name.name().equals("_");
    return none ? -1 : operands.result(at, operand, type);
  }

  private Instruction moveOfPredicate(Statement at, Operand to, Operand from) {
    int d = operands.predicate(at, to);
    if (from instanceof Number number) {
      int value = number.bits() == 0 ? 0 : -1;
      return new Predicates.Combine(at, (a, b) -> value, d, d, d);
    }
    int a = operands.predicate(at, from);
    int flip = Operands.flip(from);
    return new Predicates.Combine(at, (x, y) -> x ^ flip, d, a, a);
  }

  private Instruction combine(Opcode op) {
    Statement at = op.statement;
    op.type();
    Predicates.Logic logic = op.name.equals("not") ? (a, b) -> ~a : logic(op.name);
    if (logic == null) {
      throw at.fault("is not known to the emulator");
    }
    Operands.count(at, op.name.equals("not") ? 2 : 3);
    List<Operand> all = at.operands();
    Operand last = all.get(all.size() - 1);
    int flipA = Operands.flip(all.get(1));
    int flipB = Operands.flip(last);
    return new Predicates.Combine(
        at,
        (a, b) -> logic.combine(a ^ flipA, b ^ flipB),
        operands.predicate(at, all.get(0)),
        operands.predicate(at, all.get(1)),
        operands.predicate(at, last));
  }

  private static Predicates.Logic logic(String name) {
    return switch (name) {
      case "and" -> (a, b) -> a & b;
      case "or" -> (a, b) -> a | b;
      case "xor" -> (a, b) -> a ^ b;
      default -> null;
    };
  }

  private Instruction compare(Opcode op) {
    Statement at = op.statement;
    Type type = op.type();
    boolean flush = type.equals(Type.of("f32")) && op.take("ftz");
    String combination = op.takeOneOf("and", "or", "xor");
    Predicates.Logic logic = combination == null ? (a, b) -> a : logic(combination);
    String name = at.opcode().split("\\.")[1];
    Comparisons.Comparison comparison =
        type.bits() < 16 ? null : Comparisons.find(name, type, flush);
    if (comparison == null || !op.take(name)) {
      throw at.fault("is not known to the emulator");
    }
    Operands.count(at, combination == null ? 3 : 4);
    int[] sources = {
      operands.source(at, at.operands().get(1), type),
      operands.source(at, at.operands().get(2), type)
    };
    Operand with = combination == null ? null : at.operands().get(3);
    return new Predicates.Compare(
        at,
        comparison,
        logic,
        results(at, at.operands().get(0)),
        sources,
        with == null ? -1 : operands.predicate(at, with),
        Operands.flip(with));
  }

  /** The predicates of p or p|q; −1 for one that is missing or is _. */
  private int[] results(Statement at, Operand operand) {
    if (operand instanceof Pair pair) {
      return new int[] {predicateOrNone(at, pair.first()), predicateOrNone(at, pair.second())};
    }
    return new int[] {operands.predicate(at, operand), -1};
  }

  private int predicateOrNone(Statement at, Operand operand) {
    boolean none = operand instanceof Name name && name.name().equals("_");
    return none ? -1 : operands.predicate(at, operand);
  }

  private Instruction select(Opcode op) {
    Statement at = op.statement;
    Type type = op.type();
    Operands.count(at, 4);
    if (type.bits() < 16) {
      throw at.fault("is not known to the emulator");
    }
    return new Predicates.Select(
        at,
        operands.result(at, at.operands().get(0), type),
        operands.source(at, at.operands().get(1), type),
        operands.source(at, at.operands().get(2), type),
        operands.predicate(at, at.operands().get(3)),
        Operands.flip(at.operands().get(3)));
  }

  private Instruction selectBySign(Opcode op) {
    Statement at = op.statement;
    Type by = op.type();
    Type type = op.type();
    if (!by.equals(Type.of("s32")) || type.bits() < 16) {
      throw at.fault("is not known to the emulator");
    }
    Operands.count(at, 4);
    Lanes choose =
        (d, a, b, c) -> {
          for (int i = 0; i < Lanes.COUNT; i++) {
            d[i] = (int) c[i] >= 0 ? a[i] : b[i];
          }
        };
    return new Compute(
        at,
        choose,
        operands.result(at, at.operands().get(0), type),
        operands.source(at, at.operands().get(1), type),
        operands.source(at, at.operands().get(2), type),
        operands.source(at, at.operands().get(3), by));
  }

  private Instruction test(Opcode op) {
    Statement at = op.statement;
    Type type = op.type();
    String kind = op.takeOneOf("finite", "infinite", "number", "notanumber", "normal", "subnormal");
    if (kind == null || !type.equals(Type.of("f32"))) {
      throw at.fault("is not known to the emulator");
    }
    Operands.count(at, 2);
    return new Predicates.Test(
        at,
        bits -> Comparisons.test(kind, FloatOperations.value(bits)),
        operands.predicate(at, at.operands().get(0)),
        operands.source(at, at.operands().get(1), type));
  }

  // ---- control ----

  private Instruction branch(Opcode op) {
    Statement at = op.statement;
    boolean uniform = op.take("uni");
    Operands.count(at, 1);
    return new Branches.Branch(at, entry.target(at, label(at, at.operands().get(0))), uniform);
  }

  private static String label(Statement at, Operand operand) {
    if (operand instanceof Name name && !name.negated()) {
      return name.name();
    }
    throw at.fault("has an operand that is no label");
  }

  private Instruction branchByIndex(Opcode op) {
    Statement at = op.statement;
    op.take("uni");
    Operands.count(at, 2);
    if (!op.take("idx")) {
      throw at.fault("is not known to the emulator");
    }
    int[] targets =
        entry.targets(at, label(at, at.operands().get(1))).stream()
            .mapToInt(label -> entry.target(at, label))
            .toArray();
    return new Branches.Indexed(
        at, operands.source(at, at.operands().get(0), Type.of("u32")), targets);
  }

  private Instruction barrier(Opcode op) {
    Statement at = op.statement;
    boolean ofWarp = op.take("warp");
    if (!op.take("sync")) {
      throw at.fault("is not known to the emulator");
    }
    Operands.count(at, 1);
    if (ofWarp) {
      return new Meetings.WarpBarrier(at, operands.source(at, at.operands().get(0), B32));
    }
    op.take("cta");
    op.take("aligned");
    if (!(at.operands().get(0) instanceof Number)) {
      throw at.fault("is not known to the emulator");
    }
    return new Meetings.BlockBarrier(at);
  }

  private Instruction shuffle(Opcode op) {
    Statement at = op.statement;
    Operands.count(at, 5);
    op.type();
    String mode = op.takeOneOf("up", "down", "bfly", "idx");
    if (mode == null || !op.take("sync") || !at.opcode().endsWith(".b32")) {
      throw at.fault("is not known to the emulator");
    }
    int[] sources = new int[4];
    for (int i = 0; i < 4; i++) {
      sources[i] = operands.source(at, at.operands().get(1 + i), B32);
    }
    Operand to = at.operands().get(0);
    Operand first = to instanceof Pair pair ? pair.first() : to;
    int p = to instanceof Pair pair ? predicateOrNone(at, pair.second()) : -1;
    return new Meetings.Shuffle(at, mode, operands.result(at, first, B32), p, sources);
  }

  private Instruction vote(Opcode op) {
    Statement at = op.statement;
    Operands.count(at, 3);
    Type type = op.type();
    String kind = op.takeOneOf("all", "any", "uni", "ballot");
    boolean ballot = "ballot".equals(kind);
    if (kind == null || !op.take("sync") || !type.equals(ballot ? B32 : PREDICATE)) {
      throw at.fault("is not known to the emulator");
    }
    Operand to = at.operands().get(0);
    Operand of = at.operands().get(1);
    return new Predicates.Vote(
        at,
        kind,
        ballot ? operands.result(at, to, B32) : operands.predicate(at, to),
        operands.predicate(at, of),
        Operands.flip(of),
        operands.source(at, at.operands().get(2), B32));
  }

  private Instruction activeMask(Opcode op) {
    Statement at = op.statement;
    Operands.count(at, 1);
    if (!B32.equals(op.type())) {
      throw at.fault("is not known to the emulator");
    }
    return new Meetings.ActiveMask(at, operands.result(at, at.operands().get(0), B32));
  }

  private Instruction multiply(Opcode op) {
    Statement at = op.statement;
    Mma.Multiplicand type;
    if (op.takeAll("sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32")) {
      type = Mma.Multiplicand.TF32;
    } else if (op.takeAll("sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32")) {
      type = Mma.Multiplicand.BF16;
    } else if (op.takeAll("sync.aligned.m16n8k16.row.col.f32.f16.f16.f32")) {
      type = Mma.Multiplicand.F16;
    } else {
      throw at.fault("is not known to the emulator");
    }
    op.requireTarget(80);
    Operands.count(at, 4);
    int[] d =
        fragment(at, 0, 4).stream().mapToInt(item -> operands.result(at, item, F32)).toArray();
    int[] a = sources(at, fragment(at, 1, 4), B32);
    int[] b = sources(at, fragment(at, 2, 2), B32);
    return new Mma(at, type, d, a, b, sources(at, fragment(at, 3, 4), F32));
  }

  /** The items in the braces of operand {@code i}. */
  private static List<Operand> fragment(Statement at, int i, int registers) {
    if (at.operands().get(i) instanceof Statement.Vector vector
        && vector.items().size() == registers) {
      return vector.items();
    }
    throw at.fault("has an operand " + (i + 1) + " that is not {" + registers + " registers}");
  }

  private int[] sources(Statement at, List<Operand> items, Type type) {
    return items.stream().mapToInt(item -> operands.source(at, item, type)).toArray();
  }
}
