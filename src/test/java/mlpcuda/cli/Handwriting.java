package mlpcuda.cli;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Digits that are not from MNIST: lines and arcs drawn with a round pen, in two hands. The unit is
 * the digit's height; x goes to the right, y down.
 */
final class Handwriting {
  private static final int[][] PAPER_AND_INK = {
    {0xffffff, 0x000000},
    {0x000000, 0xffffff},
    {0xf0e8c8, 0x20308a},
    {0x1a3a2a, 0xf0f0e0},
    {0xd0d0d0, 0x505050},
    {0xffffff, 0xc02020},
    {0x303030, 0x8a8a40},
    {0x80c0e0, 0x402010},
  };

  private final List<double[][]> strokes = new ArrayList<>(); // the points of each, (points, 2)
  private final List<double[]> stroke = new ArrayList<>();

  private Handwriting to(double x, double y) {
    stroke.add(new double[] {x, y});
    return this;
  }

  /** Adds an arc of an ellipse; angles are in degrees clockwise from the right. */
  private Handwriting arc(double x, double y, double rx, double ry, double from, double to) {
    int parts = 40;
    for (int i = 0; i <= parts; i++) {
      double angle = Math.toRadians(from + (to - from) * i / parts);
      to(x + rx * Math.cos(angle), y + ry * Math.sin(angle));
    }
    return this;
  }

  private Handwriting lift() {
    strokes.add(stroke.toArray(new double[0][]));
    stroke.clear();
    return this;
  }

  private static Handwriting plain(int digit) {
    var pen = new Handwriting();
    return switch (digit) {
      case 0 -> pen.arc(0.36, 0.5, 0.32, 0.48, -90, 270);
      case 1 -> pen.to(0.3, 0).to(0.3, 1);
      case 2 -> pen.arc(0.36, 0.28, 0.28, 0.27, 190, 390).to(0.1, 0.98).to(0.72, 0.98);
      case 3 -> pen.arc(0.34, 0.26, 0.27, 0.26, 200, 450).arc(0.34, 0.75, 0.31, 0.24, 270, 510);
      case 4 -> pen.to(0.1, 0).to(0.06, 0.5).to(0.68, 0.48).lift().to(0.62, 0.05).to(0.56, 1);
      case 5 -> pen.to(0.66, 0).to(0.18, 0.02).to(0.14, 0.44).arc(0.32, 0.69, 0.3, 0.29, 240, 500);
      case 6 -> pen.to(0.5, 0).to(0.22, 0.36).to(0.1, 0.7).arc(0.36, 0.74, 0.26, 0.25, 180, 545);
      case 7 -> pen.to(0.04, 0.02).to(0.66, 0.02).to(0.26, 1);
      case 8 -> pen.arc(0.36, 0.25, 0.24, 0.24, 90, 450).arc(0.36, 0.75, 0.28, 0.25, -90, 270);
      default -> pen.arc(0.36, 0.27, 0.26, 0.26, 0, 360).to(0.6, 0.6).to(0.54, 1);
    };
  }

  private static Handwriting ornate(int digit) {
    var pen = new Handwriting();
    return switch (digit) {
      case 0 -> pen.to(0.5, 0.04).arc(0.35, 0.52, 0.3, 0.46, -60, 300).to(0.3, 0.1);
      case 1 -> pen.to(0.08, 0.3).to(0.34, 0).to(0.32, 1);
      case 2 ->
          pen.arc(0.34, 0.26, 0.28, 0.26, 200, 380)
              .to(0.4, 0.66)
              .arc(0.16, 0.86, 0.12, 0.1, 20, 330)
              .to(0.5, 0.96)
              .to(0.8, 0.88);
      case 3 -> pen.to(0.08, 0.06).to(0.6, 0.04).to(0.3, 0.4).arc(0.32, 0.7, 0.3, 0.29, -80, 150);
      case 4 -> pen.to(0.46, 0).to(0.04, 0.64).to(0.76, 0.62).lift().to(0.5, 0.34).to(0.48, 1);
      case 5 ->
          pen.to(0.16, 0.06)
              .to(0.12, 0.42)
              .arc(0.3, 0.7, 0.32, 0.28, 235, 490)
              .lift()
              .to(0.16, 0.05)
              .to(0.7, 0.0);
      case 6 -> pen.arc(0.62, 0.72, 0.58, 0.7, 265, 180).arc(0.3, 0.75, 0.26, 0.23, 180, 530);
      case 7 -> pen.to(0.04, 0.12).to(0.06, 0.02).to(0.68, 0.04).to(0.4, 0.5).to(0.3, 1);
      case 8 ->
          pen.to(0.62, 0.1)
              .arc(0.38, 0.22, 0.24, 0.2, -30, -230)
              .to(0.54, 0.62)
              .arc(0.34, 0.78, 0.26, 0.21, -30, 200)
              .to(0.62, 0.1);
      default ->
          pen.to(0.6, 0.08)
              .arc(0.36, 0.27, 0.26, 0.25, -45, -350)
              .to(0.6, 0.5)
              .arc(0.3, 0.66, 0.28, 0.32, -5, 80);
    };
  }

