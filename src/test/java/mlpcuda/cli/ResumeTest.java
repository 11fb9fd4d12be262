package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.model.Checkpoint;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that a run that is stopped and goes on ends with the bytes of one that is not, and prints
 * the same: before whichever step it is stopped, and however often.
 */
class ResumeTest {
  private static final String SMALL = "--batch-size 16 --log-interval 1 ";

  @TempDir private Path tmp;
  private Path data;

  @BeforeEach
  void makeData() throws IOException {
    data = hardData(tmp.resolve("data"));
  }

  /**
   * Makes data whose loss goes up and down: a third of the labels are wrong. The last batch has 2.
   */
  static Path hardData(Path folder) throws IOException {
    Program.writeData(folder, 5, 7, 3, 50, 20);
    Path labels = folder.resolve("train-labels-idx1-ubyte");
    byte[] bytes = Files.readAllBytes(labels);
    for (int i = 8; i < bytes.length; i += 3) {
      bytes[i] = (byte) (i / 3 % 3);
    }
    Files.write(labels, bytes);
    return folder;
  }

  /** A run that nobody stops. */
  private record Whole(Program program, byte[] model, int steps) {
    List<String> epochs() {
      return epochLines(program);
    }
  }

  /** A condition that stops before the {@code step}-th step that the program begins, from 1. */
  private static BooleanSupplier before(int step) {
    var asked = new AtomicInteger();
    return () -> asked.incrementAndGet() >= step;
  }

  private Program begin(Gpus gpus, BooleanSupplier stopping, String name, String line) {
    return Program.run(
        gpus,
        stopping,
        Program.words(
            SMALL + hidden(line) + "--overwrite " + line,
            "--data",
            data,
            "--out",
            tmp.resolve(name),
            "--seed",
            3));
  }

  private static String hidden(String line) {
    return line.contains("--hidden") || line.contains("--preset") ? "" : "--hidden 6 ";
  }

  private Program goOn(Gpus gpus, BooleanSupplier stopping, String name) {
    return Program.run(gpus, stopping, "train", "--resume", tmp.resolve(name), "--data", data);
  }

  private Program goOn(String name) {
    return goOn(Program.NO_GPUS, () -> false, name);
  }

  private byte[] model(String name) throws IOException {
    return Files.readAllBytes(tmp.resolve(name).resolve("model.safetensors"));
  }

  private Whole whole(Gpus gpus, String line) throws IOException {
    var asked = new AtomicInteger();
    Program program =
        begin(
            gpus,
            () -> {
              asked.incrementAndGet();
              return false;
            },
            "whole",
            line);
    assertEquals(0, program.code(), program.err());
    return new Whole(program, model("whole"), asked.get());
  }

  /** The printed lines of steps and epochs, without the times. */
  private static List<String> epochLines(Program program) {
    return program.lines().stream()
        .filter(line -> line.startsWith("Epoch "))
        .map(line -> line.replaceFirst(", [^,]* s, [^ ]* images/s$", ""))
        .toList();
  }

  private static void assertStopped(Program program, int steps) {
    assertEquals(130, program.code(), program.err());
    String rule = "stopped in epoch \\d+, after step " + steps + "; --resume .* goes on\n";
    assertTrue(program.err().matches(rule), program.err());
  }

  /**
   * Asserts that the folder's run ended like the whole one; {@code parts} are its programs, in
   * order.
   */
  private void assertEndedLike(Whole whole, String name, List<Program> parts, String hint)
      throws IOException {
    Program last = parts.get(parts.size() - 1);
    assertEquals(0, last.code(), () -> hint + ": " + last.err());
    assertEquals("", last.err(), hint);
    assertArrayEquals(whole.model, model(name), hint);
    assertEquals(whole.epochs(), parts.stream().flatMap(p -> epochLines(p).stream()).toList());
    assertEquals(whole.program.lastLine(), last.lastLine(), hint);
  }

  /** Stops before step {@code k}, from 1, and goes on to the end. */
  private void stopAndGoOn(Gpus gpus, Whole whole, String line, int k) throws IOException {
    String name = "stopped before " + k;
    Program stopped = begin(gpus, before(k), name, line);
    assertStopped(stopped, k - 1);
    Program resumed = goOn(gpus, () -> false, name);
    assertEndedLike(whole, name, List.of(stopped, resumed), "stopped before step " + k);
    String place =
        stopped.err().strip().replaceFirst("; .*", "").replace("stopped in", "Going on in");
    assertTrue(resumed.lines().contains(place), resumed.out());
    assertEquals(device(stopped), device(resumed));
  }

