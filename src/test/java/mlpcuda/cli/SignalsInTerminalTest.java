package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import mlpcuda.Child;
import mlpcuda.model.Checkpoint;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests signals that reach the program in a terminal, where it draws progress bars. {@code
 * -Dmlpcuda.stops=20} stops a run that often, and says what came of it.
 */
class SignalsInTerminalTest {
  private static final int STOPS = Integer.getInteger("mlpcuda.stops", 1);

  private static final String STOPPED =
      "stopped in epoch \\d+, after step \\d+; --resume .* goes on";

  /** The words of a run too long for any test to wait for; its epochs take a second or so. */
  private static final String ENDLESS =
      "train --cpu --threads 1 --epochs 100000 --hidden 300 --log-interval 10";

  @TempDir private static Path shared;
  private static Path data;
  private static Path model;

  @TempDir private Path tmp;

  @BeforeAll
  static void aModel() {
    data = Program.writeData(shared.resolve("data"), 5, 7, 3, 20_000, 2000);
    Path out = shared.resolve("model");
    Program.succeed(Program.words("--cpu --max-steps 5", "--data", data, "--out", out));
    model = out.resolve("model.safetensors");
  }

  private Path run() {
    return tmp.resolve("run");
  }

  private PseudoTerminal start(String line, Object... more) {
    return PseudoTerminal.start(tmp.resolve("window"), Program.words(line, more));
  }

  private PseudoTerminal startEndlessRun() {
    return start(ENDLESS, "--data", data, "--out", run());
  }

  /**
   * Asserts that the screen has nothing but whole lines: no bar, no echo of Ctrl-C, and the stop's
   * line last.
   */
  private static void assertStopped(PseudoTerminal terminal) {
    List<String> lines = terminal.lines();
    String screen = String.join("\n", lines);
    assertTrue(lines.get(lines.size() - 1).matches(STOPPED), screen);
    assertFalse(screen.contains("|"), screen);
    assertFalse(screen.contains("^C"), screen);
  }

  private void assertSavedAtTheStop() {
    String state = Checkpoint.read(run().resolve("checkpoint.safetensors")).state();
    assertTrue(state.matches("(?s).*\"steps\":[1-9].*"), state);
    String report = text(run().resolve("report.html"));
    assertTrue(report.contains("Interrupted: stopped in epoch"), "the report does not tell of it");
  }

  @Test
  void controlCEndsARunAfterItsStepWithACheckpoint() {
    try (PseudoTerminal terminal = startEndlessRun()) {
      terminal.await("Batches +[1-9].*");
      terminal.type("C-c");
      assertEquals(130, terminal.exitCode());
      assertStopped(terminal);
    }
    assertSavedAtTheStop();
  }

  @Test
  void sigtermDoesToo() {
    try (PseudoTerminal terminal = startEndlessRun()) {
      terminal.await("Batches +[1-9].*");
      terminal.signal("TERM");
      assertEquals(143, terminal.exitCode());
      assertStopped(terminal);
    }
    assertSavedAtTheStop();
  }

  /** A shell whose window is closed behaves so: the terminal goes, and signals come twice. */
  @Test
  void aClosedWindowEndsARunAfterItsStepWithACheckpoint() {
    try (PseudoTerminal terminal = startEndlessRun()) {
      terminal.await("Batches +[1-9].*");
      terminal.hangUp();
      assertEquals(129, terminal.exitCode());
    }
    assertSavedAtTheStop();
  }

  @Tag("long")
  @Test
  void aResizeOfTheWindowLeavesNothingBehind() {
    String shortEpochs = ENDLESS + " --subset 500";
    try (PseudoTerminal terminal = start(shortEpochs, "--data", data, "--out", run())) {
      // Each resize waits for a full screen: in one that is not, tmux takes the upper rows of a
      // broken line to its history, and puts the cursor below them.
      awaitEpochs(terminal, PseudoTerminal.ROWS);
      for (int columns : new int[] {60, 100, 35, 90}) {
        terminal.resize(columns);
        awaitEpochs(terminal, PseudoTerminal.ROWS);
      }
      List<String> lines = terminal.lines();
      assertTrue(
          lines.stream().filter(line -> line.matches("(Epochs |Batches) .*")).count() <= 2,
          String.join("\n", lines));
      terminal.type("C-c");
      assertEquals(130, terminal.exitCode());
      assertStopped(terminal);
    }
  }

  /** Waits until a run has printed the lines of that many more epochs. */
  private static void awaitEpochs(PseudoTerminal terminal, int more) {
    long before = terminal.lines().stream().filter(line -> line.startsWith("Epoch ")).count();
    terminal.await("Epoch %d/.*".formatted(before + more));
  }

  @Test
  void aBarIsAsWideAsTheWindow() {
    try (PseudoTerminal terminal = startEndlessRun()) {
      terminal.await("Batches .{82,91}"); // the window has 100 columns
      terminal.resize(60);
      terminal.await("Batches .{42,51}");
    }
  }

