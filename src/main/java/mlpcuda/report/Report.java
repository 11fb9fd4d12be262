package mlpcuda.report;

import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.data.ImageSet;
import mlpcuda.net.MlpShape;
import mlpcuda.train.Predictions;

/** Writes {@code report.html}: a run's network and data, what it measured, and pictures of both. */
public final class Report {
  private static final String FILE = "report.html";

  /** The number of images of a gallery. */
  private static final int GALLERY = 20;

  /** The greatest number of images behind a cell of the confusion matrix. */
  private static final int CELL = 24;

  /** The greatest number of units whose weights are shown. */
  private static final int UNITS = 128;

  /**
   * The most bytes of pixels of all test images together. The same limit holds for the training
   * images and for the weights.
   */
  private static final int MOST_BYTES = 2 << 20;

  /**
   * The weight that is drawn in full colour, in root mean squares of the weights: the few larger
   * weights would make the rest pale.
   */
  private static final double FULL_COLOUR = 3;

  private final Metrics metrics;
  private final MlpShape shape;
  private final ImageSet train;
  private final ImageSet test;
  private final Page page;

  /**
   * Creates the report of a run.
   *
   * @param name the name of the run
   * @param train the training set
   * @param test the test set, whose images have the size of the training images
   */
  public Report(String name, Metrics metrics, MlpShape shape, ImageSet train, ImageSet test) {
    this.metrics = metrics;
    this.shape = shape;
    this.train = train;
    this.test = test;
    this.page = new Page("mlp-cuda: " + name);
  }

  /**
   * Writes the current report into {@code folder}, over a former report.
   *
   * @param status a sentence that says how far the run has come
   * @param weights the weights of the first layer (O, I), finite; empty if they must not be shown
   * @param answers the answers to the test images; empty before the test
   * @throws java.io.UncheckedIOException if writing fails
   */
  public void write(
      Path folder, String status, Optional<float[]> weights, Optional<Predictions> answers) {
    var data = new LinkedHashMap<String, Object>();
    String now = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss"));
    data.put("status", status + " Written " + now + ".");
    Map<String, Object> measured = metrics.json();
    measured.replaceAll(
        (name, value) -> value instanceof List<?> rows ? Page.thinned(rows) : value);
    data.put("metrics", measured);
    data.put("layers", layers(shape));
    data.put("training", training());
    if (shape.inputs(0) <= MOST_BYTES) {
      weights.ifPresent(shown -> data.put("weights", weights(shown)));
    }
    answers.ifPresent(given -> data.put("test", test(given)));
    page.write(folder.resolve(FILE), data);
  }

  /** Converts the layers of a network to JSON objects. */
  public static List<Map<String, Object>> layers(MlpShape shape) {
    return IntStream.range(0, shape.layers()).mapToObj(l -> layer(shape, l)).toList();
  }

  private static Map<String, Object> layer(MlpShape shape, int l) {
    var layer = new LinkedHashMap<String, Object>();
    layer.put("name", "layers." + l);
    layer.put("inputs", shape.inputs(l));
    layer.put("outputs", shape.outputs(l));
    layer.put("activation", shape.activation(l).label());
    layer.put("parameters", shape.parameters(l));
    return layer;
  }

  private Map<String, Object> training() {
    int[] first = IntStream.range(0, Math.min(gallery(), train.size())).toArray();
    Map<String, Object> images = images(train, first);
    images.put("labels", labels(train, first));
    return images;
  }

  /** Returns the number of images of a gallery, which is smaller for large images. */
  private int gallery() {
    // Two galleries of test images, mistakes and first images, share the limit.
    return Math.min(GALLERY, MOST_BYTES / 2 / train.pixelsPerImage());
  }

  private static Map<String, Object> images(ImageSet set, int[] indices) {
    int each = set.pixelsPerImage();
    byte[] pixels = new byte[indices.length * each];
    for (int i = 0; i < indices.length; i++) {
      System.arraycopy(set.pixels(), indices[i] * each, pixels, i * each, each);
    }
    var images = new LinkedHashMap<String, Object>();
    images.put("rows", set.rows());
    images.put("cols", set.cols());
    images.put("pixels", pixels);
    return images;
  }

  private static int[] labels(ImageSet set, int[] indices) {
    return Arrays.stream(indices).map(i -> Byte.toUnsignedInt(set.labels()[i])).toArray();
  }

