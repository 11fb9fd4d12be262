package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests a sweep as a user meets it: runs, folders, tables, exit codes. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class SweepCommandTest {
  @TempDir Path tmp;
  private Path data;

  @BeforeEach
  void makeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
  }

  private Object[] words(String name, String line) {
    return Program.words("sweep " + line, "--data", data, "--out", tmp.resolve(name));
  }

  private Program sweep(String name, String line) {
    return Program.run(words(name, line));
  }

  private Program stopped(String name, String line, BooleanSupplier stopping) {
    var out = new StringWriter();
    var err = new StringWriter();
    String[] texts = Stream.of(words(name, line)).map(Object::toString).toArray(String[]::new);
    int code =
        Main.run(texts, new PrintWriter(out), new PrintWriter(err), Program.NO_GPUS, stopping);
    return new Program(code, out.toString(), err.toString());
  }

  private Path run(String sweep, String name) {
    return tmp.resolve(sweep).resolve(name);
  }

  private static byte[] model(Path folder) throws IOException {
    return Files.readAllBytes(folder.resolve("model.safetensors"));
  }

  private static Set<String> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  private static Set<String> started(Program sweep) {
    return sweep.lines().stream()
        .filter(line -> line.startsWith("["))
        .map(line -> line.replaceAll(".*\\] ([^:]*):.*", "$1"))
        .collect(Collectors.toSet());
  }

  @Test
  void runsAreWhatTrainMakesOfTheSameOptions() throws IOException {
    String line = "--grid hidden=4;6,5 seed=1..2 --epochs 1 --batch-size 16 --parallel ";
    Program one = sweep("one", line + 1);
    assertEquals(0, one.code(), one.err());
    assertEquals("", one.err());
    Program three = sweep("three", line + 3);
    assertEquals(0, three.code(), three.err());
    Map<String, String> options =
        Map.of(
            "001-hidden=4-seed=1", "--hidden 4 --seed 1",
            "002-hidden=4-seed=2", "--hidden 4 --seed 2",
            "003-hidden=6,5-seed=1", "--hidden 6,5 --seed 1",
            "004-hidden=6,5-seed=2", "--hidden 6,5 --seed 2");
    for (var entry : options.entrySet()) {
      Path folder = tmp.resolve("train " + entry.getKey());
      String same = "--epochs 1 --batch-size 16 --cpu --threads 1 " + entry.getValue();
      Program train = Program.succeed(Program.words(same, "--data", data, "--out", folder));
      Path run = run("one", entry.getKey());
      assertArrayEquals(model(folder), model(run), entry.getKey());
      assertArrayEquals(model(folder), model(run("three", entry.getKey())), entry.getKey());
      List<String> log = Files.readAllLines(run.resolve("log.txt"));
      assertEquals(train.lastLine(), log.get(log.size() - 1));
      assertEquals(
          Set.of(
              "model.safetensors",
              "metrics.json",
              "metrics.csv",
              ".lock",
              "report.html",
              "checkpoint.safetensors",
              "log.txt",
              "sweep-run.json"),
          files(run));
    }
    var all = new HashSet<>(options.keySet());
    all.addAll(Set.of(".lock", "sweep.json", "sweep.csv"));
    assertEquals(all, files(tmp.resolve("one")));
    assertEquals(all, files(tmp.resolve("three")));
    assertEquals(options.keySet(), started(three));
    assertEquals(tmp.resolve("one") + ": 4 runs, 0 of them done before", one.lines().get(0));
    assertTrue(
        one.lines()
            .get(1)
            .matches("\\[1/4\\] 001-hidden=4-seed=1: test accuracy .*%, loss .*, .* s"),
        one.out());
    assertTrue(one.out().contains("\nrank  hidden  seed  accuracy    loss  seconds  folder\n"));
    assertTrue(one.out().contains("\nhidden  done  mean accuracy  std. deviation  mean loss\n"));
  }

  @Test
  void aRunThatDoesNotFitTheDataIsRefusedAsTrainRefusesIt() throws IOException {
    Program sweep = sweep("out", "--grid subset=20,1000 --epochs 1 --hidden 4");
    assertEquals(1, sweep.code());
    assertTrue(
        sweep
            .out()
            .contains(
                " 002-subset=1000: exit code 2: Invalid value for option '--subset': must be at"
                    + " most the "),
        sweep.out());
    assertTrue(Files.exists(tmp.resolve("out/001-subset=20/model.safetensors")));
  }

  @Test
  void aRunThatFailsStopsNoOther() throws IOException {
    Program sweep = sweep("out", "--grid lr=1e30,1e-2 seed=1,2 --epochs 3 --hidden 4");
    assertEquals(1, sweep.code());
    String error =
        "training diverged: losses and weights must be finite, found NaN at epoch 2, step 2; a"
            + " lower learning rate may help";
    assertTrue(sweep.out().contains(" 001-lr=1e30-seed=1: exit code 5: " + error), sweep.out());
    assertEquals(
        "2 of 4 runs are done; the same command with --out %s runs the others"
            .formatted(tmp.resolve("out")),
        sweep.lastLine());
    Map<String, Object> json = Program.json(Files.readString(tmp.resolve("out/sweep.json")));
    List<?> runs = (List<?>) json.get("runs");
    assertEquals(1, ((Map<?, ?>) runs.get(0)).get("rank"));
    assertEquals(5, ((Map<?, ?>) runs.get(2)).get("exit_code"));
    assertEquals(error, ((Map<?, ?>) runs.get(2)).get("error"));
    assertTrue(
        Files.readString(run("out", "001-lr=1e30-seed=1").resolve("log.txt")).contains(error));
    // Only the failed runs are tried again.
    assertEquals(
        Set.of("001-lr=1e30-seed=1", "002-lr=1e30-seed=2"),
        started(sweep("out", "--grid lr=1e30,1e-2 seed=1,2 --epochs 3 --hidden 4")));
  }

  @Test
  void whatIsDoneIsNotRepeated() throws IOException {
    String line = "--grid seed=1..3 --epochs 1 --hidden 4";
    Program first = sweep("out", line);
    assertEquals(0, first.code(), first.err());
    byte[] model = model(run("out", "002-seed=2"));
    byte[] json = Files.readAllBytes(tmp.resolve("out/sweep.json"));
    Program second = sweep("out", line);
    assertEquals(0, second.code(), second.err());
    assertEquals(Set.of(), started(second));
    assertEquals(tmp.resolve("out") + ": 3 runs, 3 of them done before", second.lines().get(0));
    assertArrayEquals(json, Files.readAllBytes(tmp.resolve("out/sweep.json")));

    for (String file : files(run("out", "002-seed=2"))) {
      Files.delete(run("out", "002-seed=2").resolve(file));
    }
    Files.delete(run("out", "003-seed=3").resolve("metrics.json"));
    // A crash leaves a run so: begun, and not ended.
    Path note = run("out", "001-seed=1").resolve("sweep-run.json");
    Files.writeString(note, Files.readString(note).replaceAll("\"exit_code\" : 0,", ""));
    Files.delete(run("out", "001-seed=1").resolve("model.safetensors"));
    Program third = sweep("out", line);
    assertEquals(0, third.code(), third.err());
    assertEquals(Set.of("001-seed=1", "002-seed=2", "003-seed=3"), started(third));
    assertArrayEquals(model, model(run("out", "002-seed=2")));
  }

  @Test
  void aFolderOfOtherArgumentsIsRefused() throws IOException {
    assertEquals(0, sweep("out", "--grid seed=1,2 --epochs 1 --hidden 4").code());
    Path folder = run("out", "001-seed=1");
    sweep("out", "--grid seed=1,2 --epochs 2 --hidden 4")
        .assertRefused(
            2,
            "%s: must be a run of '--epochs 2 --hidden 4 --data %s --seed=1 --cpu --threads=1',"
                    .formatted(folder, data)
                + " found one of '--epochs 1 --hidden 4 --data %s --seed=1 --cpu --threads=1'; name another --out"
                    .formatted(data),
            "'mlp-cuda sweep --help' lists the options.");
    Files.delete(folder.resolve("sweep-run.json"));
    sweep("out", "--grid seed=1,2 --epochs 1 --hidden 4")
        .assertRefused(
            2,
            folder
                + ": must be a run of this sweep, or not be there; found files and no"
                + " sweep-run.json",
            "'mlp-cuda sweep --help' lists the options.");
    Files.writeString(folder.resolve("sweep-run.json"), "[1");
    Program broken = sweep("out", "--grid seed=1,2 --epochs 1 --hidden 4");
    assertEquals(4, broken.code());
    assertEquals(1, broken.err().lines().count(), broken.err());
    assertTrue(
        broken
            .err()
            .startsWith(
                folder.resolve("sweep-run.json") + ": this is not what a sweep writes there: "),
        broken.err());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--grid|Missing required parameter for option '--grid' (NAME=VALUES)",
        "--grid --epochs 1|Missing required parameter for option '--grid' (NAME=VALUES)",
        "--epochs 1|Missing required option: '--grid=NAME=VALUES'",
        "--grid lr=1e-3 epochs|--grid: must be NAME=VALUES, found epochs",
        "--grid lr=1e-3,nope|Invalid value for option '--lr': must be a number above 0 that a"
            + " float can hold, found nope",
        "--grid seed=1,2 --epochs -1|Invalid value for option '--epochs': must be a whole number"
            + " from 0 to 2147483647, found -1",
        "--grid scaling=unit,strange|Invalid value for option '--scaling': must be one of unit,"
            + " centred, z-score, standard, minmax, none, found strange",
        "--grid classes=3,257|Invalid value for option '--classes': must be at most 256, as labels"
            + " are bytes; found 257",
        "--grid seed=1,2 --gemm ptx|--gemm, --kernels, --step, --feed, --no-graph,"
            + " --steps-per-launch and --sync-check are of the GPU, found one with --cpu or --threads",
        "--grid seed=1,2 --gpus 0 --cpu|--gpu and --cpu exclude each other, found both",
        "--grid seed=1,2 --bogus|Unknown option: '--bogus'",
        "--grid seed=1,2 --epochs 1 bogus|options begin with --, found bogus",
        "--grid seed=1,2 --seed 3|option '--seed' (N) should be specified only once",
        "--grid gpu=0,1|an option of train in a sweep must be none of --out, --overwrite,"
            + " --tensorboard, --json, --gpu,"
            + " --members, --member-widths, --parallel, --dry-run, --resume, --help, --version; found"
            + " --gpu",
        "--grid seed=1,2 --dry-run|an option of train in a sweep must be none of --out, --overwrite,"
            + " --tensorboard, --json,"
            + " --gpu, --members, --member-widths, --parallel, --dry-run, --resume, --help,"
            + " --version; found --dry-run",
        "--grid seed=1,2 --tensorboard x|an option of train in a sweep must be none of --out,"
            + " --overwrite, --tensorboard, --json, --gpu, --members, --member-widths, --parallel,"
            + " --dry-run, --resume, --help, --version; found"
            + " --tensorboard",
        "--grid lr=1e-3~1e-2|--grid lr: a range A~B needs --random, found none",
        "--grid seed=1,2 --sweep-seed 3|--sweep-seed needs --random, found it alone",
        "--grid seed=1,2 --random 3|--random: the grid must have as many different points, 3;"
            + " found 2",
        "--grid seed=1,2 --random 0|Invalid value for option '--random': must be a whole number"
            + " from 1 to 2147483647, found 0",
        "--grid seed=1,2 --init -|--init -: every run of a sweep reads this file, and a pipe can be"
            + " read only once; save it as a file",
        "--grid seed=1,2 --gpus 0,0|--gpus must differ, found one twice in [0, 0]",
        "--grid seed=1,2 --gpus x|Invalid value for option '--gpus' (N): must be a whole number"
            + " from 0 to 2147483647, found x",
      })
  void refusesBeforeAnythingRuns(String line, String message) {
    sweep("out", line).assertRefused(2, message, "'mlp-cuda sweep --help' lists the options.");
    assertFalse(Files.exists(tmp.resolve("out")));
  }

  @Test
  void refusesAFileWhereTheFolderShouldBe() throws IOException {
    Files.writeString(tmp.resolve("out"), "");
    sweep("out", "--grid seed=1,2")
        .assertRefused(
            7,
            "--out %s: must be a folder to write to, or a name for a new one, found: a file of that name is there"
                .formatted(tmp.resolve("out")));
  }

  @Test
  void randomPointsOfTheSeed() throws IOException {
    String line = "--grid lr=1e-3~1e-1 hidden=3;4 --random 3 --epochs 1 --sweep-seed ";
    Program first = sweep("first", line + 5);
    assertEquals(0, first.code(), first.err());
    assertEquals(3, started(first).size());
    assertEquals(started(first), started(sweep("second", line + 5)));
    assertNotEquals(started(first), started(sweep("third", line + 6)));
    // A sweep of one more point keeps the first ones.
    Program more = sweep("first", line.replace("--random 3", "--random 4") + 5);
    assertEquals(1, started(more).size(), more.out());
  }

  @Test
  void jsonAloneOnStandardOutput() throws IOException {
    Program sweep = sweep("out", "--grid lr=1e-2 --epochs 1 --hidden 4 --json");
    assertEquals(0, sweep.code(), sweep.err());
    Map<String, Object> json = Program.json(sweep.out());
    assertEquals(json, Program.json(Files.readString(tmp.resolve("out/sweep.json"))));
    Map<?, ?> test = (Map<?, ?>) ((Map<?, ?>) ((List<?>) json.get("runs")).get(0)).get("test");
    Map<?, ?> metrics =
        (Map<?, ?>)
            Program.json(Files.readString(run("out", "001-lr=1e-2").resolve("metrics.json")))
                .get("test");
    assertEquals(metrics.get("accuracy"), test.get("accuracy"));
    assertTrue(sweep.err().contains("[1/1] 001-lr=1e-2: test accuracy "), sweep.err());
  }

  @Test
  void ordersByAValidationResult() throws IOException {
    String line = "--grid seed=1,2 --epochs 1 --hidden 4";
    assertEquals(0, sweep("out", line).code());
    for (int seed = 1; seed <= 2; seed++) {
      Path metrics = run("out", "00%d-seed=%d".formatted(seed, seed)).resolve("metrics.json");
      String validation = "{\"validation\":{\"accuracy\":0.%d,\"loss\":1.5},".formatted(seed);
      Files.writeString(metrics, Files.readString(metrics).replaceFirst("\\{", validation));
    }
    List<String> lines = sweep("out", line).lines();
    assertTrue(lines.get(1).contains("  validation accuracy  "), lines.get(1));
    assertTrue(lines.get(2).matches(" *1 +2 +20\\.00% +1\\.5000 .* 002-seed=2"), lines.get(2));
    assertTrue(lines.get(3).matches(" *2 +1 +10\\.00% +1\\.5000 .* 001-seed=1"), lines.get(3));
  }

  @Test
  void controlCStopsEveryRunAndStartsNoMore() throws IOException {
    String line = "--grid seed=1..4 --epochs 1000000 --hidden 4 --parallel 2";
    Path first = run("out", "001-seed=1").resolve("metrics.json");
    Path second = run("out", "002-seed=2").resolve("metrics.json");
    Program stopped = stopped("out", line, () -> Files.exists(first) && Files.exists(second));
    assertEquals(130, stopped.code(), stopped.err());
    assertEquals(Set.of("001-seed=1", "002-seed=2"), started(stopped));
    assertTrue(
        stopped.out().contains(" 001-seed=1: exit code 130: stopped in epoch "), stopped.out());
    assertTrue(stopped.out().contains("  004-seed=4: not run"), stopped.out());
    assertEquals(
        "0 of 4 runs are done: stopped; the same command with --out %s runs the others"
            .formatted(tmp.resolve("out")),
        stopped.lastLine());
    assertEquals(
        Set.of(".lock", "001-seed=1", "002-seed=2", "sweep.json", "sweep.csv"),
        files(tmp.resolve("out")));
    // A sweep that is stopped before any run began prints nothing but the tables.
    Program atOnce = stopped("none", line, () -> true);
    assertEquals(130, atOnce.code());
    assertEquals(Set.of(".lock", "sweep.json", "sweep.csv"), files(tmp.resolve("none")));
  }

  /** Emulated GPUs that note which threads opened which. */
  private static final class TwoGpus implements Gpus {
    final Map<Integer, Set<Thread>> openedBy = new ConcurrentHashMap<>();

    @Override
    public List<GpuProperties> list() {
      try (EmulatedDriver driver = driver()) {
        GpuProperties device = driver.device();
        return List.of(
            device,
            new GpuProperties(
                1,
                device.name(),
                device.capability(),
                1L << 30,
                device.multiprocessors(),
                device.driver()));
      }
    }

    @Override
    public CudaDriver open(int index) {
      openedBy
          .computeIfAbsent(index, i -> ConcurrentHashMap.newKeySet())
          .add(Thread.currentThread());
      return driver();
    }

    private static EmulatedDriver driver() {
      return new EmulatedDriver(EmulatedOptions.of(EmulatedPolicy.LATEST).withoutCublas());
    }
  }

  @Test
  void eachGpuHasAThreadOfItsOwn() throws IOException {
    var gpus = new TwoGpus();
    String line = "--grid seed=1..4 --epochs 1 --batch-size 25 --hidden 4 --gpus 0,1";
    Program sweep = Program.run(gpus, words("out", line));
    assertEquals(0, sweep.code(), sweep.err() + sweep.out());
    assertEquals(Set.of(0, 1), gpus.openedBy.keySet());
    gpus.openedBy.values().forEach(threads -> assertEquals(1, threads.size()));
    String log = Files.readString(run("out", "001-seed=1").resolve("log.txt"));
    assertTrue(log.lines().findFirst().orElse("").matches("GPU 0: .* \\(--gpu [01]\\)"), log);
    // The GPU's index is no part of a run's arguments.
    assertEquals(Set.of(), started(Program.run(gpus, words("out", line.replace("0,1", "1")))));
    Program missing = Program.run(gpus, words("other", line.replace("0,1", "0,7")));
    missing.assertRefused(
        3,
        "--gpus must be of the GPUs that CUDA shows, [0, 1]; found 7",
        "'mlp-cuda devices' lists them.");
    assertFalse(Files.exists(tmp.resolve("other")));
    assertEquals(3, sweep("other", line).code());
  }

  /**
   * A choice must not be made by the test set, and so the results on held-back examples are shown,
   * if there are any.
   */
  @Test
  void theValidationSetIsShownWhereThereIsOne() {
    Program sweep = sweep("held", "--validation 10 --epochs 1 --hidden 4 --grid seed=1..2");
    assertEquals(0, sweep.code(), sweep.err());
    assertTrue(sweep.out().contains("001-seed=1: validation accuracy "), sweep.out());
    assertTrue(sweep.out().matches("(?s).*validation accuracy +validation loss.*"), sweep.out());
  }

  /** Another user of a shared folder may put a link there, to have a file of ours overwritten. */
  @Test
  void aLinkInTheLogsPlaceIsNotFollowed() throws IOException {
    assertEquals(0, sweep("out", "--cpu --epochs 1 --grid seed=1").code());
    Path run = run("out", "001-seed=1");
    Path victim = Files.writeString(tmp.resolve("victim"), "precious");
    Files.delete(run.resolve("metrics.json")); // without its metrics the run is made again
    Files.delete(run.resolve("log.txt"));
    Files.createSymbolicLink(run.resolve("log.txt"), victim);
    assertTrue(sweep("out", "--cpu --epochs 1 --grid seed=1").code() != 0);
    assertEquals("precious", Files.readString(victim));
  }
}
