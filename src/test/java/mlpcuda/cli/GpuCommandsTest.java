package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the program as a user with a GPU runs it: an emulated one. */
class GpuCommandsTest {
  @TempDir private Path tmp;
  private Path data;

  /** One emulated GPU; its close finds whatever was not released. */
  record OneGpu(EmulatedOptions options, Consumer<EmulatedDriver> opened) implements Gpus {
    static OneGpu with(EmulatedOptions options) {
      return new OneGpu(options, driver -> {});
    }

    static OneGpu that(Consumer<EmulatedDriver> opened) {
      return new OneGpu(EmulatedOptions.of(EmulatedPolicy.LATEST), opened);
    }

    @Override
    public List<GpuProperties> list() {
      try (var driver = new EmulatedDriver(options)) {
        return List.of(driver.device());
      }
    }

    @Override
    public CudaDriver open(int index) {
      assertEquals(0, index);
      var driver = new EmulatedDriver(options);
      opened.accept(driver);
      return driver;
    }
  }

  static final OneGpu WITH_CUBLAS = OneGpu.with(EmulatedOptions.of(EmulatedPolicy.LATEST));
  static final OneGpu DRIVER_ALONE =
      OneGpu.with(EmulatedOptions.of(EmulatedPolicy.LATEST).withoutCublas().withoutCudnn());

