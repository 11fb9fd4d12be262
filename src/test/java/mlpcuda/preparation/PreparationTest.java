package mlpcuda.preparation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.error.BadFileException;
import mlpcuda.picture.Picture;
import org.junit.jupiter.api.Test;

class PreparationTest {
  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  private static byte[] asIs(int rows, int cols, Picture picture) {
    Prepared prepared = Preparation.AS_IS.of(picture, rows, cols);
    assertEquals(Optional.empty(), prepared.warning());
    return prepared.pixels();
  }

  @Test
  void aPictureOfTheSizeStaysAsItIs() {
    byte[] ramp = new byte[256];
    for (int i = 0; i < 256; i++) {
      ramp[i] = (byte) (255 - i);
    }
    assertArrayEquals(ramp, asIs(8, 32, new Picture("ramp", 8, 32, ramp)));
  }

  @Test
  void largerPicturesAreAveraged() {
    var picture = new Picture("p", 2, 4, bytes(0, 100, 50, 50, 20, 200, 90, 250));
    assertArrayEquals(bytes(80, 110), asIs(1, 2, picture));
  }

  /**
   * The picture is not stretched: a circle stays a circle. The ground is as light as most of the
   * border.
   */
  @Test
  void anotherAspectRatioIsPadded() {
    var tall = new Picture("tall", 4, 2, bytes(9, 9, 9, 200, 9, 200, 9, 9));
    assertArrayEquals(bytes(9, 9, 9, 9, 9, 9, 200, 9, 9, 9, 200, 9, 9, 9, 9, 9), asIs(4, 4, tall));
    var wide = new Picture("wide", 1, 4, bytes(9, 9, 200, 9));
    assertArrayEquals(bytes(9, 9, 9, 9, 9, 9, 200, 9, 9, 9, 9, 9), asIs(3, 4, wide));
    var thin = new Picture("thin", 1, 1000, new byte[1000]);
    Arrays.fill(thin.pixels(), 0, 500, (byte) 255);
    assertEquals(9, asIs(3, 3, thin).length);
  }

  @Test
  void aBlankPictureIsAnsweredWithAWarning() {
    Prepared blank = Preparation.AS_IS.of(new Picture("p", 3, 3, new byte[9]), 2, 2);
    assertTrue(blank.warning().orElseThrow().contains("blank"), blank.toString());
    assertThrows(
        BadFileException.class,
        () -> Preparation.MNIST_FORM.of(new Picture("p", 3, 3, new byte[9]), 2, 2));
  }

  @Test
  void mnistHasItsForm() {
    assertEquals(Preparation.MNIST_FORM, Preparation.of(EmbeddedMnist.load().train()));
    assertEquals(Preparation.MNIST_FORM, Preparation.of(EmbeddedMnist.load().test().first(3)));
  }

  private static ExampleSet changed(ExampleSet set, int rows, int cols, Change change) {
    byte[] pixels = new byte[set.size() * rows * cols];
    int size = set.inputs();
    for (int i = 0; i < set.size(); i++) {
      byte[] image = Arrays.copyOfRange(set.features().array(), i * size, (i + 1) * size);
      byte[] other = change.of(new Picture("digit", 28, 28, image));
      System.arraycopy(other, 0, pixels, i * rows * cols, rows * cols);
    }
    return ExampleSet.images(rows, cols, pixels, set.labels());
  }

  private interface Change {
    byte[] of(Picture image);
  }

  /** Smaller digits, digits on white, digits moved away, digits that fill the image. */
  @Test
  void othersHaveNot() {
    ExampleSet mnist = EmbeddedMnist.load().test().first(100);
    ExampleSet small = changed(mnist, 8, 8, image -> asIs(8, 8, image));
    assertEquals(Preparation.AS_IS, Preparation.of(small));
    ExampleSet white =
        changed(
            mnist,
            28,
            28,
            image -> {
              byte[] inverse = image.pixels().clone();
              for (int i = 0; i < inverse.length; i++) {
                inverse[i] = (byte) (255 - (inverse[i] & 0xff));
              }
              return inverse;
            });
    assertEquals(Preparation.AS_IS, Preparation.of(white));
    ExampleSet moved =
        changed(
            mnist,
            28,
            28,
            image -> {
              byte[] lower = new byte[784];
              System.arraycopy(image.pixels(), 0, lower, 4 * 28, 24 * 28);
              return lower;
            });
    assertEquals(Preparation.AS_IS, Preparation.of(moved));
    ExampleSet large =
        changed(
            mnist,
            28,
            28,
            image -> {
              byte[] cut = new byte[400];
              for (int y = 0; y < 20; y++) {
                System.arraycopy(image.pixels(), (y + 4) * 28 + 4, cut, y * 20, 20);
              }
              return asIs(28, 28, new Picture("cut", 20, 20, cut));
            });
    assertEquals(Preparation.AS_IS, Preparation.of(large));
    assertEquals(
        Preparation.AS_IS, Preparation.of(ExampleSet.images(28, 28, new byte[784], new byte[1])));
  }

  @Test
  void labels() {
    for (Preparation preparation : Preparation.values()) {
      assertEquals(preparation, Preparation.labelled(preparation.label()));
    }
    String message =
        assertThrows(IllegalArgumentException.class, () -> Preparation.labelled("raw"))
            .getMessage();
    assertEquals("must be one of mnist-form, as-is, found raw", message);
  }

  @Test
  void transposedPictures() {
    Picture turned = new Picture("p", 2, 3, bytes(1, 2, 3, 4, 5, 6)).transposed();
    assertEquals(3, turned.rows());
    assertEquals(2, turned.cols());
    assertArrayEquals(bytes(1, 4, 2, 5, 3, 6), turned.pixels());
  }
}
