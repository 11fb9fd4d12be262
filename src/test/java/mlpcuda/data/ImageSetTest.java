package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class ImageSetTest {
  /** Two images of 2x3 become two of 3x2: each column of an image is a row of the new one. */
  @Test
  void transposedExchangesRowsAndColumnsOfEachImage() {
    var set =
        new ImageSet(
            2, 3, new byte[] {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}, new byte[] {7, 9});
    ImageSet turned = set.transposed();
    assertEquals(3, turned.rows());
    assertEquals(2, turned.cols());
    assertArrayEquals(new byte[] {1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16}, turned.pixels());
    assertSame(set.labels(), turned.labels());
    assertArrayEquals(set.pixels(), turned.transposed().pixels());
  }
}
