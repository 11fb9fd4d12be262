package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mlpcuda.cli.GpuCommandsTest.OneGpu;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests which modules of kernels a run loads: those that it uses, and no others. */
class ModulesTest {
  private static final EmulatedOptions CUBLAS = EmulatedOptions.of(EmulatedPolicy.LATEST);
  private static final EmulatedOptions ALONE = CUBLAS.withoutCublas();

  @TempDir private Path tmp;

  /** The modules that a command loads, in order. */
  private static List<String> modules(EmulatedOptions options, String line) {
    var drivers = new ArrayList<EmulatedDriver>();
    Program run = Program.run(new OneGpu(options, drivers::add), Program.words(line));
    assertEquals(0, run.code(), run.err());
    assertEquals(1, drivers.size());
    return drivers.get(0).modules().stream().map(m -> m.replace(" as PTX", "")).toList();
  }

  @Test
  void aRunLoadsTheModulesThatItUses() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 20, 9);
    String train =
        "--gpu 0 --hidden 4 --batch-size 8 --epochs 1 --overwrite --data %s --out %s "
            .formatted(data, tmp.resolve("run"));
    assertEquals(List.of("layers", "fused"), modules(CUBLAS, train + "--step fused"));
    assertEquals(List.of("layers"), modules(CUBLAS, train + "--step layered"));
    assertEquals(List.of("layers", "gemm"), modules(ALONE, train + "--step layered"));
    // The answers to the test set are what needs products apart from the step's.
    assertEquals(List.of("layers", "fused", "gemm"), modules(ALONE, train + "--step fused"));

    Path picture =
        Files.writeString(tmp.resolve("bar.pgm"), "P2 7 5 9 " + "9 0 9 9 9 9 9 ".repeat(5));
    String predict =
        "predict --gpu 0 --model %s %s".formatted(tmp.resolve("run/model.safetensors"), picture);
    assertEquals(List.of("layers"), modules(CUBLAS, predict));
    assertEquals(List.of("layers", "gemm"), modules(ALONE, predict));
  }
}