  private static String device(Program program) {
    return program.lines().get(0).replaceFirst(" \\([^()]*\\)$", "");
  }

  /** Stops before every single step, and goes on after each stop. */
  private void stopBeforeEveryStep(Gpus gpus, Whole whole, String line) throws IOException {
    var parts = new ArrayList<Program>();
    parts.add(begin(gpus, before(1), "steps", line));
    assertStopped(parts.get(0), 0);
    for (int step = 1; step < whole.steps; step++) {
      parts.add(goOn(gpus, before(2), "steps"));
      assertStopped(parts.get(step), step);
    }
    parts.add(goOn(gpus, () -> false, "steps"));
    assertEndedLike(whole, "steps", parts, "stopped before every step");
  }

  /** Each line's options make a run that is stopped before each of its steps. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--epochs 3 --checkpoint-every 3",
        "--epochs 3 --optimizer adam --weight-decay 0.1 --dropout 0.3 --schedule exponential:0.5",
        "--epochs 3 --optimizer adamw --weight-decay 0.1 --dropout 0.2,0.5 --hidden 6,5"
            + " --label-smoothing 0.1 --schedule one-cycle",
        "--epochs 3 --optimizer sgd --lr 0.1 --momentum 0.9 --nesterov --clip-grad-norm 0.5"
            + " --schedule cosine --warmup 6",
        "--epochs 3 --optimizer sgd --lr 0.1 --momentum 0.9 --weight-decay 0.01 --no-shuffle"
            + " --subset 35 --schedule step:1:0.1",
        "--max-steps 7 --checkpoint-every 3 --schedule one-cycle --clip-grad-norm 0.1",
        "--epochs 3 --validation 13 --monitor accuracy --save-best --threads 3 --test-batch-size 5",
        "--epochs 3 --preset 128x64-centred --test-batch-size 64",
        "--epochs 3 --augment elastic:8:2,rotate:20,shear:5,scale:10,translate:1,erase"
            + " --augment-end 0.3 --threads 2",
        "--epochs 3 --ema 0.7 --activation lecun-tanh",
        "--epochs 3 --ema 0.7 --validation 13 --save-best --optimizer sgd --lr 0.1",
      })
  void fromEveryStep(String line) throws IOException {
    String options = line.contains("--threads") ? line : line + " --threads 1";
    Whole whole = whole(Program.NO_GPUS, options);
    assertTrue(whole.steps >= 7, whole.program.out());
    for (int k = 1; k <= whole.steps; k++) {
      stopAndGoOn(Program.NO_GPUS, whole, options, k);
    }
    stopBeforeEveryStep(Program.NO_GPUS, whole, options);
  }

  /** The line's precision is the run's; if it has a loss scale, that goes through checkpoints. */
  @ParameterizedTest
  @ValueSource(strings = {"tf32", "bf16", "fp16"})
  void inEachPrecision(String precision) throws IOException {
    String line = "--epochs 2 --clip-grad-norm 0.5 --ema 0.9 --threads 1 --precision " + precision;
    Whole whole = whole(Program.NO_GPUS, line);
    begin(Program.NO_GPUS, () -> false, "fp32", line.replace(precision, "fp32"));
    assertFalse(Arrays.equals(whole.model, model("fp32")), "the precision must matter");
    for (int k = 1; k <= whole.steps; k += 3) {
      stopAndGoOn(Program.NO_GPUS, whole, line, k);
    }
    stopBeforeEveryStep(Program.NO_GPUS, whole, line);
  }

