package mlpcuda.compute.cuda.ptx.decode;

import java.util.List;
import mlpcuda.compute.cuda.ptx.arithmetic.Comparisons;
import mlpcuda.compute.cuda.ptx.arithmetic.FloatOperations;
import mlpcuda.compute.cuda.ptx.execute.Predicates;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Statement.Number;
import mlpcuda.compute.cuda.ptx.parse.Statement.Operand;
import mlpcuda.compute.cuda.ptx.parse.Statement.Pair;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Makes instructions of statements that compute predicates. */
final class PredicateDecoder {
  private static final Type B32 = Type.of("b32");
  private static final Type PREDICATE = Type.of("pred");

  private final Operands operands;

  PredicateDecoder(Operands operands) {
    this.operands = operands;
  }

  Instruction move(Opcode op) {
    Statement at = op.statement;
    op.type();
    Operands.count(at, 2);
    int d = operands.predicate(at, at.operands().get(0));
    Operand from = at.operands().get(1);
    if (from instanceof Number number) {
      int value = number.bits() == 0 ? 0 : -1;
      return new Predicates.Combine(at, (a, b) -> value, d, d, d);
    }
    int a = operands.predicate(at, from);
    int flip = Operands.flip(from);
    return new Predicates.Combine(at, (x, y) -> x ^ flip, d, a, a);
  }

  Instruction combine(Opcode op) {
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

  Instruction compare(Opcode op) {
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
      return new int[] {
        operands.predicateOrNone(at, pair.first()), operands.predicateOrNone(at, pair.second())
      };
    }
    return new int[] {operands.predicate(at, operand), -1};
  }

  Instruction test(Opcode op) {
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

  Instruction vote(Opcode op) {
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
}
