package mlpcuda.cli;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import mlpcuda.data.ExampleSet;
import mlpcuda.picture.Picture;

/**
 * Artificial photographs of a digit on a sheet of paper. The digit is one of MNIST's or of {@link
 * Handwriting}, and the random numbers choose its size, place, slant, pen and darkness, the paper,
 * and the details of the picture's faults.
 */
final class Photograph {
  /** A fault of a picture. */
  enum Fault {
    /** The light falls from one side, where it is two to four times as strong. */
    SHADING,
    /** The picture has the shadow of a hand or of a window's frame, with a hard or a soft edge. */
    SHADOW,
    /** The picture shows a dark desk at one side, at two sides or in a corner. */
    DESK,
    /** The paper has the lines of a notebook, some with a red margin. */
    RULED,
    /** The paper is squared. */
    SQUARED,
    /** The picture has darker corners. */
    VIGNETTE,
    /** The picture has one to three dots. */
    SPECKS,
    /** The picture has a sensor's noise. */
    NOISE,
    /** The picture is out of focus. */
    BLUR,
    /** The picture is a JPEG file of low quality. */
    JPEG,
    /** The digit is written with chalk on a blackboard. */
    CHALK
  }

  private static final int SIDE = 160;

  private final Random random;
  private final Set<Fault> faults;
  private final int rows;
  private final int cols;
  private final double[] light;
  private final double[] grey;

  private Photograph(Set<Fault> faults, int largest, Random random) {
    this.random = random;
    this.faults = faults;
    int longer = (int) (160 * Math.pow(7, random.nextDouble())); // 160 to 1120
    int shorter = (int) (longer * uniform(0.65, 1));
    boolean upright = random.nextBoolean();
    rows = upright ? longer : shorter;
    cols = upright ? shorter : longer;
    light = new double[rows * cols];
    grey = new double[rows * cols];
  }

  private double uniform(double from, double to) {
    return from + (to - from) * random.nextDouble();
  }

  /**
   * Makes a photograph with those faults.
   *
   * @param largest the most pixels of the longer side; the least are 160
   * @param digits the digits of MNIST
   * @param i the number of the digit; for an odd one {@link Handwriting} draws one instead
   */
  static Picture of(ExampleSet digits, int i, int largest, Random random, Fault... faults) {
    Set<Fault> all = EnumSet.noneOf(Fault.class);
    all.addAll(Arrays.asList(faults));
    return new Photograph(all, largest, random).take(new float[][] {square(digits, i, random)});
  }

  /** Makes a photograph with those faults of two digits side by side. */
  static Picture ofTwo(
      ExampleSet digits, int i, int j, int largest, Random random, Fault... faults) {
    Set<Fault> all = EnumSet.noneOf(Fault.class);
    all.addAll(Arrays.asList(faults));
    return new Photograph(all, largest, random)
        .take(new float[][] {square(digits, i, random), square(digits, j, random)});
  }

  /** The ink of a digit, 0…1, (SIDE, SIDE). */
  private static float[] square(ExampleSet digits, int i, Random random) {
    if (i % 2 == 1) {
      double radius = 0.012 * Math.pow(6, random.nextDouble()); // 0.012 to 0.072
      return Handwriting.square(digits.labels()[i], random.nextInt(2), SIDE, radius, random);
    }
    float[] ink = new float[SIDE * SIDE];
    double edge = 0.3 + 0.35 * random.nextDouble(); // a low edge makes strokes thick
    double softness = 0.1 + 0.2 * random.nextDouble();
    for (int n = 0; n < ink.length; n++) {
      double y = (n / SIDE + 0.5) * 28 / SIDE - 0.5;
      double x = (n % SIDE + 0.5) * 28 / SIDE - 0.5;
      double sum = 0;
      for (int row = (int) Math.floor(y) - 1; row <= y + 2; row++) {
        for (int col = (int) Math.floor(x) - 1; col <= x + 2; col++) {
          if (row >= 0 && row < 28 && col >= 0 && col < 28) {
            int pixel = digits.features().array()[i * 784 + row * 28 + col] & 0xff;
            sum += pixel / 255.0 * spline(y - row) * spline(x - col);
          }
        }
      }
      ink[n] = (float) Math.max(0, Math.min(1, (sum - edge) / softness + 0.5));
    }
    return ink;
  }

  /** The value of the cubic B-spline. */
  private static double spline(double distance) {
    double d = Math.abs(distance);
    double far = Math.max(0, 2 - d);
    double near = Math.max(0, 1 - d);
    return (far * far * far - 4 * near * near * near) / 6;
  }

