package mlpcuda.input;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features;
import mlpcuda.features.Features.Type;
import mlpcuda.features.FeaturesBuilder;
import mlpcuda.input.NumberArray.Place;

/**
 * Turns an array of numbers into features. Three dimensions are grey images, (N, rows, columns);
 * four are images whose pixels have one or three values, (N, rows, columns, channels); two are rows
 * of pixels or of a table, (N, I).
 *
 * <p>Values stay unsigned bytes where they are pixels: the values of images that are integers from
 * 0 to 255. All other values become 32-bit floats, which must be finite.
 */
final class ArrayFeatures {
  /** The most columns of a table. */
  static final int MOST_COLUMNS = 1_000_000;

  /**
   * The side of the smallest image that is recognised by the number of its pixels. Tables may have
   * 4, 9 or 16 columns of small integers as well.
   */
  private static final int LEAST_SIDE = 8;

  /**
   * The most bytes that are copied to the heap where the file could be mapped. A mapped file must
   * not change while it is used, and a copy in an array is faster to use.
   */
  private static final long MOST_COPIED = 128 << 20;

  /** The number of values between two messages about progress, and of a thread's share. */
  private static final int SHARE = 1 << 20;

  private final NumberArray array;
  private final Layout layout;
  private final ReadingProgress progress;

  private ArrayFeatures(NumberArray array, Layout layout, ReadingProgress progress) {
    this.array = array;
    this.layout = layout;
    this.progress = progress;
  }

  /**
   * Features and what they are.
   *
   * @param layout what the inputs are
   * @param features (N, I)
   */
  record Inputs(Layout layout, Features features) {}

  /**
   * Reads the features.
   *
   * @param asFloats whether pixels become floats too, as those of another set did
   * @throws BadFileException if the array has another shape, or a value that is not finite
   */
  static Inputs of(
      NumberArray array,
      ReadOptions.ImageOptions options,
      boolean asFloats,
      ReadingProgress progress) {
    if (array.type().isText()) {
      throw array.bad("the features must be numbers, and these are texts");
    }
    Layout layout = layout(array, options);
    return new Inputs(layout, new ArrayFeatures(array, layout, progress).features(asFloats));
  }

  private static Layout layout(NumberArray array, ReadOptions.ImageOptions options) {
    long[] shape = array.shape();
    Layout layout =
        switch (shape.length) {
          case 2 -> rows(array, options);
          case 3 -> images(array, shape[1], shape[2], 1);
          case 4 -> channels(array);
          default ->
              throw array.bad(
                  "features must have 2 dimensions (examples, values), 3 (images) or 4 (images with"
                      + " channels), found "
                      + (shape.length == 0
                          ? "a single value"
                          : shape.length + ": " + array.shapeText()));
        };
    if (layout instanceof Layout.Images images
        && options.size().isPresent()
        && (options.size().get().rows() != images.rows()
            || options.size().get().cols() != images.cols())) {
      throw array.bad(
          "images must be %dx%d, found %s"
              .formatted(options.size().get().rows(), options.size().get().cols(), images));
    }
    return layout;
  }

  private static Layout.Images images(NumberArray array, long rows, long cols, int channels) {
    array.width(); // refuses images too large for an int
    return new Layout.Images((int) rows, (int) cols, channels);
  }

  private static Layout.Images channels(NumberArray array) {
    long[] shape = array.shape();
    if (shape[3] == 1 || shape[3] == 3) {
      return images(array, shape[1], shape[2], (int) shape[3]);
    }
    if (shape[1] == 1) { // PyTorch's order of dimensions
      return images(array, shape[2], shape[3], 1);
    }
    if (shape[1] == 3) {
      throw array.bad(
          "the last dimension of images must be the 1 or 3 values of a pixel, found %s;"
                  .formatted(array.shapeText())
              + " numpy.moveaxis(images, 1, -1) puts the colours last");
    }
    throw array.bad(
        "the last dimension of images must be the 1 or 3 values of a pixel, found "
            + array.shapeText());
  }

  private static Layout rows(NumberArray array, ReadOptions.ImageOptions options) {
    int width = array.width();
    if (options.size().isPresent()) {
      Layout.Images size = options.size().get();
      for (int channels : new int[] {1, 3}) {
        if (width == (long) size.rows() * size.cols() * channels) {
          return new Layout.Images(size.rows(), size.cols(), channels);
        }
      }
      throw array.bad(
          "a row must hold the %,d pixels of %dx%d, found %,d values"
              .formatted((long) size.rows() * size.cols(), size.rows(), size.cols(), width));
    }
    int side = (int) Math.round(Math.sqrt(width));
    if (array.type().isPixel() && side >= LEAST_SIDE && side * side == width) {
      return Layout.Images.grey(side, side);
    }
    if (width > MOST_COLUMNS) {
      throw array.bad(
          "a table may have %,d columns at most, found %,d".formatted(MOST_COLUMNS, width));
    }
    List<Column> columns =
        IntStream.rangeClosed(1, width).mapToObj(i -> Column.numbers("" + i)).toList();
    return new Layout.Columns(columns);
  }

