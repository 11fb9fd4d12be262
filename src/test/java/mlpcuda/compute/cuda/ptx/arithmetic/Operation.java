package mlpcuda.compute.cuda.ptx.arithmetic;

import java.util.List;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Type;

/**
 * An operation that computes a register from others.
 *
 * @param lanes computes it
 * @param result the type of the result
 * @param sources the types of the registers
 * @param takesWider whether registers may be wider than their types, as those of cvt
 */
public record Operation(Lanes lanes, Type result, List<Type> sources, boolean takesWider) {
  static Operation of(Lanes lanes, Type result, Type... sources) {
    return new Operation(lanes, result, List.of(sources), false);
  }

  /** The operation of the opcode; null if none is known. */
  public static Operation find(Opcode op) {
    Operation found = IntegerOperations.find(op);
    found = found == null ? BitOperations.find(op) : found;
    found = found == null ? FloatOperations.find(op) : found;
    found = found == null ? DoubleOperations.find(op) : found;
    found = found == null ? NarrowFloats.find(op) : found;
    return found == null ? Conversions.find(op) : found;
  }
}
