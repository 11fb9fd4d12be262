package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests splits against choices that a few lines of Python computed from the definitions. */
class SplitTest {
  /** Images of 2 x 3 pixels that begin with their index; the label is its last byte. */
  private static ExampleSet numbered(int size) {
    var pixels = ByteBuffer.allocate(6 * size);
    byte[] labels = new byte[size];
    for (int i = 0; i < size; i++) {
      pixels.putInt(6 * i, i).put(6 * i + 4, (byte) 7).put(6 * i + 5, (byte) 8);
      labels[i] = (byte) i;
    }
    return ExampleSet.images(2, 3, pixels.array(), labels);
  }

  private static int[] indices(ExampleSet part) {
    var pixels = ByteBuffer.wrap(part.features().array());
    return IntStream.range(0, part.size()).map(i -> pixels.getInt(6 * i)).toArray();
  }

  @ParameterizedTest
  @CsvSource({"2,1", "10,3", "10,9", "1000,500", "60000,5000", "60000,1"})
  void partsAreDisjointCompleteAndInOrder(int size, int count) {
    ExampleSet whole = numbered(size);
    Split split = Split.of(whole, count, 1);
    assertEquals(count, split.held().size());
    assertEquals(size - count, split.train().size());
    boolean[] met = new boolean[size];
    for (ExampleSet part : new ExampleSet[] {split.train(), split.held()}) {
      assertEquals(Layout.Images.grey(2, 3), part.layout());
      int last = -1;
      int[] indices = indices(part);
      for (int i = 0; i < indices.length; i++) {
        int index = indices[i];
        assertTrue(index > last, "the file's order");
        assertTrue(!met[index], "in one part only");
        met[index] = true;
        last = index;
        assertEquals((byte) index, part.labels()[i]);
        assertArrayEquals(
            Arrays.copyOfRange(whole.features().array(), 6 * index, 6 * index + 6),
            Arrays.copyOfRange(part.features().array(), 6 * i, 6 * i + 6));
      }
    }
  }

  @Test
  void isAFunctionOfTheSeed() {
    int[] validation = indices(Split.of(numbered(60_000), 5000, 1).held());
    assertArrayEquals(new int[] {13, 28, 30, 35, 40}, Arrays.copyOf(validation, 5));
    assertArrayEquals(new int[] {59946, 59960, 59998}, Arrays.copyOfRange(validation, 4997, 5000));
    assertArrayEquals(new int[] {3, 4, 6}, indices(Split.of(numbered(10), 3, 1).held()));
    assertArrayEquals(new int[] {3, 4, 6}, indices(Split.of(numbered(10), 3, 1).held()));
    assertArrayEquals(new int[] {2, 4, 6}, indices(Split.of(numbered(10), 3, 2).held()));
  }

  @Test
  void partsAreCopies() {
    ExampleSet whole = numbered(10);
    Split split = Split.of(whole, 3, 1);
    Arrays.fill(whole.features().array(), (byte) 1);
    Arrays.fill(whole.labels(), (byte) 1);
    assertArrayEquals(new int[] {3, 4, 6}, indices(split.held()));
    assertArrayEquals(new byte[] {3, 4, 6}, split.held().labels());
  }

  /** Each of 10 examples is chosen in 3 of 10 seeds: chi-squared, 9 degrees of freedom. */
  @Test
  void isUniform() {
    int[] counts = new int[10];
    ExampleSet whole = numbered(10);
    for (int seed = 0; seed < 10_000; seed++) {
      for (int index : indices(Split.of(whole, 3, seed).held())) {
        counts[index]++;
      }
    }
    // The choices of one seed are not independent: their variance is 10,000 x 0.3 x 0.7, and the
    // factor 9/10 makes the sum one of 9 squared normal variables.
    double chiSquared =
        Arrays.stream(counts).mapToDouble(n -> (n - 3000.0) * (n - 3000.0) / 2100).sum() * 0.9;
    assertTrue(chiSquared < 27.9, "chi-squared is " + chiSquared); // exceeded once in a thousand
  }

