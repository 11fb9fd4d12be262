package mlpcuda.cli;

import java.util.List;
import mlpcuda.benchmark.ReferenceComparison;
import mlpcuda.data.ExampleSet;
import mlpcuda.net.MlpShape;
import mlpcuda.train.TrainingSetup;

/**
 * A training that {@code compare} does on a device and on the reference.
 *
 * @param device the training on the device
 * @param reference the training on the reference; each of its batches has the examples once that
 *     the device's batch may have several times
 */
record ComparedTraining(TrainingSetup device, TrainingSetup reference) {
  private static final int MOST_STEPS = 100;
  private static final int LEAST = 8; // examples that are repeated

  // The reference does some 1e9 multiplications and additions a second.
  private static final double OPERATIONS = 3e10;

  // One input of a ReLU in some 100,000 is 0 but for rounding, and then its step cannot be judged.
  private static final int RELUS = 50_000;

  /**
   * The training in batches of {@code B}. The device's batches repeat a few examples where the set
   * has fewer than {@code B}, or where a step of the reference would take more than some seconds;
   * but not with dropout, which has a mask for each place, and not where {@code B} is a prime.
   *
   * @param whole the training of all examples, in batches of {@code B} or of the whole set
   */
  static ComparedTraining of(TrainingSetup whole, int B) {
    int n = B;
    int most = ReferenceComparison.most(whole);
    if (B > most && ReferenceComparison.mayRepeat(whole)) {
      int relus = Math.max(1, hiddenUnits(whole.shape()));
      n = ReferenceComparison.distinct(B, Math.min(most, Math.max(LEAST, RELUS / relus)));
    }
    if (n == B) {
      return new ComparedTraining(whole, whole);
    }
    ExampleSet some = whole.set().first(n);
    return new ComparedTraining(whole.with(some.repeated(B), B), whole.with(some, n));
  }

  private static int hiddenUnits(MlpShape shape) {
    List<Integer> hidden = shape.sizes().subList(1, shape.layers());
    return hidden.stream().mapToInt(Integer::intValue).sum();
  }

  /** Whether the device's batches repeat examples. */
  boolean repeats() {
    return device.B() != reference.B();
  }

  /** The number of steps that the reference takes in about a minute, from 1 to 100. */
  int affordableSteps() {
    double affordable = OPERATIONS / ReferenceComparison.operations(reference, reference.B());
    return (int) Math.max(1, Math.min(MOST_STEPS, affordable));
  }
}
