package mlpcuda.train;

import mlpcuda.compute.Resources;
import mlpcuda.net.Optimizer;
import mlpcuda.net.Parameters;
import mlpcuda.net.Step;

/**
 * The training step of a network on a device, with all that the step needs there beside the
 * network's parameters: the batches of examples, the optimizer and the step itself.
 */
public final class TrainableNetwork implements AutoCloseable {
  private final Resources resources = new Resources();
  private final Step step;

  /**
   * Allocates what the training needs; the caller closes it, before the parameters.
   *
   * @param parameters the parameters that are trained
   * @param batches the most batches of an epoch
   */
  public TrainableNetwork(Parameters parameters, TrainingSetup training, int batches) {
    int atOnce = parameters.ops().stepsAtOnce(training.needs());
    var examples = resources.open(() -> training.batches(parameters, atOnce));
    var optimizer =
        resources.open(
            () ->
                new Optimizer(parameters, training.update().optimizer(), training.update().clip()));
    step =
        resources.open(
            () -> new Step(optimizer, examples, training.update().regularisation(), batches));
  }

  /** The step, which trains the parameters. */
  public Step step() {
    return step;
  }

  @Override
  public void close() {
    resources.close();
  }
}
