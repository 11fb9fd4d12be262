package mlpcuda.benchmarks;

import java.util.List;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.train.Learner;
import mlpcuda.train.Training;

/** The default network, which learns MNIST's first images. */
final class Network {
  private static final MlpShape SHAPE =
      new MlpShape(List.of(784, 128, 64, 10), Activation.RELU, Activation.NONE);
  private static final double LIMIT = 1e-6; // as in compare

  private Network() {}

  /** How it learns the first {@code images} images in batches of {@code B}. */
  static Training training(int images, int B) {
    return new Training(
        SHAPE,
        Mnist.first(images),
        Mnist.scaling(),
        B,
        Regularisation.NONE,
        AdamSettings.DEFAULT,
        0,
        1e-3,
        1);
  }

  /**
   * The network on a device after its first step, which the reference has taken, too; the caller
   * closes it.
   *
   * @throws IllegalStateException if they do not agree
   */
  static Learner learner(Ops ops, Training training) {
    var learner = new Learner(ops, training);
    learner.run();
    double found = learner.loss();
    try (Ops reference = new ReferenceOps();
        var right = new Learner(reference, training)) {
      right.run();
      double expected = right.loss();
      if (!(Math.abs(found - expected) <= LIMIT * expected)) {
        throw new IllegalStateException(
            "the first loss must be %s, found %s".formatted(expected, found));
      }
    }
    return learner;
  }
}
