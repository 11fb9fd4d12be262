package mlpcuda.compute.cpu;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;

import java.util.function.BiFunction;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.DistortionDraws;
import mlpcuda.compute.Originals;
import mlpcuda.random.Philox;

/**
 * Distorts images on all threads. A group of images has its random displacements side by side, in
 * the order (row, field, column) where each image has two fields, so that two products with square
 * matrices, one for each direction, smooth all of them.
 */
final class Distortions implements AutoCloseable {
  /** The most floats of the displacements of a group: a part of a core's second-level cache. */
  private static final int GROUP = 1 << 15;

  private final WorkSplitter parts;
  private final BiFunction<String, Integer, Floats> allocator;
  private final Field[] fields; // by part; null: none was needed yet
  private Smoothing smoothing; // null: none was needed yet

  Distortions(WorkSplitter parts, BiFunction<String, Integer, Floats> allocator) {
    this.parts = parts;
    this.allocator = allocator;
    this.fields = new Field[parts.most()];
  }

  /**
   * The matrices that smooth fields of one size by one Gaussian.
   *
   * @param alpha the factor that {@code down} has in it
   * @param down (rows, rows), which is multiplied from the left
   * @param across (cols, cols), which is multiplied from the right
   */
  private record Smoothing(
      int rows, int cols, float alpha, float sigma, Floats down, Floats across) {
    boolean suits(Distorting distorting) {
      Distortion amounts = distorting.amounts();
      return rows == distorting.rows()
          && cols == distorting.cols()
          && alpha == amounts.alpha()
          && sigma == amounts.sigma();
    }

    void close() {
      down.release();
      across.release();
    }
  }

  /** The displacements of a group of images: two buffers that the products read and write. */
  private record Field(Floats one, Floats other, int length) {
    void close() {
      one.release();
      other.release();
    }
  }

  /** One call of {@link #distort}. */
  private record Call(Floats x, Originals originals, Distorting distorting, int epoch) {
    int pixels() {
      return distorting.rows() * distorting.cols();
    }

    /** The number of images whose displacements are smoothed together. */
    int group() {
      return Math.max(1, GROUP / (2 * pixels()));
    }

    boolean displaces() {
      return distorting.amounts().alpha() > 0;
    }

    Bytes images() {
      return (Bytes) originals.images();
    }

    /** The number in the set of example {@code b} of the batch. */
    int number(int b) {
      return ((Ints) originals.numbers()).at(b);
    }

    /** The byte at which the image of example {@code b} of the batch begins. */
    int first(int b) {
      return images().offset + (originals.staged() ? b : number(b)) * distorting.inputs();
    }
  }

  /** Distorts images as {@link mlpcuda.compute.Ops#distortForward} does. */
  void distort(Floats x, Originals originals, int B, Distorting distorting, int epoch) {
    int I = distorting.inputs();
    x.overwrite(B * I, InputOrder.natural(I));
    var call = new Call(x, originals, distorting, epoch);
    int count = parts.of((long) B * I);
    if (call.displaces()) {
      prepare(call, count);
    }
    parts.run(
        count,
        (part, of) -> {
          int end = Workers.bound(B, 1, part + 1, of);
          for (int b = Workers.bound(B, 1, part, of); b < end; b += call.group()) {
            group(call, part, b, Math.min(call.group(), end - b));
          }
        });
  }

  /** Makes what the parts share, and their buffers, before they run. */
  private void prepare(Call call, int count) {
    Distorting distorting = call.distorting;
    if (smoothing == null || !smoothing.suits(distorting)) {
      if (smoothing != null) {
        smoothing.close();
      }
      Distortion amounts = distorting.amounts();
      float[] window = amounts.window();
      int rows = distorting.rows();
      int cols = distorting.cols();
      smoothing =
          new Smoothing(
              rows,
              cols,
              amounts.alpha(),
              amounts.sigma(),
              matrix("smoothing down", window, amounts.alpha(), rows),
              matrix("smoothing across", window, 1, cols));
    }
    int length = call.group() * 2 * call.pixels();
    for (int part = 0; part < count; part++) {
      if (fields[part] == null || fields[part].length < length) {
        if (fields[part] != null) {
          fields[part].close();
        }
        fields[part] =
            new Field(
                allocator.apply("displacements", length),
                allocator.apply("displacements smoothed down", length),
                length);
      }
    }
  }

