package mlpcuda.compute.cuda.ptx.decode;

import mlpcuda.compute.cuda.ptx.execute.Branches;
import mlpcuda.compute.cuda.ptx.execute.Meetings;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Statement.Name;
import mlpcuda.compute.cuda.ptx.parse.Statement.Number;
import mlpcuda.compute.cuda.ptx.parse.Statement.Operand;
import mlpcuda.compute.cuda.ptx.parse.Statement.Pair;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Makes instructions of branches, barriers and what the lanes of a warp do together. */
final class ControlDecoder {
  private static final Type B32 = Type.of("b32");

  private final EntryDecoder entry;
  private final Operands operands;

  ControlDecoder(EntryDecoder entry, Operands operands) {
    this.entry = entry;
    this.operands = operands;
  }

  // ---- control ----

  Instruction branch(Opcode op) {
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

  Instruction branchByIndex(Opcode op) {
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

  Instruction barrier(Opcode op) {
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

  Instruction shuffle(Opcode op) {
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
    int p = to instanceof Pair pair ? operands.predicateOrNone(at, pair.second()) : -1;
    return new Meetings.Shuffle(at, mode, operands.result(at, first, B32), p, sources);
  }

  Instruction activeMask(Opcode op) {
    Statement at = op.statement;
    Operands.count(at, 1);
    if (!B32.equals(op.type())) {
      throw at.fault("is not known to the emulator");
    }
    return new Meetings.ActiveMask(at, operands.result(at, at.operands().get(0), B32));
  }
}
