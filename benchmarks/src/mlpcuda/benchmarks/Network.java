package mlpcuda.benchmarks;

import java.util.List;
import mlpcuda.benchmark.ReferenceComparison;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;
import mlpcuda.train.Update;

/** The default network, which learns MNIST's first images. */
final class Network {
  private static final MlpShape SHAPE =
      new MlpShape(List.of(784, 128, 64, 10), Activation.RELU, Activation.NONE);

  private Network() {}

  /** How it learns the first {@code images} images in batches of {@code B}. */
  static TrainingSetup training(int images, int B) {
    return new TrainingSetup(
        SHAPE,
        Mnist.first(images),
        Mnist.scaling(),
        B,
        new Update(AdamSettings.DEFAULT, 0, Regularisation.NONE),
        1e-3,
        1);
  }

  /**
   * The network on a device, which has learnt nothing yet; the caller closes it. Before, the device
   * and the reference have taken its first step, with images that right devices agree on.
   *
   * @throws IllegalStateException if loss, weights and moments were not the same then
   */
  static Learner learner(Ops ops, TrainingSetup training) {
    double error = new ReferenceComparison(training).trainingError(ops, training.B());
    double limit = ReferenceComparison.limit(ops.precision());
    if (!(error <= limit)) { // nor NaN
      throw new IllegalStateException(
          "a step's loss, weights and moments must be the reference's to within %s, found %s on %s"
              .formatted(limit, error, ops.description()));
    }
    return new Learner(ops, training);
  }
}
