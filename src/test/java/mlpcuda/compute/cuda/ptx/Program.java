package mlpcuda.compute.cuda.ptx;

import java.util.List;

/**
 * A decoded entry.
 *
 * @param parameters the parameters' types, a letter each as in {@code Arguments.types()}
 * @param blockEnds the last instruction of the basic block that starts at each instruction
 */
record Program(
    String name,
    String parameters,
    Bounds bounds,
    SharedMemory shared,
    Registers registers,
    Instruction[] code,
    int[] blockEnds) {

  /**
   * What an entry says of its launches.
   *
   * @param maxThreads the most threads of a block (.maxntid)
   * @param requiredThreads the x, y, z that a block must have (.reqntid); null if it has a choice
   * @param minBlocks the blocks that a multiprocessor must have room for (.minnctapersm), at least
   *     1
   * @param maxRegisters the most registers of a thread (.maxnreg); 0 if it does not say
   */
  record Bounds(int maxThreads, int[] requiredThreads, int minBlocks, int maxRegisters) {}

  /**
   * The shared memory of a block.
   *
   * @param bytes the bytes of the emulated memory before the dynamic part, gaps included
   * @param gaps the first and end byte of each gap between variables
   * @param staticBytes the bytes of the variables on a device, where there are no gaps
   */
  record SharedMemory(int bytes, List<int[]> gaps, int staticBytes) {}
}
