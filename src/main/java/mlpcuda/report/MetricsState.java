package mlpcuda.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import mlpcuda.error.BadFileException;
import mlpcuda.files.OneLine;
import mlpcuda.train.Averages;
import mlpcuda.train.Trainer;

/**
 * What a checkpoint stores of a run's metrics, so that a resumed run goes on with them.
 *
 * @param epochs the epochs that are done
 * @param steps the steps whose losses are kept
 * @param seconds the time that they took
 */
record MetricsState(
    List<Trainer.EpochResult> epochs, List<Trainer.StepResult> steps, double seconds) {
  private static final String EPOCHS = "epochs";
  private static final String STEPS = "steps";
  private static final String SECONDS = "seconds";
  private static final int MAX_QUOTED = 80;

  /**
   * The number of an epoch's numbers in a state. States of older versions lack the last two, which
   * belong to the test set.
   */
  private static final int EPOCH_NUMBERS = 11;

  private static final int STEP_NUMBERS = 4;

  /** Converts the state to JSON objects, every number exact. */
  Map<String, Object> json() {
    // Rows are arrays and not objects, because a long run has many steps and names would be most of
    // the text.
    var state = new LinkedHashMap<String, Object>();
    state.put(
        EPOCHS,
        epochs.stream()
            .map(
                e ->
                    List.<Object>of(
                        e.epoch(),
                        e.steps(),
                        e.train().loss(),
                        e.train().accuracy(),
                        e.rate(),
                        loss(e.validation()),
                        accuracy(e.validation()),
                        e.seconds(),
                        e.imagesPerSecond(),
                        loss(e.test()),
                        accuracy(e.test())))
            .toList());
    state.put(
        STEPS,
        steps.stream()
            .map(s -> List.<Object>of(s.epoch(), s.step(), s.batch(), s.loss()))
            .toList());
    state.put(SECONDS, seconds);
    return state;
  }

  /** The loss; NaN where there are no scores. */
  private static double loss(Optional<Averages> scores) {
    return scores.map(Averages::loss).orElse(Double.NaN);
  }

  /** The accuracy; NaN where there are no scores. */
  private static double accuracy(Optional<Averages> scores) {
    return scores.map(Averages::accuracy).orElse(Double.NaN);
  }

  /**
   * Converts JSON objects back to the state.
   *
   * @param file the file of {@code json}, for the message
   * @param json what {@link #json} returned, perhaps by way of a file
   * @throws BadFileException if {@code json} is malformed
   */
  static MetricsState of(Path file, Map<String, Object> json) {
    var values = new Values(file, json);
    List<Trainer.EpochResult> epochs =
        values.rows(EPOCHS, EPOCH_NUMBERS - 2, EPOCH_NUMBERS).stream()
            .map(
                row ->
                    new Trainer.EpochResult(
                        values.count(row, 0),
                        values.count(row, 1),
                        new Averages(values.number(row, 2), values.number(row, 3)),
                        values.averages(row, 5),
                        row.size() < EPOCH_NUMBERS ? Optional.empty() : values.averages(row, 9),
                        values.number(row, 4),
                        values.number(row, 7),
                        values.number(row, 8)))
            .toList();
    List<Trainer.StepResult> steps =
        values.rows(STEPS, STEP_NUMBERS, STEP_NUMBERS).stream()
            .map(
                row ->
                    new Trainer.StepResult(
                        values.count(row, 0),
                        values.count(row, 1),
                        values.count(row, 2),
                        values.number(row, 3)))
            .toList();
    return new MetricsState(epochs, steps, values.seconds());
  }

  /** A state that was read from a file; each value is checked when it is asked for. */
  private record Values(Path file, Map<String, Object> json) {
    /**
     * Returns the rows of the given name, each of {@code length} numbers or, in states of older
     * versions, of {@code older} numbers.
     */
    List<List<?>> rows(String name, int older, int length) {
      if (!(json.get(name) instanceof List<?> list)) {
        throw bad(name + " must be a list", json.get(name));
      }
      var rows = new ArrayList<List<?>>();
      for (Object item : list) {
        if (!(item instanceof List<?> row) || row.size() != length && row.size() != older) {
          throw bad("%s must be lists of %d numbers".formatted(name, length), item);
        }
        rows.add(row);
      }
      return rows;
    }

    /** Returns the time of a state; 0 for a state of an older version, which has no time. */
    double seconds() {
      Object value = json.getOrDefault(SECONDS, 0);
      if (value instanceof Number number && number.doubleValue() >= 0) {
        return number.doubleValue();
      }
      throw bad(SECONDS + " must be a number from 0", value);
    }

    int count(List<?> row, int column) {
      if (row.get(column) instanceof Integer number && number > 0) {
        return number;
      }
      throw bad("counts must be whole numbers from 1", row.get(column));
    }

    double number(List<?> row, int column) {
      Object value = row.get(column);
      if (value instanceof Number number) {
        return number.doubleValue();
      }
      // JSON cannot express NaN and infinities as numbers, and Jackson writes their names as texts.
      if ("NaN".equals(value) || "Infinity".equals(value) || "-Infinity".equals(value)) {
        return Double.parseDouble((String) value);
      }
      throw bad("losses, accuracies and times must be numbers", value);
    }

    /** The loss and the accuracy in two columns; empty where the accuracy is not a number. */
    Optional<Averages> averages(List<?> row, int column) {
      var scores = new Averages(number(row, column), number(row, column + 1));
      return Double.isNaN(scores.accuracy()) ? Optional.empty() : Optional.of(scores);
    }

    BadFileException bad(String rule, Object found) {
      String start = OneLine.start(String.valueOf(found), MAX_QUOTED);
      return new BadFileException("%s: metrics: %s, found %s".formatted(file, rule, start));
    }
  }
}
