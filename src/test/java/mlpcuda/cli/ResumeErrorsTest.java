package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.Child;
import mlpcuda.model.Checkpoint;
import mlpcuda.report.Tables;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the errors of resuming: each gives a line and a code, and nothing is lost. */
class ResumeErrorsTest {
  private static final String LINE =
      "train --hidden 6 --batch-size 16 --epochs 3 --threads 1 --validation 13 --checkpoint-every 2";
  private static final int PER_EPOCH = 3; // 37 examples

  @TempDir private Path tmp;
  private Path data;
  private Path run;
  private Path checkpoint;

  @BeforeEach
  void beginAndStop() throws IOException {
    data = ResumeTest.hardData(tmp.resolve("data"));
    run = tmp.resolve("run");
    checkpoint = run.resolve("checkpoint.safetensors");
    assertEquals(130, begin(run, stopBefore(5), LINE).code());
  }

  private static BooleanSupplier stopBefore(int step) {
    var asked = new AtomicInteger();
    return () -> asked.incrementAndGet() >= step;
  }

  private Program begin(Path folder, BooleanSupplier stopping, String line) {
    return Program.run(
        Program.NO_GPUS, stopping, Program.words(line, "--data", data, "--out", folder));
  }

  private Program resume() {
    return Program.run("train", "--resume", run, "--data", data);
  }

  /** Asserts one line and that code, with no output but the position of the run. */
  private static String refused(Program program, int code, String hint) {
    assertEquals(code, program.code(), () -> hint + ": " + program.err());
    assertEquals(1, program.err().lines().count(), () -> hint + ": " + program.err());
    return program.err().strip();
  }

  private byte[] wholeModel() throws IOException {
    Path whole = tmp.resolve("whole");
    assertEquals(0, begin(whole, () -> false, LINE).code());
    return Files.readAllBytes(whole.resolve("model.safetensors"));
  }

