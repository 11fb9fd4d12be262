package mlpcuda.compute.cuda.ptx.decode;

import java.util.List;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.arithmetic.Operation;
import mlpcuda.compute.cuda.ptx.execute.Compute;
import mlpcuda.compute.cuda.ptx.execute.Mma;
import mlpcuda.compute.cuda.ptx.execute.Moves;
import mlpcuda.compute.cuda.ptx.execute.Predicates;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Statement.Operand;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Makes instructions of statements that compute registers from registers. */
final class RegisterDecoder {
  private static final Type B32 = Type.of("b32");
  private static final Type F32 = Type.of("f32");

  private final Operands operands;

  RegisterDecoder(Operands operands) {
    this.operands = operands;
  }

  Instruction compute(Opcode op) {
    Statement at = op.statement;
    Operation operation = Operation.find(op);
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
          operation.takesWider()
              ? operands.widerSource(at, operand, type)
              : operands.source(at, operand, type);
    }
    for (int i = sources; i < 3; i++) {
      from[i] = from[0];
    }
    Operand result = at.operands().get(0);
    int to =
        operation.takesWider()
            ? operands.widerResult(at, result, operation.result())
            : operands.result(at, result, operation.result());
    return new Compute(at, operation.lanes(), to, from[0], from[1], from[2]);
  }

  Instruction move(Opcode op) {
    Statement at = op.statement;
    Type type = op.type();
    Operands.count(at, 2);
    Operand to = at.operands().get(0);
    Operand from = at.operands().get(1);
    if (type.bits() < 16) {
      throw at.fault("is not known to the emulator");
    }
    if (from instanceof Statement.Vector parts) {
      Type part = part(at, type, parts);
      int[] slots = operands.sources(at, parts.items(), part);
      return new Moves.Pack(at, operands.result(at, to, type), slots, part.bits());
    }
    if (to instanceof Statement.Vector parts) {
      Type part = part(at, type, parts);
      int[] slots =
          parts.items().stream().mapToInt(item -> operands.resultOrNone(at, item, part)).toArray();
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

  Instruction select(Opcode op) {
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

  Instruction selectBySign(Opcode op) {
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

  Instruction multiply(Opcode op) {
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
    int[] a = operands.sources(at, fragment(at, 1, 4), B32);
    int[] b = operands.sources(at, fragment(at, 2, 2), B32);
    return new Mma(at, type, d, a, b, operands.sources(at, fragment(at, 3, 4), F32));
  }

  /** The items in the braces of operand {@code i}. */
  private static List<Operand> fragment(Statement at, int i, int registers) {
    if (at.operands().get(i) instanceof Statement.Vector vector
        && vector.items().size() == registers) {
      return vector.items();
    }
    throw at.fault("has an operand " + (i + 1) + " that is not {" + registers + " registers}");
  }
}
