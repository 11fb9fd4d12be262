package mlpcuda;

import mlpcuda.compute.OptimizerSettings;

/** What moves the weights: {@link Adam} or {@link Sgd}, with a learning rate. */
public abstract sealed class Optimizer permits Adam, Sgd {
  Optimizer() {}

  /** The base learning rate, above 0, which the schedule of a training multiplies. */
  public abstract double rate();

  abstract OptimizerSettings settings();

  /** Describes the optimizer and its rate. */
  @Override
  public String toString() {
    return settings() + ", rate " + rate();
  }
}