  @BeforeEach
  void writeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
  }

  private Program train(Gpus gpus, String line, String out) {
    String whole =
        "--overwrite --batch-size 16 --test-batch-size 7 --epochs 3 --data %s --out %s %s";
    return Program.run(gpus, Program.words(whole.formatted(data, tmp.resolve(out), line)));
  }

  @Test
  void trainsOnTheGpuByDefault() {
    Program run = train(DRIVER_ALONE, "--verbose", "run");
    assertEquals(0, run.code(), run.err());
    assertEquals(
        "GPU 0: Emulated GPU, compute capability 9.0, 1.0 GiB, driver for CUDA 12.6, own GEMM:"
            + " cuBLAS 12 was not found: this device is emulated without it, fused steps (auto: own"
            + " GEMM, short batches), pinned feed (auto: resident is not measured yet), CUDA graph"
            + " (--cpu would train on the CPU)",
        run.lines().get(0));
    assertTrue(run.lines().contains("A step is a CUDA graph of 3 nodes"), run.out());
    Program layered = train(DRIVER_ALONE, "--verbose --step layered", "layered");
    // The 15 nodes: position, gather, 2 layers forward, loss; 2 weights', 2 biases' and 1 inputs'
    // gradients; Adam.
    assertTrue(layered.lines().contains("A step is a CUDA graph of 15 nodes"), layered.out());
    assertEquals(layered.lastLine(), run.lastLine());
    Program cpu = train(Program.NO_GPUS, "", "cpu");
    assertEquals(cpu.lastLine(), run.lastLine());
    assertTrue(
        cpu.lines().get(0).endsWith("(no GPU is used: no GPU 0 for a test of the CPU)"),
        cpu.lines().get(0));
    Program evaluated =
        Program.run(
            DRIVER_ALONE,
            "evaluate",
            "--gpu",
            0,
            "--test-batch-size",
            7,
            "--data",
            data,
            "--model",
            tmp.resolve("run/model.safetensors"));
    assertEquals(0, evaluated.code(), evaluated.err());
    assertTrue(evaluated.lines().get(0).endsWith(" (--gpu 0)"), evaluated.lines().get(0));
    assertEquals(run.lastLine(), evaluated.lastLine());
  }

  @Test
  void everyWayToFeedAndToLaunchWritesTheSameModel() throws IOException {
    List<String> ways =
        List.of("", "--feed resident", "--no-graph", "--feed resident --no-graph", "--sync-check");
    byte[] expected = null;
    for (String way : ways) {
      String out = "run ".trim() + ways.indexOf(way);
      Program run = train(WITH_CUBLAS, "--gpu 0 --gemm ptx " + way, out);
      assertEquals(0, run.code(), run.err());
      byte[] model = Files.readAllBytes(tmp.resolve(out).resolve("model.safetensors"));
      expected = expected == null ? model : expected;
      assertArrayEquals(expected, model, way);
    }
  }

  @Test
  void aFusedStepIsSaidAndWritesTheSameModelInEveryWay() throws IOException {
    byte[] expected = null;
    for (String way : List.of("", " --feed resident", " --no-graph", " --sync-check")) {
      Program run = train(WITH_CUBLAS, "--gpu 0 --step fused --verbose" + way, "run");
      assertEquals(0, run.code(), run.err());
      byte[] model = Files.readAllBytes(tmp.resolve("run/model.safetensors"));
      expected = expected == null ? model : expected;
      assertArrayEquals(expected, model, way);
      if (!way.contains("-graph") && !way.contains("-check")) {
        assertTrue(
            run.lines().contains("A step is a CUDA graph of 3 nodes"), run.lines().toString());
      }
    }
  }

  @Test
  void aPersistentStepIsSaidAndWritesTheSameModelInEveryWay() throws IOException {
    byte[] expected = null;
    for (String way : List.of("", " --feed resident --steps-per-launch 2 --gemm ptx")) {
      Program run =
          train(WITH_CUBLAS, "--gpu 0 --step persistent --hidden 9 --verbose" + way, "run");
      assertEquals(0, run.code(), run.err());
      int most = way.contains("2") ? 2 : 100;
      String steps =
          ", persistent steps, resident feed, up to %d a launch (--gpu 0)".formatted(most);
      assertTrue(run.lines().get(0).endsWith(steps), run.lines().get(0));
      byte[] model = Files.readAllBytes(tmp.resolve("run/model.safetensors"));
      expected = expected == null ? model : expected;
      assertArrayEquals(expected, model, way);
      assertTrue(run.lines().contains("Up to " + most + " steps are one launch"), run.out());
    }
  }

  @Test
  void whatDoesNotFitAPersistentStepIsRefused() {
    Program run = train(WITH_CUBLAS, "--gpu 0 --step persistent --hidden 20000", "run");
    assertEquals(3, run.code());
    assertEquals(
        List.of(
            "persistent steps need 2.2 MiB of shared memory a block for this network and batch; GPU"
                + " 0 (Emulated GPU), with 4 multiprocessors, has 227.0 KiB",
            "Use fused steps, a narrower first layer or a smaller batch."),
        run.err().lines().toList());
  }

  @Test
  void aPrecisionIsInTheFirstLineAndItsLossScaleInTheLast() {
    Program run = train(DRIVER_ALONE, "--gpu 0 --precision fp16", "run");
    assertEquals(0, run.code(), run.err());
    assertTrue(run.lines().get(0).contains(", own GEMM of fp16: cuBLAS"), run.lines().get(0));
    assertTrue(
        run.lines().stream()
            .anyMatch(l -> l.matches("Loss scale 65536, none of \\d+ steps skipped.")),
        run.lines().toString());
  }

  /**
   * The line of the device, and the metrics' field, say of this run what its graph shows: how a
   * batch's step is launched, the last and short one of an epoch among them, and why.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "none    | 64   | 90   |                      | fused steps (auto: own GEMM, short batches)",
        "none    | 1024 | 1034 |                      | layered steps (auto: batches of 1024, above 512)",
        "none    | 2048 | 90   |                      | fused steps (auto: own GEMM, short batches)",
        "none    | 64   | 90   | --hidden 4,1025      | layered steps (auto: a layer has 1025 outputs, above"
            + " 1024)",
        "none    | 64   | 90   | --hidden 2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2"
            + " | layered steps (auto: 33 layers, above 32)",
        "none    | 64   | 90   | --clip-grad-norm 0.5 | layered steps (auto: clipping needs all gradients"
            + " before any update)",
        "cublas  | 64   | 90   |                      | layered steps (auto: cuBLAS multiplies)",
        "cublas  | 64   | 90   | --step auto          | layered steps (auto: cuBLAS multiplies)",
        "cublas  | 64   | 90   | --gemm ptx           | fused steps (auto: own GEMM, short batches)",
        "cublas  | 64   | 90   | --gemm ptx --kernels cudnn | layered steps (auto: cuDNN activates)",
        "cublas  | 64   | 90   | --step layered       | layered steps",
        "cublas  | 1024 | 1034 | --step fused         | fused steps",
        "cublas  | 64   | 90   | --step fused --hidden 4,1025 | layered steps (not fused: a layer has 1025"
            + " outputs, above 1024)",
        "cublas  | 64   | 90   | --step fused --clip-grad-norm 0.5 | layered steps (not fused: clipping"
            + " needs all gradients before any update)",
      })
  void theDescriptionIsTrueOfTheRun(
      String library, int batch, int examples, String options, String steps) throws IOException {
    Path many = Program.writeData(tmp.resolve("many"), 5, 7, 3, examples, 20);
    String line = "--gpu 0 --epochs 2 --verbose --steps-per-launch 1 --batch-size " + batch;
    if (options == null || !options.contains("--hidden")) {
      line += " --hidden 4";
    }
    if (options != null) {
      line += " " + options;
    }
    Path out = tmp.resolve("run");
    Program run =
        Program.run(
            library.equals("none") ? DRIVER_ALONE : WITH_CUBLAS,
            Program.words(line, "--data", many, "--out", out));
    assertEquals(0, run.code(), run.err());
    String part = ", " + steps + ", pinned feed (auto: resident is not measured yet), CUDA graph";
    String device = run.lines().get(0).replace(" (--gpu 0)", "");
    assertTrue(device.endsWith(part), device);
    Map<String, Object> metrics = Program.json(Files.readString(out.resolve("metrics.json")));
    assertEquals(device, ((Map<?, ?>) metrics.get("settings")).get("device"));
    boolean fused = run.lines().contains("A step is a CUDA graph of 3 nodes");
    assertEquals(steps.startsWith("fused"), fused, run.out());
  }

  /** What is left to the program is never a reason to want a GPU. */
  @Test
  void autoIsLikeNoOption() throws IOException {
    Program cpu = train(Program.NO_GPUS, "--step auto --feed auto", "cpu");
    assertEquals(0, cpu.code(), cpu.err());
    assertTrue(cpu.lines().get(0).startsWith("CPU, "), cpu.lines().get(0));
    Program asked = train(WITH_CUBLAS, "--cpu --step auto --feed auto", "asked");
    assertEquals(0, asked.code(), asked.err());
    byte[] expected = Files.readAllBytes(tmp.resolve("cpu/model.safetensors"));
    assertArrayEquals(expected, Files.readAllBytes(tmp.resolve("asked/model.safetensors")));
    Program gpu = train(DRIVER_ALONE, "--step auto --feed auto", "gpu");
    Program none = train(DRIVER_ALONE, "", "none");
    assertEquals(none.lines().get(0), gpu.lines().get(0));
    expected = Files.readAllBytes(tmp.resolve("none/model.safetensors"));
    assertArrayEquals(expected, Files.readAllBytes(tmp.resolve("gpu/model.safetensors")));
  }

  /** The run has every option of learning at once. */
  @Test
  void everyWayWritesTheSameModelOfEverythingAtOnce() throws IOException {
    String line =
        "--gpu 0 --gemm ptx --hidden 9,6 --dropout 0.3,0.2 --label-smoothing 0.1 --optimizer adamw"
            + " --weight-decay 0.1 --clip-grad-norm 0.5 --schedule one-cycle --warmup 3 --lr 0.02"
            + " --validation 0.2 --early-stopping 2 --monitor accuracy --save-best ";
    byte[] expected = null;
    Program first = null;
    for (String way : List.of("", "--feed resident", "--no-graph", "--feed resident --no-graph")) {
      Program run = train(WITH_CUBLAS, line + way, "run");
      assertEquals(0, run.code(), run.err());
      byte[] model = Files.readAllBytes(tmp.resolve("run/model.safetensors"));
      expected = expected == null ? model : expected;
      first = first == null ? run : first;
      assertArrayEquals(expected, model, way);
      assertEquals(first.lastLine(), run.lastLine(), way);
    }
    Program cpu = train(Program.NO_GPUS, line.replace("--gpu 0 --gemm ptx", "--cpu"), "cpu");
    assertEquals(0, cpu.code(), cpu.err());
    assertEquals(first.lastLine(), cpu.lastLine());
    List<String> losses = losses(first);
    assertEquals(losses, losses(cpu));
    assertEquals(3, losses.size());
  }

  /** Losses, accuracies and rates of the epochs, without their times. */
  private static List<String> losses(Program run) {
    return run.lines().stream()
        .filter(line -> line.contains(": mean loss "))
        .map(line -> line.replaceAll(", [\\d.]+ s, .*", ""))
        .toList();
  }

  @Test
  void cublasIsUsedWhereItIsFoundAndMissedWhereItIsAskedFor() {
    Program run = train(WITH_CUBLAS, "--gpu 0 --verbose", "run");
    assertEquals(0, run.code(), run.err());
    assertFalse(run.lines().get(0).contains("own GEMM"), run.lines().get(0));
    assertTrue(run.lines().contains("A step is a CUDA graph of 20 nodes"), run.out());
    train(DRIVER_ALONE, "--gpu 0 --gemm cublas", "none")
        .assertRefused(
            3,
            "cuBLAS 12 was not found: this device is emulated without it",
            "Emulate it with cuBLAS, or use the program's own products");
  }

  @Test
  void cudnnIsUsedWhereItIsAskedForAndOnlyThere() {
    Program own = train(WITH_CUBLAS, "--gpu 0", "own");
    assertFalse(own.out().contains("cuDNN"), own.out());
    Program run = train(WITH_CUBLAS, "--gpu 0 --kernels cudnn --verbose", "run");
    assertEquals(0, run.code(), run.err());
    assertTrue(
        run.lines()
            .get(0)
            .contains(
                ", cuBLAS, emulated, cuDNN, emulated, layered steps (auto: cuBLAS multiplies), pinned "),
        run.lines().get(0));
    // With cuBLAS there are 20, as each of two hidden layers has bias and activation apart.
    assertTrue(run.lines().contains("A step is a CUDA graph of 22 nodes"), run.out());
    assertEquals(losses(own), losses(run));
    train(DRIVER_ALONE, "--gpu 0 --kernels cudnn", "none")
        .assertRefused(
            3,
            "cuDNN 9 was not found: this device is emulated without it",
            "Emulate it with cuDNN, or use the program's own kernels");
    // The CPU is not used in place of a GPU without cuDNN, either.
    train(DRIVER_ALONE, "--kernels cudnn", "none")
        .assertRefused(
            3,
            "cuDNN 9 was not found: this device is emulated without it",
            "Emulate it with cuDNN, or use the program's own kernels");
  }

  /** Work that only a GPU can do is never done on the CPU in silence. */
  @Test
  void anOptionOfTheGpuNeedsOne() {
    for (String option :
        List.of(
            "--gemm ptx",
            "--kernels ptx",
            "--kernels cudnn",
            "--feed pinned",
            "--feed resident",
            "--step layered",
            "--step auto --no-graph",
            "--sync-check")) {
      train(Program.NO_GPUS, option, "none")
          .assertRefused(3, "no GPU 0 for a test of the CPU", "Look elsewhere.");
    }
  }

  @Test
  void lackOfMemoryTellsWhatWasAskedForAndWhatIsFree() {
    var small = OneGpu.with(EmulatedOptions.of(EmulatedPolicy.LATEST).withMemory(100_000));
    Program run = train(small, "--gpu 0", "run");
    assertEquals(3, run.code());
    assertEquals(2, run.err().lines().count(), run.err());
    assertTrue(
        run.err()
            .matches(
                "(?s)out of memory on GPU 0 for \\w+: asked for [\\d.]+ KiB, [\\d.]+ KiB of 97.7 KiB"
                    + " are free\nLower the batch size, the test batch size or the widths of the hidden layers.\n"),
        run.err());
  }

  @Test
  void aLaunchThatFailsIsNamedWithItsSizes() {
    var refusing =
        OneGpu.that(
            driver ->
                driver.failNext(
                    "cuLaunchKernel",
                    701,
                    "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
                    "too many resources requested for launch"));
    Program run = train(refusing, "--gpu 0", "run");
    assertEquals(3, run.code());
    assertEquals(
        List.of(
            "cuLaunchKernel failed: CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (701): too many resources"
                + " requested for launch; in advance with B=16, 1x1x1 blocks of 1x1 threads",
            "An earlier launch may have failed: run again with a check after every launch to find it."),
        run.err().lines().toList());
  }

  /**
   * The fault of a kernel shows at the next wait, which is far away, or, with --sync-check, at
   * once.
   */
  @Test
  void syncCheckFindsTheLaunchThatFails() {
    var failing =
        OneGpu.that(
            driver ->
                driver.failNextLaunchLater(
                    700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"));
    Program late = train(failing, "--gpu 0", "late");
    assertEquals(3, late.code());
    assertFalse(late.err().contains("in advance"), late.err());
    assertTrue(late.err().contains("a check after every launch"), late.err());
    Program checked = train(failing, "--gpu 0 --sync-check", "checked");
    assertEquals(3, checked.code());
    assertTrue(
        checked
            .err()
            .contains("in advance with B=16, 1x1x1 blocks of 1x1 threads\nNothing before it"),
        checked.err());
  }

  /** After Ctrl-C the emulated driver's close would fail the run if anything were left on it. */
  @Test
  void beingStoppedReleasesEverything() {
    var calls = new AtomicInteger();
    var err = new StringWriter();
    Path out = tmp.resolve("run");
    String line =
        "--gpu 0 --steps-per-launch 1 --batch-size 16 --epochs 100 --data "
            + data
            + " --out "
            + out;
    String[] args = line.split(" ");
    int code =
        Main.run(
            args,
            new PrintWriter(new StringWriter()),
            new PrintWriter(err),
            WITH_CUBLAS,
            () -> calls.incrementAndGet() > 6);
    assertEquals(
        "stopped in epoch 2, after step 6; --resume %s --data %s goes on".formatted(out, data),
        err.toString().strip());
    assertEquals(130, code);
  }

  @Test
  void devicesAreListedAndChecked() {
    Program run = Program.run(DRIVER_ALONE, "devices");
    assertEquals(0, run.code(), run.err());
    List<String> lines = run.lines();
    assertEquals(9, lines.size(), run.out());
    assertEquals(
        "  no cuDNN: cuDNN 9 was not found: this device is emulated without it", lines.get(8));
    assertTrue(lines.get(0).startsWith("CPU, "), run.out());
    assertTrue(lines.get(4).startsWith("GPU 0: Emulated GPU, compute capability 9.0"), run.out());
    for (int device = 0; device < 2; device++) {
      for (String check : List.of("kernel", "product", "replay")) {
        int line = 4 * device + 1 + List.of("kernel", "product", "replay").indexOf(check);
        assertTrue(
            lines.get(line).matches("  " + check + ": right, error .*, limit 1.0e-10"),
            lines.get(line));
      }
    }
  }

  @Test
  void devicesCheckCudnnToo() {
    Program run = Program.run(WITH_CUBLAS, "devices");
    assertEquals(0, run.code(), run.err());
    assertEquals(9, run.lines().size(), run.out());
    assertTrue(
        run.lastLine().matches("  cuDNN, emulated: right, error .*, limit 1.0e-10"),
        run.lastLine());
    Map<?, ?> without = gpu(DRIVER_ALONE);
    assertEquals(true, without.get("works"));
    assertTrue(without.get("no_cudnn").toString().contains("cuDNN 9 was not found"), without + "");
    assertFalse(gpu(WITH_CUBLAS).containsKey("no_cudnn"));
  }

  private static Map<?, ?> gpu(Gpus gpus) {
    Map<String, Object> json = Program.json(Program.run(gpus, "devices", "--json").out());
    return (Map<?, ?>) ((List<?>) json.get("devices")).get(1);
  }

  @Test
  void devicesSayWhyThereIsNoGpu() {
    Program run = Program.run(Program.NO_GPUS, "devices");
    assertEquals(0, run.code());
    assertEquals(
        List.of("No GPU: no GPU for a test of the CPU", "  Look elsewhere."),
        run.lines().subList(4, 6));
    Map<String, Object> json =
        Program.json(Program.run(Program.NO_GPUS, "devices", "--json").out());
    assertEquals(
        Map.of("why", "no GPU for a test of the CPU", "remedy", "Look elsewhere."),
        json.get("no_gpu"));
  }

  @Test
  void aDeviceThatDoesNotWorkIsExitCode3() {
    var failing =
        OneGpu.that(
            driver -> driver.failNext("cuModuleLoadDataEx", 218, "CUDA_ERROR_INVALID_PTX", ""));
    Program run = Program.run(failing, "devices", "--json");
    assertEquals(3, run.code(), run.out());
    List<?> devices = (List<?>) Program.json(run.out()).get("devices");
    assertEquals(true, ((Map<?, ?>) devices.get(0)).get("works"));
    assertEquals(false, ((Map<?, ?>) devices.get(1)).get("works"));
    assertTrue(((Map<?, ?>) devices.get(1)).get("why").toString().contains("INVALID_PTX"));
  }
}
