package mlpcuda.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import mlpcuda.Child;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests what is left when writing fails: the former file, and nothing else. */
class WholeFileTest {
  private static final int LARGE = 1 << 20;

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void writeFormerFile() throws IOException {
    file = folder.resolve("file");
    Files.writeString(file, "former");
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  private void assertFormerFileAlone() throws IOException {
    assertEquals(List.of("file"), names(folder));
    assertEquals("former", Files.readString(file));
  }

  /** Asserts that writing fails with one line that says why, and returns the line. */
  private static String refused(Path file, WholeFile.Content content) {
    String message =
        assertThrows(UncheckedIOException.class, () -> WholeFile.write(file, content)).getMessage();
    assertTrue(message.startsWith(file + ": cannot be written: "), message);
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  @Test
  void replacesAFormerFile() throws IOException {
    WholeFile.write(file, out -> out.write(new byte[LARGE]));
    assertEquals(LARGE, Files.size(file));
    assertEquals(List.of("file"), names(folder));
  }

  @Test
  void takesARelativePath() throws IOException {
    Path relative = Path.of("").toAbsolutePath().relativize(file);
    WholeFile.write(relative, out -> out.write('x'));
    assertEquals("x", Files.readString(file));
  }

  @Test
  void contentThatFailsHalfwayChangesNothing() throws IOException {
    String message =
        refused(
            file,
            out -> {
              out.write(new byte[LARGE]);
              throw new IOException("enough");
            });
    assertTrue(message.endsWith("enough"), message);
    assertFormerFileAlone();
    assertThrows(
        IllegalStateException.class,
        () ->
            WholeFile.write(
                file,
                out -> {
                  out.write(new byte[LARGE]);
                  throw new IllegalStateException();
                }));
    assertFormerFileAlone();
  }

  @Test
  void aFolderInItsPlaceStays() throws IOException {
    Path taken = folder.resolve("taken");
    Files.createDirectory(taken);
    refused(taken, out -> out.write(1));
    assertTrue(Files.isDirectory(taken));
    assertEquals(List.of("file", "taken"), names(folder));
  }

  @Test
  void aMissingFolderIsTold() throws IOException {
    refused(folder.resolve("none").resolve("file"), out -> out.write(1));
    refused(file.resolve("under a file"), out -> out.write(1));
    assertFormerFileAlone();
  }

  @Test
  void aFolderThatVanishesIsTold() throws IOException {
    Path vanishing = Files.createDirectory(folder.resolve("vanishing"));
    refused(
        vanishing.resolve("file"),
        out -> {
          for (String name : names(vanishing)) {
            Files.delete(vanishing.resolve(name));
          }
          Files.delete(vanishing);
        });
    assertFormerFileAlone();
  }

  /** Writes far more than fits, in a process of its own, and prints the message. */
  static final class Writer {
    public static void main(String[] arguments) throws IOException {
      Path folder = Path.of(arguments[0]);
      Path file = folder.resolve("file");
      if (Files.notExists(file)) {
        Files.writeString(file, "former");
      }
      if (arguments.length > 1) {
        run(arguments[1], folder.toString());
      }
      try {
        WholeFile.write(file, out -> out.write(new byte[LARGE]));
      } catch (UncheckedIOException e) {
        System.out.println(e.getMessage());
      }
      System.out.println(names(folder) + " " + Files.readString(file));
    }

    private static void run(String command, String argument) throws IOException {
      try (Child shell = Child.start(List.of("sh", "-c", command, "sh", argument))) {
        if (shell.exitCode() != 0) {
          throw new IOException(command + " failed");
        }
      }
    }
  }

  /** The output of a shell command whose "$@" is {@link Writer}, or of {@code true} for a probe. */
  private String shell(String command, List<String> arguments) throws Exception {
    var line = new ArrayList<>(List.of("sh", "-c", command, "sh"));
    line.addAll(arguments);
    try (Child child = Child.start(line)) {
      child.process().getOutputStream().close();
      String output = child.rest();
      return child.exitCode() == 0 ? output : "failed: " + output;
    }
  }

  private List<String> writer(String... arguments) {
    var line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:-UsePerfData",
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                folder.toString()));
    line.addAll(List.of(arguments));
    return line;
  }

  @Test
  void aLimitOfTheFilesSizeIsTold() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "needs a shell");
    String output = shell("ulimit -f 128 && exec \"$@\"", writer());
    assertEquals(file + ": cannot be written: File too large\n[file] former\n", output);
    assertFormerFileAlone();
  }

  /** Runs the probe in a name space of its own, where anyone may mount and no one else sees it. */
  private String mounted(String options, String... arguments) throws Exception {
    String mount = "mount -t tmpfs -o " + options + " tmpfs '" + folder + "'";
    String probe = shell("unshare -rm sh -c \"" + mount + "\"", List.of());
    assumeTrue(probe.isEmpty(), () -> "needs a file system of its own: " + probe);
    return shell(
        "exec unshare -rm sh -c \"" + mount + ' ' + "&& exec \\\"\\$@\\\"\" sh \"$@\"",
        writer(arguments));
  }

  @Test
  void aFullDiskIsTold() throws Exception {
    String output = mounted("size=256k");
    assertEquals(
        file + ": cannot be written: No space left on device\n" + "[file] former\n", output);
    assertFormerFileAlone();
  }

  @Test
  void aFileSystemThatCannotBeWrittenIsTold() throws Exception {
    String output = mounted("size=4m", "mount -o remount,ro \"$1\"");
    assertTrue(output.contains("Read-only file system\n[file] former\n"), output);
    assertEquals(2, output.lines().count(), output);
  }
}