  /** The ink at (x, y), 0…1, of a pen whose radius swings around {@code radius}. */
  private double ink(double x, double y, double radius, double swing, double pixel) {
    double most = 0;
    for (double[][] points : strokes) {
      for (int i = 1; i < points.length; i++) {
        double[] p = points[i - 1];
        double dx = points[i][0] - p[0];
        double dy = points[i][1] - p[1];
        double t = ((x - p[0]) * dx + (y - p[1]) * dy) / Math.max(1e-12, dx * dx + dy * dy);
        t = Math.max(0, Math.min(1, t));
        double distance = Math.hypot(x - p[0] - t * dx, y - p[1] - t * dy);
        double r = radius * (1 + swing * Math.sin(7 * (i + t) / points.length));
        most = Math.max(most, Math.min(1, (r - distance) / pixel + 0.5));
      }
    }
    return Math.max(0, most);
  }

  /**
   * A digit of that hand, 0 or 1, in the middle of a square, which it fills from a tenth to nine
   * tenths of the height.
   *
   * @param radius the pen's radius, as a share of the digit's height
   * @return (side, side), the ink of each pixel, 0…1
   */
  static float[] square(int digit, int hand, int side, double radius, Random random) {
    Handwriting pen = (hand == 0 ? plain(digit) : ornate(digit)).lift();
    double swing = 0.3 * random.nextDouble();
    double slant = -0.05 + 0.3 * random.nextDouble();
    double height = 0.8 * side;
    float[] ink = new float[side * side];
    for (int i = 0; i < ink.length; i++) {
      double y = (i / side + 0.5) / height - 0.125;
      double x = (i % side + 0.5) / height - 0.275 - slant * (0.5 - y);
      ink[i] = (float) pen.ink(x, y, radius, swing, 1 / height);
    }
    return ink;
  }

  /**
   * Draws a digit of that hand, 0 or 1, in a size, place, slant, pen and colours of the random
   * numbers.
   */
  static BufferedImage draw(int digit, int hand, Random random) {
    Handwriting pen = (hand == 0 ? plain(digit) : ornate(digit)).lift();
    int rows = 40 + random.nextInt(261);
    int cols = 40 + random.nextInt(261);
    double height = Math.min(rows, cols) * (0.5 + 0.3 * random.nextDouble());
    double radius = 0.03 + 0.035 * random.nextDouble();
    double swing = 0.3 * random.nextDouble();
    double slant = -0.05 + 0.3 * random.nextDouble();
    double top = (rows - 1.2 * height) * random.nextDouble() + 0.1 * height;
    double left = (cols - 1.2 * height) * random.nextDouble() + 0.2 * height;
    int[] colours = PAPER_AND_INK[random.nextInt(PAPER_AND_INK.length)];
    var image = new BufferedImage(cols, rows, BufferedImage.TYPE_INT_RGB);
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        double y = (row + 0.5 - top) / height;
        double x = (col + 0.5 - left) / height - slant * (0.5 - y);
        double ink = pen.ink(x, y, radius, swing, 1 / height);
        int rgb = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
          int paper = colours[0] >> shift & 0xff;
          int written = colours[1] >> shift & 0xff;
          rgb |= (int) Math.round(paper + ink * (written - paper)) << shift;
        }
        image.setRGB(col, row, rgb);
      }
    }
    return image;
  }
}
