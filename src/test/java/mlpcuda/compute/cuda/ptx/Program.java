package mlpcuda.compute.cuda.ptx;

import java.util.List;

/**
 * An entry, decoded.
 *
 * @param parameters a letter for each as in {@code Arguments.types()}
 * @param maxThreads how many threads a block may have (.maxntid)
 * @param requiredThreads how many x, y, z a block must have (.reqntid), null without
 * @param sharedBytes of shared memory of a block, gaps included
 * @param sharedGaps first and end byte of each gap between variables in shared memory
 * @param blockEnds where each basic block that starts at an instruction ends: its last instruction
 */
record Program(
    String name,
    String parameters,
    int maxThreads,
    int[] requiredThreads,
    int sharedBytes,
    List<int[]> sharedGaps,
    Registers registers,
    Instruction[] code,
    int[] blockEnds) {}
