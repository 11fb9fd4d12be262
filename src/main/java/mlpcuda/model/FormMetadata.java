package mlpcuda.model;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mlpcuda.data.Column;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.model.Description.Metadata;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.InkWidth;
import mlpcuda.preparation.NumberForm;
import mlpcuda.preparation.Preparation;

/**
 * The form of a network's examples in its file. Images are described by metadata alone; rows of
 * numbers have two tensors as well, {@code inputs.centre} and {@code inputs.factor}, because text
 * would not keep floats exactly.
 */
final class FormMetadata {
  // Files of earlier versions lack the entries preparation, transpose, inputs and labels.
  private static final String PREPARATION = "preparation";
  private static final String TRANSPOSE = "transpose";
  private static final String INPUTS = "inputs";
  private static final String LABELS = "labels";
  private static final String COLUMNS = "columns";
  private static final String CHANNELS = "channels";
  private static final String INK_WIDTH = "ink_width";
  private static final String CENTRE = "inputs.centre";
  private static final String FACTOR = "inputs.factor";

  /** The entries that an ONNX model keeps: its graph has the others. */
  static final Set<String> PROPERTIES = Set.of(PREPARATION, TRANSPOSE, COLUMNS, LABELS);

  private FormMetadata() {}

  /** Adds the form's entries to a file's metadata. */
  static void put(Map<String, String> metadata, ExampleForm form, int classes) {
    metadata.put("scaling", form.scaling().name());
    if (form instanceof ImageForm images) {
      metadata.put("mean", Double.toString(images.scaling().mean()));
      metadata.put("std", Double.toString(images.scaling().std()));
      put(metadata, images.layout());
      metadata.put("classes", Integer.toString(classes));
      metadata.put(PREPARATION, images.preparation().label());
      metadata.put(TRANSPOSE, Boolean.toString(images.transposed()));
      if (!images.inkWidth().isAsIs()) {
        metadata.put(INK_WIDTH, images.inkWidth().label());
      }
    } else {
      metadata.put(INPUTS, "numbers");
      if (form.layout() instanceof Layout.Images images) {
        put(metadata, images);
      } else if (form.layout() instanceof Layout.Columns columns) {
        metadata.put(COLUMNS, json(columns));
      }
      metadata.put("classes", Integer.toString(classes));
    }
    if (!form.labels().isEmpty()) {
      metadata.put(LABELS, json(form.labels()));
    }
  }

  private static void put(Map<String, String> metadata, Layout.Images images) {
    metadata.put("rows", Integer.toString(images.rows()));
    metadata.put("cols", Integer.toString(images.cols()));
    if (images.channels() != 1) {
      metadata.put(CHANNELS, Integer.toString(images.channels()));
    }
  }

  /** Columns that are numbers named 1, 2, … are written as their count: there may be many. */
  private static String json(Layout.Columns columns) {
    if (columns.equals(Layout.Columns.numbered(columns.columns().size()))) {
      return Integer.toString(columns.columns().size());
    }
    var list = new ArrayList<Map<String, Object>>();
    for (Column column : columns.columns()) {
      var json = new LinkedHashMap<String, Object>();
      json.put("name", column.name());
      if (!column.words().isEmpty()) {
        json.put("words", column.words());
      }
      if (!Float.isNaN(column.missing())) {
        json.put("missing", column.missing());
      }
      list.add(json);
    }
    return json(list);
  }

  private static String json(Object value) {
    try {
      return JSON.std.asString(value);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // nothing is written to a device here
    }
  }

  /** Adds the form's tensors to those of a file. */
  static void add(List<Safetensors.Tensor> tensors, ExampleForm form) {
    if (form instanceof NumberForm numbers) {
      int[] shape = {numbers.layout().inputs()};
      tensors.add(new Safetensors.Tensor(CENTRE, shape, numbers.scaling().centre()));
      tensors.add(new Safetensors.Tensor(FACTOR, shape, numbers.scaling().factor()));
    }
  }

  /** Whether a tensor of that name belongs to a form. */
  static boolean isItsOwn(String name) {
    return name.equals(CENTRE) || name.equals(FACTOR);
  }

  /**
   * The inputs that a file's metadata describe.
   *
   * @param metadata the metadata, some of whose entries are not checked yet
   * @param layout what the features are
   * @param numbers whether the features are floats with a scaling for each column
   */
  record Inputs(Metadata metadata, Layout layout, boolean numbers) {
    /** The number of inputs. */
    long count() {
      return layout instanceof Layout.Images images
          ? (long) images.rows() * images.cols() * images.channels()
          : layout.inputs();
    }

    /** The number of inputs and where it comes from, in words. */
    String description() {
      if (layout instanceof Layout.Images images) {
        String channels = images.channels() == 1 ? "" : " * channels";
        return "rows * cols%s = %d".formatted(channels, count());
      }
      return "the number of inputs of the columns, %d".formatted(count());
    }

    /**
     * Reads the form.
     *
     * @throws IllegalArgumentException if a number is outside of its range
     */
    ExampleForm form(Safetensors.Contents contents, Set<String> unknown, int classes) {
      List<String> labels = labels(classes);
      if (!numbers) {
        return images((Layout.Images) layout, labels);
      }
      float[] centre = tensor(contents, unknown, CENTRE);
      float[] factor = tensor(contents, unknown, FACTOR);
      String name = metadata.text("scaling");
      if (!ColumnScaling.NAMES.contains(name)) {
        throw metadata.bad("scaling", "one of " + String.join(", ", ColumnScaling.NAMES));
      }
      return new NumberForm(layout, new ColumnScaling(name, centre, factor), labels);
    }