  /** The test is chi-squared against the proportions of the whole, with 9 degrees of freedom. */
  @Test
  void classesKeepTheirProportions() {
    ExampleSet whole = EmbeddedMnist.load().train();
    int[] all = classes(whole);
    int[] chosen = classes(Split.of(whole, 5000, 1).held());
    double chiSquared = 0;
    for (int c = 0; c < 10; c++) {
      double expected = all[c] / 12.0;
      chiSquared += (chosen[c] - expected) * (chosen[c] - expected) / expected;
    }
    assertTrue(chiSquared < 27.9, "chi-squared is " + chiSquared); // exceeded once in a thousand
  }

  private static int[] classes(ExampleSet set) {
    int[] counts = new int[10];
    for (byte label : set.labels()) {
      counts[label]++;
    }
    return counts;
  }

  @ParameterizedTest
  @CsvSource({
    "5000,60000,5000",
    "1,2,1",
    "59999,60000,59999",
    "5e3,60000,5000",
    "0.1,60000,6000",
    "0.1,60004,6000",
    "0.1,60005,6001",
    ".25,10,3",
    "0.00001,60000,1",
    "0.9998,5000,4999",
    "2147483646,2147483647,2147483646"
  })
  void countsExamples(String text, int size, int count) {
    assertEquals(count, Split.count(Split.parse(text), size, "validation"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0", "-1", "-0.1", "1.5", "0.0", "NaN", "Infinity", "1e10", "half", "10%"})
  void otherAmountsAreRefused(String text) {
    var refused = assertThrows(IllegalArgumentException.class, () -> Split.parse(text));
    assertEquals(
        "must be a number of examples from 1 on, or a fraction of them above 0 and below 1, found "
            + (text.isEmpty() ? "nothing" : text),
        refused.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "60000,60000,60000",
    "60001,60000,60001",
    "2147483647,1,2147483647",
    "1,1,1",
    "0.000001,60000,0",
    "0.99999,5000,5000",
    "0.5,1,1"
  })
  void emptyPartsAreRefused(String text, int size, String found) {
    double amount = Split.parse(text);
    var refused =
        assertThrows(IllegalArgumentException.class, () -> Split.count(amount, size, "validation"));
    assertEquals(
        "the validation set must have at least 1 example and fewer than the training set's "
            + "%d, found %s".formatted(size, found),
        refused.getMessage());
  }

  /** 60, 30 and 10 examples of three classes give 12, 6 and 2 of 20; a class of 1 gives none. */
  @Test
  void theTestSetHasEachClassesShare() {
    byte[] labels = new byte[101];
    for (int i = 0; i < 100; i++) {
      labels[i] = (byte) (i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2);
    }
    labels[100] = 3;
    byte[] pixels = new byte[101];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) i;
    }
    ExampleSet whole = ExampleSet.images(1, 1, pixels, labels);
    Split split = Split.stratified(whole, 4, 20, 1);
    int[] held = new int[4];
    boolean[] met = new boolean[101];
    for (ExampleSet part : List.of(split.train(), split.held())) {
      int last = -1;
      for (int i = 0; i < part.size(); i++) {
        int example = Byte.toUnsignedInt(part.features().array()[i]);
        assertTrue(example > last, "the order of the whole");
        assertTrue(!met[example], "in one part only");
        assertEquals(labels[example], part.labels()[i]);
        met[example] = true;
        last = example;
      }
    }
    for (byte label : split.held().labels()) {
      held[label]++;
    }
    assertArrayEquals(new int[] {12, 6, 2, 0}, held);
    assertEquals(81, split.train().size());
    Split other = Split.stratified(whole, 4, 20, 2);
    assertFalse(
        Arrays.equals(split.held().features().array(), other.held().features().array()),
        "another seed chooses others");
  }
}
