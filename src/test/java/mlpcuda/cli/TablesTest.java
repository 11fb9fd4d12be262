package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import mlpcuda.report.Metrics;
import mlpcuda.report.Tables;
import mlpcuda.train.Score;
import org.junit.jupiter.api.Test;

/** Tests an evaluation worked out by hand, as numbers, as text and as JSON. */
class TablesTest {
  /**
   * Four classes: the third is never answered, the fourth never occurs. Class 0: 3 of 4 found, 3 of
   * 5 answers right. Class 1: 2 of 3 found, 2 of 4 answers right. Class 3: answered once, wrongly.
   */
  private static final Score ANSWERS =
      new Score(0.78125, new long[][] {{3, 1, 0, 0}, {1, 2, 0, 0}, {1, 1, 0, 1}, {0, 0, 0, 0}});

  @Test
  void arithmetic() {
    assertEquals(4, ANSWERS.classes());
    assertEquals(10, ANSWERS.size());
    assertEquals(5, ANSWERS.right());
    assertEquals(0.5, ANSWERS.accuracy());
    double[] precision = {3.0 / 5, 2.0 / 4, 0, 0};
    double[] recall = {3.0 / 4, 2.0 / 3, 0, 0};
    double[] f1 = {2.0 / 3, 4.0 / 7, 0, 0};
    long[] support = {4, 3, 3, 0};
    for (int c = 0; c < 4; c++) {
      assertEquals(precision[c], ANSWERS.precision(c), 1e-15, "precision of " + c);
      assertEquals(recall[c], ANSWERS.recall(c), 1e-15, "recall of " + c);
      assertEquals(f1[c], ANSWERS.f1(c), 1e-15, "F1 of " + c);
      assertEquals(support[c], ANSWERS.support(c), "support of " + c);
    }
  }

  @Test
  void table() {
    assertEquals(
        """
        class   precision     recall         F1   examples
        0          0.6000     0.7500     0.6667          4
        1          0.5000     0.6667     0.5714          3
        2          0.0000     0.0000     0.0000          3
        3          0.0000     0.0000     0.0000          0
        Confusion matrix: a row for each true class, a column for each answer
                0  1  2  3
        0       3  1  0  0
        1       1  2  0  0
        2       1  1  0  1
        3       0  0  0  0""",
        Tables.answers(ANSWERS, List.of()).replace(System.lineSeparator(), "\n"));
  }

  @Test
  void namesOfClassesStandForTheirNumbers() {
    List<String> labels = List.of("cat", "a very long name of a class", "dog", "emu");
    assertEquals(
        """
        class                     precision     recall         F1   examples
        cat                          0.6000     0.7500     0.6667          4
        a very long name of a c…     0.5000     0.6667     0.5714          3
        dog                          0.0000     0.0000     0.0000          3
        emu                          0.0000     0.0000     0.0000          0
        Confusion matrix: a row for each true class, a column for each answer
                                        cat a very lo…        dog        emu
        cat                               3          1          0          0
        a very long name of a c…          1          2          0          0
        dog                               1          1          0          1
        emu                               0          0          0          0""",
        Tables.answers(ANSWERS, labels).replace(System.lineSeparator(), "\n"));
  }

  @Test
  void result() {
    assertEquals(
        "Test set: Average loss: 0.7813, Accuracy: 5/10 (50.00%)", Tables.result("Test", ANSWERS));
  }

  @Test
  void jsonNamesTheClasses() {
    var json = Program.json(Tables.json(Metrics.json(ANSWERS, List.of("a", "b", "c", "d"))));
    List<?> classes = (List<?>) json.get("classes");
    assertEquals("c", ((Map<?, ?>) classes.get(2)).get("label"));
    assertEquals(2, ((Map<?, ?>) classes.get(2)).get("class"));
  }

  @Test
  void json() {
    Map<String, Object> json = Program.json(Tables.json(Metrics.json(ANSWERS, List.of())));
    assertEquals(0.78125, json.get("loss"));
    assertEquals(0.5, json.get("accuracy"));
    assertEquals(5, json.get("right"));
    assertEquals(10, json.get("size"));
    assertEquals(
        List.of(List.of(3, 1, 0, 0), List.of(1, 2, 0, 0), List.of(1, 1, 0, 1), List.of(0, 0, 0, 0)),
        json.get("confusion"));
    List<?> classes = (List<?>) json.get("classes");
    assertEquals(4, classes.size());
    assertEquals(
        Map.of("class", 2, "precision", 0.0, "recall", 0.0, "f1", 0.0, "examples", 3),
        classes.get(2));
    assertEquals(0.75, ((Map<?, ?>) classes.get(0)).get("recall"));
    assertEquals(0.5, ((Map<?, ?>) classes.get(1)).get("precision"));
  }
}