  /** The matrix (n, n) of a window: element (i, j) is the weight of a pixel |i − j| away. */
  private Floats matrix(String name, float[] window, float factor, int n) {
    float[] values = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        int away = Math.abs(i - j);
        values[i * n + j] = away < window.length ? factor * window[away] : 0;
      }
    }
    Floats matrix = allocator.apply(name, values.length);
    matrix.put(0, values, values.length);
    return matrix;
  }

  /** Distorts {@code n} images of the batch from {@code b} on. */
  private void group(Call call, int part, int b, int n) {
    Distorting distorting = call.distorting;
    int I = distorting.inputs();
    float[] displaced = parts.floats(part, 0, 2 * call.pixels() * n);
    if (call.displaces()) {
      displace(call, part, b, n, displaced);
    }
    var resampling = new Resampling(distorting);
    float[] padded = parts.floats(part, 1, resampling.paddedLength());
    float[] row = parts.floats(part, 2, I);
    float[] places = parts.floats(part, 3, 2 * distorting.cols());
    for (int k = 0; k < n; k++) {
      var draws = new DistortionDraws(distorting.seed(), call.epoch, call.number(b + k));
      resampling.pad(padded, call.images().array, call.first(b + k));
      resampling.run(row, padded, draws, displaced, 2 * k, 2 * n, places);
      ArrayMath.scale(row, distorting.scaling().scale(), distorting.scaling().shift(), I);
      call.x.put((b + k) * I, row, I);
    }
  }

  /** Sets the smoothed displacements of {@code n} images, (row, 2n, column). */
  private void displace(Call call, int part, int b, int n, float[] displaced) {
    int rows = call.distorting.rows();
    int cols = call.distorting.cols();
    int[] words = new int[(call.pixels() + 3) / 4 * 4];
    for (int k = 0; k < n; k++) {
      words(words, call.distorting.seed(), call.epoch, call.number(b + k));
      for (int row = 0; row < rows; row++) {
        int at = (row * 2 * n + 2 * k) * cols;
        for (int col = 0; col < cols; col++) {
          displaced[at + col] = DistortionDraws.across(words[row * cols + col]);
        }
        for (int col = 0; col < cols; col++) {
          displaced[at + cols + col] = DistortionDraws.down(words[row * cols + col]);
        }
      }
    }
    Field field = fields[part];
    int length = 2 * n * call.pixels();
    field.one.put(0, displaced, length);
    product(rows, 2 * n * cols, rows, smoothing.down, field.one, field.other);
    product(rows * 2 * n, cols, cols, field.other, smoothing.across, field.one);
    field.one.get(0, displaced, length);
  }

  /** c (m, n) = a (m, k) · b (k, n). */
  private static void product(int m, int n, int k, Floats a, Floats b, Floats c) {
    cblas_sgemm(
        CblasRowMajor,
        CblasNoTrans,
        CblasNoTrans,
        m,
        n,
        k,
        1f,
        a.at(0),
        k,
        b.at(0),
        n,
        0f,
        c.to(0),
        n);
  }

  /** Sets the words of an example's pixels. */
  private static void words(int[] words, long seed, int epoch, int example) {
    int[] block = new int[4];
    for (int at = 0; at < words.length; at += 4) {
      int counter = (DistortionDraws.NOISE + at) / 4;
      Philox.block(block, counter, example, epoch, Philox.Use.DISTORTION, seed);
      words[at] = block[0];
      words[at + 1] = block[1];
      words[at + 2] = block[2];
      words[at + 3] = block[3];
    }
  }

  @Override
  public void close() {
    if (smoothing != null) {
      smoothing.close();
    }
    for (Field field : fields) {
      if (field != null) {
        field.close();
      }
    }
  }
}
