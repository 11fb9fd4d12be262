package mlpcuda.compute.cuda;

import mlpcuda.compute.FusedStep.Layer;
import mlpcuda.compute.FusedStep.Plan;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cuda.Tiling.Tiles;

/**
 * The table of layers that the kernels of module fused take as a parameter: FusedLayers of
 * cuda/fused.cuh. It says where each layer's values lie in the arena of activations, and which
 * blocks of the update have its weights and biases.
 *
 * @param words the table, {@link #COLUMNS} ints for each layer
 * @param arenaLength the number of floats of the arena: for each layer its outputs, those outputs
 *     after dropout if it has dropout, and the gradient before its activation
 * @param updateBlocks the number of blocks of the update
 */
record FusedTable(int[] words, int arenaLength, int updateBlocks) {
  /** The most outputs of a layer: HEAD_WIDTH of cuda/fused.cuh. */
  static final int WIDEST = 1024;

  /** The most layers: the length of FusedLayers in cuda/fused.cuh. */
  static final int MOST_LAYERS = 32;

  /** The tiles into which the update divides each layer's weights. */
  private static final Tiles TILES = Tiles.SMALL;

  /** The ints that describe a layer, in the order of FusedLayer in cuda/fused.cuh. */
  private static final int COLUMNS = 13;

  /**
   * Lays the layers out.
   *
   * @throws IllegalArgumentException if the arena has more elements than an int can count
   */
  static FusedTable of(Plan plan) {
    int maxB = plan.maxB();
    int[] words = new int[MOST_LAYERS * COLUMNS];
    long end = 0; // elements of the arena so far
    int tile = 0;
    int in = 0;
    int at = 0;
    for (Layer layer : plan.layers()) {
      float rate = layer.dropout();
      long size = (long) maxB * layer.outputs();
      int out = (int) end;
      end += size;
      int kept = rate > 0 ? (int) end : out;
      end += rate > 0 ? size : 0;
      int dz = (int) end;
      end += size;
      if (end > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "a batch of %d is too large for a fused step of %s".formatted(maxB, plan.layers()));
      }
      int[] row = {
        layer.inputs(),
        layer.outputs(),
        layer.weight(),
        layer.bias(),
        in,
        out,
        kept,
        dz,
        layer.activation().ordinal(),
        Float.floatToRawIntBits(rate),
        Float.floatToRawIntBits(Ops.dropoutScale(rate)),
        tile,
        0 // the first block with biases, which come after all weights: see below
      };
      System.arraycopy(row, 0, words, at, COLUMNS);
      at += COLUMNS;
      in = kept;
      tile += Math.toIntExact(TILES.count(layer.outputs(), layer.inputs()));
    }
    int block = tile;
    for (int l = 0; l < plan.layers().size(); l++) {
      words[(l + 1) * COLUMNS - 1] = block;
      block += (plan.layers().get(l).outputs() - 1) / KernelModule.WARP + 1;
    }
    return new FusedTable(words, (int) end, block + 1); // one block more writes the log
  }
}