    private float[] tensor(Safetensors.Contents contents, Set<String> unknown, String name) {
      Safetensors.Tensor tensor = contents.tensors().get(name);
      if (tensor == null || tensor.values().length != layout.inputs()) {
        throw new IllegalArgumentException(
            "a network of %d numbers must have the tensor %s with as many values"
                .formatted(layout.inputs(), name));
      }
      unknown.remove(name);
      return tensor.values();
    }

    private ImageForm images(Layout.Images size, List<String> labels) {
      var scaling =
          new PixelScaling(metadata.text("scaling"), metadata.real("mean"), metadata.real("std"));
      if (!PixelScaling.NAMES.contains(scaling.name())) {
        throw metadata.bad("scaling", "one of " + String.join(", ", PixelScaling.NAMES));
      }
      if (!Float.isFinite(scaling.scale()) || !Float.isFinite(scaling.shift())) {
        throw metadata.bad("std", "large enough for finite inputs with mean " + scaling.mean());
      }
      return new ImageForm(size, scaling, preparation(size), transposed(), labels, inkWidth(size));
    }

    private InkWidth inkWidth(Layout.Images size) {
      return metadata.texts().containsKey(INK_WIDTH)
          ? inkWidths(metadata, INK_WIDTH, size).get(0)
          : InkWidth.AS_IS;
    }

    private Preparation preparation(Layout.Images size) {
      if (!metadata.texts().containsKey(PREPARATION)) {
        return Preparation.usual(size.rows(), size.cols());
      }
      try {
        return Preparation.labelled(metadata.text(PREPARATION));
      } catch (IllegalArgumentException e) {
        throw metadata.bad(PREPARATION, "one of " + String.join(", ", Preparation.LABELS));
      }
    }

    private boolean transposed() {
      return switch (metadata.texts().getOrDefault(TRANSPOSE, "false")) {
        case "true" -> true;
        case "false" -> false;
        default -> throw metadata.bad(TRANSPOSE, "true or false");
      };
    }

    private List<String> labels(int classes) {
      if (!metadata.texts().containsKey(LABELS)) {
        return List.of();
      }
      List<?> labels = list(metadata, LABELS);
      if (labels.size() != classes
          || labels.stream().distinct().count() != classes
          || !labels.stream().allMatch(String.class::isInstance)) {
        throw metadata.bad(LABELS, "a JSON array of %d different texts".formatted(classes));
      }
      return labels.stream().map(String.class::cast).toList();
    }
  }

  /**
   * Reads widths of the ink of images.
   *
   * @param name the entry that has them, joined by commas
   */
  static List<InkWidth> inkWidths(Metadata metadata, String name, Layout.Images size) {
    try {
      List<InkWidth> widths = InkWidth.parseAll(metadata.text(name));
      widths.forEach(width -> width.check(size, true));
      return widths;
    } catch (IllegalArgumentException e) {
      throw metadata.bad(
          name, "as-is or from 1 to the %d columns of a grey image".formatted(size.cols()));
    }
  }

  /** Reads what the inputs of a network are. */
  static Inputs inputs(Metadata metadata) {
    boolean numbers = metadata.texts().containsKey(INPUTS);
    if (numbers && !metadata.text(INPUTS).equals("numbers")) {
      throw metadata.bad(INPUTS, "numbers");
    }
    if (metadata.texts().containsKey(COLUMNS)) {
      return new Inputs(metadata, columns(metadata), true);
    }
    int rows = metadata.positive("rows", metadata.text("rows"));
    int cols = metadata.positive("cols", metadata.text("cols"));
    String channels = metadata.texts().getOrDefault(CHANNELS, "1");
    return new Inputs(
        metadata, new Layout.Images(rows, cols, metadata.positive(CHANNELS, channels)), numbers);
  }

  private static Layout.Columns columns(Metadata metadata) {
    if (metadata.text(COLUMNS).matches("[0-9]+")) {
      int count = metadata.positive(COLUMNS, metadata.text(COLUMNS));
      if (count > Layout.Columns.MOST) {
        throw metadata.bad(COLUMNS, "at most " + Layout.Columns.MOST);
      }
      return Layout.Columns.numbered(count);
    }
    var columns = new ArrayList<Column>();
    for (Object json : list(metadata, COLUMNS)) {
      columns.add(column(metadata, json));
    }
    if (columns.isEmpty()) {
      throw metadata.bad(COLUMNS, "at least one column");
    }
    return new Layout.Columns(columns);
  }

  private static Column column(Metadata metadata, Object json) {
    if (json instanceof Map<?, ?> fields && fields.get("name") instanceof String name) {
      Object words = fields.get("words");
      Object missing = fields.get("missing");
      boolean texts =
          words instanceof List<?> list && list.stream().allMatch(String.class::isInstance);
      if ((words == null || texts) && (missing == null || missing instanceof Number)) {
        List<String> names =
            words == null ? List.of() : ((List<?>) words).stream().map(String.class::cast).toList();
        float value = missing == null ? Float.NaN : ((Number) missing).floatValue();
        return new Column(name, names, value);
      }
    }
    throw metadata.bad(COLUMNS, "a JSON array of columns with name, words and missing");
  }

  private static List<?> list(Metadata metadata, String name) {
    try {
      if (JSON.std.anyFrom(metadata.text(name)) instanceof List<?> list) {
        return list;
      }
    } catch (IOException e) {
      // a text that is not JSON is refused below
    }
    throw metadata.bad(name, "a JSON array");
  }
}
