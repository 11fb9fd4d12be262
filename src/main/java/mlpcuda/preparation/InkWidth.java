package mlpcuda.preparation;

import java.util.Arrays;
import java.util.List;
import mlpcuda.data.Layout;
import mlpcuda.data.View;
import mlpcuda.error.SettingException;
import mlpcuda.preparation.GreyImage.Box;

/**
 * The width to which the ink of each image is brought before a network sees it: the ink's bounding
 * box is resampled across and put in the middle between the left and the right border. Every row
 * stays where it is. Ink is all that is lighter than 0; an image without ink stays as it is.
 *
 * <p>Source: Cireşan, Meier, Gambardella, Schmidhuber, "Handwritten digit recognition with a
 * committee of deep neural nets on GPUs", 2011: networks that see digits of different widths make
 * different mistakes.
 *
 * @param pixels the width in pixels; 0: images stay as they are
 */
public record InkWidth(int pixels) {
  /** Images stay as they are. */
  public static final InkWidth AS_IS = new InkWidth(0);

  private static final String AS_IS_LABEL = "as-is";

  /** Refuses a negative width. */
  public InkWidth {
    if (pixels < 0) {
      throw new IllegalArgumentException("the ink's width must be at least 0, found " + pixels);
    }
  }

  /**
   * Parses a width: a number of pixels from 1, or {@code as-is}.
   *
   * @throws IllegalArgumentException if the text is anything else
   */
  public static InkWidth parse(String text) {
    if (text.equals(AS_IS_LABEL)) {
      return AS_IS;
    }
    try {
      int pixels = Integer.parseInt(text);
      if (pixels > 0) {
        return new InkWidth(pixels);
      }
    } catch (NumberFormatException e) {
      // refused below, like a width that is not positive
    }
    throw new IllegalArgumentException(
        "must be a number of pixels from 1, or %s, found %s"
            .formatted(AS_IS_LABEL, text.isEmpty() ? "nothing" : text));
  }

  /** The width in files and on the command line. */
  public String label() {
    return isAsIs() ? AS_IS_LABEL : Integer.toString(pixels);
  }

  /** Whether images stay as they are. */
  public boolean isAsIs() {
    return pixels == 0;
  }

  /**
   * Checks that images of that layout can have ink of that width.
   *
   * @param bytes whether their pixels are bytes
   * @throws SettingException if they cannot
   */
  public void check(Layout layout, boolean bytes) {
    if (isAsIs()) {
      return;
    }
    if (!(layout instanceof Layout.Images images) || images.channels() != 1 || !bytes) {
      throw new SettingException(
          "member-widths",
          "must be of grey images whose pixels are bytes, found examples of " + layout);
    }
    if (pixels > images.cols()) {
      throw new SettingException(
          "member-widths",
          "must be at most the %d columns of an image, found %d".formatted(images.cols(), pixels));
    }
  }

  /** The view of images of that size. */
  View view(int rows, int cols) {
    return isAsIs() ? View.AS_IS : new OfImages(rows, cols, pixels);
  }

  /** The view of grey images, whose ink gets the width. */
  private record OfImages(int rows, int cols, int width) implements View {
    @Override
    public byte[] of(byte[] images) {
      int each = rows * cols;
      byte[] seen = images.clone();
      double[] light = new double[each];
      for (int from = 0; from < images.length; from += each) {
        for (int i = 0; i < each; i++) {
          light[i] = Byte.toUnsignedInt(images[from + i]);
        }
        double[] resized = resized(light);
        for (int i = 0; i < each; i++) {
          seen[from + i] = (byte) Math.round(resized[i]);
        }
      }
      return seen;
    }

    @Override
    public float[] of(float[] images) {
      int each = rows * cols;
      float[] seen = images.clone();
      double[] light = new double[each];
      for (int from = 0; from < images.length; from += each) {
        for (int i = 0; i < each; i++) {
          light[i] = images[from + i];
        }
        double[] resized = resized(light);
        for (int i = 0; i < each; i++) {
          seen[from + i] = Math.round(resized[i]); // whole levels, as bytes have them
        }
      }
      return seen;
    }

    /** The image with its ink in the new width; the image itself if it has no ink. */
    private double[] resized(double[] light) {
      int left = cols;
      int right = 0;
      for (int i = 0; i < light.length; i++) {
        if (light[i] > 0) {
          left = Math.min(left, i % cols);
          right = Math.max(right, i % cols + 1);
        }
      }
      if (left >= right) {
        return light;
      }
      var ink = new GreyImage(rows, cols, light).scaled(new Box(0, left, rows, right), rows, width);
      double[] image = new double[light.length];
      int start = (cols - width) / 2;
      for (int y = 0; y < rows; y++) {
        System.arraycopy(ink.light(), y * width, image, y * cols + start, width);
      }
      return image;
    }
  }

  /** The labels of widths, joined by commas. */
  public static String labels(List<InkWidth> widths) {
    return String.join(",", widths.stream().map(InkWidth::label).toList());
  }

  /** Parses widths that are joined by commas: see {@link #parse}. */
  public static List<InkWidth> parseAll(String text) {
    return Arrays.stream(text.split(",", -1)).map(String::trim).map(InkWidth::parse).toList();
  }
}
