package mlpcuda.preparation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.data.View;
import mlpcuda.error.SettingException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InkWidthTest {
  private static final int ROWS = 28;
  private static final int COLS = 28;

  private static View view(int width) {
    return new InkWidth(width).view(ROWS, COLS);
  }

  /** The columns of an image's ink: the first, and the one after the last. */
  private static int[] columns(byte[] image) {
    int left = COLS;
    int right = 0;
    for (int i = 0; i < image.length; i++) {
      if (image[i] != 0) {
        left = Math.min(left, i % COLS);
        right = Math.max(right, i % COLS + 1);
      }
    }
    return new int[] {left, right};
  }

  /** A bar of ink somewhere in the image, all of it white. */
  private static byte[] bar(int left, int right, int top, int bottom) {
    byte[] image = new byte[ROWS * COLS];
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        image[y * COLS + x] = (byte) 255;
      }
    }
    return image;
  }

  /** Whatever the ink's width and place were, it is as wide as asked for, and in the middle. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 9, 10, 19, 20, 27, 28})
  void inkGetsTheWidthInTheMiddle(int width) {
    var random = new Random(width);
    for (int n = 0; n < 50; n++) {
      int left = random.nextInt(COLS);
      int right = left + 1 + random.nextInt(COLS - left);
      byte[] seen = view(width).of(bar(left, right, 5, 20));
      int start = (COLS - width) / 2;
      assertArrayEquals(bar(start, start + width, 5, 20), seen);
    }
  }

  @Test
  void digitsKeepTheirRowsAndTheirInk() {
    ExampleSet digits = EmbeddedMnist.load().test().first(200);
    ExampleSet seen = view(14).of(digits);
    assertSame(digits.labels(), seen.labels());
    for (int i = 0; i < digits.size(); i++) {
      byte[] image = new byte[ROWS * COLS];
      byte[] narrow = new byte[ROWS * COLS];
      digits.features().read(i, image, 0);
      seen.features().read(i, narrow, 0);
      int[] columns = columns(narrow);
      assertTrue(columns[0] >= 7 && columns[1] <= 21, "digit " + i);
      // A faint edge may round to black, by a pixel on each side.
      assertTrue(columns[1] - columns[0] >= 12, "digit " + i);
      int[] before = columns(image);
      double factor = 14.0 / (before[1] - before[0]);
      for (int y = 0; y < ROWS; y++) {
        double was = 0;
        double is = 0;
        for (int x = 0; x < COLS; x++) {
          was += Byte.toUnsignedInt(image[y * COLS + x]);
          is += Byte.toUnsignedInt(narrow[y * COLS + x]);
        }
        if (was == 0) {
          assertEquals(0, is, "row " + y + " of digit " + i);
        } else if (factor < 1) { // areas are averaged: the ink of a row shrinks as its width does
          assertEquals(factor * was, is, 7, "row " + y + " of digit " + i);
        }
      }
    }
  }

  @Test
  void inkOfTheWidthInTheMiddleStaysAsItIs() {
    byte[] image = bar(9, 19, 3, 25);
    for (int i = 0; i < image.length; i++) {
      image[i] &= (byte) (i % 9 == 0 ? 0x7f : 0xff);
    }
    assertArrayEquals(image, view(10).of(image));
  }

  @Test
  void imagesWithoutInkAndImagesAsTheyAreStay() {
    byte[] blank = new byte[2 * ROWS * COLS];
    assertArrayEquals(blank, view(10).of(blank));
    assertSame(View.AS_IS, InkWidth.AS_IS.view(ROWS, COLS));
    ExampleSet digits = EmbeddedMnist.load().test().first(3);
    assertSame(digits, View.AS_IS.of(digits));
  }

  /** Several images at once, and floats of whole levels, are seen as each image's bytes are. */
  @Test
  void floatsAreSeenAsBytes() {
    ExampleSet digits = EmbeddedMnist.load().test().first(20);
    byte[] pixels = digits.features().array();
    float[] levels = new float[pixels.length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = Byte.toUnsignedInt(pixels[i]);
    }
    byte[] kept = pixels.clone();
    byte[] seen = view(18).of(pixels);
    assertArrayEquals(kept, pixels, "the argument is not changed");
    assertArrayEquals(view(18).of(digits).features().array(), seen);
    float[] floats = view(18).of(levels);
    for (int i = 0; i < seen.length; i++) {
      assertEquals(Byte.toUnsignedInt(seen[i]), floats[i]);
    }
  }

  @Test
  void widthsAreReadAndRefused() {
    List<InkWidth> widths = InkWidth.parseAll("10, 12,as-is");
    assertEquals(List.of(new InkWidth(10), new InkWidth(12), InkWidth.AS_IS), widths);
    assertEquals("10,12,as-is", InkWidth.labels(widths));
    for (String bad : List.of("", "0", "-3", "ten", "10,,12", "1.5")) {
      assertThrows(IllegalArgumentException.class, () -> InkWidth.parseAll(bad), bad);
    }
    new InkWidth(28).check(Layout.Images.grey(5, 28), true);
    InkWidth.AS_IS.check(Layout.Columns.numbered(3), false);
    var wide = new InkWidth(29);
    assertRefused(
        "must be at most the 28 columns of an image, found 29", wide, Layout.Images.grey(40, 28));
    assertRefused(
        "must be of grey images whose pixels are bytes, found examples of 3 columns",
        wide,
        Layout.Columns.numbered(3));
    assertRefused(
        "must be of grey images whose pixels are bytes, found examples of 28x28x3",
        new InkWidth(9),
        new Layout.Images(28, 28, 3));
  }

  private static void assertRefused(String rule, InkWidth width, Layout layout) {
    var e = assertThrows(SettingException.class, () -> width.check(layout, true));
    assertEquals("member-widths", e.setting());
    assertEquals(rule, e.rule());
  }

  /** A table's network sees its rows as they are. */
  @Test
  void rowsOfNumbersAreSeenAsTheyAre() {
    var scaling = new ColumnScaling("none", new float[1], new float[] {1});
    var form = new NumberForm(Layout.Columns.numbered(1), scaling, List.of());
    assertSame(View.AS_IS, form.view());
  }
}
