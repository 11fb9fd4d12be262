package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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
 * Tests processes that are killed in the middle of whatever they do, and runs that go on from what
 * is left. {@code -Dmlpcuda.kills=20} kills that often, and says what it met.
 */
@Tag("long")
class ResumeAfterKillTest {
  private static final int KILLS = Integer.getInteger("mlpcuda.kills", 3);
  private static final int MOST_KILLS = 20 + KILLS;

  private static final String LINE =
      "train --cpu --threads 1 --checkpoint-every 5 --epochs 4 --hidden 256,256 --validation 200"
          + " --save-best --dropout 0.2 --clip-grad-norm 1 --schedule cosine"
          + " --augment elastic:8:2,rotate:10,erase --augment-end 0.5"
          + " --ema 0.99";

  @TempDir private static Path shared;
  private static Path data;
  private static byte[] expected;

  @TempDir private Path tmp;

  @BeforeAll
  static void runWithoutKills() throws IOException {
    data = Program.writeData(shared.resolve("data"), 5, 7, 3, 2000, 20);
    String line =
        LINE.replace("--checkpoint-every 5 ", ""); // checkpoints change nothing but the time
    Program.succeed(Program.words(line, "--data", data, "--out", shared.resolve("whole")));
    expected = model(shared.resolve("whole"));
  }

  private static byte[] model(Path folder) throws IOException {
    return Files.readAllBytes(folder.resolve("model.safetensors"));
  }

  private static Path checkpoint(Path folder) {
    return folder.resolve("checkpoint.safetensors");
  }

  /** Starts the program in a process of its own: it begins the folder's run, or goes on with it. */
  private Child start(Path folder) {
    Object[] arguments =
        Files.exists(checkpoint(folder))
            ? Program.words("train --resume", folder, "--data", data)
            : Program.words(LINE, "--data", data, "--out", folder);
    return Child.start(Child.java(List.of("-XX:TieredStopAtLevel=1"), Main.class, arguments));
  }

  /** The number of files that were being written in {@code folder}, which may not exist. */
  private static long temporaries(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".temporary")).count();
    }
  }

  /**
   * Waits until a file is being written, which is the time to kill; if none is, only for a while.
   */
  private static void waitForWriting(Process process, Path folder, long before) throws IOException {
    long start = System.nanoTime();
    while (process.isAlive()
        && temporaries(folder) <= before
        && System.nanoTime() - start < 60_000_000_000L) {
      Thread.onSpinWait();
    }
  }

  /** Whether more kills are needed: one must meet a file that is being written, which is luck. */
  private static boolean isMissing(int kills, int whileWriting) {
    return kills < KILLS || whileWriting == 0 && kills < MOST_KILLS;
  }

  @Test
  void killedAtAnyMoment() throws IOException, InterruptedException {
    var random = new Random(7);
    int tries = 0;
    int kills = 0; // number of kills that left a checkpoint
    int whileWriting = 0;
    int early = 0; // number of kills before there was one, after which the run has to begin anew
    int runs = 0;
    while (isMissing(kills, whileWriting)) {
      Path folder = tmp.resolve("run " + ++runs);
      boolean ended = false;
      while (!ended && isMissing(kills, whileWriting)) {
        Child child = start(folder);
        Process process = child.process();
        long before = temporaries(folder);
        try (child) {
          BufferedReader lines = child.output();
          if (++tries % 5 != 0) { // every fifth kill may come while the program gets ready
            String line = lines.readLine();
            while (line != null && !line.startsWith("network") && !line.startsWith("Going on")) {
              line = lines.readLine();
            }
          }
          boolean ends = process.waitFor(random.nextInt(600), TimeUnit.MILLISECONDS);
          if (!ends && tries % 2 == 0) {
            waitForWriting(process, folder, before);
          }
        } // closing a child is SIGKILL: nothing in the process hears of it
        ended = process.exitValue() == 0; // the process may have ended just before the kill
        if (ended) {
          break;
        }
        assertEquals(128 + 9, process.exitValue());
        if (!Files.exists(checkpoint(folder))) {
          early++;
          continue;
        }
        kills++;
        whileWriting += temporaries(folder) > before ? 1 : 0;
        Checkpoint.read(checkpoint(folder));
        Path copy = tmp.resolve("copy " + kills); // the run itself goes on in a process
        copyFiles(folder, copy);
        Program.succeed("train", "--resume", copy, "--data", data);
        assertArrayEquals(expected, model(copy), "kill " + kills);
        assertEquals(0, temporaries(copy), "what a killed process left is cleared away");
      }
      if (!ended) {
        try (Child last = start(folder)) {
          String all = last.rest();
          assertEquals(0, last.exitCode(), all);
        }
      }
      assertArrayEquals(expected, model(folder), "run " + runs);
    }
    if (System.getProperty("mlpcuda.kills") != null) {
      System.out.printf(
          "%d of %d: equal bytes after each kill, %d of them while a file was written; %d runs, and"
              + " %d more kills before a first checkpoint%n",
          kills, KILLS, whileWriting, runs, early);
    }
    assertTrue(whileWriting > 0, "some kills must meet a file that is being written");
  }

  private static void copyFiles(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  /** A program that is asked to end writes its state, whoever asked. */
  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130"})
  void askedToEnd(String signal, int code) throws IOException {
    Path folder = tmp.resolve("run");
    int stopped = 0;
    for (int times = 0; times < 2; times++) { // a run that goes on can be stopped as well
      String last = "";
      try (Child child = start(folder)) {
        BufferedReader lines = child.output();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          last = line;
          if (line.startsWith("Epoch ")) {
            child.signal(signal);
          }
        }
        assertEquals(code, child.exitCode(), last);
      }
      assertTrue(last.matches("stopped in epoch \\d+, after step \\d+; --resume .* goes on"), last);
      int step = Integer.parseInt(last.replaceFirst(".*after step (\\d+).*", "$1"));
      assertTrue(step > stopped, "it must have gone on");
      stopped = step;
      String state = Checkpoint.read(checkpoint(folder)).state();
      assertTrue(state.contains("\"steps\":" + step + ","), state);
      assertEquals(0, temporaries(folder));
    }
    Program.succeed("train", "--resume", folder, "--data", data);
    assertArrayEquals(expected, model(folder));
  }
}
