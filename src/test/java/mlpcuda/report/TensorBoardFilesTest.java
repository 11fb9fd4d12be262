package mlpcuda.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import mlpcuda.train.Score;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardFilesTest {
  @TempDir private Path folder;

  /** A run that is resumed within the same second must not overwrite the former run's file. */
  @Test
  void filesOfOneSecondAreApartAndInOrder() throws IOException {
    for (int i = 0; i < 3; i++) {
      try (var board = new TensorBoard(folder, 1, i)) {
        board.tested(
            new Score(0.5, new long[][] {{3, 1}, {0, 0}}), true); // a class without examples
      }
    }
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> found = files.sorted().toList();
      assertEquals(3, found.size());
      for (Path file : found) {
        assertTrue(file.getFileName().toString().contains(".tfevents."), file.toString());
        assertTrue(Files.size(file) > 300, file + " must hold a picture");
      }
    }
  }

  /** The picture stays small with the most classes that a data set may have. */
  @Test
  void manyClasses() throws IOException {
    long[][] confusion = new long[256][256];
    confusion[255][0] = Long.MAX_VALUE / 2;
    try (var board = new TensorBoard(folder, 1, 0)) {
      board.tested(new Score(Double.NaN, confusion), true);
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertTrue(Files.size(files.findFirst().orElseThrow()) < 10_000);
    }
  }
}
