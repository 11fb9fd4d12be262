package mlpcuda.compute.cuda.ptx;

import java.util.List;

/** What an opcode computes from registers, and the types of its operands. */
record Operation(Lanes lanes, Type result, List<Type> sources) {
  static Operation of(Lanes lanes, Type result, Type... sources) {
    return new Operation(lanes, result, List.of(sources));
  }
}
