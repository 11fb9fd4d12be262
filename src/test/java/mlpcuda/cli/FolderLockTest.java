package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import mlpcuda.Child;
import mlpcuda.run.FolderLock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests two processes, or two runs, that want the same folder. */
class FolderLockTest {
  @TempDir private Path tmp;
  private Path data;
  private Path run;

  @BeforeEach
  void writeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 200, 20);
    run = tmp.resolve("run");
  }

  private Object[] into(Path folder, String line) {
    return Program.words("train --cpu --hidden 6 " + line, "--data", data, "--out", folder);
  }

  private static String inUse(Path folder) {
    return folder
        + ": another mlp-cuda process is using this folder; wait until it ends, or name another"
        + " folder";
  }

  /** Every file below {@code folder} with its bytes. */
  private static Map<Path, String> contents(Path folder) throws IOException {
    var contents = new TreeMap<Path, String>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        contents.put(file, Files.readString(file, StandardCharsets.ISO_8859_1));
      }
    }
    return contents;
  }

  @Test
  void aRunThatGoesOnIsLeftAloneByOtherProcesses() throws IOException {
    List<String> command =
        Child.java(List.of(), Main.class, into(run, "--epochs 100000000 --subset 50"));
    try (Child child = Child.start(command)) {
      BufferedReader lines = child.output();
      String line = lines.readLine();
      while (line != null && !line.startsWith("Epoch 20/")) {
        line = lines.readLine();
      }
      child.suspend(); // otherwise it would change the folder between the two readings below
      Files.writeString(
          run.resolve("model.safetensors.00000000-0000-0000-0000-000000000000.temporary"), "");
      Map<Path, String> before = contents(run);
      Program.run("train", "--resume", run).assertRefused(6, inUse(run));
      Program.run(into(run, "--epochs 1 --overwrite")).assertRefused(6, inUse(run));
      Program.run(into(run, "--epochs 1")).assertRefused(6, inUse(run));
      assertEquals(before, contents(run));
      child.signal("KILL");
      assertEquals(137, child.exitCode());
    }
    // The lock file that the killed process left is no lock. 1 step is fewer than were done.
    Program later = Program.run("train", "--resume", run, "--data", data, "--max-steps", 1);
    assertEquals(2, later.code(), later.err());
    assertTrue(later.err().contains("'--max-steps': must be at least "), later.err());
  }

  @Test
  void aSweepsFolderHasOneOwner() throws IOException {
    Path out = Files.createDirectories(tmp.resolve("sweep"));
    Object[] words =
        Program.words("sweep --grid seed=1,2 --epochs 1 --hidden 6", "--data", data, "--out", out);
    try (FolderLock lock = FolderLock.take(out)) {
      assertTrue(lock.locked());
      Program.run(words).assertRefused(6, inUse(out));
      assertEquals(List.of(out.resolve(FolderLock.FILE)), List.copyOf(contents(out).keySet()));
    }
    Program.succeed(words);
  }

  /**
   * Another user of a shared folder may put a link there, to have a file of ours made or locked.
   */
  @Test
  void aLinkInTheLocksPlaceIsNotFollowed() throws IOException {
    Path victim = tmp.resolve("victim");
    Files.createSymbolicLink(Files.createDirectories(run).resolve(".lock"), victim);
    Program refused = Program.run(into(run, "--epochs 1"));
    assertEquals(7, refused.code(), refused.err());
    assertTrue(refused.err().startsWith(run.resolve(".lock") + ": cannot be written: "));
    assertFalse(Files.exists(victim));
    assertFalse(Files.exists(run.resolve("model.safetensors")));
  }

  @Test
  void aFinishedRunIsNotOverwrittenUnlessAsked() throws IOException {
    Program.succeed(into(run, "--epochs 1"));
    Map<Path, String> before = contents(run);
    Program.run(into(run, "--epochs 2"))
        .assertRefused(
            2,
            run
                + ": this folder holds a finished run; --overwrite replaces it, --resume goes on"
                + " with it, or name another --out",
            "'mlp-cuda train --help' lists the options.");
    assertEquals(before, contents(run));
    Program.succeed(into(run, "--epochs 2 --overwrite"));
    Program.succeed(into(tmp.resolve("fresh"), "--epochs 2"));
    assertArrayEquals(
        Files.readAllBytes(tmp.resolve("fresh/model.safetensors")),
        Files.readAllBytes(run.resolve("model.safetensors")));
  }

  @Test
  void aRunThatWasStoppedIsReplaced() {
    int[] asked = {0};
    assertEquals(
        130, Program.run(Program.NO_GPUS, () -> ++asked[0] > 3, into(run, "--epochs 5")).code());
    String replaced = run + ": the run that it holds is replaced";
    assertTrue(Program.succeed(into(run, "--epochs 1")).lines().contains(replaced));
  }
}