  /**
   * Batches of one have scaled gradients that are out of half's range at first: the scale is halved
   * in some steps and doubled after 2000 of the others, and the run goes on before and after each.
   */
  @Tag("long")
  @Test
  void aLossScaleThatChanges() throws IOException {
    String line = "--epochs 42 --precision fp16 --threads 1 --hidden 4 --log-interval 1000";
    String options = line + " --checkpoint-every 7";
    Program program = one(() -> false, "whole", options);
    assertEquals(0, program.code(), program.err());
    List<String> scaled = scaleLines(program);
    assertEquals(1, scaled.size(), program.out());
    Map<String, Object> metrics = Program.json(Files.readString(tmp.resolve("whole/metrics.json")));
    int skipped = (int) metrics.get("skipped_steps");
    double scale = ((Number) metrics.get("loss_scale")).doubleValue();
    assertTrue(skipped > 0, scaled.toString());
    assertTrue(scale > Math.scalb(65536.0, -skipped), "the scale must have been doubled too");
    for (int k : new int[] {2, 3, 4, 5, 50, 1990, 2001, 2002, 2003, 2004, 2005, 2010}) {
      Program stopped = one(before(k), "stopped before " + k, options);
      assertStopped(stopped, k - 1);
      Program resumed = goOn("stopped before " + k);
      assertEquals(0, resumed.code(), resumed.err());
      assertArrayEquals(model("whole"), model("stopped before " + k), "before step " + k);
      assertEquals(scaled, scaleLines(resumed));
      assertEquals(program.lastLine(), resumed.lastLine());
    }
  }

  private Program one(BooleanSupplier stopping, String name, String line) {
    return Program.run(
        Program.NO_GPUS,
        stopping,
        Program.words(
            line, "--batch-size", 1, "--data", data, "--out", tmp.resolve(name), "--seed", 3));
  }

  private static List<String> scaleLines(Program program) {
    return program.lines().stream().filter(line -> line.startsWith("Loss scale ")).toList();
  }

  /** A checkpoint from before there were precisions says nothing of a loss scale. */
  @Test
  void aCheckpointWithoutLossScale() throws IOException {
    Whole whole = whole(Program.NO_GPUS, "--epochs 1 --threads 1");
    Path file = tmp.resolve("whole/checkpoint.safetensors");
    assertFalse(Checkpoint.read(file).state().contains("loss_scale"));
    Program again = goOn("whole");
    assertEquals(0, again.code(), again.err());
    assertArrayEquals(whole.model, model("whole"));
  }

  /** The rate is reduced by the training loss or by the validation loss. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--epochs 5 --lr 0.5 --schedule plateau:0.5:0",
        "--epochs 6 --lr 0.3 --schedule plateau:0.1:1 --validation 0.3 --warmup 3",
      })
  void theRateOfAPlateau(String line) throws IOException {
    Whole whole = whole(Program.NO_GPUS, line);
    List<String> rates =
        whole.epochs().stream()
            .filter(epoch -> epoch.contains(", rate "))
            .map(epoch -> epoch.replaceFirst(".*, rate ", ""))
            .toList();
    assertNotEquals(rates.get(0), rates.get(rates.size() - 1), "the rate must be reduced");
    for (int k = 1; k <= whole.steps; k++) {
      stopAndGoOn(Program.NO_GPUS, whole, line, k);
    }
    stopBeforeEveryStep(Program.NO_GPUS, whole, line);
  }

  /** The best epoch is neither the first nor the last: its weights go through checkpoints. */
  @ParameterizedTest
  @ValueSource(strings = {"--lr 0.03 --monitor loss", "--lr 0.01 --monitor accuracy"})
  void theBestEpochAndTheEndAfterIt(String options) throws IOException {
    String line = "--epochs 40 --validation 13 --save-best --early-stopping 2 " + options;
    Whole whole = whole(Program.NO_GPUS, line);
    int perEpoch = 3; // 37 examples
    int epochs = whole.steps / perEpoch;
    assertTrue(epochs > 3 && epochs < 40, "the best epoch must not be the first nor the last");
    begin(Program.NO_GPUS, () -> false, "last", line.replace("--save-best", ""));
    assertFalse(Arrays.equals(whole.model, model("last")), "the best must not be the last");
    for (int k = 1; k <= whole.steps; k++) {
      stopAndGoOn(Program.NO_GPUS, whole, line, k);
    }
    stopBeforeEveryStep(Program.NO_GPUS, whole, line);
  }

  /** The initial weights are in the checkpoint, so that their file may be gone. */
  @Test
  void theFileOfInitialWeightsIsReadOnce() throws IOException {
    begin(Program.NO_GPUS, () -> false, "initial", "--epochs 1 --lr 0.01");
    Path init = tmp.resolve("initial/model.safetensors");
    byte[] bytes = Files.readAllBytes(init);
    String line = "--epochs 2 --init " + init;
    Whole whole = whole(Program.NO_GPUS, line);
    for (int k = 1; k <= whole.steps; k++) {
      Files.write(init, bytes);
      Program stopped = begin(Program.NO_GPUS, before(k), "run", line);
      assertStopped(stopped, k - 1);
      Files.delete(init);
      assertEndedLike(whole, "run", List.of(stopped, goOn("run")), "stopped before step " + k);
    }
  }

