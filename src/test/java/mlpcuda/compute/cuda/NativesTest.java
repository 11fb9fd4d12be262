package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativesTest {
  private static final String LIBRARY = "JNvPTXCompiler"; // can be loaded without a driver

  @TempDir Path folder;

  @BeforeEach
  void needsLinux() {
    assumeTrue(
        NativesTest.class.getResource("/lib/" + Natives.fileName(LIBRARY)) != null
            && System.getProperty("os.name").equals("Linux"),
        "JCuda has no libraries for this platform, or they are mapped in another way");
  }

  private static byte[] shipped(String library) throws IOException {
    try (InputStream in =
        NativesTest.class.getResourceAsStream("/lib/" + Natives.fileName(library))) {
      return in.readAllBytes();
    }
  }

  @Test
  void aLibraryIsUnpackedForThisUserAlone() throws IOException {
    Path file = new Natives(folder.resolve("new")).unpack("JCudaDriver");
    assertTrue(file.startsWith(folder.toRealPath()), file.toString());
    assertEquals(Natives.fileName("JCudaDriver"), file.getFileName().toString());
    assertEquals("rwx------", permissions(file.getParent()));
    assertEquals("rw-------", permissions(file));
    assertEquals(-1, Files.mismatch(file, write(shipped("JCudaDriver"))));
    assertEquals(List.of(file), list(file.getParent()));
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private static List<Path> list(Path in) throws IOException {
    try (Stream<Path> files = Files.list(in)) {
      return files.toList();
    }
  }

  private Path write(byte[] content) throws IOException {
    return Files.write(folder.resolve("content"), content);
  }

  @Test
  void aChangedFileIsReplacedAndAnUnchangedOneIsNot() throws IOException {
    var natives = new Natives(folder);
    byte[] content = shipped("JCudaDriver");
    Path file = natives.unpack("JCudaDriver");
    Object first = Files.getAttribute(file, "unix:ino");
    natives.unpack("JCudaDriver");
    assertEquals(first, Files.getAttribute(file, "unix:ino"));

    byte[] changed = content.clone();
    changed[changed.length / 2] ^= 1; // a library of equal length, with one bit changed
    Files.write(file, changed);
    natives.unpack("JCudaDriver");
    assertEquals(-1, Files.mismatch(file, write(content)));
    // The library is a new file: a change in place would change it under a process that has loaded
    // it.
    assertNotEquals(first, Files.getAttribute(file, "unix:ino"));

    Files.write(file, new byte[10]);
    natives.unpack("JCudaDriver");
    assertEquals(-1, Files.mismatch(file, write(content)));

    // A link must not be written through, and the file that it leads to may change.
    Path elsewhere = Files.write(folder.resolve("elsewhere"), new byte[10]);
    Files.delete(file);
    Files.createSymbolicLink(file, elsewhere);
    natives.unpack("JCudaDriver");
    assertEquals(10, Files.size(elsewhere));
    assertFalse(Files.isSymbolicLink(file));
    assertEquals(-1, Files.mismatch(file, write(content)));

    Files.setPosixFilePermissions(file.getParent(), PosixFilePermissions.fromString("rwxrwxrwx"));
    natives.unpack("JCudaDriver");
    assertEquals("rwx------", permissions(file.getParent()));
  }

  /** JCudnn's libraries are named after JCuda's version, though its Java classes have another. */
  @Test
  void jcudnnIsUnpackedAndWithoutCudnnSaysSo() throws IOException {
    Path file = new Natives(folder).unpack("JCudnn");
    assertEquals(-1, Files.mismatch(file, write(shipped("JCudnn"))));
    UnsatisfiedLinkError missing = null;
    try {
      new Natives(folder).load("JCudnn", () -> {});
    } catch (UnsatisfiedLinkError e) {
      missing = e;
    }
    assumeTrue(missing != null, "here is a cuDNN");
    DeviceException e =
        GpuProblem.noCudnn("libcudnn.so.9", List.of(), missing.getMessage(), Surroundings.here())
            .exception(missing);
    assertEquals(2, e.getMessage().lines().count(), e.getMessage());
    assertTrue(e.why().startsWith("cuDNN 9 was not found: wanted libcudnn.so.9"), e.why());
  }

  @Test
  void twoAtOnceDoNotDisturbEachOther() throws Exception {
    Path content = write(shipped("JCudaDriver"));
    var threads = Executors.newFixedThreadPool(4);
    try {
      Callable<Path> unpack = () -> new Natives(folder).unpack("JCudaDriver");
      for (var file : threads.invokeAll(List.of(unpack, unpack, unpack, unpack))) {
        assertEquals(-1, Files.mismatch(file.get(), content));
        assertEquals(List.of(file.get()), list(file.get().getParent()));
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void whatCannotBeUnpackedIsExplained() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    var e = assertThrows(DeviceException.class, () -> new Natives(file).unpack("JCudaDriver"));
    assertTrue(e.getMessage().contains("cannot be unpacked to " + file), e.getMessage());
    assertTrue(e.getMessage().contains("XDG_CACHE_HOME"), e.getMessage());
    e = assertThrows(DeviceException.class, () -> new Natives(folder).unpack("JNothing"));
    assertTrue(e.getMessage().contains("there is no CUDA for this platform"), e.getMessage());
  }

  @Test
  void whatBelongsToAnotherUserIsNotTrusted() throws IOException {
    var users = folder.getFileSystem().getUserPrincipalLookupService();
    Path file = new Natives(folder).unpack("JCudaDriver");
    var nobody = users.lookupPrincipalByName("nobody");
    try {
      Files.setOwner(file, nobody);
    } catch (IOException e) {
      abort("only root can give a file away: " + e);
    }
    new Natives(folder).unpack("JCudaDriver");
    assertEquals(Files.getOwner(file.getParent()), Files.getOwner(file));

    Files.setOwner(file.getParent(), nobody);
    var e = assertThrows(DeviceException.class, () -> new Natives(folder).unpack("JCudaDriver"));
    assertTrue(e.getMessage().contains("must belong to root, found nobody"), e.getMessage());
  }

  /** Another user could move the folder away after it was verified, and put his own there. */
  @Test
  void aFolderThatOthersCanMoveIsNotTrusted() throws IOException {
    Path open = Files.createDirectory(folder.resolve("open"));
    Path natives = open.resolve("deep/natives");
    new Natives(natives).unpack("JCudaDriver");
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    var e = assertThrows(DeviceException.class, () -> new Natives(natives).unpack("JCudaDriver"));
    String why = "all users can write to " + open.toRealPath();
    assertTrue(e.why().contains(why), e.why());
    Files.setAttribute(open, "unix:mode", 01777); // as /tmp has it
    new Natives(natives).unpack("JCudaDriver");
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxr-x"));
    new Natives(natives).unpack("JCudaDriver"); // many users are the only one of their group
  }

  @Test
  void aFolderBelowAnotherUsersIsNotTrusted() throws IOException {
    Path theirs = Files.createDirectory(folder.resolve("theirs"));
    Path natives = Files.createDirectory(theirs.resolve("natives"));
    var users = folder.getFileSystem().getUserPrincipalLookupService();
    try {
      Files.setOwner(theirs, users.lookupPrincipalByName("daemon"));
    } catch (IOException e) {
      abort("only root can give a folder away: " + e);
    }
    var e = assertThrows(DeviceException.class, () -> new Natives(natives).unpack("JCudaDriver"));
    assertTrue(e.why().contains(theirs.toRealPath() + " belongs to daemon"), e.why());
  }

  @Test
  void aFolderThatAllowsNoExecutionIsExplained() throws Exception {
    Path memory = Path.of("/dev/shm");
    assumeTrue(
        Files.readAllLines(Path.of("/proc/mounts")).stream()
            .anyMatch(line -> line.contains(" /dev/shm ") && line.contains("noexec")),
        "needs a file system that is mounted noexec");
    Path natives = Files.createTempDirectory(memory, "mlp-cuda");
    try {
      var e =
          assertThrows(
              UnsatisfiedLinkError.class,
              () -> new Natives(natives).load("JCudaDriver", () -> fail("must not be loaded")));
      GpuProblem obstacle = GpuProblem.notLoaded(e.getMessage(), Surroundings.here());
      assertTrue(obstacle.why().contains("nothing may be executed"), obstacle.why());
    } finally {
      try (Stream<Path> files = Files.walk(natives)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
  }

  @Test
  void theVerifiedFileIsTheOneThatIsLoaded() throws Exception {
    // JCuda by itself would load this: a file of that name in the folder for temporary files.
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    Path planted = temporary.resolve(Natives.fileName(LIBRARY));
    Files.writeString(planted, "planted");
    Path natives = folder.resolve("natives");
    Forked loaded =
        Forked.run(
            Loaded.class, Map.of(), List.of("-Djava.io.tmpdir=" + temporary), natives.toString());
    Path file = new Natives(natives).unpack(LIBRARY);
    assertEquals(
        "version 12, temporary files in %s, mapped [%s]\n".formatted(temporary, file),
        loaded.output());
    assertEquals(0, loaded.code());
    assertEquals("planted", Files.readString(planted));
  }

  @Test
  void aLibraryOnTheLibraryPathIsRefused() throws Exception {
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve(Natives.fileName(LIBRARY)), "planted");
    Forked refused =
        Forked.run(
            Loaded.class,
            Map.of(),
            List.of("-Djava.library.path=" + other),
            folder.resolve("natives").toString());
    assertEquals(1, refused.code());
    assertTrue(
        refused.output().contains("found another on the library path: " + other), refused.output());
  }

  /** Loads the library and says where it came from. */
  static final class Loaded {
    public static void main(String[] args) throws IOException {
      new Natives(Path.of(args[0])).load(LIBRARY, () -> JNvPTXCompiler.setExceptionsEnabled(false));
      int[] major = new int[1];
      JNvPTXCompiler.nvPTXCompilerGetVersion(major, new int[1]);
      List<String> mapped =
          Files.readAllLines(Path.of("/proc/self/maps")).stream()
              .filter(line -> line.contains(LIBRARY))
              .map(line -> line.substring(line.indexOf('/')))
              .distinct()
              .toList();
      System.out.printf(
          "version %d, temporary files in %s, mapped %s%n",
          major[0], System.getProperty("java.io.tmpdir"), mapped);
    }
  }
}
