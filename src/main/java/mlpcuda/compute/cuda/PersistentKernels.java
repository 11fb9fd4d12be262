package mlpcuda.compute.cuda;

import java.util.function.IntFunction;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Feed;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.Resources;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/**
 * The training steps of module persistent: one launch for many, whose blocks all run at once and
 * keep the first layer's weights. The batches of a launch must be parts of a set that lies on the
 * device, or lie there one after another.
 */
final class PersistentKernels implements FusedStep {
  /** The ints that describe a layer in the table, in the order of cuda/persistent_head.cuh. */
  private static final int COLUMNS = 14;

  private final Resources resources = new Resources();
  private final CudaOps ops;
  private final KernelModule kernels;
  private final Plan plan;
  private final PersistentLayout layout;
  private final Buffer
      arena; // for each layer (maxB, width): the inputs of the next layer, then the gradients
  private final Buffer partial; // (maxB, slices, width): parts of the first layer's outputs
  private final Buffer layers; // (L, COLUMNS) INT32
  private final Buffer losses; // (2, maxB)
  private final Buffer
      arrivals; // the number of blocks that have arrived at barriers; the bits of 0.0 are those of

  // 0

  /** Owns {@code kernels}, the module persistent, from now on, and closes it. */
  PersistentKernels(CudaOps ops, KernelModule kernels, Plan plan, PersistentLayout layout) {
    this.ops = ops;
    this.kernels = resources.add(kernels);
    this.plan = plan;
    this.layout = layout;
    int maxB = plan.maxB();
    try {
      int[] table = new int[plan.layers().size() * COLUMNS];
      int end = fill(table);
      arena = resources.add(ops.allocate("activations", Type.FLOAT32, end));
      int width = PersistentLayout.width(plan.first());
      int parts = Math.multiplyExact(Math.multiplyExact(maxB, layout.slices()), width);
      partial = resources.add(ops.allocate("partial", Type.FLOAT32, parts));
      layers = resources.add(ops.allocate("layers", Type.INT32, table.length));
      losses = resources.add(ops.allocate("losses", Type.FLOAT32, 2 * maxB));
      arrivals = resources.add(ops.allocate("arrivals", Type.FLOAT32, 1));
      ops.write(layers, table, 0, table.length);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /** Fills the table of layers and returns the length of the arena of a batch. */
  private int fill(int[] table) {
    int end = 0; // elements of the arena of a batch so far
    int place = 0; // elements of a row in shared memory so far
    int item = 0;
    int at = 0;
    for (Layer layer : plan.layers()) {
      int width = PersistentLayout.width(layer);
      int out = place;
      int kept = layer.dropout() > 0 ? out + width : out;
      int dz = kept + width;
      place = dz + width;
      int all = Math.multiplyExact(plan.maxB(), width);
      int[] row = {
        layer.inputs(),
        layer.outputs(),
        layer.weight(),
        layer.bias(),
        width,
        out,
        kept,
        dz,
        end,
        Math.addExact(end, all),
        layer.activation().ordinal(),
        Float.floatToRawIntBits(layer.dropout()),
        Float.floatToRawIntBits(Ops.dropoutScale(layer.dropout())),
        item
      };
      System.arraycopy(row, 0, table, at, COLUMNS);
      at += COLUMNS;
      end = Math.addExact(end, Math.multiplyExact(2, all));
      item += PersistentLayout.items(layer, layer == plan.first());
    }
    return end;
  }

  @Override
  public boolean isOneLaunch() {
    return true;
  }

  /** Checks that the first batch's place is that of all, which begin up to {@code rows} later. */
  private static void checkTogether(Feed.Batch first, Feed.Batch last, int rows) {
    Buffer features = first.examples().features();
    long row = (long) features.length() / first.examples().labels().length();
    long apart = first.rows().isPresent() ? 0 : rows * row * features.type().bytes();
    long found = DeviceBuffer.address(last.examples().features()) - DeviceBuffer.address(features);
    if (found != apart) {
      throw new IllegalArgumentException(
          "persistent steps must be of a resident set, or of batches that lie one after another");
    }
  }

  @Override
  public void run(IntFunction<Feed.Batch> batches, int B, int n) {
    Feed.Batch batch = batches.apply(0);
    checkTogether(batch, batches.apply(n - 1), B * (n - 1));
    PersistentLayout.Memory memory = layout.memory(B).orElseThrow(); // the largest batch fits
    Layer first = plan.first();
    OptimizerState arenas = plan.arenas();
    StepState state = plan.state();
    Constants constants = plan.constants();
    var arguments = new Arguments().add(arenas.w(), arenas.m(), arenas.v());
    arguments.add(state.log(), losses, arena, partial, state.rate(), state.position());
    arguments.add(arrivals, layers);
    arguments.add(batch.examples().features(), batch.examples().labels());
    arguments.add(batch.rows()).add(state.rates());
    arguments.add("steps", n).add("L", plan.layers().size()).add("B", B).add("I", first.inputs());
    arguments.add("S", state.log().length() / 2).add("chunk", memory.chunk());
    arguments.add("slices", layout.slices()).add("quads", layout.quads());
    arguments.add("across", layout.across()).add("from", first.bias());
    arguments.add("length", arenas.w().length() - first.bias());
    arguments.add("copies", memory.copies() ? 1 : 0);
    arguments.add(constants.scaling()).add(constants.smoothing());
    arguments.dropoutMask(constants.seed());
    boolean adam = plan.optimizer() instanceof AdamSettings;
    if (plan.optimizer() instanceof AdamSettings settings) {
      arguments.add(settings);
    } else {
      arguments.add((SgdSettings) plan.optimizer());
    }
    ops.zero(arrivals);
    kernels.launchCooperative(
        (adam ? "persistent_adam" : "persistent_sgd") + FusedKernels.inputs(plan, batch.examples()),
        Shape.of(layout.blocks(B), PersistentLayout.THREADS),
        memory.bytes(),
        arguments);
    ops.refresh(arenas.w(), arenas.w().length());
  }

  @Override
  public void close() {
    resources.close();
  }
}
