package mlpcuda.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.Child;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that reading takes no more memory than four times the file and 4 MiB: hostile files are
 * read in a JVM whose whole heap is that, its own needs included.
 */
class ModelFileMemoryTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  /** Reads each file of the folder {@code arguments[0]}; prints the files that need more memory. */
  static final class Reader {
    public static void main(String[] arguments) throws IOException {
      try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
        for (Path file : files.sorted().toList()) {
          for (boolean checkpoint : new boolean[] {false, true}) {
            read(file, checkpoint);
          }
        }
      }
    }

    private static void read(Path file, boolean checkpoint) {
      try {
        if (checkpoint) {
          Checkpoint.read(file);
        } else {
          ModelFile.read(file);
        }
        System.out.println("refused it must be: " + file.getFileName());
      } catch (BadFileException e) {
        if (e.getMessage().lines().count() != 1 || e.getMessage().length() > 2000) {
          System.out.println("too long a message: " + e.getMessage());
        }
      } catch (OutOfMemoryError e) {
        System.out.println("out of memory: " + file.getFileName());
      }
    }
  }

  @Test
  void headers() throws Exception {
    HostileFiles.writeHeaders(folder);
    assertEquals("", readIn(8));
  }

  @Test
  void valuesAndTexts() throws Exception {
    HostileFiles.writeValues(folder, 24 * MIB);
    assertEquals("", readIn(4 * 24 + 4));
  }

  /** Reads all files in a JVM with that heap, and returns its output. */
  private String readIn(int mebibytes) throws IOException, InterruptedException {
    try (Child child =
        Child.start(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + mebibytes + "m",
                "-XX:+UseG1GC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                program(),
                Reader.class.getName(),
                folder.toString()))) {
      child.process().getOutputStream().close();
      String output = child.rest();
      assertEquals(0, child.exitCode(), output);
      return output;
    }
  }

  /**
   * The class path with no library but the one that reads JSON: each other one would take some of
   * so small a heap, as the JVM looks through it on the way.
   */
  private static String program() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> Files.isDirectory(Path.of(entry)) || entry.contains("jackson"))
        .collect(Collectors.joining(File.pathSeparator));
  }
}
