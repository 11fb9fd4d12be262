package mlpcuda.compute.cuda;

import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Feed;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Owned;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.random.Philox;

/** The training step of module fused: three launches, whatever the number of layers. */
final class FusedKernels implements FusedStep {
  /** A tile of weights is so long and so wide, and so is one of the first layer's outputs. */
  private static final int TILE = 32;

  private static final int THREADS = 256;

  /** Rows of the batch that a block of fused_head has. */
  private static final int HEAD_ROWS = 4;

  /** Ints of a layer in the table: cuda/fused.cuh has their order. */
  private static final int COLUMNS = 12;

  private final Owned owned = new Owned();
  private final Kernels kernels;
  private final Plan plan;
  private final int tiles;
  private final Buffer arena; // a, what dropout left of it, and dz, of each layer
  private final Buffer layers; // (L, COLUMNS) INT32
  private final Buffer losses; // (2, maxB)
  private final Buffer lost; // INT32: by block of fused_head, whether it has a gradient to skip for
  private final Buffer y; // (maxB) INT32
  private final Buffer step; // (1) INT32

  /** {@code kernels}: module fused, which is closed here. */
  FusedKernels(Ops ops, Kernels kernels, Plan plan) {
    this.kernels = owned.add(kernels);
    this.plan = plan;
    try {
      int[] table = new int[plan.layers() * COLUMNS];
      int maxB = plan.maxB();
      long end = 0; // of the arena, so far
      int tile = 0;
      int in = 0;
      for (int l = 0; l < plan.layers(); l++) {
        int I = plan.sizes().get(l);
        int O = plan.sizes().get(l + 1);
        float rate = plan.dropout(l);
        int out = (int) end;
        end += (long) maxB * O;
        int kept = rate > 0 ? (int) end : out;
        end += rate > 0 ? (long) maxB * O : 0;
        int dz = (int) end;
        end += (long) maxB * O;
        if (end > Integer.MAX_VALUE) {
          throw new IllegalArgumentException(
              "a batch of %d is too large for a fused step of %s".formatted(maxB, plan.sizes()));
        }
        int[] row = {
          I,
          O,
          plan.weights().get(l),
          plan.biases().get(l),
          in,
          out,
          kept,
          dz,
          plan.activation(l).ordinal(),
          Float.floatToRawIntBits(rate),
          Float.floatToRawIntBits(scale(rate)),
          tile
        };
        System.arraycopy(row, 0, table, l * COLUMNS, COLUMNS);
        in = kept;
        tile += ((O - 1) / TILE + 1) * ((I - 1) / TILE + 1);
      }
      tiles = tile;
      arena = owned.add(ops.allocate("activations", Type.FLOAT32, (int) end));
      layers = owned.add(ops.allocate("layers", Type.INT32, table.length));
      losses = owned.add(ops.allocate("losses", Type.FLOAT32, 2 * maxB));
      lost = owned.add(ops.allocate("lost", Type.INT32, headBlocks(maxB)));
      y = owned.add(ops.allocate("y", Type.INT32, maxB));
      step = owned.add(ops.allocate("step", Type.INT32, 1));
      ops.write(layers, table, 0, table.length);
    } catch (RuntimeException | Error e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  private static float scale(float rate) {
    return (float) (1 / (1.0 - rate));
  }

  @Override
  public void run(Feed.Batch batch, int B) {
    input(batch, B);
    head(B);
    update(batch, B);
  }

  private long place(Buffer buffer, int element) {
    return DeviceBuffer.address(buffer) + (long) Float.BYTES * element;
  }

  private void input(Feed.Batch batch, int B) {
    int I = plan.sizes().get(0);
    int O = plan.sizes().get(1);
    float rate = plan.dropout(0);
    var arguments = new Arguments();
    arguments.address(place(arena, 0)).address(rate > 0 ? place(arena, plan.maxB() * O) : 0);
    arguments.add(y, step, plan.rate(), batch.images(), batch.labels(), batch.rows());
    arguments.add(plan.position(), plan.rates(), plan.scaling());
    arguments.address(place(plan.w(), plan.weights().get(0)));
    arguments.address(place(plan.w(), plan.biases().get(0)));
    arguments.add("B", B).add("I", I).add("O", O);
    arguments.add("activation", plan.activation(0).ordinal()).add(plan.scale()).add(plan.shift());
    arguments.add(rate).add(scale(rate)).add("use", Philox.Use.DROPOUT.ordinal()).add(plan.seed());
    Shape shape = new Shape((B - 1) / TILE + 1, (O - 1) / TILE + 1, 1, THREADS, 1);
    kernels.launch("fused_input", shape, arguments);
  }

  private void head(int B) {
    var arguments = new Arguments();
    arguments.add(arena, losses, lost, plan.position(), plan.w(), layers, y, step, plan.scaling());
    arguments.add("L", plan.layers()).add("B", B).add(plan.smoothing());
    arguments.add("use", Philox.Use.DROPOUT.ordinal()).add(plan.seed());
    kernels.launch("fused_head", Shape.of(headBlocks(B), THREADS), arguments);
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
    arguments.add(plan.log(), arena, losses, lost, layers, batch.images(), batch.rows(), step);
    arguments.add(plan.rate(), plan.position(), plan.scaling());
    arguments.add("L", plan.layers()).add("B", B).add("I", plan.sizes().get(0));
    arguments.add("S", plan.log().length() / 2).add(plan.scale()).add(plan.shift());
    if (plan.optimizer() instanceof AdamSettings settings) {
      arguments.add(settings);
    } else {
      arguments.add((SgdSettings) plan.optimizer());
    }
    String entry = adam ? "fused_update_adam" : "fused_update_sgd";
    kernels.launch(entry, Shape.of(tiles, THREADS), arguments);
  }

  @Override
  public void close() {
    owned.close();
  }
}
