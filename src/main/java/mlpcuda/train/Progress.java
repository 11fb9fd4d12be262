package mlpcuda.train;

import java.util.List;

/**
 * The position of a run: what it needs to go on, besides its settings, its parameters and the
 * optimizer's state. Random numbers are functions of seed, epoch and step, and so need no state.
 *
 * @param epoch the epoch, from 1
 * @param batch the number of batches of the epoch that are done
 * @param steps the number of steps from the run's beginning
 * @param sums the sums over the epoch's examples so far
 * @param plateau the state of {@link Plateau}
 * @param stopping the state of {@link EarlyStopping}
 * @param best the weights after the best epoch; empty where there is none
 * @param lossScale the state of {@link mlpcuda.compute.LossScale}; empty where the device has none
 */
public record Progress(
    int epoch,
    int batch,
    int steps,
    Sums sums,
    Plateau.State plateau,
    EarlyStopping.State stopping,
    List<float[]> best,
    float[] lossScale) {
  /**
   * The sums over the examples of an epoch that a run has met.
   *
   * @param loss the sum of their losses
   * @param right the number of those that were answered right
   */
  public record Sums(double loss, double right) {}

  /** The position of a run that has not begun, with the device's loss scale. */
  public static Progress begin(EarlyStopping.Monitor monitor, float[] lossScale) {
    return new Progress(
        1,
        0,
        0,
        new Sums(0, 0),
        Plateau.State.INITIAL,
        EarlyStopping.State.initial(monitor),
        List.of(),
        lossScale);
  }
}
