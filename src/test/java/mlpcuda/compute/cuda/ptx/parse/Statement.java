package mlpcuda.compute.cuda.ptx.parse;

import java.util.List;
import mlpcuda.compute.cuda.ptx.Fault;

/**
 * An instruction as it is written.
 *
 * @param guard the predicate register after the @; null if there is none
 * @param negated whether the guard has a ! before it
 */
public record Statement(
    String module,
    int line,
    String text,
    String guard,
    boolean negated,
    String opcode,
    List<Operand> operands) {

  /** An operand as it is written. */
  public sealed interface Operand {}

  /** A register, a special register, a label or a variable; {@code negated} by a !. */
  public record Name(String name, boolean negated) implements Operand {}

  /** A number: its bits, and i, f or d for an integer, 0f… or 0d…. */
  public record Number(long bits, char kind) implements Operand {}

  /** [base + offset]; base is null for an absolute address. */
  public record Address(String base, long offset) implements Operand {}

  /** {a, b, …}. */
  public record Vector(List<Operand> items) implements Operand {}

  /** a|b: two results. */
  public record Pair(Operand first, Operand second) implements Operand {}

  public Fault fault(String what) {
    return new Fault(module + ", line " + line + ": " + text + " " + what);
  }
}
