package mlpcuda.run;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import mlpcuda.data.Layout;
import mlpcuda.input.ReadOptions;
import mlpcuda.input.ReadOptions.ArrayNames;
import mlpcuda.input.ReadOptions.Format;
import mlpcuda.input.ReadOptions.ImageOptions;
import mlpcuda.input.ReadOptions.TableOptions;

/** The options of reading examples as data in a checkpoint. */
final class ReadOptionsJson {
  private ReadOptionsJson() {}

  /** Converts options to a JSON object. */
  static Map<String, Object> write(ReadOptions options) {
    TableOptions table = options.table();
    ImageOptions images = options.images();
    var json = new LinkedHashMap<String, Object>();
    json.put("format", options.format().map(ReadOptionsJson::label).orElse(null));
    json.put("label", table.label().orElse(null));
    json.put("ignore", List.copyOf(table.ignored()));
    json.put("sample_weight", table.weight().orElse(null));
    json.put("decimal", Character.toString(table.decimal()));
    json.put("missing", label(table.missing()));
    json.put("image_rows", images.size().map(Layout.Images::rows).orElse(null));
    json.put("image_cols", images.size().map(Layout.Images::cols).orElse(null));
    json.put("colour", images.colour());
    json.put("skip_bad", images.skipBad());
    json.put("features_array", options.arrays().features().orElse(null));
    json.put("labels_array", options.arrays().labels().orElse(null));
    return json;
  }

  private static String label(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads options that {@link #write} wrote.
   *
   * @throws IllegalArgumentException if they are anything else
   */
  static ReadOptions read(Fields json) {
    boolean sized = json.values().get("image_rows") != null;
    boolean colour = json.flag("colour");
    Optional<Layout.Images> size =
        sized
            ? Optional.of(
                new Layout.Images(
                    json.whole("image_rows", 1), json.whole("image_cols", 1), colour ? 3 : 1))
            : Optional.empty();
    boolean recognised = json.values().get("format") == null;
    return new ReadOptions(
        recognised ? Optional.empty() : Optional.of(json.constant("format", Format.class)),
        new TableOptions(
            json.optionalText("label"),
            new LinkedHashSet<>(json.list("ignore", String.class)),
            json.optionalText("sample_weight"),
            json.text("decimal").charAt(0),
            json.constant("missing", TableOptions.Missing.class)),
        new ImageOptions(size, colour, json.flag("skip_bad")),
        new ArrayNames(json.optionalText("features_array"), json.optionalText("labels_array")));
  }
}
