package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.Gpus;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests {@code --resume} with other options: to another end, with data elsewhere, on another
 * device.
 */
class GoingOnTest {
  private static final int PER_EPOCH = 4; // 50 examples in batches of 16
  private static final String SMALL = "--hidden 6 --batch-size 16 --log-interval 1 --seed 3 ";

  @TempDir private Path tmp;
  private Path data;

  @BeforeEach
  void makeData() throws IOException {
    data = ResumeTest.hardData(tmp.resolve("data"));
  }

  private static BooleanSupplier never() {
    return () -> false;
  }

  private static BooleanSupplier before(int step) {
    var asked = new AtomicInteger();
    return () -> asked.incrementAndGet() >= step;
  }

  private Program begin(Gpus gpus, BooleanSupplier stopping, String name, String line) {
    return Program.run(
        gpus, stopping, Program.words(SMALL + line, "--data", data, "--out", tmp.resolve(name)));
  }

  private Program done(String name, String line) {
    Program program = begin(Program.NO_GPUS, never(), name, line + " --threads 1");
    assertEquals(0, program.code(), program.err());
    return program;
  }

  private void stopped(String name, String line, int step) {
    Program program = begin(Program.NO_GPUS, before(step), name, line + " --threads 1");
    assertEquals(130, program.code(), program.err());
  }

  private Program resume(BooleanSupplier stopping, String name, String line) {
    String whole = line.contains("--data ") ? line : line + " --data " + data;
    return Program.run(
        Program.NO_GPUS, stopping, Program.words(whole, "--resume", tmp.resolve(name)));
  }

  private Program goneOn(String name, String line) {
    Program program = resume(never(), name, line);
    assertEquals(0, program.code(), program.err());
    assertEquals("", program.err());
    return program;
  }

  private byte[] model(String name) throws IOException {
    return Files.readAllBytes(tmp.resolve(name).resolve("model.safetensors"));
  }

  /** The epochs in the metrics, without the times. */
  private List<Map<String, Object>> epochs(String name) throws IOException {
    var metrics = Program.json(Files.readString(tmp.resolve(name).resolve("metrics.json")));
    var epochs = new ArrayList<Map<String, Object>>();
    for (Object row : (List<?>) metrics.get("epochs")) {
      var epoch = new TreeMap<String, Object>();
      ((Map<?, ?>) row).forEach((key, value) -> epoch.put(key.toString(), value));
      epoch.remove("seconds");
      epoch.remove("images_per_second");
      epochs.add(epoch);
    }
    return epochs;
  }

  /** A run that is made longer ends like one that was begun as long. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--optimizer adamw --weight-decay 0.1 --dropout 0.3 --schedule exponential:0.5 --warmup 6",
        "--optimizer sgd --lr 0.1 --momentum 0.9 --schedule step:2:0.1 --test-at-end --no-shuffle",
        "--validation 13 --save-best --lr 0.1 --schedule plateau:0.5:0",
        "--precision fp16 --scaling=unit --clip-grad-norm 0.5",
      })
  void moreEpochs(String line) throws IOException {
    Program whole = done("whole", line + " --epochs 5");
    done("done", line + " --epochs 2");
    stopped("stopped", line + " --epochs 2", 4);
    stopped("longer", line + " --epochs 2", 2);
    Program stoppedAgain = resume(before(5), "longer", "--epochs 5");
    assertEquals(130, stoppedAgain.code(), stoppedAgain.err());
    assertEquals(whole.lastLine(), goneOn("done", "--epochs 5").lastLine());
    assertEquals(whole.lastLine(), goneOn("stopped", "--epochs 5").lastLine());
    assertEquals(whole.lastLine(), goneOn("longer", "").lastLine(), "its new end is kept");
    for (String name : List.of("done", "stopped", "longer")) {
      assertArrayEquals(model("whole"), model(name), name);
      assertEquals(epochs("whole"), epochs(name), name);
    }
  }

  /** The checkpoint has the run's new end even if the run was resumed without a step. */
  @Test
  void theNewEndIsKeptBeforeAnyStep() throws IOException {
    done("whole", "--epochs 5");
    done("run", "--epochs 2");
    assertEquals(130, resume(before(1), "run", "--epochs 5").code());
    goneOn("run", "");
    assertArrayEquals(model("whole"), model("run"));
  }

