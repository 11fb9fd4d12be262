package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import mlpcuda.ShippedCubins;
import mlpcuda.cli.GpuCommandsTest.OneGpu;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that the machine code in the jar is what a GPU gets. The emulated one runs the PTX of the
 * same module, and finds machine code that is another module's or another device's.
 */
class CubinsIT {
  private static final EmulatedOptions HOPPER = EmulatedOptions.of(EmulatedPolicy.LATEST);

  @TempDir private Path tmp;
  private Path data;
  private EmulatedDriver driver;

  @BeforeAll
  static void assumeCubins() throws IOException {
    ShippedCubins.assumeThere();
  }

  @BeforeEach
  void writeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 20, 9);
  }

  /** Trains on a GPU without cuBLAS, so that products too are kernels of the jar. */
  private Program train(EmulatedOptions gpu, Consumer<EmulatedDriver> opened, String options) {
    var one = new OneGpu(gpu.withoutCublas(), opened.andThen(made -> driver = made));
    String line =
        "--gpu 0 --step fused --hidden 4 --batch-size 8 --epochs 1 --overwrite --data %s --out %s "
            .formatted(data, tmp.resolve("run"));
    Program run = Program.run(one, Program.words(line + options));
    assertEquals(0, run.code(), run.err());
    return run;
  }

  private static List<String> notes(Program run) {
    return run.lines().stream().filter(line -> line.startsWith("Module ")).toList();
  }

  @Test
  void machineCodeIsLoadedAndPtxWhereItIsRefused() throws IOException {
    Program compiled = train(HOPPER, made -> {}, "--verbose");
    assertEquals(List.of("layers", "fused", "gemm"), driver.modules());
    assertEquals(List.of(), notes(compiled));
    byte[] model = Files.readAllBytes(tmp.resolve("run/model.safetensors"));

    Consumer<EmulatedDriver> refusing =
        made -> made.refuseCubins(209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image");
    Program refused = train(HOPPER, refusing, "--verbose");
    assertEquals(List.of("layers as PTX", "fused as PTX", "gemm as PTX"), driver.modules());
    var expected = new ArrayList<String>();
    for (String module : List.of("layers", "fused", "gemm")) {
      expected.add(
          "Module %s: the driver refuses its machine code (cuModuleLoadDataEx failed:"
                  .formatted(module)
              + " CUDA_ERROR_NO_BINARY_FOR_GPU (209): no kernel image); the driver compiles its PTX"
              + " now");
    }
    assertEquals(expected, notes(refused));
    assertEquals(compiled.lastLine(), refused.lastLine());
    assertArrayEquals(model, Files.readAllBytes(tmp.resolve("run/model.safetensors")));

    assertEquals(List.of(), notes(train(HOPPER, refusing, "")), "without --verbose");
  }

  @Test
  void devicesOfOtherArchitecturesGetTheirOwnOrPtx() {
    train(HOPPER.withMajor(8), made -> {}, "");
    assertEquals(List.of("layers", "fused", "gemm"), driver.modules());
    Program newer = train(HOPPER.withMajor(12), made -> {}, "--verbose");
    assertEquals(List.of("layers as PTX", "fused as PTX", "gemm as PTX"), driver.modules());
    assertEquals(
        "Module layers: the program has no machine code for compute capability 12.0; the driver"
            + " compiles its PTX now",
        notes(newer).get(0));
  }

  /** What fails for another reason, such as a lack of memory, would fail with PTX too. */
  @Test
  void otherFailuresAreTold() {
    var one =
        OneGpu.that(made -> made.refuseCubins(2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"));
    Program run = Program.run(one, Program.words("--gpu 0 --dry-run --data " + data));
    assertEquals(3, run.code());
    assertEquals(
        "cuModuleLoadDataEx failed: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory",
        run.err().lines().findFirst().orElseThrow());
  }
}
