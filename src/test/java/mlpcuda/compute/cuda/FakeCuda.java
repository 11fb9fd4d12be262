package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import mlpcuda.Child;

/**
 * A folder with a fake libcuda.so.1, libcublas.so.12, libcublas.so.13 and libcudnn.so.9 that write
 * down how they are called, for a process that is started with {@link #environment}.
 */
final class FakeCuda {
  private static final String CUBLAS_13 = "libcublas.so.13";

  private final Path folder;

  private FakeCuda(Path folder) {
    this.folder = folder;
  }

  /** Compiles the fakes into {@code folder}; skips the test where they cannot be compiled. */
  static FakeCuda compile(Path folder) throws IOException, InterruptedException {
    assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "JCuda's libraries are for x86-64 alone, and the fakes for Linux");
    for (String source :
        List.of("fake.h", "fake-libcuda.c", "fake-libcublas.c", "fake-libcudnn.c")) {
      try (InputStream in = FakeCuda.class.getResourceAsStream(source)) {
        Files.copy(in, folder.resolve(source), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    gcc(folder, "fake-libcuda.c", "libcuda.so.1");
    versioned(folder, "fake-libcublas.c", "libcublas.so.12");
    versioned(folder, "fake-libcublas.c", CUBLAS_13, "-DTHIRTEEN");
    versioned(folder, "fake-libcudnn.c", "libcudnn.so.9");
    for (String part : List.of("libcudnn_graph.so.9", "libcudnn_ops.so.9")) {
      gcc(folder, "/dev/null", part); // cuDNN's parts are only looked for
    }
    return new FakeCuda(folder);
  }

  /** Compiles libcublas.so.13 again, without one of the functions that the program calls. */
  void compileWithoutGemmEx() throws IOException, InterruptedException {
    versioned(folder, "fake-libcublas.c", CUBLAS_13, "-DTHIRTEEN", "-DWITHOUT_GEMM_EX");
  }

  /** Gives the symbols a version, which JCublas and JCudnn ask for. */
  private static void versioned(Path folder, String source, String library, String... more)
      throws IOException, InterruptedException {
    Files.writeString(folder.resolve(library + ".map"), library + " { global: *; };\n");
    List<String> options = new ArrayList<>(List.of(more));
    options.addAll(List.of("-Wl,--version-script=" + library + ".map", "-lm"));
    gcc(folder, source, library, options.toArray(String[]::new));
  }

  private static void gcc(Path folder, String source, String library, String... more)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("gcc", "-std=gnu11", "-Wall", "-Wextra"));
    command.addAll(List.of("-Werror", "-shared", "-fPIC", "-Wl,-soname," + library));
    command.addAll(List.of("-o", library, "-x", "c", source, "-x", "none"));
    command.addAll(List.of(more)); // libraries must come after what needs them
    var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    try (Child gcc = Child.start(builder)) {
      String output = gcc.rest();
      assertEquals(0, gcc.exitCode(), output);
    } catch (UncheckedIOException e) {
      abort("gcc is needed to compile a fake driver: " + e.getMessage());
    }
  }

  /** The environment of a process that is to find the fakes. */
  Map<String, String> environment() {
    return Map.of(
        "LD_LIBRARY_PATH",
        folder.toString(),
        "FAKE_CUDA_LOG",
        folder.resolve("log").toString(),
        "FAKE_CUDA_CONTROL",
        folder.resolve("control").toString());
  }

  // ---- in that process ----

  /** The fakes that this process was started with. */
  static FakeCuda here() {
    return new FakeCuda(Path.of(System.getenv("FAKE_CUDA_LOG")).getParent());
  }

  /** The folder of the libraries. */
  Path folder() {
    return folder;
  }

  /**
   * Sets how the fakes behave from now on: functions with the codes they return, settings with
   * values.
   */
  void control(String lines) {
    write("control", lines);
  }

  /** The calls since the last call of this method. */
  List<String> calls() {
    try {
      List<String> lines = Files.readAllLines(folder.resolve("log"));
      write("log", "");
      return lines;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void write(String name, String text) {
    try {
      Files.writeString(folder.resolve(name), text);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
