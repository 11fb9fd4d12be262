package mlpcuda.benchmarks;

import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;

/** MNIST's training set, read once. */
final class Mnist {
  private static final ImageSet TRAIN = EmbeddedMnist.load().train();

  private Mnist() {}

  /** The first {@code n} images. */
  static ImageSet first(int n) {
    return TRAIN.first(n);
  }

  /** The scaling of the default preset, z-score, measured on the training images. */
  static Scaling scaling() {
    return Scaling.of("z-score", TRAIN);
  }
}