  @Test
  void stoppedTwiceAndMoreOften() throws IOException {
    String line = "--epochs 4 --dropout 0.2 --schedule cosine --checkpoint-every 3 --threads 2";
    Whole whole = whole(Program.NO_GPUS, line);
    for (int first = 1; first < whole.steps; first += 3) {
      for (int more = 1; first + more <= whole.steps; more += 4) {
        Program one = begin(Program.NO_GPUS, before(first), "run", line);
        Program two = goOn(Program.NO_GPUS, before(more + 1), "run");
        assertStopped(one, first - 1);
        assertStopped(two, first - 1 + more);
        // A run that is stopped before its first step stays where it was.
        Program nothing = goOn(Program.NO_GPUS, before(1), "run");
        assertStopped(nothing, first - 1 + more);
        assertEndedLike(
            whole, "run", List.of(one, two, nothing, goOn("run")), first + " and " + more);
      }
    }
  }

  /** Nothing is left to train: the last epoch or step is done, or the best epoch is long ago. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--epochs 2",
        "--epochs 2 --ema 0.9",
        "--epochs 3 --max-steps 6",
        "--epochs 3 --max-steps 8",
        "--lr 0.03 --epochs 40 --validation 13 --save-best --early-stopping 2",
        "--lr 0.03 --epochs 40 --validation 13 --save-best --early-stopping 2 --ema 0.9",
      })
  void aRunThatHasEnded(String line) throws IOException {
    Whole whole = whole(Program.NO_GPUS, line);
    Files.delete(tmp.resolve("whole/model.safetensors")); // a missing file is written again
    for (int i = 0; i < 2; i++) {
      Program again = goOn("whole");
      assertEquals(0, again.code(), again.err());
      assertEquals(List.of(), epochLines(again));
      assertArrayEquals(whole.model, model("whole"));
      assertEquals(whole.program.lastLine(), again.lastLine());
    }
  }

  /** The run stays on the device that it began on, not on the one that would be chosen now. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--steps-per-launch 1 --feed pinned --gemm ptx",
        "--steps-per-launch 1 --feed resident --gemm ptx --dropout 0.3",
        "--steps-per-launch 1 --optimizer sgd --momentum 0.9 --lr 0.1 --clip-grad-norm 0.5",
        "--no-graph --validation 13 --save-best --schedule plateau:0.5:0 --lr 0.3",
        "--steps-per-launch 1 --step auto --feed auto",
        "--steps-per-launch 1 --step fused --feed resident",
        "--steps-per-launch 1 --step fused --ema 0.8",
        "--steps-per-launch 1 --step layered --ema 0.8 --activation lecun-tanh",
      })
  void onAGpu(String options) throws IOException {
    String line = "--epochs 3 --checkpoint-every 3 " + options;
    Whole whole = whole(GpuCommandsTest.WITH_CUBLAS, line);
    for (int k : new int[] {1, 3, 5, 8, whole.steps}) {
      stopAndGoOn(GpuCommandsTest.WITH_CUBLAS, whole, line, k);
    }
  }

  /**
   * A run is stopped between launches, so that later steps are grouped into launches in another
   * way.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--steps-per-launch 2",
        "--gemm ptx --steps-per-launch 3",
        "--gemm ptx --steps-per-launch 3 --ema 0.8",
        "--step persistent --steps-per-launch 3 --ema 0.8",
        "",
      })
  void betweenLaunchesOfSeveralSteps(String options) throws IOException {
    String line = "--epochs 3 --checkpoint-every 3 " + options;
    Whole whole = whole(GpuCommandsTest.WITH_CUBLAS, line);
    for (int k = 1; k <= whole.steps; k++) {
      String name = "before launch " + k;
      Program stopped = begin(GpuCommandsTest.WITH_CUBLAS, before(k), name, line);
      assertEquals(130, stopped.code(), stopped.err());
      Program resumed = goOn(GpuCommandsTest.WITH_CUBLAS, () -> false, name);
      assertEndedLike(whole, name, List.of(stopped, resumed), name);
    }
  }

  /** What a launch keeps in shared memory is written out at its end: nothing of it is lost. */
  @Test
  void betweenLaunchesOfPersistentSteps() throws IOException {
    String line =
        "--epochs 2 --step persistent --steps-per-launch 3 --optimizer sgd --momentum 0.9";
    Whole whole = whole(GpuCommandsTest.WITH_CUBLAS, line);
    Program stopped = begin(GpuCommandsTest.WITH_CUBLAS, before(2), "run", line);
    assertEquals(130, stopped.code(), stopped.err());
    Program resumed = goOn(GpuCommandsTest.WITH_CUBLAS, () -> false, "run");
    assertEndedLike(whole, "run", List.of(stopped, resumed), line);
  }

