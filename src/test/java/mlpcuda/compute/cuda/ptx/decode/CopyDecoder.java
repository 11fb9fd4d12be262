package mlpcuda.compute.cuda.ptx.decode;

import mlpcuda.compute.cuda.ptx.execute.Copies;
import mlpcuda.compute.cuda.ptx.execute.LoadMatrix;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Statement.Number;
import mlpcuda.compute.cuda.ptx.parse.Statement.Operand;
import mlpcuda.compute.cuda.ptx.parse.Statement.Vector;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Makes instructions of asynchronous copies and of loads of matrices. */
final class CopyDecoder {
  private static final Type B32 = Type.of("b32");
  private static final Type U32 = Type.of("u32");

  private final Operands operands;

  CopyDecoder(Operands operands) {
    this.operands = operands;
  }

  /** Decodes cp.async, its commit_group, its wait_group and its wait_all. */
  Instruction copy(Opcode op) {
    Statement at = op.statement;
    if (!op.take("async")) {
      throw at.fault("is not known to the emulator");
    }
    op.requireTarget(80);
    if (op.take("commit_group")) {
      Operands.count(at, 0);
      return new Copies.Commit(at);
    }
    if (op.take("wait_all")) {
      Operands.count(at, 0);
      return Copies.Wait.forAll(at);
    }
    if (op.take("wait_group")) {
      Operands.count(at, 1);
      return Copies.Wait.forGroups(at, number(at, at.operands().get(0)));
    }
    return toShared(op);
  }

  private Instruction toShared(Opcode op) {
    Statement at = op.statement;
    String cache = op.takeOneOf("ca", "cg");
    boolean known = cache != null & MemoryDecoder.takeShared(op) & op.take("global");
    op.takeOneOf("L2::64B", "L2::128B", "L2::256B"); // prefetches change nothing here
    int sources = at.operands().size();
    if (!known || sources < 3 || sources > 4) {
      throw at.fault("is not known to the emulator");
    }
    int bytes = number(at, at.operands().get(2));
    if (bytes != 16 && (cache.equals("cg") || bytes != 8 && bytes != 4)) {
      throw at.fault("copies " + bytes + " bytes, where .ca copies 4, 8 or 16 and .cg 16");
    }
    return new Copies.Copying(
        at,
        operands.address(at, at.operands().get(0)),
        operands.address(at, at.operands().get(1)),
        bytes,
        sources == 3 ? -1 : operands.source(at, at.operands().get(3), U32));
  }

  private static int number(Statement at, Operand operand) {
    if (operand instanceof Number number && number.kind() == 'i' && number.bits() >= 0) {
      return (int) Math.min(number.bits(), Integer.MAX_VALUE);
    }
    throw at.fault("has an operand that is no whole number");
  }

  /** Decodes ldmatrix; {@code target} is the module's. */
  Instruction loadMatrix(Opcode op, int target) {
    Statement at = op.statement;
    op.requireTarget(75);
    String count = op.takeOneOf("x1", "x2", "x4");
    boolean transposed = op.take("trans");
    boolean known = count != null & MemoryDecoder.takeShared(op);
    if (!known || !op.takeAll("sync.aligned.m8n8.b16")) {
      throw at.fault("is not known to the emulator");
    }
    Operands.count(at, 2);
    int matrices = count.charAt(1) - '0';
    if (!(at.operands().get(0) instanceof Vector to) || to.items().size() != matrices) {
      throw at.fault("has a result that is not {" + matrices + " registers}");
    }
    int[] slots = to.items().stream().mapToInt(item -> operands.result(at, item, B32)).toArray();
    return new LoadMatrix(
        at, operands.address(at, at.operands().get(1)), slots, transposed, target < 80);
  }
}
