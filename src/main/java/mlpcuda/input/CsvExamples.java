package mlpcuda.input;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.features.Features;
import mlpcuda.features.FeaturesBuilder;
import mlpcuda.files.OneLine;
import mlpcuda.input.ReadOptions.TableOptions;

/** Collects the examples of a table whose layout is known. */
final class CsvExamples {
  /** The most labels that may differ; more of them are measurements, not classes. */
  private static final int MOST_LABELS = 1 << 16;

  /** The bytes of features that a chunk becomes at most, unless it is as short as it may be. */
  private static final long MOST_VALUE_BYTES = 8 << 20;

  private static final int LEAST_CHUNK_BYTES = 1 << 16;

  private final CsvText text;
  private final CsvHead head;
  private final CsvPlan plan;
  private final FeaturesBuilder features;
  private final Map<String, Integer> names = new HashMap<>();
  private boolean labelled;
  private int[] codes = {};
  private float[] weights = {};

  private CsvExamples(CsvText text, CsvHead head, CsvPlan plan, FeaturesBuilder features) {
    this.text = text;
    this.head = head;
    this.plan = plan;
    this.features = features;
    this.labelled = plan.label() >= 0;
  }

  /**
   * Reads all rows.
   *
   * @param labelled whether labels must not be empty
   * @throws CsvRowException if a row does not have the layout
   */
  static Part read(
      CsvText text,
      CsvHead head,
      CsvPlan plan,
      Layout layout,
      TableOptions table,
      boolean labelled) {
    var shape = CsvShape.of(head, plan, layout, table, labelled);
    Features.Type type = shape.pixels() ? Features.Type.UINT8 : Features.Type.FLOAT32;
    try (var builder = new FeaturesBuilder(type, layout.inputs())) {
      var examples = new CsvExamples(text, head, plan, builder);
      CsvPass.run(
          text,
          head,
          chunkBytes(head.names().size(), shape.rowBytes()),
          () -> new CsvValues(shape),
          examples::add);
      return examples.build(layout);
    }
  }

  /** A row of text has at least two bytes for each column. */
  private static int chunkBytes(int columns, int rowBytes) {
    long bytes = MOST_VALUE_BYTES * 2 * columns / rowBytes;
    return (int) Math.max(LEAST_CHUNK_BYTES, Math.min(CsvText.CHUNK_BYTES, bytes));
  }

  private void add(CsvValues values) {
    int before = features.size();
    int n = values.rows();
    if (before > Integer.MAX_VALUE - 8 - n) {
      throw new CsvRowException(
          values.linesBefore() + 1,
          "a table must have %,d rows at most, and this one goes on"
              .formatted(Integer.MAX_VALUE - 8));
    }
    features.add(values.features(), n);
    if (labelled) {
      addLabels(values, before, n);
    }
    if (plan.weight() >= 0) {
      if (weights.length < before + n) {
        weights = Arrays.copyOf(weights, grown(before + n));
      }
      System.arraycopy(values.weights(), 0, weights, before, n);
    }
  }

  private void addLabels(CsvValues values, int before, int n) {
    int[] numbers = new int[values.names().size()];
    for (int i = 0; i < numbers.length; i++) {
      String name = values.names().get(i);
      Integer number = names.putIfAbsent(name, names.size());
      numbers[i] = number == null ? names.size() - 1 : number;
    }
    if (names.size() > MOST_LABELS) {
      throw text.bad(
          "%s has more than %,d different labels, such as \"%s\": say another column of labels"
              .formatted(
                  head.column(plan.label()), MOST_LABELS, OneLine.of(values.names().get(0))));
    }
    if (codes.length < before + n) {
      codes = Arrays.copyOf(codes, grown(before + n));
    }
    for (int i = 0; i < n; i++) {
      int code = values.codes()[i];
      if (code == CsvValues.NO_LABEL) {
        labelled = false;
        return;
      }
      codes[before + i] = numbers[code];
    }
  }

  private static int grown(int least) {
    return (int) Math.min(Integer.MAX_VALUE - 8L, Math.max(1024L, least + (long) least / 2));
  }

  private Part build(Layout layout) {
    int size = features.size();
    if (size == 0) {
      throw text.bad("the table has no rows");
    }
    Optional<LabelColumn> labels = Optional.empty();
    if (labelled) {
      String[] ordered = new String[names.size()];
      names.forEach((name, number) -> ordered[number] = name);
      labels = Optional.of(new LabelColumn(List.of(ordered), Arrays.copyOf(codes, size)));
    }
    return new Part(
        text.name(),
        layout,
        features.build(),
        labels,
        plan.weight() < 0 ? Optional.empty() : Optional.of(Arrays.copyOf(weights, size)));
  }
}