  /**
   * Converts the weights of the first units to signed bytes: ±127 stands for full colour and
   * beyond.
   */
  private Map<String, Object> weights(float[] weights) {
    int I = shape.inputs(0);
    int units = Math.min(Math.min(UNITS, shape.outputs(0)), MOST_BYTES / I);
    double squares = 0;
    for (int i = 0; i < units * I; i++) {
      squares += (double) weights[i] * weights[i];
    }
    double full = FULL_COLOUR * Math.sqrt(squares / (units * I));
    byte[] bytes = new byte[units * I];
    for (int i = 0; i < bytes.length; i++) {
      double part = full == 0 ? 0 : weights[i] / full;
      bytes[i] = (byte) Math.round(Byte.MAX_VALUE * Math.max(-1, Math.min(1, part)));
    }
    var shown = new LinkedHashMap<String, Object>();
    shown.put("units", shape.outputs(0));
    shown.put("inputs", I);
    shown.put("rows", train.rows());
    shown.put("cols", train.cols());
    shown.put("full", full);
    shown.put("bytes", bytes);
    return shown;
  }

  /** A cell of the confusion matrix, and its examples in the order in which they are shown. */
  private record Cell(int truth, int answer, List<Integer> examples) {}

  private Map<String, Object> test(Predictions answers) {
    // Examples are sorted by the certainty of their answers, the most certain first; equally
    // certain ones keep their order.
    List<Integer> certain =
        IntStream.range(0, test.size())
            .boxed()
            .sorted(Comparator.comparing((Integer i) -> -answers.probabilities()[i]))
            .toList();
    List<Cell> cells = cells(answers, certain);
    List<Integer> mistakes =
        certain.stream()
            .filter(i -> answers.classes()[i] != Byte.toUnsignedInt(test.labels()[i]))
            .limit(gallery())
            .toList();
    List<Integer> first = IntStream.range(0, Math.min(gallery(), test.size())).boxed().toList();
    int room = MOST_BYTES / test.pixelsPerImage() - mistakes.size() - first.size();
    int each = each(cells, room);

    // maps the index of each shown example to its slot in the page's pixels
    var slots = new LinkedHashMap<Integer, Integer>();
    Stream.of(mistakes, first).forEach(examples -> slots(slots, examples));
    var shown = new ArrayList<Map<String, Object>>();
    for (Cell cell : cells) {
      var of = new LinkedHashMap<String, Object>();
      of.put("truth", cell.truth());
      of.put("answer", cell.answer());
      of.put("images", slots(slots, cell.examples().stream().limit(each).toList()));
      shown.add(of);
    }
    int[] indices = slots.keySet().stream().mapToInt(i -> i).toArray();
    Map<String, Object> json = images(test, indices);
    json.put("indices", indices);
    json.put("labels", labels(test, indices));
    json.put("answers", Arrays.stream(indices).map(i -> answers.classes()[i]).toArray());
    json.put(
        "probabilities", Arrays.stream(indices).mapToObj(i -> answers.probabilities()[i]).toList());
    json.put("mistakes", slots(slots, mistakes));
    json.put("first", slots(slots, first));
    json.put("cells", shown);
    return json;
  }

  /**
   * Returns the cells that are not empty. Right answers are sorted with the least certain first,
   * wrong answers with the most certain first.
   */
  private List<Cell> cells(Predictions answers, List<Integer> certain) {
    var cells = new LinkedHashMap<List<Integer>, Cell>();
    for (int i : certain) {
      int truth = Byte.toUnsignedInt(test.labels()[i]);
      int answer = answers.classes()[i];
      cells
          .computeIfAbsent(List.of(truth, answer), at -> new Cell(truth, answer, new ArrayList<>()))
          .examples()
          .add(i);
    }
    cells.values().stream()
        .filter(cell -> cell.truth() == cell.answer())
        .forEach(cell -> Collections.reverse(cell.examples()));
    return List.copyOf(cells.values());
  }

  /**
   * Returns the greatest number of images that each cell may show so that all cells together stay
   * within the limit.
   */
  private static int each(List<Cell> cells, int room) {
    int each = CELL;
    while (each > 0 && total(cells, each) > room) {
      each--;
    }
    return each;
  }

  private static int total(List<Cell> cells, int each) {
    return cells.stream().mapToInt(cell -> Math.min(each, cell.examples().size())).sum();
  }

  /** Returns the slots of the examples; an example without a slot gets the next free slot. */
  private static List<Integer> slots(Map<Integer, Integer> slots, List<Integer> examples) {
    return examples.stream()
        .map(
            i -> {
              slots.putIfAbsent(i, slots.size());
              return slots.get(i);
            })
        .toList();
  }
}
