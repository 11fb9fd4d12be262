package mlpcuda.compute.cuda.ptx;

import java.util.List;
import java.util.Map;

/**
 * A decoded entry.
 *
 * @param parameters the parameters' types, a letter each as in {@code Arguments.types()}
 * @param structures the bytes of each parameter that is a structure, by its index
 * @param maxThreads the most threads of a block (.maxntid)
 * @param requiredThreads the x, y, z that a block must have (.reqntid); null if it has a choice
 * @param sharedBytes the bytes of shared memory of a block, gaps included
 * @param sharedGaps the first and end byte of each gap between variables in shared memory
 * @param blockEnds the last instruction of the basic block that starts at each instruction
 */
record Program(
    String name,
    String parameters,
    Map<Integer, Integer> structures,
    int maxThreads,
    int[] requiredThreads,
    int sharedBytes,
    List<int[]> sharedGaps,
    Registers registers,
    Instruction[] code,
    int[] blockEnds) {}
