package mlpcuda.benchmarks;

import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;

/** MNIST's training set, read once. */
final class Mnist {
  private static final ExampleSet TRAIN = EmbeddedMnist.load().train();

  private Mnist() {}

  /** The first {@code n} images. */
  static ExampleSet first(int n) {
    return TRAIN.first(n);
  }

  /** The scaling of the default preset, z-score, measured on the training images. */
  static PixelScaling scaling() {
    return PixelScaling.of("z-score", TRAIN);
  }
}