  /**
   * JLine, asked for the terminal, looks at each stream. A library that is unpacked into the folder
   * for temporary files may be replaced by another user before it is loaded.
   */
  @Test
  void noLibraryIsUnpackedForATerminalWhoseErrorsGoToAFile() throws IOException {
    Path temporary = Files.createDirectory(tmp.resolve("temporary"));
    Path errors = tmp.resolve("errors");
    var command = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 2> \"$0\"", errors.toString()));
    command.addAll(
        PseudoTerminal.java(
            List.of("-Djava.io.tmpdir=" + temporary),
            Program.words(ENDLESS, "--data", data, "--out", run())));
    try (PseudoTerminal terminal = PseudoTerminal.start(tmp.resolve("window"), command)) {
      terminal.await("Batches .{82,91}");
    }
    try (Stream<Path> unpacked = Files.list(temporary)) {
      assertEquals(List.of(), unpacked.toList());
    }
    assertEquals("", Files.readString(errors));
  }

  /**
   * A run answers the test images after its last step, and is not asked to stop there. If the
   * second signal did not end it, the exit code would be that of the first one.
   */
  @Test
  void aSecondControlCEndsARunAtOnce() {
    Path many = Program.writeData(tmp.resolve("many"), 5, 7, 3, 10, 200_000);
    String line =
        "train --cpu --threads 1 --epochs 1 --test-at-end --hidden 1500,1500 --test-batch-size 1";
    try (PseudoTerminal terminal = start(line, "--data", many)) {
      terminal.await("Epoch 1/1: .*");
      terminal.signal("TERM");
      terminal.awaitThread("mlp-cuda-stop");
      terminal.type("C-c");
      assertEquals(130, terminal.exitCode());
      String screen = String.join("\n", terminal.lines());
      assertFalse(screen.contains("Test set"), screen);
    }
  }

  @Test
  void aSweepEndsAfterTheStepsOfItsRuns() {
    try (PseudoTerminal terminal =
        start(
            ENDLESS.replace("train", "sweep") + " --grid lr=0.1,0.2",
            "--data",
            data,
            "--out",
            run())) {
      Path log = run().resolve("001-lr=0.1").resolve("log.txt");
      PseudoTerminal.await(() -> text(log).contains("Epoch 1/"), "first epoch in " + log);
      terminal.type("C-c");
      assertEquals(130, terminal.exitCode());
      List<String> lines = terminal.lines();
      assertTrue(
          lines.get(lines.size() - 1).startsWith("0 of 2 runs are done: stopped"),
          String.join("\n", lines));
    }
  }

  private static String text(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Tag("long")
  @ParameterizedTest
  @CsvSource({
    "train --cpu --hidden 300 --epochs 1000 --data DATA, 'network .*'",
    "evaluate --cpu --model MODEL --data MANY --test-batch-size 1, 'CPU, .*'",
    "lr-find --cpu --hidden 300 --steps 1000000 --low 1e-9 --high 1e-8 --data DATA, 'CPU, .*'",
    "benchmark --cpu --repeats 10000 --data DATA, 'CPU, .*'",
    "compare --cpu --steps 1000000 --data DATA, 'CPU, .*'",
    "serve --cpu --port 0 --model MODEL, 'Serving .*'",
  })
  void everyCommandEndsByControlC(String line, String shown) {
    if (line.contains("MANY")) { // an evaluation of a few images would end before the keys arrive
      Program.writeData(tmp.resolve("many"), 5, 7, 3, 3, 2_000_000);
    }
    String words =
        line.replace("MODEL", model.toString())
            .replace("DATA", data.toString())
            .replace("MANY", tmp.resolve("many").toString());
    try (PseudoTerminal terminal = start(words)) {
      terminal.await(shown);
      terminal.type("C-c");
      assertEquals(130, terminal.exitCode());
      assertFalse(String.join("\n", terminal.lines()).contains("|"), "a bar is left");
    }
  }

  /**
   * One Ctrl-C is enough where nothing asks whether to stop: here for a picture that never comes.
   */
  @Test
  void aReadThatWaitsEndsByControlC() {
    Path pipe = tmp.resolve("picture.png");
    try (Child mkfifo = Child.start(List.of("mkfifo", pipe.toString()))) {
      assertEquals(0, mkfifo.exitCode());
    }
    try (PseudoTerminal terminal = start("predict --cpu --model", model, pipe)) {
      PseudoTerminal.pause(1000);
      terminal.type("C-c");
      assertEquals(130, terminal.exitCode());
    }
  }

  @Tag("long")
  @Test
  void stoppedAtAnyMomentItGoesOnToTheSameBytes() throws IOException {
    String line =
        "train --cpu --threads 1 --epochs 4 --hidden 256,256 --validation 200 --save-best"
            + " --dropout 0.2 --clip-grad-norm 1 --schedule cosine --checkpoint-every 50";
    Path whole = tmp.resolve("whole");
    Program.succeed(Program.words(line, "--data", data, "--out", whole));
    byte[] expected = Files.readAllBytes(whole.resolve("model.safetensors"));
    var random = new Random(7);
    int stops = 0;
    int ended = 0; // number of runs that ended before Ctrl-C came
    while (stops < STOPS) {
      Path folder = tmp.resolve("run " + (stops + ended));
      Path checkpoint = folder.resolve("checkpoint.safetensors");
      try (PseudoTerminal terminal = start(line, "--data", data, "--out", folder)) {
        PseudoTerminal.await(() -> Files.exists(checkpoint), "checkpoint");
        PseudoTerminal.pause(random.nextInt(2000));
        terminal.type("C-c");
        int code = terminal.exitCode();
        String screen = String.join("\n", terminal.lines());
        if (screen.contains("Test set: ")) {
          ended++;
          continue;
        }
        assertEquals(130, code, screen);
        assertStopped(terminal);
      }
      stops++;
      Checkpoint.read(checkpoint);
      Program.succeed("train", "--resume", folder, "--data", data);
      assertArrayEquals(
          expected, Files.readAllBytes(folder.resolve("model.safetensors")), "stop " + stops);
    }
    if (System.getProperty("mlpcuda.stops") != null) {
      System.out.printf(
          "%d of %d: a checkpoint after each Ctrl-C, and equal bytes after each resume; %d more runs"
              + " ended before%n",
          stops, STOPS, ended);
    }
  }
}
