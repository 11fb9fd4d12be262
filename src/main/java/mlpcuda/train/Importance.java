package mlpcuda.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import mlpcuda.data.Column;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.error.SettingException;

/**
 * How much worse a network answers a set when the values of one column are permuted over its
 * examples: the permutation importance of Breiman, "Random forests" (Machine Learning 45, 2001),
 * measured as scikit-learn's {@code permutation_importance} does. A column that says the same as
 * another one may seem to be of no use.
 *
 * @param columns the columns, the most important first
 */
public record Importance(List<OfColumn> columns) {
  /** The number of permutations of each column. */
  public static final int REPETITIONS = 5;

  /** The most columns that are measured. */
  public static final int MOST_COLUMNS = 1000;

  /**
   * Mean and population standard deviation of a number over the permutations.
   *
   * @param mean the mean
   * @param deviation the standard deviation
   */
  public record Spread(double mean, double deviation) {
    static Spread of(double[] values) {
      double sum = 0;
      for (double value : values) {
        sum += value;
      }
      double mean = sum / values.length;
      double squares = 0;
      for (double value : values) {
        squares += (value - mean) * (value - mean);
      }
      return new Spread(mean, Math.sqrt(squares / values.length));
    }
  }

  /**
   * The importance of a column.
   *
   * @param column the column's name
   * @param accuracyDrop by how much the fraction of right answers falls
   * @param lossRise by how much the mean cross-entropy rises
   */
  public record OfColumn(String column, Spread accuracyDrop, Spread lossRise) {}

  /** Hears how far the measurement has come, before each evaluation and at the end. */
  public interface Listener {
    /** Hears how many of all evaluations are done. */
    void at(int done, int all);
  }

  /** Copies the list. */
  public Importance {
    columns = List.copyOf(columns);
  }

  /**
   * Refuses examples whose columns cannot be measured.
   *
   * @throws SettingException if they are images, or have more than {@link #MOST_COLUMNS} columns
   */
  public static void check(Layout layout) {
    if (!(layout instanceof Layout.Columns table)) {
      throw new SettingException(
          "importance", "needs examples that are rows of a table, found images of " + layout);
    }
    if (table.columns().size() > MOST_COLUMNS) {
      throw new SettingException(
          "importance",
          "needs a table of at most %d columns, because each is evaluated %d times, found %d"
              .formatted(MOST_COLUMNS, REPETITIONS, table.columns().size()));
    }
  }

  /**
   * Measures the importance of each column. All inputs of a column of words are permuted together.
   *
   * @param set the examples, whose layout {@link #check} accepts
   * @param whole the result of the examples as they are
   * @param evaluation evaluates the network on examples
   * @param seed decides the permutations
   */
  public static Importance of(
      ExampleSet set,
      Score whole,
      Function<ExampleSet, Score> evaluation,
      long seed,
      Listener listener) {
    check(set.layout());
    List<Column> columns = ((Layout.Columns) set.layout()).columns();
    int all = columns.size() * REPETITIONS;
    var measured = new ArrayList<OfColumn>();
    int from = 0; // the first input of the column
    for (int c = 0; c < columns.size(); c++) {
      Column column = columns.get(c);
      double[] drops = new double[REPETITIONS];
      double[] rises = new double[REPETITIONS];
      for (int r = 0; r < REPETITIONS; r++) {
        listener.at(c * REPETITIONS + r, all);
        int[] order = ExampleOrder.forColumn(set.size(), seed, c, r);
        Score score = evaluation.apply(permuted(set, from, column.inputs(), order));
        drops[r] = whole.accuracy() - score.accuracy();
        rises[r] = score.loss() - whole.loss();
      }
      measured.add(new OfColumn(column.name(), Spread.of(drops), Spread.of(rises)));
      from += column.inputs();
    }
    listener.at(all, all);
    measured.sort(
        Comparator.comparingDouble((OfColumn of) -> -of.accuracyDrop.mean)
            .thenComparing(of -> -of.lossRise.mean));
    return new Importance(measured);
  }

  private static ExampleSet permuted(ExampleSet set, int from, int count, int[] order) {
    return new ExampleSet(
        set.layout(),
        set.features().withColumns(from, count, order),
        set.labels(),
        Optional.empty());
  }
}
