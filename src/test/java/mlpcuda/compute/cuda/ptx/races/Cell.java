package mlpcuda.compute.cuda.ptx.races;

/**
 * A unit of global memory with strong accesses: atomic operations, and loads and stores that are
 * volatile, relaxed, acquire or release. They do not race with each other unless one of them is for
 * threads of its own block alone (.cta) and the other of another block.
 */
final class Cell {
  /** Accesses for all threads of the device. */
  final AccessSet reads;

  final AccessSet writes;

  /** Accesses of scope .cta. */
  final AccessSet readsInBlock;

  final AccessSet writesInBlock;

  /** The clock that its value carries to those who acquire it; null if it carries none. */
  int[] released;

  /** The clock that its value carries to threads of {@link #block}; null if it carries none. */
  int[] releasedInBlock;

  /** The block that wrote it last; −1 if none did. */
  int block = -1;

  Cell(Causality order) {
    reads = new AccessSet(order);
    writes = new AccessSet(order);
    readsInBlock = new AccessSet(order);
    writesInBlock = new AccessSet(order);
  }
}
