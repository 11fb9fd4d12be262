package mlpcuda.compute.cuda.ptx.machine;

import java.util.List;
import java.util.Map;
import mlpcuda.compute.cuda.ptx.parse.LaunchBounds;

/**
 * A decoded entry.
 *
 * @param parameters the parameters' types, a letter each as in {@code Arguments.types()}
 * @param structures the bytes of each parameter that is a structure, by its index
 * @param blockEnds the last instruction of the basic block that starts at each instruction
 */
public record Program(
    String name,
    String parameters,
    Map<Integer, Integer> structures,
    LaunchBounds bounds,
    SharedMemory shared,
    Registers registers,
    Instruction[] code,
    int[] blockEnds) {

  /**
   * The shared memory of a block.
   *
   * @param bytes the bytes of the emulated memory before the dynamic part, gaps included
   * @param gaps the first and end byte of each gap between variables
   * @param staticBytes the bytes of the variables on a device, where there are no gaps
   */
  public record SharedMemory(int bytes, List<int[]> gaps, int staticBytes) {}
}
