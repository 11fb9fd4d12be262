package mlpcuda.cli;

import mlpcuda.benchmark.ReferenceComparison;
import mlpcuda.data.ExampleSet;
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

  // The reference does some 3e8 multiplications and additions a second.
  private static final double OPERATIONS = 3e10;

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
      n = ReferenceComparison.distinct(B, most);
    }
    if (n == B) {
      return new ComparedTraining(whole, whole);
    }
    ExampleSet some = whole.set().first(n);
    return new ComparedTraining(whole.with(some.repeated(B), B), whole.with(some, n));
  }

  /** Whether the device's batches repeat examples. */
  boolean repeats() {
    return device.B() != reference.B();
  }

  /** The number of steps that the reference takes in a minute or two, from 1 to 100. */
  int affordableSteps() {
    double affordable = OPERATIONS / ReferenceComparison.operations(reference, reference.B());
    return (int) Math.max(1, Math.min(MOST_STEPS, affordable));
  }
}
