package mlpcuda.compute.cuda;

import java.util.Optional;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.StepNeeds;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.StepKind;

/**
 * Chooses the kind of a training's steps, and makes those that run as a whole.
 *
 * @param options the options of the device
 * @param engine computes the layers of layered steps
 */
record StepMaker(CudaOptions options, LayerEngine engine) {
  /** Steps of a graph, unless the options say: to launch it costs the host as much as one step. */
  private static final int STEPS_OF_A_GRAPH = 8;

  /**
   * The most examples of a graph of several steps: a long step's work hides the cost of its launch.
   */
  private static final int EXAMPLES_OF_A_GRAPH = 2048;

  /**
   * Steps of a persistent launch, unless the options say: the first layer's weights are read and
   * written once in a launch, and a stop waits for its end.
   */
  private static final int STEPS_OF_A_LAUNCH = 100;

  /** Chooses the kind of steps with those needs. */
  Choice<StepKind> choose(StepNeeds needs) {
    return Choice.step(
        options.step(), needs, engine.gemm().multiplier(), engine.nonlinear().activator());
  }

  /**
   * The number of steps that are enqueued at once. It is 1 where there is no graph: each kernel is
   * launched by itself anyway.
   */
  int stepsAtOnce(StepNeeds needs) {
    boolean persistent = choose(needs).kind() == StepKind.PERSISTENT;
    if (!persistent && options.launching() != Launching.GRAPH) {
      return 1;
    }
    int chosen =
        persistent
            ? STEPS_OF_A_LAUNCH
            : Math.max(1, Math.min(STEPS_OF_A_GRAPH, EXAMPLES_OF_A_GRAPH / needs.maxB()));
    return options.stepsAtOnce().orElse(chosen);
  }

  /** Describes how steps are launched, as a part of a line for people. */
  String describeLaunch(StepNeeds needs) {
    return choose(needs).kind() == StepKind.PERSISTENT
        ? "up to %d a launch".formatted(stepsAtOnce(needs))
        : describeGraph();
  }

  /** Says whether steps are recorded, as a part of a line for people. */
  String describeGraph() {
    return options.launching() == Launching.GRAPH ? "CUDA graph" : "no graph";
  }

  /** Makes a step that runs as a whole, closed by the caller; empty for layered steps. */
  Optional<FusedStep> make(
      CudaOps ops, KernelModules modules, GpuProperties device, FusedStep.Plan plan) {
    return switch (choose(plan.needs()).kind()) {
      case FUSED ->
          Optional.of(
              new FusedKernels(
                  ops,
                  modules.ofPrecision("fused").load(),
                  plan,
                  device.multiprocessors().count()));
      case PERSISTENT -> Optional.of(persistent(ops, modules, device, plan));
      default -> Optional.empty();
    };
  }

  private static FusedStep persistent(
      CudaOps ops, KernelModules modules, GpuProperties device, FusedStep.Plan plan) {
    if (!device.multiprocessors().cooperative()) {
      throw GpuProblem.notCooperative(device).exception();
    }
    var layout = PersistentLayout.of(plan, device.multiprocessors());
    if (!layout.fits()) {
      throw GpuProblem.ofLayout(layout, device).exception();
    }
    return new PersistentKernels(ops, modules.module("persistent").load(), plan, layout);
  }
}
