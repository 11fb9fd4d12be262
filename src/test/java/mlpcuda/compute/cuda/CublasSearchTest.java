package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.Precision;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests which cuBLAS is loaded of those that {@link FakeCuda} has, each in a JVM of its own. */
class CublasSearchTest {
  private static final String CUDA_12 = "version 12090";
  private static final String CUDA_13 = "version 13000";

  @TempDir Path folder;
  private FakeCuda fake;
  private Path twelve;
  private Path thirteen;

  @BeforeEach
  void compile() throws IOException, InterruptedException {
    List<Path> system = CudaLibrary.folders(Map.of(), Path.of("/"));
    assumeTrue(
        CudaLibrary.cublas(12, system).others().isEmpty(),
        "a cuBLAS of this machine is found, too");
    fake = FakeCuda.compile(folder);
    twelve = folder.resolve("libcublas.so.12");
    thirteen = folder.resolve("libcublas.so.13");
  }

  /** Opens cuBLAS on a driver of that version; returns its description, or the message. */
  private String opened(String version, String... options) throws IOException {
    fake.control(version);
    Forked opened =
        Forked.run(
            Opened.class,
            fake.environment(),
            List.of(options),
            folder.resolve("natives").toString());
    assertEquals(0, opened.code(), opened.output());
    return opened.output().strip();
  }

  @Test
  void theNewestIsTakenThatTheDriverCanRun() throws IOException {
    assertEquals("cuBLAS 12.6.4", opened(CUDA_12));
    assertEquals("cuBLAS 13.1.2", opened(CUDA_13));
    Files.delete(thirteen);
    assertEquals("cuBLAS 12.6.4", opened(CUDA_13));
  }

  @Test
  void cublas13AloneIsEnough() throws IOException {
    Files.delete(twelve);
    assertEquals("cuBLAS 13.1.2", opened(CUDA_13));
    String message = opened(CUDA_12);
    assertTrue(
        message.startsWith("cuBLAS 12 was not found: wanted libcublas.so.12, found " + thirteen),
        message);
    assertTrue(message.contains("install NVIDIA driver 580 or newer"), message);
  }

  @Test
  void oneThatCannotBeLoadedIsPassedOver() throws IOException, InterruptedException {
    byte[] elf = Files.readAllBytes(thirteen);
    elf[18] = (byte) 183; // for arm64: e_machine of ELF's header
    Files.write(thirteen, elf);
    assertEquals("cuBLAS 12.6.4", opened(CUDA_13));
    fake.compileWithoutGemmEx();
    assertEquals("cuBLAS 12.6.4", opened(CUDA_13));
    Files.delete(twelve);
    String message = opened(CUDA_13);
    assertTrue(
        message.startsWith(
            "cuBLAS cannot be loaded: wanted libcublas.so.13 or libcublas.so.12, found "
                + thirteen),
        message);
    assertTrue(message.contains("cublasGemmEx"), message);
    assertTrue(message.contains("libcublas.so.12: cannot open shared object file"), message);
  }

  @Test
  void whereThereIsNoneTheMessageSaysSoOnce() throws IOException {
    Files.delete(twelve);
    Files.delete(thirteen);
    String message = opened(CUDA_13);
    assertTrue(
        message.startsWith(
            "cuBLAS was not found: wanted libcublas.so.13 or libcublas.so.12, found none"
                + " (libcublas.so.13: cannot open shared object file: No such file or directory; "),
        message);
    assertEquals(2, message.lines().count(), message);
    assertTrue(message.length() < 700, message); // JNA's own message has the class path
  }

  /** JNA's native library comes from the class path's bytes, whatever Java's properties say. */
  @Test
  void noOtherLibraryOfJnaIsLoaded() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("libjnidispatch.so"), "planted");
    Files.writeString(other.resolve("libother.so"), "planted");
    assertEquals(
        "cuBLAS 13.1.2",
        opened(
            CUDA_13,
            "-Djna.boot.library.path=" + other,
            "-Djna.boot.library.name=other",
            "-Djna.nosys=false",
            "-Djava.library.path=" + other,
            "-Djna.tmpdir=" + other));
    try (var files = Files.list(other)) {
      assertEquals(2, files.count());
    }
  }

  /** Opens cuBLAS and prints its description, or the two lines that say why it cannot be opened. */
  static final class Opened {
    public static void main(String[] args) {
      try (JCudaDriver driver = JCudaDriver.open(0, Path.of(args[0]))) {
        String before = jnaProperties();
        try (Blas blas = driver.openBlas(driver.createStream(), Precision.FP32)) {
          System.out.println(blas.description());
        }
        assertEquals(before, jnaProperties());
        for (String line : mapped("libjnidispatch")) {
          assertTrue(line.contains(args[0] + "/jna-"), line);
        }
      } catch (DeviceException e) {
        System.out.println(e.getMessage());
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    private static String jnaProperties() {
      return System.getProperties().stringPropertyNames().stream()
          .filter(name -> name.startsWith("jna.") && !name.equals("jna.loaded"))
          .sorted()
          .map(name -> name + "=" + System.getProperty(name))
          .toList()
          .toString();
    }

    private static List<String> mapped(String library) throws IOException {
      return Files.readAllLines(Path.of("/proc/self/maps")).stream()
          .filter(line -> line.contains(library))
          .toList();
    }
  }
}