  private void assertGoesOn() throws IOException {
    byte[] expected = wholeModel();
    Program resumed = resume();
    assertEquals(0, resumed.code(), resumed.err());
    assertArrayEquals(expected, Files.readAllBytes(run.resolve("model.safetensors")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--lr=0.1",
        "--out=elsewhere",
        "--seed=1",
        "--batch-size=16",
        "--checkpoint-every=2",
        "--validation=13",
        "--save-best",
        "--dry-run",
        "--no-shuffle",
        "--log-interval=1",
        "--precision=fp32",
      })
  void otherOptions(String option) throws IOException {
    byte[] before = Files.readAllBytes(checkpoint);
    Program.run("train", "--resume", run, option)
        .assertRefused(
            2,
            "--resume goes on with the run's own options, found " + option.replaceFirst("=.*", ""),
            "'mlp-cuda train --help' lists the options.");
    assertArrayEquals(before, Files.readAllBytes(checkpoint));
  }

  @Test
  void noCheckpoint() throws IOException {
    Path empty = Files.createDirectories(tmp.resolve("empty"));
    Path file = Files.writeString(tmp.resolve("file"), "");
    for (Path folder : List.of(empty, tmp.resolve("none"), file)) {
      String error = refused(Program.run("train", "--resume", folder), 4, folder.toString());
      assertTrue(error.startsWith(folder.resolve("checkpoint.safetensors") + ": "), error);
    }
    // A model is not a checkpoint.
    Files.copy(run.resolve("model.safetensors"), empty.resolve("checkpoint.safetensors"));
    String error = refused(Program.run("train", "--resume", empty), 4, "a model");
    assertTrue(error.contains("mlp-cuda-checkpoint"), error);
  }

  @Test
  void aDamagedCheckpoint() throws IOException {
    byte[] good = Files.readAllBytes(checkpoint);
    for (int length : new int[] {0, 1, 7, 8, 9, 100, good.length / 2, good.length - 1}) {
      Files.write(checkpoint, Arrays.copyOf(good, length));
      String error = refused(resume(), 4, "the first " + length + " bytes");
      assertTrue(error.startsWith(checkpoint.toString()), error);
    }
    Files.write(checkpoint, Arrays.copyOf(good, good.length + 1));
    refused(resume(), 4, "a byte more");
    for (int i = 0; i < good.length; i += 61) {
      byte[] bad = good.clone();
      bad[i] ^= 1;
      Files.write(checkpoint, bad);
      refused(resume(), 4, "byte " + i);
    }
    Files.write(checkpoint, good);
    assertGoesOn();
  }

  /**
   * A changed example is refused, whichever it is: those held back tell when to end, and which
   * epoch is the best.
   */
  @Test
  void anExampleThatChanged() throws IOException {
    for (String name : List.of("train-images-idx3-ubyte", "train-labels-idx1-ubyte")) {
      boolean images = name.contains("images");
      Path file = data.resolve(name);
      byte[] good = Files.readAllBytes(file);
      for (int i = 0; i < 50; i += images ? 2 : 7) {
        byte[] bad = good.clone();
        int at = images ? 16 + i * 35 + i % 35 : 8 + i;
        bad[at] = (byte) (images ? bad[at] ^ 1 : (bad[at] + 1) % 3);
        Files.write(file, bad);
        assertEquals(
            checkpoint
                + ": the training examples must be those that the run began with, found others",
            refused(resume(), 4, name + " " + i));
      }
      Files.write(file, good);
    }
    assertGoesOn();
  }

  @Test
  void dataOfOtherSizes() throws IOException {
    String before =
        checkpoint + ": the training examples must be those that the run began with, found others";
    Path images = data.resolve("train-images-idx3-ubyte");
    byte[] good = Files.readAllBytes(images);
    // The bytes become images with other sides, in the training and in the test set.
    for (String name : List.of("train-images-idx3-ubyte", "t10k-images-idx3-ubyte")) {
      byte[] turned = Files.readAllBytes(data.resolve(name));
      turned[11] = 7;
      turned[15] = 5;
      Files.write(data.resolve(name), turned);
    }
    assertEquals(before, refused(resume(), 4, "7x5"));
    for (int train : new int[] {49, 51, 13, 14}) {
      Program.writeData(data, 5, 7, 3, train, 20);
      String error = refused(resume(), 4, train + " examples");
      assertTrue(error.startsWith(checkpoint.toString()), error);
    }
    Program.writeData(data, 5, 7, 4, 50, 20);
    refused(resume(), 4, "4 classes");
    Program.writeData(data, 4, 7, 3, 50, 20);
    refused(resume(), 4, "4x7");
    Files.write(images, Arrays.copyOf(good, good.length - 1));
    refused(resume(), 4, "a byte is missing");
    Files.move(data, tmp.resolve("moved"));
    refused(resume(), 4, "no data");
    Files.move(tmp.resolve("moved"), data);
    ResumeTest.hardData(data);
    assertGoesOn();
  }

  /**
   * Having fewer examples than --subset asks for is an error of the data, not of the command line.
   */
  @Test
  void fewerExamplesThanTheSubset() {
    run = tmp.resolve("subset");
    assertEquals(130, begin(run, stopBefore(2), "--subset 40 --hidden none").code());
    Program.writeData(data, 5, 7, 3, 39, 20);
    String error = refused(resume(), 4, "39 examples");
    assertTrue(error.startsWith(run.resolve("checkpoint.safetensors") + ": "), error);
    assertTrue(error.contains("subset: must be at most the 39 training examples"), error);
  }

  /** The test set only judges: another one changes nothing of what is learnt. */
  @Test
  void anotherTestSetIsNoHindrance() throws IOException {
    byte[] expected = wholeModel();
    Path labels = data.resolve("t10k-labels-idx1-ubyte");
    byte[] bytes = Files.readAllBytes(labels);
    bytes[8] = (byte) ((bytes[8] + 1) % 3);
    Files.write(labels, bytes);
    assertEquals(0, resume().code());
    assertArrayEquals(expected, Files.readAllBytes(run.resolve("model.safetensors")));
  }

  @Test
  void aMachineWithoutTheGpuThatItHad() throws IOException {
    Path gpu = tmp.resolve("gpu");
    Object[] words =
        Program.words("train --hidden 6 --batch-size 16 --epochs 3", "--data", data, "--out", gpu);
    assertEquals(130, Program.run(GpuCommandsTest.WITH_CUBLAS, stopBefore(3), words).code());
    byte[] before = Files.readAllBytes(gpu.resolve("checkpoint.safetensors"));
    Program.run("train", "--resume", gpu, "--data", data)
        .assertRefused(3, "no GPU 0 for a test of the CPU", "Look elsewhere.");
    assertArrayEquals(before, Files.readAllBytes(gpu.resolve("checkpoint.safetensors")));
  }

  /** A checkpoint of somebody else must not choose what is read, fetched or written. */
  @Test
  void aCheckpointDoesNotLeadOutOfItsFolder() throws IOException {
    Path events = tmp.resolve("events");
    Path link = Files.createSymbolicLink(run.resolve("link"), Files.createDirectory(events));
    List<List<String>> planted =
        List.of(
            List.of("--tensorboard", events.toString()),
            List.of("--tensorboard", link.toString()),
            List.of("--tensorboard", link + "/deeper"),
            List.of("--tensorboard", link + "/../missing"),
            List.of("--tensorboard", run + "/missing/../../events"),
            List.of("--tensorboard", "/"),
            List.of("--dataset", "kmnist"),
            List.of("--data", tmp.resolve("other data").toString()));
    for (List<String> option : planted) {
      writeState(state -> planted(state, option.get(0), option.get(1)));
      byte[] before = Files.readAllBytes(checkpoint);
      String value = option.get(1).contains(" ") ? "'" + option.get(1) + "'" : option.get(1);
      Object[] dataGiven =
          option.get(0).equals("--tensorboard") ? new Object[] {"--data", data} : new Object[0];
      Program.run(
              Program.words(
                  "train --resume", Stream.concat(Stream.of(run), Stream.of(dataGiven)).toArray()))
          .assertRefused(
              2,
              "--resume %s: its checkpoint has %s %s, which is outside of that folder; repeat the option if that is meant"
                  .formatted(run, option.get(0), value),
              "'mlp-cuda train --help' lists the options.");
      assertArrayEquals(before, Files.readAllBytes(checkpoint), option.toString());
      try (Stream<Path> files = Files.list(events)) {
        assertEquals(0, files.count(), option.toString());
      }
    }
    // Inside of the folder, events are written as the run asked for them.
    writeState(state -> planted(state, "--tensorboard", run + "/events"));
    assertEquals(0, resume().code());
    assertTrue(Files.isDirectory(run.resolve("events")));
  }

  /** A state as a run with that option writes it, in place of what it had. */
  private static String planted(String state, String option, String value) {
    String quoted = Matcher.quoteReplacement("\"" + value + "\"");
    return switch (option) {
      case "--tensorboard" ->
          state.replaceFirst("\"tensorboard\":(null|\"[^\"]*\")", "\"tensorboard\":" + quoted);
      case "--data" ->
          state
              .replaceFirst("\"tensorboard\":\"[^\"]*\"", "\"tensorboard\":null")
              .replaceFirst(
                  "\"source\":\"[a-z]*\",.*?,\"transpose\"",
                  "\"source\":\"folder\",\"path\":" + quoted + ",\"classes\":null,\"transpose\"");
      default ->
          state
              .replaceFirst("\"tensorboard\":\"[^\"]*\"", "\"tensorboard\":null")
              .replaceFirst(
                  "\"source\":\"[a-z]*\",.*?,\"transpose\"",
                  "\"source\":\"published\",\"name\":" + quoted + ",\"transpose\"");
    };
  }

  /** The device's description in a checkpoint, and names of files, must not command a terminal. */
  @Test
  void whatAFileSaysCommandsNoTerminal() throws IOException {
    String evil = "\\u001b]0;title\\u0007\\u009b2J\\u202ecod.exe\\r\\nSaved";
    writeState(
        state ->
            state.replaceFirst(
                "\"began_on\":\"[^\"]*", "\"began_on\":\"" + Matcher.quoteReplacement(evil)));
    Program resumed = resume();
    assertEquals(0, resumed.code(), resumed.err());
    String shown = "may differ: \\u001b]0;title\\u0007\\u009b2J\\u202ecod.exe\\u000d\\u000aSaved\n";
    assertTrue(resumed.out().contains(shown), resumed.out());
  }

  private void writeState(UnaryOperator<String> change) throws IOException {
    Checkpoint good = Checkpoint.read(checkpoint);
    String changed = change.apply(good.state());
    assertTrue(!changed.equals(good.state()), "the change must be one");
    new Checkpoint(
            good.shape(), good.form(), good.weights(), good.m(), good.v(), good.best(), changed)
        .write(checkpoint);
  }

  /** States with a right checksum that no run writes must not cause an internal failure. */
  @Test
  void aStateThatNoRunWrites() throws IOException {
    var changes = new ArrayList<UnaryOperator<String>>();
    for (String text : List.of("", "{}", "[]", "null", "1", "{", "{\"args\": []}", "\u0000")) {
      changes.add(state -> text);
    }
    for (String args :
        List.of(
            "",
            "\"--nonsense\"",
            "\"evaluate\",\"--model\",\"x\"",
            "\"--help\"",
            "\"--version\"",
            "\"train\",\"--resume\",\"x\"",
            "\"train\",\"--dry-run\"",
            "\"train\",\"x\"",
            "\"train\",\"--epochs\",\"-1\"",
            "\"train\",\"--epochs\"",
            "\"train\",\"--data\",\"nowhere\"",
            "\"train\",\"--dataset\",\"nonsense\"",
            "\"train\",\"--gemm\",\"ptx\"",
            "\"train\",\"--nesterov\"",
            "\"train\",\"--save-best\"",
            "null",
            "1",
            "[]",
            "{}",
            "\"train\\n\\u0007\"")) {
      changes.add(state -> ofFormerVersion(state, args));
    }
    for (String change :
        List.of(
            "\"epoch\":2=\"epoch\":0",
            "\"epoch\":2=\"epoch\":-2",
            "\"epoch\":2=\"epoch\":3",
            "\"epoch\":2=\"epoch\":2000000000",
            "\"epoch\":2=\"epoch\":2.5",
            "\"epoch\":2=\"epoch\":99999999999",
            "\"epoch\":2=\"epoch\":null",
            "\"batch\":1=\"batch\":-1",
            "\"batch\":1=\"batch\":3",
            "\"batch\":1=\"batch\":2",
            "\"steps\":4=\"steps\":-4",
            "\"steps\":4=\"steps\":2147483647",
            "\"threads\":1=\"threads\":0",
            "\"threads\":1=\"threads\":-1",
            "\"threads\":1=\"threads\":2000",
            "\"threads\":1=\"gpu\":-2",
            "\"version\":2=\"version\":3",
            "\"version\":2=\"version\":\"2\"",
            "\"hidden\":[6]=\"hidden\":[5]",
            "\"hidden\":[6]=\"hidden\":[0]",
            "\"hidden\":[6]=\"hidden\":[\"6\"]",
            "\"subset\":null=\"subset\":51",
            "\"activation\":\"relu\"=\"activation\":\"tanh\"",
            "\"activation\":\"relu\"=\"activation\":\"nonsense\"",
            "\"scaling\":\"z-score\"=\"scaling\":\"nonsense\"",
            "\"amount\":13.0=\"amount\":50.0",
            "\"amount\":13.0=\"amount\":\"13\"",
            "\"keep_best\":false=\"keep_best\":1",
            "\"monitor\":\"loss\"=\"monitor\":\"luck\"",
            "\"name\":\"adam\"=\"name\":\"eve\"",
            "\"base\":0.001=\"base\":-1",
            "\"schedule\":\"constant\"=\"schedule\":\"nonsense\"",
            "\"batch_size\":16=\"batch_size\":0",
            "\"log_interval\":100=\"log_interval\":0",
            "\"dropout\":[0.0]=\"dropout\":[1.5]",
            "\"dropout\":[0.0]=\"ema\":1.5,\"dropout\":[0.0]",
            "\"dropout\":[0.0]=\"ema\":0.5,\"dropout\":[0.0]",
            "\"dropout\":[0.0]=\"dropout\":[0.1,0.2]",
            "\"source\":\"folder\"=\"source\":\"nonsense\"",
            "\"precision\":\"fp32\"=\"precision\":\"fp64\"",
            "\"step\":\"auto\"=\"step\":\"dance\"",
            "\"launching\":\"graph\"=\"launching\":\"rocket\"",
            "\"command\":[=\"command\":[1,",
            "\"preparation\":null=\"preparation\":\"boiled\"",
            "\"examples\":=\"examples\":1",
            "\"plateau_factor\":\"1.0\"=\"plateau_factor\":1.0",
            "\"plateau_factor\":\"1.0\"=\"plateau_factor\":\"one\"",
            "\"stopping_epochs\":1=\"stopping_epochs\":-1",
            "\"progress\":{=\"progress\":{\"a\":[],\"steps\":{},",
            "\"began_on\":=\"began_on\":null,\"x\":",
            "\"device\":{=\"device\":null,\"x\":{",
            "\"progress\":{=\"progress\":{\"loss_scale\":[\"65536.0\",\"4.0\",\"0.0\",\"0.0\"],",
            "\"loss_sum\"=\"loss_sun\"")) {
      String[] parts = change.split("=");
      changes.add(state -> state.replaceFirst(Pattern.quote(parts[0]), parts[1]));
    }
    byte[] good = Files.readAllBytes(checkpoint);
    for (int i = 0; i < changes.size(); i++) {
      Files.write(checkpoint, good);
      writeState(changes.get(i));
      String state = Checkpoint.read(checkpoint).state();
      refused(resume(), 4, "change " + i + ": " + state);
    }
    Files.write(checkpoint, good);
    assertGoesOn();
  }

  /** A state of the loss scale that no run writes is refused, in a precision that has one. */
  @Test
  void aLossScaleThatNoRunWrites() throws IOException {
    String line = LINE + " --precision fp16";
    run = tmp.resolve("fp16");
    checkpoint = run.resolve("checkpoint.safetensors");
    assertEquals(130, begin(run, stopBefore(5), line).code());
    byte[] good = Files.readAllBytes(checkpoint);
    // The fourth step is the last, and is settled by the next one.
    String state = "\"loss_scale\":[\"65536.0\",\"3.0\",\"0.0\",\"0.0\"]";
    for (String bad :
        List.of(
            "[]",
            "{}",
            "1",
            "\"65536.0\"",
            "[65536.0,4.0,0.0,0.0]",
            "[\"65536.0\",\"4.0\",\"0.0\"]",
            "[\"65536.0\",\"4.0\",\"0.0\",\"0.0\",\"0.0\"]",
            "[\"65537.0\",\"4.0\",\"0.0\",\"0.0\"]",
            "[\"NaN\",\"4.0\",\"0.0\",\"0.0\"]",
            "[\"65536.0\",\"2000.0\",\"0.0\",\"0.0\"]",
            "[\"65536.0\",\"4.0\",\"-1.0\",\"0.0\"]",
            "[\"65536.0\",\"4.0\",\"0.0\",\"2.0\"]",
            "[\"65536.0\",\"4.0\",\"0.0\",null]",
            "[\"65536.0\",\"four\",\"0.0\",\"0.0\"]")) {
      Files.write(checkpoint, good);
      writeState(text -> text.replace(state, "\"loss_scale\":" + bad));
      assertEquals(
          checkpoint + ": its state must be what 'train' writes, found something else",
          refused(resume(), 4, bad));
    }
    for (String none : List.of("\"x\":[]", "\"loss_scale\":null")) {
      Files.write(checkpoint, good);
      writeState(text -> text.replace(state, none));
      assertEquals(
          checkpoint + ": its loss scale must be there, as fp16 needs one, found none",
          refused(resume(), 4, none));
    }
    Files.write(checkpoint, good);
    writeState(text -> text.replace("\"fp16\"", "\"bf16\""));
    assertEquals(
        checkpoint + ": its loss scale must be of fp16 alone, found one with bf16",
        refused(resume(), 4, "bf16"));
    Files.write(checkpoint, good);
    assertEquals(0, begin(tmp.resolve("whole"), () -> false, line).code());
    assertEquals(0, resume().code());
    assertArrayEquals(
        Files.readAllBytes(tmp.resolve("whole/model.safetensors")),
        Files.readAllBytes(run.resolve("model.safetensors")));
  }

  /** The state as version 0.1.0 wrote it, with those arguments as JSON. */
  private static String ofFormerVersion(String state, String args) {
    Map<String, Object> json = Program.json(state);
    var former = new LinkedHashMap<String, Object>();
    former.put("device", json.get("began_on"));
    former.put("gpu", -1);
    former.put("threads", 1);
    for (String name : List.of("examples", "progress", "metrics")) {
      former.put(name, json.get(name));
    }
    return "{\"args\":[" + args + "]," + Tables.json(former).strip().substring(1);
  }

  /** A checkpoint with another network's tensors has a right checksum. */
  @Test
  void aCheckpointOfAnotherNetwork() throws IOException {
    String state = Checkpoint.read(checkpoint).state();
    Path other = tmp.resolve("other");
    begin(other, stopBefore(5), LINE.replace("--hidden 6", "--hidden 5"));
    Files.copy(
        other.resolve("checkpoint.safetensors"), checkpoint, StandardCopyOption.REPLACE_EXISTING);
    writeState(old -> state);
    refused(resume(), 4, "another network");
  }

  /** Runs an action on the folder before a step, and never stops. */
  private static BooleanSupplier sabotage(int step, Runnable deed) {
    var asked = new AtomicInteger();
    return () -> {
      if (asked.incrementAndGet() == step) {
        deed.run();
      }
      return false;
    };
  }

  private interface Deed {
    void run() throws IOException;
  }

  private static Runnable deed(Deed deed) {
    return () -> {
      try {
        deed.run();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    };
  }

  private static Set<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  /**
   * From some step on a file cannot be written: the run ends with a line, and goes on from the
   * checkpoint before that step once the cause is removed.
   */
  @Test
  void writingFailsDuringTheRun() throws IOException {
    byte[] expected = wholeModel();
    for (String name : List.of("model.safetensors", "metrics.json", "metrics.csv", "report.html")) {
      Path folder = tmp.resolve("failing " + name);
      Path file = folder.resolve(name);
      Path aside = tmp.resolve("aside");
      Program failing =
          begin(
              folder,
              sabotage(
                  PER_EPOCH + 2, // a step in the second epoch
                  deed(
                      () -> {
                        Files.move(file, aside);
                        Files.createDirectories(file.resolve("in the way"));
                      })),
              LINE);
      String error = refused(failing, 7, name);
      assertTrue(error.startsWith(file + ": cannot be written: "), error);
      Checkpoint.read(folder.resolve("checkpoint.safetensors"));
      Files.delete(file.resolve("in the way"));
      Files.delete(file);
      Files.move(aside, file);
      Program resumed = Program.run("train", "--resume", folder, "--data", data);
      assertEquals(0, resumed.code(), resumed.err());
      assertArrayEquals(expected, Files.readAllBytes(folder.resolve("model.safetensors")));
      assertEquals(6, names(folder).size(), "nothing else may be left");
    }
  }

  /** The test is for users other than root, who has all permissions. */
  @Test
  void noPermissionToWrite() throws IOException {
    Files.setPosixFilePermissions(run, PosixFilePermissions.fromString("r-xr-xr-x"));
    try {
      assumeTrue(!Files.isWritable(run), "root may write everywhere");
      byte[] before = Files.readAllBytes(checkpoint);
      String error = refused(resume(), 7, "read-only");
      assertEquals(
          "--resume "
              + run
              + ": must be a folder to write to, or a name for a new one, found: no permission to"
              + " write",
          error);
      assertArrayEquals(before, Files.readAllBytes(checkpoint));
    } finally {
      Files.setPosixFilePermissions(run, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    assertGoesOn();
    Path folder = tmp.resolve("failing");
    Program failing =
        begin(
            folder,
            sabotage(
                PER_EPOCH + 2,
                deed(
                    () ->
                        Files.setPosixFilePermissions(
                            folder, PosixFilePermissions.fromString("r-xr-xr-x")))),
            LINE);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    refused(failing, 7, "no permission from the second epoch on");
    run = folder;
    assertGoesOn();
  }

  private static int call(String... command) {
    try (Child child = Child.start(List.of(command))) {
      child.rest();
      return child.exitCode();
    }
  }

  /** The disk is a small file system of its own; where none can be made, the test is skipped. */
  @Test
  void aFullDisk() throws IOException, InterruptedException {
    Path disk = Files.createDirectories(tmp.resolve("disk"));
    assumeTrue(Files.isExecutable(Path.of("/bin/mount")), "no mount");
    assumeTrue(
        call("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk.toString()) == 0,
        "a file system cannot be mounted here");
    try {
      byte[] expected = wholeModel();
      run = disk.resolve("run");
      Path filler = disk.resolve("filler");
      Program failing =
          begin(
              run,
              sabotage(
                  PER_EPOCH + 2,
                  () -> {
                    try {
                      Files.write(filler, new byte[4 << 20]);
                    } catch (IOException e) {
                      assertTrue(e.getMessage().contains("No space"), e.getMessage());
                    }
                  }),
              LINE);
      String error = refused(failing, 7, "full");
      assertTrue(error.contains(": cannot be written: "), error);
      assertTrue(error.contains("No space left on device"), error);
      assertEquals(
          Set.of(
              ".lock",
              "checkpoint.safetensors",
              "model.safetensors",
              "report.html",
              "metrics.json",
              "metrics.csv"),
          names(run));
      // The disk is full from the first write on, and still the checkpoint is there.
      refused(resume(), 7, "still full");
      Files.delete(filler);
      Program resumed = resume();
      assertEquals(0, resumed.code(), resumed.err());
      assertArrayEquals(expected, Files.readAllBytes(run.resolve("model.safetensors")));
    } finally {
      assertEquals(0, call("umount", disk.toString()));
    }
  }
}
