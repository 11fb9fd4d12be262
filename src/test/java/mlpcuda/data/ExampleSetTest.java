package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class ExampleSetTest {
  /** Two images of 2x3 become two of 3x2: each column of an image is a row of the new one. */
  @Test
  void transposedExchangesRowsAndColumnsOfEachImage() {
    var set =
        ExampleSet.images(
            2, 3, new byte[] {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}, new byte[] {7, 9});
    ExampleSet turned = set.transposed();
    assertEquals(Layout.Images.grey(3, 2), turned.layout());
    assertArrayEquals(
        new byte[] {1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16}, turned.features().array());
    assertSame(set.labels(), turned.labels());
    assertArrayEquals(set.features().array(), turned.transposed().features().array());
  }
}
