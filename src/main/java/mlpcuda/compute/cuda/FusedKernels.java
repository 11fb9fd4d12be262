package mlpcuda.compute.cuda;

import java.util.Optional;
import java.util.function.IntFunction;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.Feed;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Resources;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.Tiling.Tiles;

/**
 * The training step of module fused: three launches, whatever the number of layers. A layer may
 * have {@link FusedTable#WIDEST} outputs at most, and a network {@link FusedTable#MOST_LAYERS}
 * layers.
 */
final class FusedKernels implements FusedStep {
  /** The rows of the batch that a block of fused_head takes. */
  private static final int HEAD_ROWS = 4;

  /** The number of the scalars of Adam's step: the floats of AdamScalars in cuda/adam.cuh. */
  private static final int SCALARS = 8;

  private final Resources resources = new Resources();
  private final CudaOps ops;
  private final KernelModule kernels;
  private final Plan plan;
  private final int multiprocessors;
  private final FusedTable table;
  private final Buffer arena; // as the table lays it out
  private final Buffer losses; // (2, maxB)
  private final Buffer lost; // INT32, by block of fused_head: whether an operand is out of range
  private final Buffer y; // (maxB) INT32
  private final Buffer chosen; // (maxB) INT32: the number of each example in the set
  private final Buffer step; // (1) INT32
  private final Optional<Buffer> scalars; // Adam's, for a step; empty: the optimizer is not Adam

  /** Owns {@code kernels}, the module fused, from now on, and closes it. */
  FusedKernels(CudaOps ops, KernelModule kernels, Plan plan, int multiprocessors) {
    this.ops = ops;
    this.kernels = resources.add(kernels);
    this.multiprocessors = multiprocessors;
    this.plan = plan;
    try {
      int maxB = plan.maxB();
      table = FusedTable.of(plan);
      arena = resources.add(ops.allocate("activations", Type.FLOAT32, table.arenaLength()));
      losses = resources.add(ops.allocate("losses", Type.FLOAT32, 2 * maxB));
      lost = resources.add(ops.allocate("lost", Type.INT32, headBlocks(maxB)));
      y = resources.add(ops.allocate("y", Type.INT32, maxB));
      chosen = resources.add(ops.allocate("chosen", Type.INT32, maxB));
      step = resources.add(ops.allocate("step", Type.INT32, 1));
      scalars =
          plan.optimizer() instanceof AdamSettings
              ? Optional.of(resources.add(ops.allocate("scalars", Type.FLOAT32, SCALARS)))
              : Optional.empty();
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
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
    ops.refresh(plan.arenas().w(), plan.arenas().w().length()); // these steps do not read its copy
  }

  /** The address of an element of a buffer of floats. */
  private static long element(Buffer buffer, int element) {
    return DeviceBuffer.address(buffer) + (long) Float.BYTES * element;
  }

  /** Launches the first layer's forward pass, with one block more that begins the step. */
  private void input(Feed.Batch batch, int B) {
    Layer first = plan.first();
    StepState state = plan.state();
    Constants constants = plan.constants();
    long weight = element(plan.arenas().w(), first.weight());
    int O = first.outputs();
    boolean drops = first.dropout() > 0;
    // The kernel reads Adam's settings only where there are scalars.
    AdamSettings adam =
        plan.optimizer() instanceof AdamSettings settings ? settings : AdamSettings.DEFAULT;
    var arguments = new Arguments();
    arguments.address(element(arena, 0)).address(drops ? element(arena, plan.maxB() * O) : 0);
    arguments.add(y, chosen, step, state.rate()).add(scalars);
    DeviceExamples examples = batch.examples();
    arguments.add(examples.features(), examples.labels()).add(batch.rows());
    arguments.add(state.position(), state.rates()).add(state.scaling());
    arguments.address(weight).address(element(plan.arenas().w(), first.bias()));
    arguments.add("B", B).add("I", first.inputs()).add("O", O);
    arguments.add("activation", first.activation().ordinal());
    arguments.add(constants.scaling());
    arguments.dropoutRate(first.dropout()).dropoutMask(constants.seed());
    arguments.add(adam.beta1()).add(adam.beta2()).add(adam.weightDecay());
    arguments.add("decoupled", adam.decoupled() ? 1 : 0);
    boolean quads =
        Tiling.readsQuads(
                DeviceBuffer.address(examples.features()),
                examples.features().type().bytes(),
                first.inputs())
            && Tiling.readsQuads(weight, Float.BYTES, first.inputs());
    Tiles tiles = Tiling.smallest(B, O, first.inputs(), multiprocessors, quads);
    int blocks = Math.toIntExact(tiles.count(B, O)) + 1;
    kernels.launch(
        "fused_input" + tiles.suffix() + inputs(plan, examples),
        Shape.of(blocks, Tiles.THREADS),
        arguments);
  }

  /** The end of the names of kernels that read those features and scale them as planned. */
  static String inputs(Plan plan, DeviceExamples examples) {
    boolean floats = examples.features().type() == Type.FLOAT32;
    if (floats != plan.constants().scaling() instanceof InputScaling.PerColumn) {
      throw new IllegalArgumentException(
          "a step of several layers scales bytes alike and floats by column");
    }
    return floats ? "_floats" : "";
  }

  /** Launches the other layers' forward pass, the loss, and the backward pass of activations. */
  private void head(int B) {
    var arguments = new Arguments();
    arguments.add(arena, losses, lost, plan.state().position(), plan.arenas().w());
    arguments.structure(table.words());
    arguments.add(y, step).add(plan.state().scaling());
    arguments.add("L", plan.layers().size()).add("B", B).add(plan.constants().smoothing());
    arguments.dropoutMask(plan.constants().seed());
    kernels.launch("fused_head", Shape.of(headBlocks(B), Tiles.THREADS), arguments);
  }

  private static int headBlocks(int B) {
    return (B - 1) / HEAD_ROWS + 1;
  }

  /** Launches the gradients of weights and biases, and the optimizer. */
  private void update(Feed.Batch batch, int B) {
    StepState state = plan.state();
    var arguments = new Arguments().add(plan.arenas().w(), plan.arenas().m());
    if (scalars.isPresent()) {
      arguments.add(plan.arenas().v());
    }
    arguments.add(state.log(), arena, losses, lost).structure(table.words());
    arguments.add(batch.examples().features(), chosen, step, scalars.orElse(state.rate()));
    arguments.add(state.scaling());
    arguments.add("L", plan.layers().size()).add("B", B).add("I", plan.first().inputs());
    arguments.add("S", state.log().length() / 2);
    arguments.add(plan.constants().scaling());
    if (plan.optimizer() instanceof AdamSettings settings) {
      arguments.add((float) settings.eps());
    } else {
      arguments.add((SgdSettings) plan.optimizer());
    }
    String entry = scalars.isPresent() ? "fused_update_adam" : "fused_update_sgd";
    String inputs = inputs(plan, batch.examples());
    kernels.launch(entry + inputs, Shape.of(table.updateBlocks(), Tiles.THREADS), arguments);
  }

  @Override
  public void close() {
    resources.close();
  }
}
