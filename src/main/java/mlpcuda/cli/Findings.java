package mlpcuda.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.features.Features;
import mlpcuda.input.DataReader.Found;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;

/** What {@code inspect} found in a file or folder, as text and as JSON. */
final class Findings {
  private static final int SHOWN = 20; // classes

  private static final int ROWS = 5; // examples that are shown

  private final Path path;
  private final Found found;
  private final Part train;
  private final Map<String, Integer> classes; // the number of examples of each class
  private final List<ShownColumn> columns;
  private final Optional<ValueRange> pixels; // the training images' range; empty for a table

  Findings(Path path, Found found) {
    this.path = path;
    this.found = found;
    this.train = found.parts().train();
    this.classes = classes(found);
    if (train.layout() instanceof Layout.Columns table) {
      this.columns = ShownColumn.first(table, train.features());
      this.pixels = Optional.empty();
    } else {
      this.columns = List.of();
      this.pixels = Optional.of(ValueRange.ofAll(train.features()));
    }
  }

  private static Map<String, Integer> classes(Found found) {
    var counts = new LinkedHashMap<String, Integer>();
    found.classes().forEach(name -> counts.put(name, 0));
    found.parts().train().labels().ifPresent(labels -> count(labels, counts));
    return counts;
  }

  private static void count(LabelColumn labels, Map<String, Integer> counts) {
    for (int code : labels.codes()) {
      counts.merge(labels.names().get(code), 1, Integer::sum);
    }
  }

  private Map<String, Part> sets() {
    var sets = new LinkedHashMap<String, Part>();
    sets.put("training", train);
    found.parts().test().ifPresent(part -> sets.put("test", part));
    found.parts().validation().ifPresent(part -> sets.put("validation", part));
    return sets;
  }

  private String format() {
    return found.format().name().toLowerCase(Locale.ROOT);
  }

  /** The findings as lines. */
  String text() {
    var lines = new ArrayList<String>();
    lines.add("%s: format %s".formatted(path, format()));
    sets().forEach((name, part) -> lines.add(name + " set: " + described(part)));
    lines.add(classLine());
    pixels.ifPresent(range -> lines.add("pixels: " + range));
    if (train.layout() instanceof Layout.Columns table) {
      lines.addAll(columnLines(table.columns().size()));
    }
    lines.addAll(rowLines());
    return lines.stream().map(Printable::oneLine).collect(Collectors.joining("\n"));
  }

  private static String described(Part part) {
    boolean images = part.layout() instanceof Layout.Images;
    return "%s, %s of %s, %s (%s)"
        .formatted(
            Tables.count(part.features().size(), images ? "image" : "row"),
            part.layout(),
            part.features().type() == Features.Type.UINT8 ? "bytes" : "floats",
            part.labels().isPresent() ? "with labels" : "without labels",
            part.name());
  }

  private String classLine() {
    if (classes.isEmpty()) {
      return "no labels: training needs them; --label names their column in a table";
    }
    String some =
        classes.entrySet().stream()
            .limit(SHOWN)
            .map(each -> "%s (%,d)".formatted(ShownColumn.cut(each.getKey()), each.getValue()))
            .collect(Collectors.joining(", "));
    return "%s (examples): %s%s"
        .formatted(
            classes.size() == 1 ? "1 class" : classes.size() + " classes",
            some,
            classes.size() > SHOWN ? ", …" : "");
  }

  private List<String> columnLines(int all) {
    var lines = new ArrayList<String>();
    lines.add(ShownColumn.HEADER);
    columns.forEach(column -> lines.add(column.line()));
    if (all > columns.size()) {
      lines.add("and %,d more columns".formatted(all - columns.size()));
    }
    return lines;
  }

  private List<String> rowLines() {
    var lines = new ArrayList<String>();
    for (int row = 0; row < Math.min(ROWS, train.features().size()); row++) {
      var cells = new ArrayList<String>();
      label(row).ifPresent(label -> cells.add("label " + ShownColumn.cut(label)));
      values(row).forEach(value -> cells.add(ShownColumn.cut(value.toString())));
      if (!cells.isEmpty()) {
        lines.add("row %d: %s".formatted(row + 1, String.join(", ", cells)));
      }
    }
    return lines;
  }

  private Optional<String> label(int row) {
    return train.labels().map(labels -> labels.names().get(labels.codes()[row]));
  }

  /** The values of a row in the shown columns: numbers, and words. */
  private List<Object> values(int row) {
    if (columns.isEmpty()) {
      return List.of();
    }
    float[] inputs = new float[train.features().width()];
    train.features().read(row, inputs, 0);
    return columns.stream().map(column -> column.value(inputs)).toList();
  }

  /** The findings for JSON. */
  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("path", path.toString());
    json.put("format", format());
    json.put("inputs", train.layout().inputs());
    json.put("sets", sets().entrySet().stream().map(e -> json(e.getKey(), e.getValue())).toList());
    json.put(
        "classes",
        classes.entrySet().stream()
            .map(e -> Map.of("label", e.getKey(), "examples", e.getValue()))
            .toList());
    pixels.ifPresent(range -> json.put("pixels", range.json()));
    if (!columns.isEmpty()) {
      json.put("columns", columns.stream().map(ShownColumn::json).toList());
    }
    var first = new ArrayList<Map<String, Object>>();
    for (int row = 0; row < Math.min(ROWS, train.features().size()); row++) {
      var of = new LinkedHashMap<String, Object>();
      label(row).ifPresent(label -> of.put("label", label));
      if (!columns.isEmpty()) {
        of.put("values", values(row));
      }
      first.add(of);
    }
    json.put("first", first);
    return json;
  }

  private static Map<String, Object> json(String set, Part part) {
    var json = new LinkedHashMap<String, Object>();
    json.put("set", set);
    json.put("name", part.name());
    json.put("examples", part.features().size());
    json.put("layout", part.layout().toString());
    json.put("values", part.features().type() == Features.Type.UINT8 ? "bytes" : "floats");
    json.put("labels", part.labels().isPresent());
    return json;
  }
}