  private Picture take(float[][] squares) {
    boolean chalk = faults.contains(Fault.CHALK);
    double paper = chalk ? uniform(25, 90) : uniform(160, 250);
    double contrast = chalk ? uniform(70, 250 - paper) : uniform(40, Math.min(150, paper - 15));
    Arrays.fill(light, 1);
    Arrays.fill(grey, paper);
    if (faults.contains(Fault.RULED) || faults.contains(Fault.SQUARED)) {
      rule(paper, contrast);
    }
    write(squares, chalk ? 1 : -1, contrast, paper);
    if (faults.contains(Fault.SPECKS)) {
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        speck(paper - contrast);
      }
    }
    if (faults.contains(Fault.DESK)) {
      desk(paper, contrast);
    }
    if (faults.contains(Fault.SHADING)) {
      double angle = uniform(0, 2 * Math.PI);
      double least = uniform(0.25, 0.5);
      double reach = Math.abs(Math.cos(angle)) * cols + Math.abs(Math.sin(angle)) * rows;
      each(
          (x, y) -> {
            double along = (x - cols / 2.0) * Math.cos(angle) + (y - rows / 2.0) * Math.sin(angle);
            return least + (1 - least) * (along / reach + 0.5);
          });
    }
    if (faults.contains(Fault.CHALK)) {
      double angle = uniform(0, 2 * Math.PI);
      each((x, y) -> 0.8 + 0.2 * Math.sin(angle + 2.0 * x / cols + 1.5 * y / rows));
    }
    if (faults.contains(Fault.SHADOW)) {
      shadow();
    }
    if (faults.contains(Fault.VIGNETTE)) {
      double depth = uniform(0.4, 0.75);
      double power = uniform(2, 4);
      each(
          (x, y) -> {
            double r = Math.hypot(2.0 * x / cols - 1, 2.0 * y / rows - 1) / Math.sqrt(2);
            return 1 - depth * Math.pow(r, power);
          });
    }
    for (int i = 0; i < grey.length; i++) {
      grey[i] *= light[i];
    }
    double larger = Math.max(rows, cols);
    blur(faults.contains(Fault.BLUR) ? uniform(0.003, 0.008) * larger : 0.001 * larger);
    double noise = faults.contains(Fault.NOISE) ? uniform(5, 15) : uniform(0, 2.5);
    byte[] pixels = new byte[rows * cols];
    for (int i = 0; i < pixels.length; i++) {
      double v = grey[i] + noise * random.nextGaussian();
      pixels[i] = (byte) Math.max(0, Math.min(255, Math.round(v)));
    }
    var picture = new Picture("photograph", rows, cols, pixels);
    return faults.contains(Fault.JPEG) ? jpeg(picture, (float) uniform(0.1, 0.5)) : picture;
  }

  /** A function of a place in the picture, in pixels. */
  private interface Field {
    double at(double x, double y);
  }

  /** Multiplies the light by a factor of the place. */
  private void each(Field factor) {
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < cols; x++) {
        light[y * cols + x] *= factor.at(x + 0.5, y + 0.5);
      }
    }
  }

  private void write(float[][] squares, int sign, double contrast, double paper) {
    double side = Math.min(rows, cols / (double) squares.length) * uniform(0.15, 0.85) / 0.8;
    double angle = Math.toRadians(uniform(-10, 10));
    double margin = 0.46 * side;
    double top = uniform(margin, rows - margin);
    double pitch = 0.75 * side;
    double left = uniform(margin, cols - margin - pitch * (squares.length - 1));
    for (int n = 0; n < squares.length; n++) {
      double centre = left + n * pitch;
      for (int y = 0; y < rows; y++) {
        for (int x = 0; x < cols; x++) {
          double dx = (x + 0.5 - centre) / side;
          double dy = (y + 0.5 - top) / side;
          double u = dx * Math.cos(angle) + dy * Math.sin(angle);
          double v = dy * Math.cos(angle) - dx * Math.sin(angle);
          double ink = bilinear(squares[n], (u + 0.5) * SIDE - 0.5, (v + 0.5) * SIDE - 0.5);
          int i = y * cols + x;
          double written = paper + sign * ink * contrast;
          grey[i] = sign < 0 ? Math.min(grey[i], written) : Math.max(grey[i], written);
        }
      }
    }
  }

  private static double bilinear(float[] square, double x, double y) {
    int col = (int) Math.floor(x);
    int row = (int) Math.floor(y);
    if (col < 0 || row < 0 || col >= SIDE - 1 || row >= SIDE - 1) {
      return 0;
    }
    double right = x - col;
    double down = y - row;
    int i = row * SIDE + col;
    return (1 - down) * ((1 - right) * square[i] + right * square[i + 1])
        + down * ((1 - right) * square[i + SIDE] + right * square[i + SIDE + 1]);
  }

  private void rule(double paper, double contrast) {
    double tilt = Math.toRadians(uniform(-4, 4));
    double dark = contrast * uniform(0.25, 0.95);
    boolean squared = faults.contains(Fault.SQUARED);
    double distance = rows / (double) (squared ? 6 + random.nextInt(15) : 5 + random.nextInt(11));
    double thickness = Math.max(1, distance * uniform(0.025, 0.1));
    double first = uniform(0, 1);
    lines(tilt, first, distance, thickness, paper - dark);
    if (squared) {
      lines(tilt + Math.PI / 2, uniform(0, 1), distance, thickness, paper - dark);
    } else if (random.nextBoolean()) { // the red margin
      double start = uniform(0.1, 0.25);
      lines(tilt + Math.PI / 2, start, -cols, thickness, paper - dark);
    }
  }

  /**
   * Draws parallel lines.
   *
   * @param distance the distance of one line to the next; if it is negative there is one line
   */
  private void lines(double tilt, double first, double distance, double thickness, double level) {
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < cols; x++) {
        double across = (y + 0.5) * Math.cos(tilt) - (x + 0.5) * Math.sin(tilt);
        double phase = across / Math.abs(distance) + first;
        double off =
            distance < 0
                ? Math.abs(Math.abs(across) - first * -distance)
                : Math.abs(phase - Math.rint(phase)) * distance;
        double ink = Math.max(0, Math.min(1, thickness / 2 - off + 0.5));
        int i = y * cols + x;
        grey[i] = Math.min(grey[i], grey[i] + ink * (level - grey[i]));
      }
    }
  }

  private void speck(double level) {
    double radius = Math.max(0.7, Math.min(rows, cols) * uniform(0.003, 0.015));
    double cx = uniform(0, cols);
    double cy = uniform(0, rows);
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < cols; x++) {
        double ink = Math.min(1, radius - Math.hypot(x + 0.5 - cx, y + 0.5 - cy) + 0.5);
        if (ink > 0) {
          int i = y * cols + x;
          grey[i] = Math.min(grey[i], grey[i] + ink * (level - grey[i]));
        }
      }
    }
  }

  private void desk(double paper, double contrast) {
    double level = Math.max(5, paper - contrast * uniform(0.9, 1.5));
    int sides = 1 + random.nextInt(2);
    int side = random.nextInt(4);
    double texture = uniform(0, 6);
    for (int n = 0; n < sides; n++) {
      double tilt = Math.toRadians(uniform(-8, 8)) + (side + n) * Math.PI / 2;
      double half = (side + n) % 2 == 0 ? cols / 2.0 : rows / 2.0;
      double edge = half * uniform(0.86, 1.0);
      for (int y = 0; y < rows; y++) {
        for (int x = 0; x < cols; x++) {
          double along = (x - cols / 2.0) * Math.cos(tilt) + (y - rows / 2.0) * Math.sin(tilt);
          if (along > edge) {
            grey[y * cols + x] = level + texture * random.nextGaussian();
          }
        }
      }
    }
  }

  private void shadow() {
    double depth = uniform(0.3, 0.6);
    double softness = Math.max(rows, cols) * (random.nextBoolean() ? 0.003 : uniform(0.01, 0.15));
    double cx = uniform(0.2, 0.8) * cols;
    double cy = uniform(0.2, 0.8) * rows;
    double first = uniform(0, 2 * Math.PI);
    double second = first + uniform(-1.2, 1.2); // the edge of one half-plane, or of two: a corner
    boolean corner = random.nextBoolean();
    each(
        (x, y) -> {
          double a = (x - cx) * Math.cos(first) + (y - cy) * Math.sin(first);
          double b = (x - cx) * Math.cos(second) + (y - cy) * Math.sin(second);
          double inside = corner ? Math.min(a, b) : a;
          return 1 - depth / (1 + Math.exp(-4 * inside / softness));
        });
  }

  /** Blurs with a box in both directions, twice. */
  private void blur(double radius) {
    int r = (int) Math.round(radius);
    for (int n = 0; n < 2 && r > 0; n++) {
      for (int y = 0; y < rows; y++) {
        blur(y * cols, 1, cols, r);
      }
      for (int x = 0; x < cols; x++) {
        blur(x, cols, rows, r);
      }
    }
  }

  private void blur(int start, int step, int n, int r) {
    double[] sums = new double[n + 1];
    for (int i = 0; i < n; i++) {
      sums[i + 1] = sums[i] + grey[start + i * step];
    }
    for (int i = 0; i < n; i++) {
      int from = Math.max(0, i - r);
      int to = Math.min(n, i + r + 1);
      grey[start + i * step] = (sums[to] - sums[from]) / (to - from);
    }
  }

  private static Picture jpeg(Picture picture, float quality) {
    var image = new BufferedImage(picture.cols(), picture.rows(), BufferedImage.TYPE_BYTE_GRAY);
    image.getRaster().setDataElements(0, 0, picture.cols(), picture.rows(), picture.pixels());
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (var bytes = new ByteArrayOutputStream()) {
      try (var out = new MemoryCacheImageOutputStream(bytes)) {
        writer.setOutput(out);
        ImageWriteParam how = writer.getDefaultWriteParam();
        how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        how.setCompressionQuality(quality);
        writer.write(null, new IIOImage(image, null, null), how);
      }
      BufferedImage read = ImageIO.read(new ByteArrayInputStream(bytes.toByteArray()));
      byte[] pixels =
          (byte[]) read.getRaster().getDataElements(0, 0, picture.cols(), picture.rows(), null);
      return new Picture(picture.name(), picture.rows(), picture.cols(), pixels);
    } catch (IOException e) {
      throw new AssertionError("memory takes every byte", e);
    } finally {
      writer.dispose();
    }
  }
}
