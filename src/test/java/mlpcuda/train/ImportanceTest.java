package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import mlpcuda.data.Column;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.error.SettingException;
import mlpcuda.features.Features;
import mlpcuda.train.Importance.OfColumn;
import mlpcuda.train.Importance.Spread;
import org.junit.jupiter.api.Test;

class ImportanceTest {
  private static final int N = 40;
  private static final long SEED = 7;

  /** A column of noise, one of three words, and one that is the class. */
  private static ExampleSet table() {
    float[] values = new float[5 * N];
    byte[] labels = new byte[N];
    for (int n = 0; n < N; n++) {
      labels[n] = (byte) (n % 2);
      values[5 * n] = n * 37 % 11;
      values[5 * n + 1 + n % 3] = 1;
      values[5 * n + 4] = labels[n];
    }
    Column words = new Column("words", List.of("a", "b", "c"), Float.NaN);
    return new ExampleSet(
        new Layout.Columns(List.of(Column.numbers("noise"), words, Column.numbers("class"))),
        Features.of(values, 5),
        labels,
        Optional.empty());
  }

  /** Answers by the last column alone; the loss is twice the fraction of wrong answers. */
  private static Score byTheLastColumn(ExampleSet set) {
    long[][] confusion = new long[2][2];
    float[] row = new float[5];
    for (int n = 0; n < set.size(); n++) {
      set.features().read(n, row, 0);
      assertEquals(1, row[1] + row[2] + row[3], "the words of a column move together");
      confusion[set.label(n)][(int) row[4]]++;
    }
    return new Score(2.0 * (confusion[0][1] + confusion[1][0]) / N, confusion);
  }

  @Test
  void theColumnThatDecidesIsAllThatCounts() {
    double sum = 0;
    double squares = 0;
    for (int r = 0; r < 5; r++) {
      int[] order = ExampleOrder.forColumn(N, SEED, 2, r);
      double wrong = 0;
      for (int n = 0; n < N; n++) {
        wrong += order[n] % 2 == n % 2 ? 0 : 1.0 / N;
      }
      sum += wrong;
      squares += wrong * wrong;
    }
    double mean = sum / 5;
    double deviation = Math.sqrt(squares / 5 - mean * mean);
    assertTrue(mean > 0.3 && deviation > 0.01, mean + " ± " + deviation);
    List<Integer> done = new ArrayList<>();
    Importance found =
        Importance.of(
            table(),
            byTheLastColumn(table()),
            ImportanceTest::byTheLastColumn,
            SEED,
            (at, all) -> {
              assertEquals(15, all);
              done.add(at);
            });
    assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), done);
    OfColumn first = found.columns().get(0);
    assertEquals("class", first.column());
    assertEquals(mean, first.accuracyDrop().mean(), 1e-12);
    assertEquals(deviation, first.accuracyDrop().deviation(), 1e-9);
    assertEquals(2 * mean, first.lossRise().mean(), 1e-12);
    assertEquals(2 * deviation, first.lossRise().deviation(), 1e-9);
    Spread none = new Spread(0, 0);
    assertEquals(
        List.of(new OfColumn("noise", none, none), new OfColumn("words", none, none)),
        found.columns().subList(1, 3));
  }

  /** The deviation is the population's: 1, 2, 3 and 4 have the variance 5/4. */
  @Test
  void spreads() {
    assertEquals(new Spread(2.5, Math.sqrt(1.25)), Spread.of(new double[] {1, 2, 3, 4}));
  }

  @Test
  void imagesAndTablesOfTooManyColumnsAreRefused() {
    Importance.check(Layout.Columns.numbered(1000));
    String many = refusal(Layout.Columns.numbered(1001));
    assertEquals(
        "needs a table of at most 1000 columns, because each is evaluated 5 times, found 1001",
        many);
    assertEquals(
        "needs examples that are rows of a table, found images of 28x28",
        refusal(Layout.Images.grey(28, 28)));
  }

  private static String refusal(Layout layout) {
    return assertThrows(SettingException.class, () -> Importance.check(layout)).rule();
  }
}
