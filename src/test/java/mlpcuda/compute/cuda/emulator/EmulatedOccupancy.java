package mlpcuda.compute.cuda.emulator;

import mlpcuda.compute.cuda.ptx.module.PtxModule;

/**
 * The limits of a multiprocessor's occupancy, from the CUDA C++ programming guide ("Compute
 * Capabilities").
 *
 * @param threads the most threads
 * @param blocks the most blocks
 * @param shared the bytes of its shared memory
 * @param blockShared the most bytes of shared memory that a block may ask for
 * @param reserved the bytes of shared memory that the system takes for each block
 */
record EmulatedOccupancy(int threads, int blocks, int shared, int blockShared, int reserved) {
  private static final int REGISTERS = 65536;
  private static final int THREAD_REGISTERS = 255;
  private static final int WARP = 32;

  /** Registers are given to a warp in pieces of this size. */
  private static final int PIECE = 256;

  /** The limits on devices of compute capability {@code major}; 7 stands for 7.5, others for .0. */
  static EmulatedOccupancy of(int major) {
    return switch (major) {
      case 7 -> new EmulatedOccupancy(1024, 16, 64 << 10, 64 << 10, 0);
      case 8 -> new EmulatedOccupancy(2048, 32, 164 << 10, 163 << 10, 1 << 10);
      default -> new EmulatedOccupancy(2048, 32, 228 << 10, 227 << 10, 1 << 10);
    };
  }

  /**
   * The blocks that a multiprocessor holds at once. A thread counts with as many registers as the
   * compiler may give it: a real kernel may need fewer, so that more blocks of it are resident.
   */
  int blocks(PtxModule.Resources needs, int blockThreads, int sharedBytes) {
    int sharedOfBlock = needs.staticShared() + sharedBytes;
    if (blockThreads < 1 || blockThreads > needs.maxThreads() || sharedOfBlock > blockShared) {
      return 0;
    }
    int warps = (blockThreads + WARP - 1) / WARP;
    int most = Math.min(blocks, threads / (warps * WARP));
    most = Math.min(most, REGISTERS / (warps * registersOfWarp(needs)));
    int taken = sharedOfBlock + reserved;
    return taken == 0 ? most : Math.min(most, shared / taken);
  }

  private static int registersOfWarp(PtxModule.Resources needs) {
    int warpsAtOnce = (needs.maxThreads() + WARP - 1) / WARP * needs.minBlocks();
    // Rounded down to whole pieces, as the blocks must fit that the entry is compiled for.
    int allowed = REGISTERS / warpsAtOnce / PIECE * PIECE;
    int most = needs.maxRegisters() > 0 ? needs.maxRegisters() : THREAD_REGISTERS;
    return Math.min(allowed, (most * WARP + PIECE - 1) / PIECE * PIECE);
  }
}
