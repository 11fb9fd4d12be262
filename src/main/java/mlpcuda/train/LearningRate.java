package mlpcuda.train;

/**
 * The learning rate of a run.
 *
 * @param base the rate that the schedule's factors multiply, above 0
 * @param schedule the course of the rate over the run
 * @param warmup the steps over which the rate rises linearly from 0; 0 for none
 */
public record LearningRate(double base, Schedule schedule, int warmup) {
  /** Checks that the base is a positive number and that the warm-up is not negative. */
  public LearningRate {
    if (!(base > 0 && base <= Double.MAX_VALUE)) {
      throw new IllegalArgumentException("the learning rate must be above 0, found " + base);
    }
    if (warmup < 0) {
      throw new IllegalArgumentException(
          "the steps of warm-up must be at least 0, found " + warmup);
    }
  }
}
