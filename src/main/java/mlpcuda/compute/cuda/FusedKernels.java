package mlpcuda.compute.cuda;

import java.util.function.IntFunction;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Feed;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Owned;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.Tiling.Tiles;
import mlpcuda.random.Philox;

/**
 * The training step of module fused: three launches, whatever the number of layers. No layer may
 * have more outputs than {@link FusedStep#WIDEST}, HEAD_WIDTH of cuda/fused.cuh, and there may be
 * {@link FusedStep#MOST_LAYERS} layers, those of its structure FusedLayers.
 */
final class FusedKernels implements FusedStep {
  /** The tiles into which the update divides each layer's weights. */
  private static final Tiles TILES = Tiles.SMALL;

  /** The rows of the batch that a block of fused_head takes. */
  private static final int HEAD_ROWS = 4;

  /** The ints that describe a layer in the table, in the order of cuda/fused.cuh. */
  private static final int COLUMNS = 13;

  private final Owned owned = new Owned();
  private final Kernels kernels;
  private final Plan plan;
  private final int updateBlocks;
  private final Buffer arena; // for each layer: its outputs a, those after dropout, and dz
  private final int[] layers = new int[MOST_LAYERS * COLUMNS];
  private final Buffer losses; // (2, maxB)
  private final Buffer lost; // INT32, by block of fused_head: whether an operand is out of range
  private final Buffer y; // (maxB) INT32
  private final Buffer chosen; // (maxB) INT32: the number of each example's image
  private final Buffer step; // (1) INT32
  // the scalars of Adam's step, in the order of cuda/adam.cuh; null: the optimizer is not Adam
  private final Buffer scalars;
  private final int multiprocessors;

  /** The length of {@link #scalars}. */
  private static final int SCALARS = 8;

