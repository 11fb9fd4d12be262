package mlpcuda.compute;

import mlpcuda.random.Philox;

/**
 * The random numbers of one distorted image, a function of the run's seed, the epoch and the
 * example's number alone: the image is the same, but for rounding, on every device, in any batch,
 * and after a resumption.
 *
 * <p>They are words of {@link Philox} with the counter (block of four words, example, epoch). Words
 * 0 … 5 are those of turn, shear, width, height, and of the moves across and down; word 6 decides
 * about erasing, and words 8 … 11 are the rectangle's height, width, top and left. Each word from
 * {@link #NOISE} on belongs to a pixel in row-major order: its lower half is the displacement
 * across, its upper half the one down.
 */
public final class DistortionDraws {
  /** The number of the first word that belongs to a pixel. */
  public static final int NOISE = 16;

  private final int[] words = new int[12];

  /** The numbers of an example in an epoch. */
  public DistortionDraws(long seed, int epoch, int example) {
    int[] block = new int[4];
    for (int i = 0; i < words.length; i += 4) {
      Philox.block(block, i / 4, example, epoch, Philox.Use.DISTORTION, seed);
      System.arraycopy(block, 0, words, i, 4);
    }
  }

  /**
   * The map from a pixel of the distorted image to the place in the original that it comes from.
   */
  public record Affine(double xx, double xy, double x0, double yx, double yy, double y0) {}

  /** The map of x = xx · col + xy · row + x0, and y likewise, without displacements. */
  public Affine affine(Distortion amounts, int rows, int cols) {
    double angle = Math.toRadians(amounts.rotate() * (double) signed(0));
    double slope = StrictMath.tan(Math.toRadians(amounts.shear() * (double) signed(1)));
    double width = 1 + amounts.scale() * (double) signed(2) / 100;
    double height = 1 + amounts.scale() * (double) signed(3) / 100;
    double cos = StrictMath.cos(angle);
    double sin = StrictMath.sin(angle);
    double xx = (cos + slope * sin) / width;
    double xy = (sin - slope * cos) / width;
    double yx = -sin / height;
    double yy = cos / height;
    double cx = (cols - 1) / 2.0;
    double cy = (rows - 1) / 2.0;
    double fromX = cx + amounts.translate() * (double) signed(4);
    double fromY = cy + amounts.translate() * (double) signed(5);
    return new Affine(xx, xy, cx - xx * fromX - xy * fromY, yx, yy, cy - yx * fromX - yy * fromY);
  }

  /**
   * The rectangle that is erased.
   *
   * @param bottom the first row below it
   * @param right the first column beside it
   */
  public record Erased(int top, int left, int bottom, int right) {
    /** No pixel is erased. */
    public static final Erased NOTHING = new Erased(0, 0, 0, 0);
  }

  /** The rectangle that is erased: at most three eighths of the rows and of the columns. */
  public Erased erased(Distortion amounts, int rows, int cols) {
    if (Philox.uniform(words[6]) >= amounts.erase()) {
      return Erased.NOTHING;
    }
    int height = 1 + below(8, Math.max(1, rows * 3 / 8));
    int width = 1 + below(9, Math.max(1, cols * 3 / 8));
    int top = below(10, rows - height + 1);
    int left = below(11, cols - width + 1);
    return new Erased(top, left, top + height, left + width);
  }

  /** A number in [−1, 1), a multiple of 2⁻²³. */
  private float signed(int word) {
    return 2 * Philox.uniform(words[word]) - 1;
  }

  /** A number from 0 to {@code bound} − 1, by the upper half of a word. */
  private int below(int word, int bound) {
    return (int) ((long) (words[word] >>> 16) * bound >>> 16);
  }

  /** The displacement across that a pixel's word stands for, in ±1, before smoothing. */
  public static float across(int word) {
    return half(word & 0xFFFF);
  }

  /** The displacement down that a pixel's word stands for, in ±1, before smoothing. */
  public static float down(int word) {
    return half(word >>> 16);
  }

  /** The middle of the {@code bits}-th of 2¹⁶ equal parts of −1 … 1, which is exact in a float. */
  private static float half(int bits) {
    return (2 * bits + 1 - 0x10000) * 0x1p-16f;
  }
}
