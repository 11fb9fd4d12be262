package mlpcuda.compute.cuda.ptx.parse;

import java.util.List;

/**
 * What an entry says of its launches.
 *
 * @param maxThreads the most threads of a block (.maxntid)
 * @param requiredThreads the x, y, z that a block must have (.reqntid); null if it has a choice
 * @param minBlocks the blocks that must fit on a multiprocessor (.minnctapersm), at least 1
 * @param maxRegisters the most registers of a thread (.maxnreg); 0 if it does not say
 */
public record LaunchBounds(int maxThreads, int[] requiredThreads, int minBlocks, int maxRegisters) {
  static final LaunchBounds NONE = new LaunchBounds(1024, null, 1, 0);

  LaunchBounds withMaxThreads(List<Integer> sizes) {
    int[] all = threeOf(sizes);
    return new LaunchBounds(all[0] * all[1] * all[2], requiredThreads, minBlocks, maxRegisters);
  }

  LaunchBounds withRequiredThreads(List<Integer> sizes) {
    return new LaunchBounds(maxThreads, threeOf(sizes), minBlocks, maxRegisters);
  }

  LaunchBounds withMinBlocks(int blocks) {
    return new LaunchBounds(maxThreads, requiredThreads, Math.max(1, blocks), maxRegisters);
  }

  LaunchBounds withMaxRegisters(int registers) {
    return new LaunchBounds(maxThreads, requiredThreads, minBlocks, registers);
  }

  private static int[] threeOf(List<Integer> sizes) {
    int[] all = {1, 1, 1};
    for (int i = 0; i < sizes.size(); i++) {
      all[i] = sizes.get(i);
    }
    return all;
  }
}