  /** Owns {@code kernels}, the module fused, from now on, and closes it. */
  FusedKernels(Ops ops, Kernels kernels, Plan plan, int multiprocessors) {
    this.kernels = owned.add(kernels);
    this.multiprocessors = multiprocessors;
    this.plan = plan;
    try {
      int maxB = plan.maxB();
      long end = 0; // elements of the arena so far
      int tile = 0;
      int in = 0;
      int at = 0;
      for (Layer layer : plan.layers()) {
        int I = layer.inputs();
        int O = layer.outputs();
        float rate = layer.dropout();
        int out = (int) end;
        end += (long) maxB * O;
        int kept = rate > 0 ? (int) end : out;
        end += rate > 0 ? (long) maxB * O : 0;
        int dz = (int) end;
        end += (long) maxB * O;
        if (end > Integer.MAX_VALUE) {
          throw new IllegalArgumentException(
              "a batch of %d is too large for a fused step of %s".formatted(maxB, plan.layers()));
        }
        int[] row = {
          I,
          O,
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
          0 // biases: below
        };
        System.arraycopy(row, 0, layers, at, COLUMNS);
        at += COLUMNS;
        in = kept;
        tile += Math.toIntExact(TILES.count(O, I));
      }
      int block = tile;
      for (int l = 0; l < plan.layers().size(); l++) {
        layers[(l + 1) * COLUMNS - 1] = block;
        block += (plan.layers().get(l).outputs() - 1) / Kernels.WARP + 1;
      }
      updateBlocks = block + 1; // one logs
      arena = owned.add(ops.allocate("activations", Type.FLOAT32, (int) end));
      losses = owned.add(ops.allocate("losses", Type.FLOAT32, 2 * maxB));
      lost = owned.add(ops.allocate("lost", Type.INT32, headBlocks(maxB)));
      y = owned.add(ops.allocate("y", Type.INT32, maxB));
      chosen = owned.add(ops.allocate("chosen", Type.INT32, maxB));
      step = owned.add(ops.allocate("step", Type.INT32, 1));
      scalars =
          plan.optimizer() instanceof AdamSettings
              ? owned.add(ops.allocate("scalars", Type.FLOAT32, SCALARS))
              : null;
    } catch (RuntimeException | Error e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  @Override
  public void run(IntFunction<Feed.Batch> batches, int B, int n) {
    for (int i = 0; i < n; i++) {
      Feed.Batch batch = batches.apply(i);
      input(batch, B);
      head(B);
      update(batch, B);
    }
  }

  private long place(Buffer buffer, int element) {
    return DeviceBuffer.address(buffer) + (long) Float.BYTES * element;
  }

  private void input(Feed.Batch batch, int B) {
    Layer layer = plan.layers().get(0);
    int O = layer.outputs();
    float rate = layer.dropout();
    var arguments = new Arguments();
    arguments.address(place(arena, 0)).address(rate > 0 ? place(arena, plan.maxB() * O) : 0);
    arguments.add(
        y, chosen, step, plan.rate(), scalars, batch.images(), batch.labels(), batch.rows());
    arguments.add(plan.position(), plan.rates(), plan.scaling());
    arguments.address(place(plan.w(), layer.weight()));
    arguments.address(place(plan.w(), layer.bias()));
    arguments.add("B", B).add("I", layer.inputs()).add("O", O);
    arguments.add("activation", layer.activation().ordinal()).add(plan.scale()).add(plan.shift());
    arguments
        .add(rate)
        .add(Ops.dropoutScale(rate))
        .add("use", Philox.Use.DROPOUT.ordinal())
        .add(plan.seed());
    boolean adam = plan.optimizer() instanceof AdamSettings;
    AdamSettings settings = adam ? (AdamSettings) plan.optimizer() : AdamSettings.DEFAULT; // unused
    arguments.add(settings.beta1()).add(settings.beta2()).add(settings.weightDecay());
    arguments.add("decoupled", settings.decoupled() ? 1 : 0);
    int I = layer.inputs();
    boolean quads =
        Tiling.readsQuads(DeviceBuffer.address(batch.images()), 1, I)
            && Tiling.readsQuads(place(plan.w(), layer.weight()), Float.BYTES, I);
    Tiles tiles = Tiling.smallest(B, O, I, multiprocessors, quads);
    int blocks = Math.toIntExact(tiles.count(B, O)) + 1; // one block more begins the step
    kernels.launch("fused_input" + tiles.suffix(), Shape.of(blocks, Tiles.THREADS), arguments);
  }

  private void head(int B) {
    var arguments = new Arguments();
    arguments.add(arena, losses, lost, plan.position(), plan.w()).structure(layers);
    arguments.add(y, step, plan.scaling());
    arguments.add("L", plan.layers().size()).add("B", B).add(plan.smoothing());
    arguments.add("use", Philox.Use.DROPOUT.ordinal()).add(plan.seed());
    kernels.launch("fused_head", Shape.of(headBlocks(B), Tiles.THREADS), arguments);
  }

  private static int headBlocks(int B) {
    return (B - 1) / HEAD_ROWS + 1;
  }

  private void update(Feed.Batch batch, int B) {
    Arguments arguments = new Arguments().add(plan.w(), plan.m());
    boolean adam = plan.optimizer() instanceof AdamSettings;
    if (adam) {
      arguments.add(plan.v());
    }
    arguments.add(plan.log(), arena, losses, lost).structure(layers);
    arguments.add(batch.images(), chosen, step, adam ? scalars : plan.rate(), plan.scaling());
    arguments.add("L", plan.layers().size()).add("B", B).add("I", plan.layers().get(0).inputs());
    arguments.add("S", plan.log().length() / 2).add(plan.scale()).add(plan.shift());
    if (plan.optimizer() instanceof AdamSettings settings) {
      arguments.add((float) settings.eps());
    } else {
      arguments.add((SgdSettings) plan.optimizer());
    }
    String entry = adam ? "fused_update_adam" : "fused_update_sgd";
    kernels.launch(entry, Shape.of(updateBlocks, Tiles.THREADS), arguments);
  }

  @Override
  public void close() {
    owned.close();
  }
}
