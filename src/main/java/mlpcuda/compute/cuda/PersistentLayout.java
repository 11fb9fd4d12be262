package mlpcuda.compute.cuda;

import java.util.List;
import java.util.Optional;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.FusedStep.Layer;
import mlpcuda.compute.FusedStep.Plan;
import mlpcuda.compute.cuda.GpuProperties.Multiprocessors;

/**
 * The division of a network among the blocks of a persistent launch: each block has, in its shared
 * memory, a tile of the first layer's weights, which is some groups of outputs by a slice of the
 * inputs.
 *
 * @param plan the network and its batch
 * @param device the multiprocessors of the GPU, each of which runs one block at a time
 * @param slices the number of slices of the inputs
 * @param quads the number of inputs of a slice, in quads of 4; the last slice may have fewer
 * @param across the blocks that share a slice: each owns every across-th group of outputs
 */
record PersistentLayout(Plan plan, Multiprocessors device, int slices, int quads, int across) {
  /** The threads of a block: PERSISTENT_THREADS of cuda/persistent_input.cuh. */
  static final int THREADS = 256;

  /** The outputs that a block computes together: GROUP of cuda/persistent_input.cuh. */
  private static final int GROUP = 8;

  /** The least number of rows of a batch that lie in shared memory at once: a power of two. */
  private static final int LEAST_CHUNK = 16;

  /** The largest number of rows of a batch that lie in shared memory at once: a power of two. */
  private static final int MOST_CHUNK = 256;

  /**
   * The most slices, unless a slice would be too long for a block: each output of the first layer
   * is added up from as many parts as there are slices.
   */
  private static final int MOST_SLICES = 16;

  /** The bytes of static shared memory of the kernel, rounded up. */
  private static final int FIXED_BYTES = 1024;

  /** The number of ints that describe a layer: COLUMNS of PersistentKernels. */
  private static final int COLUMNS = 14;

  /** Divides the first layer's weights among multiprocessors. */
  static PersistentLayout of(Plan plan, Multiprocessors device) {
    int multiprocessors = device.count();
    Layer first = plan.first();
    int all = ceil(first.inputs(), 4);
    int least = ceil(all, THREADS); // each thread has one quad
    int across = Math.min(width(first) / GROUP, Math.max(1, multiprocessors / least));
    int slices = Math.max(least, Math.min(MOST_SLICES, multiprocessors / across));
    int quads = ceil(all, slices);
    return new PersistentLayout(plan, device, ceil(all, quads), quads, across);
  }

  private static int ceil(int n, int size) {
    return (n - 1) / size + 1;
  }

  /** The number of outputs of a layer, rounded up to whole groups. */
  static int width(Layer layer) {
    return ceil(layer.outputs(), GROUP) * GROUP;
  }

  /** The number of items of a layer's update: biases, and weights if it is not the first layer. */
  static int items(Layer layer, boolean first) {
    int biases = ceil(layer.outputs(), 32);
    return first ? biases : biases + ceil(layer.outputs(), 4) * ceil(layer.inputs(), 32);
  }

  /** The number of blocks for batches of {@code B}: every block has some work. */
  int blocks(int B) {
    List<Layer> layers = plan.layers();
    long items = layers.stream().mapToLong(layer -> items(layer, layer == layers.get(0))).sum();
    return (int) Math.min(device.count(), Math.max(across * slices, Math.max(B, items)));
  }

  /**
   * The shared memory of a block.
   *
   * @param chunk the number of rows of images that lie there at once
   * @param copies whether the other layers' weights have a copy there
   * @param bytes the size in bytes
   */
  record Memory(int chunk, boolean copies, int bytes) {}

  /** Whether the largest batch fits into the device. */
  boolean fits() {
    return inputs() <= mostInputs() && memory(plan.maxB()).isPresent();
  }

  /** The number of the network's inputs. */
  int inputs() {
    return plan.first().inputs();
  }

  /** The most inputs for this GPU: a thread has 4, and each multiprocessor has one block. */
  int mostInputs() {
    return 4 * THREADS * device.count();
  }

  /** The least shared memory, in bytes, that a block needs for the largest batch. */
  long leastBytes() {
    return bytes(plan.maxB(), LEAST_CHUNK, false) + FIXED_BYTES;
  }

  /**
   * The memory for batches of {@code B}, with as many rows at once as fit; empty if the fewest do
   * not fit.
   */
  Optional<Memory> memory(int B) {
    int chunk = MOST_CHUNK;
    while (chunk / 2 >= Math.max(B, LEAST_CHUNK)) {
      chunk /= 2;
    }
    for (; chunk >= LEAST_CHUNK; chunk /= 2) {
      for (boolean copies : new boolean[] {true, false}) {
        long bytes = bytes(B, chunk, copies);
        if (bytes <= device.sharedBytes() - FIXED_BYTES) {
          return Optional.of(new Memory(chunk, copies, (int) bytes));
        }
      }
    }
    return Optional.empty();
  }

  /** The size in bytes of the arrays of {@code op::Held} in cuda/persistent.cuh, in their order. */
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