  /** A schedule over the whole run is stretched, says so, and is the same however often stopped. */
  @ParameterizedTest
  @ValueSource(strings = {"cosine", "one-cycle"})
  void aScheduleOverTheWholeRun(String schedule) throws IOException {
    String line = "--lr 0.05 --schedule " + schedule;
    done("whole", line + " --epochs 5");
    done("run", line + " --epochs 2");
    done("often", line + " --epochs 2");
    Program longer = goneOn("run", "--epochs 5");
    String said = "The schedule " + schedule + " spans the whole run: ";
    assertEquals(1, longer.lines().stream().filter(l -> l.startsWith(said)).count(), longer.out());
    assertFalse(Arrays.equals(model("whole"), model("run")));
    assertEquals(
        epochs("whole").get(4).get("learning_rate"), epochs("run").get(4).get("learning_rate"));
    assertEquals(130, resume(before(3), "often", "--epochs 5").code());
    for (int step = 0; step < 2 * PER_EPOCH; step++) {
      assertEquals(130, resume(before(2), "often", "").code());
    }
    Program last = goneOn("often", "");
    assertFalse(last.out().contains(said), "nothing is stretched any more");
    assertArrayEquals(model("run"), model("often"));
  }

  @Test
  void schedulesOfTheirOwnPaceSayNothing() {
    done("run", "--epochs 1 --schedule step:1:0.5");
    assertFalse(goneOn("run", "--epochs 2").out().contains("schedule"));
  }

  @Test
  void fewerEpochsThanAreDone() throws IOException {
    stopped("run", "--epochs 5", 2 * PER_EPOCH + 2);
    byte[] before = Files.readAllBytes(tmp.resolve("run/checkpoint.safetensors"));
    for (int epochs : new int[] {0, 1, 2}) {
      resume(never(), "run", "--epochs " + epochs)
          .assertRefused(
              2,
              "Invalid value for option '--epochs': must be at least 3, because the run in %s has begun epoch 3 already, found %d"
                  .formatted(tmp.resolve("run"), epochs),
              "'mlp-cuda train --help' lists the options.");
    }
    resume(never(), "run", "--max-steps 8")
        .assertRefused(
            2,
            "Invalid value for option '--max-steps': must be at least 9, because the run in %s has done so many already, found 8"
                .formatted(tmp.resolve("run")),
            "'mlp-cuda train --help' lists the options.");
    assertArrayEquals(before, Files.readAllBytes(tmp.resolve("run/checkpoint.safetensors")));
    goneOn("run", "--epochs 3");
    done("three", "--epochs 3");
    assertArrayEquals(model("three"), model("run"));
    resume(never(), "run", "--epochs 1")
        .assertRefused(
            2,
            "Invalid value for option '--epochs': must be at least 3, because the run in %s has done 3 epochs already, found 1"
                .formatted(tmp.resolve("run")),
            "'mlp-cuda train --help' lists the options.");
  }

  /** A run that was stopped between two epochs may end there. */
  @Test
  void theEndMayBeNow() throws IOException {
    Program whole = done("whole", "--epochs 2");
    stopped("run", "--epochs 5", 2 * PER_EPOCH + 1);
    assertEquals(whole.lastLine(), goneOn("run", "--epochs 2").lastLine());
    assertArrayEquals(model("whole"), model("run"));
    assertTrue(goneOn("run", "").out().contains(" is finished, after 2 epochs and 8 steps"));
  }

