package mlpcuda.features;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import mlpcuda.features.Features.Type;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FeaturesTest {
  private static final int WIDTH = 3;

  @TempDir Path tmp;

  /** The value at a place: the bytes above 127 show whether they are unsigned. */
  private static float value(Type type, int row, int column) {
    int number = WIDTH * row + column;
    return type == Type.UINT8 ? number * 7 % 256 : number * 0.25f - 8;
  }

  /** Adds rows in pieces of 1, 2, 3, … of them. */
  private static void fill(FeaturesBuilder builder, Type type, int rows) {
    int row = 0;
    for (int n = 1; row < rows; n++) {
      n = Math.min(n, rows - row);
      byte[] bytes = new byte[n * WIDTH + 5]; // more than is added
      float[] floats = new float[n * WIDTH + 5];
      for (int i = 0; i < n * WIDTH; i++) {
        floats[i] = value(type, row + i / WIDTH, i % WIDTH);
        bytes[i] = (byte) (int) floats[i];
      }
      if (type == Type.UINT8) {
        builder.add(bytes, n);
      } else {
        builder.add(floats, n);
      }
      row += n;
      assertEquals(row, builder.size());
    }
  }

  private static void assertValues(Features features, int... rows) {
    assertEquals(rows.length, features.size());
    assertEquals(WIDTH, features.width());
    Type type = features.type();
    assertEquals((long) rows.length * WIDTH * type.bytes(), features.bytes());
    float[] found = new float[WIDTH + 2];
    ByteBuffer copy = ByteBuffer.allocate(WIDTH * type.bytes() + 1).order(ByteOrder.nativeOrder());
    for (int i = 0; i < rows.length; i++) {
      features.read(i, found, 1);
      features.copy(i, copy, 1);
      for (int column = 0; column < WIDTH; column++) {
        float expected = value(type, rows[i], column);
        assertEquals(expected, found[1 + column], "row " + i);
        assertEquals(
            expected,
            type == Type.UINT8
                ? Byte.toUnsignedInt(copy.get(1 + column))
                : copy.getFloat(1 + column * Float.BYTES));
      }
      if (type == Type.UINT8) {
        byte[] bytes = new byte[WIDTH + 1];
        features.read(i, bytes, 1);
        assertEquals((byte) (int) value(type, rows[i], 0), bytes[1]);
      }
    }
  }

  private static int[] range(int from, int to) {
    return IntStream.range(from, to).toArray();
  }

  @ParameterizedTest
  @EnumSource(Type.class)
  void rowsOnTheHeap(Type type) {
    try (var builder = new FeaturesBuilder(type, WIDTH)) {
      fill(builder, type, 100);
      Features features = builder.build();
      assertValues(features, range(0, 100));
      assertEquals(type == Type.UINT8, features.isArray());
    }
  }

  /** A bound of a few rows: the others go to a file, which is mapped. */
  @ParameterizedTest
  @EnumSource(Type.class)
  void rowsInAFile(Type type) {
    for (int bound : new int[] {1, 10 * WIDTH * type.bytes(), 1000}) {
      Features features;
      try (var builder = new FeaturesBuilder(type, WIDTH, bound)) {
        fill(builder, type, 500);
        features = builder.build();
      }
      assertFalse(features.isArray());
      assertValues(features, range(0, 500)); // after the builder has let go of the file
      assertThrows(IllegalStateException.class, features::array);
    }
  }

  @Test
  void exactlyTheBoundStaysOnTheHeap() {
    for (int rows = 9; rows <= 11; rows++) {
      try (var builder = new FeaturesBuilder(Type.UINT8, WIDTH, 10 * WIDTH)) {
        builder.add(new byte[rows * WIDTH], rows);
        assertEquals(rows <= 10, builder.build().isArray());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Type.class)
  void viewsOfViews(Type type) {
    for (int bound : new int[] {1, 1 << 16}) {
      try (var builder = new FeaturesBuilder(type, WIDTH, bound)) {
        fill(builder, type, 50);
        Features features = builder.build();
        Features some = features.rows(new int[] {49, 0, 7, 7, 20});
        assertValues(some, 49, 0, 7, 7, 20);
        assertValues(some.rows(new int[] {4, 1}), 20, 0);
        assertValues(some.first(2), 49, 0);
        assertValues(features.first(3), 0, 1, 2);
        assertValues(features.first(0));
        assertEquals(features.isArray(), some.isArray());
      }
    }
  }

  /** The middle column comes from other rows, in every way of reading; the others stay. */
  @ParameterizedTest
  @EnumSource(Type.class)
  void columnsOfOtherRows(Type type) {
    for (int bound : new int[] {1, 1 << 16}) {
      try (var builder = new FeaturesBuilder(type, WIDTH, bound)) {
        fill(builder, type, 50);
        Features features = builder.build();
        Features some =
            features.rows(new int[] {40, 30, 20}).withColumns(1, 1, new int[] {2, 0, 0});
        assertFalse(some.isArray());
        assertMoved(some, new int[] {40, 30, 20}, new int[] {20, 40, 40});
        assertMoved(some.rows(new int[] {2, 0}), new int[] {20, 40}, new int[] {40, 20});
        assertMoved(some.first(2), new int[] {40, 30}, new int[] {20, 40});
        assertValues(features, range(0, 50));
        assertThrows(
            IllegalStateException.class, () -> some.withColumns(0, 1, new int[] {0, 1, 2}));
      }
    }
  }

  private static void assertMoved(Features features, int[] rows, int[] middle) {
    assertEquals(rows.length, features.size());
    for (int i = 0; i < rows.length; i++) {
      Type type = features.type();
      float[] expected = {
        value(type, rows[i], 0), value(type, middle[i], 1), value(type, rows[i], 2)
      };
      float[] found = new float[WIDTH];
      features.read(i, found, 0);
      assertArrayEquals(expected, found);
      ByteBuffer copy = ByteBuffer.allocate(WIDTH * type.bytes()).order(ByteOrder.nativeOrder());
      features.copy(i, copy, 0);
      if (type == Type.FLOAT32) {
        copy.asFloatBuffer().get(found);
        assertArrayEquals(expected, found);
      } else {
        byte[] bytes = new byte[WIDTH];
        features.read(i, bytes, 0);
        assertArrayEquals(copy.array(), bytes);
        for (int column = 0; column < WIDTH; column++) {
          assertEquals(expected[column], Byte.toUnsignedInt(bytes[column]));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 13})
  void aFileFromAnIndexOn(int from) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(from + 2 * WIDTH * 4).order(ByteOrder.nativeOrder());
    bytes.position(from);
    for (int i = 0; i < 2 * WIDTH; i++) {
      bytes.putFloat(value(Type.FLOAT32, 0, i));
    }
    Path file = Files.write(tmp.resolve("features"), bytes.array());
    assertValues(FeaturesBuilder.map(file, from, Type.FLOAT32, 2, WIDTH), 0, 1);
  }

  @Test
  void arraysOfBytesAreNotCopiedAndOthersAre() {
    byte[] bytes = {1, 2, 3, (byte) 200, 5, 6};
    assertSame(bytes, Features.of(bytes, WIDTH).array());
    float[] floats = {1, 2, 3};
    Features features = Features.of(floats, WIDTH);
    floats[0] = 9;
    float[] found = new float[WIDTH];
    features.read(0, found, 0);
    assertArrayEquals(new float[] {1, 2, 3}, found);
    byte[] part = Features.of(bytes, WIDTH).rows(new int[] {1}).array();
    assertArrayEquals(new byte[] {(byte) 200, 5, 6}, part);
    assertNotSame(bytes, part);
  }

  @ParameterizedTest
  @EnumSource(Type.class)
  void theChecksumIsThatOfTheRowsBytes(Type type) {
    long[] sums = new long[2];
    for (int bound = 0; bound < 2; bound++) {
      try (var builder = new FeaturesBuilder(type, WIDTH, bound == 0 ? 1 : 1 << 16)) {
        fill(builder, type, 40);
        var sum = new CRC32();
        builder.build().update(sum);
        sums[bound] = sum.getValue();
      }
    }
    assertEquals(sums[0], sums[1]);
    assertTrue(sums[0] != 0);
  }

  @Test
  void wrongTypesAndSizesAreRefused() {
    try (var floats = new FeaturesBuilder(Type.FLOAT32, WIDTH);
        var bytes = new FeaturesBuilder(Type.UINT8, WIDTH)) {
      assertThrows(IllegalStateException.class, () -> floats.add(new byte[WIDTH], 1));
      assertThrows(IllegalStateException.class, () -> bytes.add(new float[WIDTH], 1));
    }
    assertThrows(IllegalArgumentException.class, () -> Features.of(new byte[4], WIDTH));
    assertThrows(IllegalArgumentException.class, () -> Features.of(new float[0], 0));
    Features floats = Features.of(new float[WIDTH], WIDTH);
    assertThrows(IllegalStateException.class, () -> floats.read(0, new byte[WIDTH], 0));
  }
}