  private Features features(boolean asFloats) {
    boolean images = layout instanceof Layout.Images && !asFloats;
    NumberType type = array.type();
    if (images && type.isPixel()) {
      return mapped(Type.UINT8).orElseGet(this::pixels);
    }
    if (images && type.isInteger() && holdsPixels()) {
      return pixels();
    }
    if (type.isNativeFloat()) {
      var features = mapped(Type.FLOAT32);
      features.ifPresent(this::checkFinite);
      return features.orElseGet(this::floats);
    }
    return floats();
  }

  private Optional<Features> mapped(Type type) {
    if (array.plain().isEmpty()
        || array.columnMajor()
        || NumberArray.bytes(array.name(), array.type(), array.shape()) <= MOST_COPIED) {
      return Optional.empty();
    }
    Place place = array.plain().get();
    return Optional.of(
        FeaturesBuilder.map(place.file(), place.from(), type, array.rows(), array.width()));
  }

  /** Whether all elements of an array of integers are from 0 to 255. */
  private boolean holdsPixels() {
    NumberType type = array.type();
    int width = array.width();
    boolean[] other = {false};
    array.read(
        (bytes, first, n) -> {
          for (int i = 0; i < n * width && !other[0]; i++) {
            long value = type.integer(bytes, i * type.bytes());
            other[0] = value < 0 || value > 255;
          }
        },
        progress);
    return !other[0];
  }

  private Features pixels() {
    NumberType type = array.type();
    int width = array.width();
    try (var builder = new FeaturesBuilder(Type.UINT8, width)) {
      array.read(
          (bytes, first, n) -> {
            if (type.isPixel()) {
              builder.add(bytes.array(), n);
              return;
            }
            byte[] pixels = new byte[n * width];
            for (int i = 0; i < pixels.length; i++) {
              pixels[i] = (byte) type.integer(bytes, i * type.bytes());
            }
            builder.add(pixels, n);
          },
          progress);
      return builder.build();
    }
  }

  private Features floats() {
    int width = array.width();
    try (var builder = new FeaturesBuilder(Type.FLOAT32, width)) {
      array.read((bytes, first, n) -> builder.add(floats(bytes, first, n * width), n), progress);
      return builder.build();
    }
  }

  private float[] floats(ByteBuffer bytes, int first, int count) {
    NumberType type = array.type();
    int width = array.width();
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      double value = type.number(bytes, i * type.bytes());
      values[i] = (float) value;
      if (!Float.isFinite(values[i])) {
        throw notFinite(first + i / width, i % width, value);
      }
    }
    return values;
  }

  private void checkFinite(Features features) {
    int width = features.width();
    int share = Math.max(1, SHARE / width);
    OptionalInt bad =
        IntStream.range(0, (features.size() - 1) / share + 1)
            .parallel()
            .map(
                s ->
                    firstNotFinite(
                        features, s * share, Math.min(share, features.size() - s * share)))
            .filter(row -> row >= 0)
            .findFirst();
    if (bad.isPresent()) {
      float[] row = new float[width];
      features.read(bad.getAsInt(), row, 0);
      int i = 0;
      while (Float.isFinite(row[i])) {
        i++;
      }
      throw notFinite(bad.getAsInt(), i, row[i]);
    }
    progress.at(features.size(), features.size());
  }

  /** Returns the first row that has a value that is not finite; -1 if there is none. */
  private static int firstNotFinite(Features features, int first, int n) {
    float[] row = new float[features.width()];
    for (int r = first; r < first + n; r++) {
      features.read(r, row, 0);
      for (float value : row) {
        if (!Float.isFinite(value)) {
          return r;
        }
      }
    }
    return -1;
  }

  /** Names an element by its index as NumPy counts, from 0 on. */
  private BadFileException notFinite(int row, int column, double value) {
    long[] shape = array.shape();
    var index = new StringBuilder("]");
    int rest = column;
    for (int d = shape.length - 1; d > 0; d--) {
      index.insert(0, ", " + rest % shape[d]);
      rest /= (int) shape[d];
    }
    String found = Double.isFinite(value) ? value + ", which is too large" : "" + value;
    return array.bad(
        "values must be finite 32-bit floats; the one at [%d%s is %s".formatted(row, index, found));
  }
}
