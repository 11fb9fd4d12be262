package mlpcuda;

import java.util.Locale;
import java.util.OptionalDouble;
import mlpcuda.train.Averages;
import mlpcuda.train.Trainer;

/**
 * The result of an epoch of training.
 *
 * @param epoch the number of the epoch, from 1
 * @param epochs the number of epochs of the training
 * @param loss the mean loss of the training examples, each as it was when the step met it
 * @param accuracy the fraction of the training examples that were answered right then
 * @param validationLoss the mean loss of the held-back examples; empty if there are none
 * @param validationAccuracy the fraction of the held-back examples answered right; empty if there
 *     are none
 * @param learningRate the learning rate of the last step
 * @param seconds the time of the steps, without that of the evaluation after them
 */
public record EpochResult(
    int epoch,
    int epochs,
    double loss,
    double accuracy,
    OptionalDouble validationLoss,
    OptionalDouble validationAccuracy,
    double learningRate,
    double seconds) {
  static EpochResult of(Trainer.EpochResult result, int epochs) {
    Averages train = result.train();
    return new EpochResult(
        result.epoch(),
        epochs,
        train.loss(),
        train.accuracy(),
        result.validation().map(v -> OptionalDouble.of(v.loss())).orElse(OptionalDouble.empty()),
        result
            .validation()
            .map(v -> OptionalDouble.of(v.accuracy()))
            .orElse(OptionalDouble.empty()),
        result.rate(),
        result.seconds());
  }

  /** The result in a line. */
  @Override
  public String toString() {
    String held =
        validationLoss.isEmpty()
            ? ""
            : String.format(
                Locale.ROOT,
                ", validation loss %.4f, accuracy %.2f%%",
                validationLoss.getAsDouble(),
                100 * validationAccuracy.orElseThrow());
    return String.format(
        Locale.ROOT,
        "Epoch %d/%d: mean loss %.4f, accuracy %.2f%%%s, %.2f s",
        epoch,
        epochs,
        loss,
        100 * accuracy,
        held,
        seconds);
  }
}
