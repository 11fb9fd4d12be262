package mlpcuda.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.net.MlpShape;
import mlpcuda.train.DistortedImages;
import mlpcuda.train.Predictions;

/**
 * The pictures of a report on images: examples, mistakes, and the weights of the first layer.
 *
 * @param shape the shape of the network
 * @param train the training set, whose pixels are bytes
 * @param test the test set, whose images have the size of the training images
 * @param size the size of an image
 */
record ReportImages(MlpShape shape, ExampleSet train, ExampleSet test, Layout.Images size) {
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
  static final int MOST_BYTES = 2 << 20;

  /**
   * The weight that is drawn in full colour, in root mean squares of the weights: the few larger
   * weights would make the rest pale.
   */
  private static final double FULL_COLOUR = 3;

  Map<String, Object> training() {
    int[] first = IntStream.range(0, Math.min(gallery(), train.size())).toArray();
    Map<String, Object> images = images(train, first);
    images.put("labels", labels(train, first));
    return images;
  }

  /** Returns the number of images of a gallery, which is smaller for large images. */
  private int gallery() {
    // Two galleries of test images, mistakes and first images, share the limit.
    return Math.min(GALLERY, MOST_BYTES / 2 / train.inputs());
  }

  private Map<String, Object> images(ExampleSet set, int[] indices) {
    int each = set.inputs();
    byte[] pixels = new byte[indices.length * each];
    for (int i = 0; i < indices.length; i++) {
      set.features().read(indices[i], pixels, i * each);
    }
    return pixels(size, pixels);
  }

  private static Map<String, Object> pixels(Layout.Images size, byte[] pixels) {
    var images = new LinkedHashMap<String, Object>();
    images.put("rows", size.rows());
    images.put("cols", size.cols());
    if (size.channels() > 1) {
      images.put("channels", size.channels());
    }
    images.put("pixels", pixels);
    return images;
  }

  static Map<String, Object> distorted(DistortedImages shown) {
    Map<String, Object> images = pixels(shown.size(), shown.pixels());
    images.put("labels", shown.labels());
    images.put("epochs", shown.epochs());
    return images;
  }

  private static int[] labels(ExampleSet set, int[] indices) {
    return Arrays.stream(indices).map(i -> set.label(i)).toArray();
  }

  /**
   * Converts the weights of the first units to signed bytes: ±127 stands for full colour and
   * beyond.
   */
  Map<String, Object> weights(float[] weights) {
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
    shown.put("rows", size.rows());
    shown.put("cols", size.cols());
    shown.put("full", full);
    shown.put("bytes", bytes);
    return shown;
  }

  /** A cell of the confusion matrix, and its examples in the order in which they are shown. */
  private record Cell(int truth, int answer, List<Integer> examples) {}

  Map<String, Object> test(Predictions answers) {
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
            .filter(i -> answers.classes()[i] != test.label(i))
            .limit(gallery())
            .toList();
    List<Integer> first = IntStream.range(0, Math.min(gallery(), test.size())).boxed().toList();
    int room = MOST_BYTES / test.inputs() - mistakes.size() - first.size();
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
      int truth = test.label(i);
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
