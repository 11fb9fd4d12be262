package mlpcuda.train;

import java.util.List;

/**
 * Where a run stands: what it needs to go on, beside its settings, its parameters and the
 * optimizer's state. Random numbers are functions of seed, epoch and step, and so need no state.
 *
 * @param epoch from 1
 * @param batch batches of it that are done
 * @param steps from the run's beginning
 * @param lossSum of the losses of the epoch's examples so far
 * @param rightSum number of them that were answered right
 * @param plateau of {@link Plateau}
 * @param stopping of {@link EarlyStopping}
 * @param best the weights after the best epoch; empty where there is none
 * @param lossScale the state of {@link mlpcuda.compute.LossScale}; empty where the device has none
 */
public record Progress(
    int epoch,
    int batch,
    int steps,
    double lossSum,
    double rightSum,
    Plateau.State plateau,
    EarlyStopping.State stopping,
    List<float[]> best,
    float[] lossScale) {
  /** That of a run that has not begun, with the device's loss scale. */
  public static Progress begin(EarlyStopping.Monitor monitor, float[] lossScale) {
    return new Progress(
        1,
        0,
        0,
        0,
        0,
        Plateau.State.INITIAL,
        EarlyStopping.State.initial(monitor),
        List.of(),
        lossScale);
  }
}
