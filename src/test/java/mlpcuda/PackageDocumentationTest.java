package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Tests that each package is documented, and says whether a caller may rely on it. */
class PackageDocumentationTest {
  private static final Path SOURCES = Path.of("src/main/java");
  private static final Set<String> PUBLIC = Set.of("mlpcuda", "mlpcuda.error", "mlpcuda.spark");

  @Test
  void everyPackageSaysWhetherItIsInternal() throws IOException {
    Set<Path> folders = new TreeSet<>();
    try (Stream<Path> files = Files.walk(SOURCES)) {
      files
          .filter(file -> file.toString().endsWith(".java"))
          .forEach(f -> folders.add(f.getParent()));
    }
    assertFalse(folders.isEmpty());
    for (Path folder : folders) {
      Path file = folder.resolve("package-info.java");
      assertTrue(Files.exists(file), file + " is missing");
      String name =
          SOURCES.relativize(folder).toString().replace(folder.getFileSystem().getSeparator(), ".");
      List<String> lines = Files.readAllLines(file);
      String text =
          String.join(
              " ", lines.stream().map(line -> line.replaceFirst("^ \\*", "").strip()).toList());
      assertEquals(
          !PUBLIC.contains(name),
          text.contains("is internal and may change at any time"),
          file.toString());
    }
  }
}
