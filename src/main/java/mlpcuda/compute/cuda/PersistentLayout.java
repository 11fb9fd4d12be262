package mlpcuda.compute.cuda;

import java.util.List;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.FusedStep.Layer;
import mlpcuda.compute.FusedStep.Plan;

/**
 * What the blocks of a persistent launch take of the network: a block owns a tile of the first
 * layer's weights, some groups of outputs by a slice of the inputs, in its shared memory.
 *
 * @param plan the network and its batch
 * @param multiprocessors the number of multiprocessors: so many blocks run at once
 * @param sharedBytes the shared memory that a block may have
 * @param slices the number of slices of the inputs
 * @param quads the inputs of a slice, in quads of 4; the last slice may have fewer
 * @param across the blocks that share a slice: each owns every across-th group of outputs
 */
record PersistentLayout(
    Plan plan, int multiprocessors, int sharedBytes, int slices, int quads, int across) {
  /** The threads of a block: PERSISTENT_THREADS of cuda/persistent_input.cuh. */
  static final int THREADS = 256;

  /** The outputs that a block computes together: GROUP of cuda/persistent_input.cuh. */
  private static final int GROUP = 8;

  /** The rows of a batch that lie in shared memory at once are a power of two between these. */
  private static final int LEAST_CHUNK = 16;

  private static final int MOST_CHUNK = 256;

  /** The most slices, unless a slice would be too long: a head adds up as many parts of sums. */
  private static final int MOST_SLICES = 16;

  /** Shared memory that the kernel has besides what is asked for, rounded up. */
  private static final int FIXED_BYTES = 1024;

  /** The floats of a table's row, COLUMNS of PersistentKernels. */
  private static final int COLUMNS = 14;

  /** Divides the first layer's weights among that many multiprocessors. */
  static PersistentLayout of(Plan plan, int multiprocessors, int sharedBytes) {
    Layer first = plan.first();
    int all = ceil(first.inputs(), 4);
    int least = ceil(all, THREADS); // a thread has a quad
    int across = Math.min(width(first) / GROUP, Math.max(1, multiprocessors / least));
    int slices = Math.max(least, Math.min(MOST_SLICES, multiprocessors / across));
    int quads = ceil(all, slices);
    return new PersistentLayout(
        plan, multiprocessors, sharedBytes, ceil(all, quads), quads, across);
  }

  private static int ceil(int n, int size) {
    return (n - 1) / size + 1;
  }

  /** The outputs of a layer, with zeros up to a whole group. */
  static int width(Layer layer) {
    return ceil(layer.outputs(), GROUP) * GROUP;
  }

  /** The items of a layer's update: its biases, and its weights too if it is not the first. */
  static int items(Layer layer, boolean first) {
    int biases = ceil(layer.outputs(), 32);
    return first ? biases : biases + ceil(layer.outputs(), 4) * ceil(layer.inputs(), 32);
  }

  /** The number of blocks for batches of {@code B}: no more than have something to do. */
  int blocks(int B) {
    List<Layer> layers = plan.layers();
    long items = layers.stream().mapToLong(layer -> items(layer, layer == layers.get(0))).sum();
    return (int) Math.min(multiprocessors, Math.max(across * slices, Math.max(B, items)));
  }

  /**
   * The shared memory of a block.
   *
   * @param chunk the rows of images that lie there at once
   * @param copies whether there is a copy of the other layers' weights
   * @param bytes the size of the shared memory in bytes
   */
  record Memory(int chunk, boolean copies, int bytes) {}

  /** Whether the largest batch fits into the device. */
  boolean fits() {
    return inputs() <= mostInputs() && memory(plan.maxB()) != null;
  }

  /** The number of the network's inputs. */
  int inputs() {
    return plan.first().inputs();
  }

  /** The most inputs that a device may be given: a thread has 4, and a multiprocessor a block. */
  int mostInputs() {
    return 4 * THREADS * multiprocessors;
  }

  /** The least shared memory that the largest batch takes of a block, in bytes. */
  long leastBytes() {
    return bytes(plan.maxB(), LEAST_CHUNK, false) + FIXED_BYTES;
  }

  /** The memory for batches of {@code B}, as much of them at once as there is room for; or null. */
  Memory memory(int B) {
    int chunk = MOST_CHUNK;
    while (chunk / 2 >= Math.max(B, LEAST_CHUNK)) {
      chunk /= 2;
    }
    for (; chunk >= LEAST_CHUNK; chunk /= 2) {
      for (boolean copies : new boolean[] {true, false}) {
        long bytes = bytes(B, chunk, copies);
        if (bytes <= sharedBytes - FIXED_BYTES) {
          return new Memory(chunk, copies, (int) bytes);
        }
      }
    }
    return null;
  }

  /** The sum of what {@code op::Held} of cuda/persistent.cuh has, in its order. */
  private long bytes(int B, int chunk, boolean copies) {
    Layer first = plan.first();
    long stride = (4 * quads + 27) / 32 * 32 + 4;
    int arrays = plan.optimizer() instanceof AdamSettings ? 3 : 2;
    long tile = ceil(width(first) / GROUP, across) * GROUP * stride;
    long images = chunk * (stride + GROUP);
    long table = ceil(2 * B + COLUMNS * plan.layers().size(), 4) * 4L;
    long row = 0;
    for (Layer layer : plan.layers()) {
      row += width(layer) * (layer.dropout() > 0 ? 3L : 2L);
    }
    long copy = copies ? plan.arenas().w().length() - first.bias() : 0;
    long gradients = THREADS / quads * quads * GROUP * 4 + 4 * THREADS;
    return Float.BYTES * (arrays * tile + images + table + Math.max(gradients, row + copy));
  }
}
