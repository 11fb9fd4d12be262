package mlpcuda.input;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features;
import org.junit.jupiter.api.function.Executable;

/** The files of other programs that the tests read, and what the tests look at. */
public final class InputFiles {
  /** The files that scripts/input_fixtures.py wrote. */
  static final Path FOLDER = Path.of("src/test/resources/mlpcuda/input");

  private InputFiles() {}

  /** Options that name an archive's arrays. */
  static ReadOptions arrays(String features, String labels) {
    return with(
        ReadOptions.DEFAULT.images(),
        new ReadOptions.ArrayNames(Optional.ofNullable(features), Optional.ofNullable(labels)));
  }

  /** Options about images; without a size where there are 0 rows. */
  static ReadOptions images(int rows, int cols, boolean colour, boolean skipBad) {
    Optional<Layout.Images> size =
        rows == 0 ? Optional.empty() : Optional.of(Layout.Images.grey(rows, cols));
    return with(new ReadOptions.ImageOptions(size, colour, skipBad), ReadOptions.DEFAULT.arrays());
  }

  private static ReadOptions with(ReadOptions.ImageOptions images, ReadOptions.ArrayNames arrays) {
    return new ReadOptions(Optional.empty(), ReadOptions.DEFAULT.table(), images, arrays);
  }

  /** All values, row after row. */
  static float[] values(Features features) {
    float[] values = new float[features.size() * features.width()];
    for (int row = 0; row < features.size(); row++) {
      features.read(row, values, row * features.width());
    }
    return values;
  }

  /** The label of each example. */
  static List<String> labels(Part part) {
    LabelColumn labels = part.labels().orElseThrow();
    assertEquals(labels.names().size(), labels.names().stream().distinct().count());
    return Arrays.stream(labels.codes()).mapToObj(labels.names()::get).toList();
  }

  static Path write(Path file, byte[] content) {
    try {
      Files.createDirectories(file.getParent());
      return Files.write(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path write(Path file, String content) {
    return write(file, content.getBytes(StandardCharsets.UTF_8));
  }

  /** An array in NumPy's format, version 1.0. */
  public static byte[] npy(String header, byte[] elements) {
    ByteBuffer file = ByteBuffer.allocate(10 + header.length() + elements.length);
    file.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    file.put((byte) 1).put((byte) 0);
    file.put((byte) header.length()).put((byte) (header.length() >> 8));
    file.put(header.getBytes(StandardCharsets.ISO_8859_1)).put(elements);
    return file.array();
  }

  /** The header of such a file. */
  public static String header(String type, String shape) {
    return "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n".formatted(type, shape);
  }

  /** Asserts that reading fails by one line that has the given words. */
  static void assertBad(Executable reading, String... words) {
    String message = assertThrows(BadFileException.class, reading).getMessage();
    assertFalse(message.contains("\n"), message);
    for (String word : words) {
      assertTrue(message.contains(word), message);
    }
  }
}