  /** A run of the CPU stays there, with as many threads, where a GPU would be the default. */
  @Test
  void aRunOfTheCpuStaysThere() throws IOException {
    for (String line : List.of("--epochs 2 --threads 3 --cpu", "--epochs 2")) {
      Whole whole = whole(Program.NO_GPUS, line);
      Program stopped = begin(Program.NO_GPUS, before(4), "run", line);
      Program resumed = goOn(GpuCommandsTest.WITH_CUBLAS, () -> false, "run");
      assertEndedLike(whole, "run", List.of(stopped, resumed), line);
      assertEquals(device(stopped), device(resumed), line);
    }
  }

  /** Without cuBLAS the sums differ, and so do the model's bytes: the program says so. */
  @Test
  void anotherDeviceIsSaid() throws IOException {
    String line = "--epochs 2";
    Program stopped = begin(GpuCommandsTest.WITH_CUBLAS, before(4), "run", line);
    Program resumed = goOn(GpuCommandsTest.DRIVER_ALONE, () -> false, "run");
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals(
        "The run began on another device, so its numbers and the bytes of its model may differ: "
            + device(stopped),
        resumed.lines().get(1));
    assertFalse(goOn(GpuCommandsTest.WITH_CUBLAS, () -> false, "run").out().contains("differ"));
  }

  /** Options from a file, {@code @file}, stay those that it had when the run began. */
  @Test
  void theFileOfOptionsIsReadOnce() throws IOException {
    String options = "--epochs 2 --threads 1 --dropout 0.2";
    Whole whole = whole(Program.NO_GPUS, options);
    Path file = Files.writeString(tmp.resolve("options"), options.replace(" --", "\n--"));
    Program stopped = begin(Program.NO_GPUS, before(4), "run", "@" + file);
    Files.writeString(file, "--epochs 5");
    Program more = goOn(Program.NO_GPUS, before(3), "run");
    Files.delete(file);
    assertEndedLike(whole, "run", List.of(stopped, more, goOn("run")), "@" + file);
  }

  @Test
  void resumingMaySayMoreAndPrintJson() throws IOException {
    String line = "--epochs 2 --threads 1";
    Whole whole = whole(Program.NO_GPUS, line);
    assertStopped(begin(Program.NO_GPUS, before(4), "run", line), 3);
    Program resumed =
        Program.run( // train by default
            Program.words("--json --verbose", "--resume", tmp.resolve("run"), "--data", data));
    assertEquals(0, resumed.code(), resumed.err());
    assertArrayEquals(whole.model, model("run"));
    assertTrue(Program.json(resumed.out()).containsKey("test"));
    assertTrue(resumed.err().contains("\nGoing on in epoch 1, after step 3\n"), resumed.err());
    assertTrue(resumed.err().contains("A step is not recorded"), resumed.err());
  }

  /** The folder has another name: it is moved, copied, or named from elsewhere. */
  @Test
  void theFolderMayHaveMoved() throws IOException {
    String line = "--epochs 2 --threads 1";
    Whole whole = whole(Program.NO_GPUS, line);
    Program stopped = begin(Program.NO_GPUS, before(6), "run", line);
    Files.move(tmp.resolve("run"), tmp.resolve("moved"));
    assertEndedLike(whole, "moved", List.of(stopped, goOn("moved")), "moved");
    assertFalse(Files.exists(tmp.resolve("run")));
    try (Stream<Path> files = Files.list(tmp.resolve("moved"))) {
      assertEquals(6, files.count());
    }
  }
}
