package mlpcuda.compute.cuda.ptx;

import java.util.List;

/** An operation that computes a register from others, with the types of its operands. */
record Operation(Lanes lanes, Type result, List<Type> sources) {
  static Operation of(Lanes lanes, Type result, Type... sources) {
    return new Operation(lanes, result, List.of(sources));
  }
}
