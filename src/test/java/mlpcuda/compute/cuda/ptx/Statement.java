package mlpcuda.compute.cuda.ptx;

import java.util.List;

/**
 * An instruction as it is written.
 *
 * @param guard the predicate register after the @; null if there is none
 * @param negated whether the guard has a ! before it
 */
record Statement(
    String module,
    int line,
    String text,
    String guard,
    boolean negated,
    String opcode,
    List<Operand> operands) {

  /** An operand as it is written. */
  sealed interface Operand {}

  /** A register, a special register, a label or a variable; {@code negated} by a !. */
  record Name(String name, boolean negated) implements Operand {}

  /** A number: its bits, and i, f or d for an integer, 0f… or 0d…. */
  record Number(long bits, char kind) implements Operand {}

  /** [base + offset]; base is null for an absolute address. */
  record Address(String base, long offset) implements Operand {}

  /** {a, b, …}. */
  record Vector(List<Operand> items) implements Operand {}

  /** a|b: two results. */
  record Pair(Operand first, Operand second) implements Operand {}

  Fault fault(String what) {
    return new Fault(module + ", line " + line + ": " + text + " " + what);
  }
}