  @Test
  void moreSteps() throws IOException {
    done("whole", "--epochs 3 --max-steps 8");
    done("at an epoch's end", "--epochs 3 --max-steps 4");
    goneOn("at an epoch's end", "--max-steps 8");
    assertArrayEquals(model("whole"), model("at an epoch's end"));
    Program cut = done("cut", "--epochs 3 --max-steps 5");
    Program finished = goneOn("cut", "--epochs 4");
    assertTrue(finished.out().contains(": a larger limit of steps makes it go on"), finished.out());
    assertEquals(cut.lastLine(), finished.lastLine());
    Program longer = goneOn("cut", "--epochs 4 --max-steps 100");
    assertTrue(
        longer
            .lines()
            .contains(
                "The limit of steps ended an epoch early, by 3 steps: the run goes on with the next"
                    + " epoch"),
        longer.out());
    assertEquals(
        List.of(4, 5, 9, 13), epochs("cut").stream().map(epoch -> epoch.get("step")).toList());
    assertTrue(goneOn("cut", "").out().contains(" is finished, after 4 epochs and 13 steps"));
  }

  @Test
  void morePatience() throws IOException {
    String line = "--epochs 40 --validation 13 --lr 0.03 --early-stopping ";
    done("patient", line + 4);
    done("run", line + 1);
    assertTrue(goneOn("run", "").out().contains(": more patience makes it go on"));
    goneOn("run", "--early-stopping 4");
    assertEquals(epochs("patient"), epochs("run"));
    assertArrayEquals(model("patient"), model("run"));
    done("without", "--epochs 1");
    Program refused = resume(never(), "without", "--early-stopping 4");
    refused.assertRefused(
        2,
        "--early-stopping and --save-best need --validation, found none",
        "'mlp-cuda train --help' lists the options.");
  }

  @Test
  void dataThatMoved() throws IOException {
    done("whole", "--epochs 4 --classes 5");
    stopped("run", "--epochs 2 --classes 5", 6);
    Path moved = tmp.resolve("deep/moved");
    Files.createDirectories(moved.getParent());
    Files.move(data, moved);
    assertEquals(4, resume(never(), "run", "").code());
    goneOn("run", "--data " + moved);
    goneOn("run", "--epochs 4 --data " + moved);
    assertArrayEquals(model("whole"), model("run"));
    Path other = Program.writeData(tmp.resolve("other"), 5, 7, 3, 50, 20);
    resume(never(), "run", "--epochs 5 --data " + other)
        .assertRefused(
            4,
            tmp.resolve("run/checkpoint.safetensors")
                + ": the training examples must be those that the run began with, found others");
    resume(never(), "run", "--dataset mnist --data " + other)
        .assertRefused(
            2,
            "--data and --dataset exclude each other, found both",
            "'mlp-cuda train --help' lists the options.");
  }

  @Test
  void otherThreads() {
    stopped("run", "--epochs 2", 6);
    Program other = goneOn("run", "--threads 2");
    assertTrue(other.lines().get(0).startsWith("CPU, 2 threads"), other.out());
    String said = "The run began on another device, so its numbers and the bytes of its model may";
    assertTrue(other.lines().get(1).startsWith(said), other.out());
    Program again = goneOn("run", "--epochs 3");
    assertTrue(again.lines().get(0).startsWith("CPU, 2 threads"), "what it went on with is kept");
    Program same = goneOn("run", "--epochs 4 --cpu --threads 1");
    assertFalse(same.out().contains(said), same.out());
  }

