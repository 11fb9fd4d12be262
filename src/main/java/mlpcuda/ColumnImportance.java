package mlpcuda;

import java.util.List;
import mlpcuda.train.Importance;

/**
 * How much worse a network answers the test set when the values of one column of a table are
 * permuted over its rows (Breiman, "Random forests", 2001): means and population standard
 * deviations over five permutations.
 *
 * @param column the column's name
 * @param accuracyDrop by how much the fraction of right answers falls
 * @param accuracyDropDeviation the standard deviation of {@code accuracyDrop}
 * @param lossRise by how much the mean cross-entropy rises
 * @param lossRiseDeviation the standard deviation of {@code lossRise}
 */
public record ColumnImportance(
    String column,
    double accuracyDrop,
    double accuracyDropDeviation,
    double lossRise,
    double lossRiseDeviation) {
  static List<ColumnImportance> of(Importance measured) {
    return measured.columns().stream()
        .map(
            of ->
                new ColumnImportance(
                    of.column(),
                    of.accuracyDrop().mean(),
                    of.accuracyDrop().deviation(),
                    of.lossRise().mean(),
                    of.lossRise().deviation()))
        .toList();
  }
}
