package mlpcuda.compute.cpu;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import mlpcuda.Child;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.files.Sha256;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
class OpenBlasTest {
  @TempDir Path cache;

  /**
   * Allocates a buffer, multiplies two matrices, and prints which libraries the process has mapped.
   */
  static final class Loaded {
    public static void main(String[] args) throws IOException {
      try (var ops = new CpuOps(1);
          Buffer x = ops.allocate("x", Type.FLOAT32, 1)) {
        ops.write(x, new float[] {3});
        float[] four = {1, 2, 3, 4};
        cblas_sgemm(
            CblasRowMajor,
            CblasNoTrans,
            CblasNoTrans,
            2,
            2,
            2,
            1,
            four,
            2,
            four,
            2,
            0,
            new float[4],
            2);
      }
      Files.readAllLines(Path.of("/proc/self/maps")).stream()
          .filter(line -> line.contains("blas") || line.contains("javacpp"))
          .map(line -> line.substring(line.indexOf('/')))
          .distinct()
          .sorted()
          .forEach(System.out::println);
    }
  }

  /** Runs {@link Loaded} with that cache folder and file mode mask. */
  private String run(Path cacheHome, String before, int expected) {
    String command =
        "%s; exec '%s'".formatted(before, String.join("' '", Child.java(List.of(), Loaded.class)));
    var builder = new ProcessBuilder("bash", "-c", command).redirectErrorStream(true);
    builder.environment().put("XDG_CACHE_HOME", cacheHome.toString());
    try (Child child = Child.start(builder)) {
      String output = child.rest();
      assertEquals(expected, child.exitCode(), output);
      return output;
    }
  }

  private Path folder() throws IOException {
    try (var folders = Files.list(cache.resolve("mlp-cuda").resolve("natives"))) {
      return folders.findFirst().orElseThrow().toRealPath();
    }
  }

  @Test
  void onlyTheVerifiedFilesAreLoaded() throws IOException {
    List<String> mapped = run(cache, "umask 000", 0).lines().toList();
    Path folder = folder();
    assertEquals(6, mapped.size(), mapped.toString());
    assertTrue(mapped.stream().allMatch(file -> file.startsWith(folder + "/")), mapped.toString());
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
        assertEquals("rw-------", mode, file.toString());
      }
    }
  }

  /** Java calls the home of a user without a passwd entry "?", which is no absolute path. */
  @Test
  void withoutAHomeTheLibrariesLieInAFolderThatIsDeletedAtTheEnd() throws IOException {
    Path temporary = Files.createDirectory(cache.resolve("temporary"));
    Path working = Files.createDirectory(cache.resolve("working"));
    List<String> options = List.of("-Duser.home=?", "-Djava.io.tmpdir=" + temporary);
    var builder = new ProcessBuilder(Child.java(options, Loaded.class)).redirectErrorStream(true);
    builder.directory(working.toFile());
    builder.environment().keySet().removeAll(List.of("XDG_CACHE_HOME", "HOME"));
    try (Child child = Child.start(builder)) {
      List<String> mapped = child.rest().lines().toList();
      assertEquals(0, child.exitCode(), mapped.toString());
      assertEquals(6, mapped.size(), mapped.toString());
      assertTrue(mapped.get(0).startsWith(temporary + "/mlp-cuda-"), mapped.toString());
    }
    for (Path folder : List.of(temporary, working)) {
      try (var files = Files.list(folder)) {
        assertEquals(List.of(), files.toList());
      }
    }
  }

  /** The attack that JavaCPP's cache falls to: a file of the right size and time. */
  @Test
  void aPlantedLibraryIsReplaced() throws IOException {
    run(cache, "true", 0);
    Path library = folder().resolve("libjniopenblas_nolapack.so");
    byte[] right = Files.readAllBytes(library);
    FileTime time = Files.getLastModifiedTime(library);
    Files.write(library, new byte[right.length]);
    Files.setLastModifiedTime(library, time);
    run(cache, "true", 0);
    assertArrayEquals(right, Files.readAllBytes(library));
  }

  /**
   * Another version of OpenBLAS has other libraries: with a hash that is no longer right each start
   * would unpack them anew.
   */
  @Test
  void theHashesAreThoseOfTheLibraries() throws IOException {
    Map<String, String> hashes = OpenBlas.hashes();
    assertEquals(6, hashes.size());
    for (Map.Entry<String, String> hash : hashes.entrySet()) {
      try (InputStream content = OpenBlas.class.getResourceAsStream(hash.getKey())) {
        if (content != null || Loader.getPlatform().equals("linux-x86_64")) {
          String found = HexFormat.of().formatHex(Sha256.begin().digest(content.readAllBytes()));
          assertEquals(found, hash.getValue(), hash.getKey() + " in openblas.sha256");
        }
      }
    }
  }

  @Test
  void aLibraryWhoseHashIsRightIsNotUnpackedAgain() throws IOException {
    run(cache, "true", 0);
    Path library = folder().resolve("libopenblas_nolapack.so.0");
    Object first = Files.getAttribute(library, "unix:ino");
    run(cache, "true", 0);
    assertEquals(first, Files.getAttribute(library, "unix:ino"));
  }

  @Test
  void aFolderThatCannotBeMadeIsRefusedAndNoOtherTaken() throws IOException {
    Path file = Files.createFile(cache.resolve("file"));
    String output = run(file, "true", 1);
    assertTrue(output.contains("OpenBLAS cannot be unpacked to " + file + "/mlp-cuda"), output);
    assertTrue(output.contains("XDG_CACHE_HOME"), output);
  }

  /** A limit on the size of files acts like a full disk: the first large library reaches it. */
  @Test
  void aLibraryThatCannotBeUnpackedNamesTheFolderAndTheCause() {
    String output = run(cache, "ulimit -f 2000", 1);
    String folder = cache.resolve("mlp-cuda").resolve("natives").toString();
    assertTrue(output.contains("OpenBLAS cannot be unpacked to " + folder), output);
    assertTrue(output.contains(": File too large"), output);
  }

  @Test
  void theFirstCauseIsTheOneThatIsTold() {
    var first = new UnsatisfiedLinkError("libx.so: failed to map segment from shared object");
    var last = new UnsatisfiedLinkError("no jniopenblas_nolapack in java.library.path: /usr/lib");
    last.initCause(first);
    assertEquals(first.getMessage(), OpenBlas.firstCause(last));
    assertTrue(OpenBlas.remedy(first.getMessage()).contains("allows execution"));
  }
}