  /** A run goes from a GPU to the CPU, where options of the GPU mean nothing, and back. */
  @Test
  void fromDeviceToDevice() throws IOException {
    Gpus gpus = GpuCommandsTest.WITH_CUBLAS;
    String line = "--epochs 2 --gpu 0 --gemm ptx --steps-per-launch 1";
    assertEquals(130, begin(gpus, before(4), "run", line).code());
    Program cpu =
        Program.run("--resume", tmp.resolve("run"), "--data", data, "--cpu", "--epochs", 3);
    assertEquals(0, cpu.code(), cpu.err());
    assertTrue(cpu.lines().get(0).startsWith("CPU, "), cpu.out());
    assertTrue(cpu.lines().get(1).contains("may differ: GPU 0: Emulated GPU"), cpu.out());
    Program gpu =
        Program.run(
            gpus,
            Program.words("--gpu 0 --epochs 4", "--resume", tmp.resolve("run"), "--data", data));
    assertEquals(0, gpu.code(), gpu.err());
    assertTrue(gpu.lines().get(0).contains("own GEMM"), gpu.lines().get(0));
    assertFalse(gpu.out().contains("differ"), gpu.out());
    assertEquals(4, epochs("run").size());
    Program.run("--resume", tmp.resolve("run"), "--gpu", 0, "--threads", 2)
        .assertRefused(
            2,
            "--threads is of the CPU and excludes --gpu, found both",
            "'mlp-cuda train --help' lists the options.");
  }

  /** The content of each file of a folder, and the time at which it was written. */
  private Map<String, List<Object>> files(String name) throws IOException {
    var files = new TreeMap<String, List<Object>>();
    try (Stream<Path> all = Files.list(tmp.resolve(name))) {
      for (Path file : all.toList()) {
        files.put(
            file.getFileName().toString(),
            List.of(Files.getLastModifiedTime(file), Arrays.hashCode(Files.readAllBytes(file))));
      }
    }
    return files;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--epochs 2",
        "--epochs 0",
        "--epochs 2 --test-at-end",
        "--epochs 40 --validation 13 --lr 0.03 --save-best --early-stopping 1",
      })
  void aFinishedRunIsLeftAsItIs(String line) throws IOException {
    Program whole = done("run", line);
    try (Stream<Path> all = Files.list(tmp.resolve("run"))) {
      for (Path file : all.toList()) {
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_000_000L));
      }
    }
    Map<String, List<Object>> before = files("run");
    Program again = goneOn("run", "");
    assertEquals(before, files("run"));
    assertEquals(whole.lastLine(), again.lastLine());
    assertTrue(again.out().contains("\nThe run in " + tmp.resolve("run") + " is finished, after "));
    assertTrue(again.out().contains(" makes it go on\n"), again.out());
    assertFalse(again.out().contains("Saved"), again.out());
    for (String lost : List.of("model.safetensors", "report.html", "metrics.json", "metrics.csv")) {
      byte[] bytes = Files.readAllBytes(tmp.resolve("run").resolve(lost));
      Files.delete(tmp.resolve("run").resolve(lost));
      assertTrue(goneOn("run", "").out().contains("\nSaved "), lost);
      if (lost.equals("model.safetensors")) {
        assertArrayEquals(bytes, model("run"));
      }
      assertTrue(Files.exists(tmp.resolve("run").resolve(lost)), lost);
    }
  }

  @Test
  void otherThingsToSay() throws IOException {
    stopped("run", "--epochs 2 --verbose", 6);
    Path events = tmp.resolve("events");
    Program quiet = goneOn("run", "--quiet --epochs 3 --test-at-end --tensorboard " + events);
    assertFalse(quiet.out().contains("Epoch ") || quiet.out().contains("Saved"), quiet.out());
    assertTrue(quiet.lastLine().startsWith("Test set: "), quiet.out());
    assertTrue(epochs("run").get(0).containsKey("test_loss"));
    assertFalse(epochs("run").get(2).containsKey("test_loss"));
    try (Stream<Path> files = Files.list(events)) {
      assertEquals(1, files.count());
    }
    resume(never(), "run", "--quiet --verbose")
        .assertRefused(
            2,
            "--quiet and --verbose exclude each other, found both",
            "'mlp-cuda train --help' lists the options.");
  }
}
