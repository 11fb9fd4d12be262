package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import mlpcuda.Dataset;
import mlpcuda.Device;
import mlpcuda.Evaluation;
import mlpcuda.Model;
import mlpcuda.Network;
import mlpcuda.Prediction;
import mlpcuda.model.Committee;
import mlpcuda.model.ModelFile;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.InkWidth;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the training of committees, and all that is asked of them afterwards. */
class CommitteeCommandTest {
  private static final String LINE =
      "--members 3 --member-widths 4,as-is --hidden 6 --epochs 2 --batch-size 16 --dropout 0.1"
          + " --validation 10 --threads 2 --seed 5 ";

  private static final String HINT = "'mlp-cuda train --help' lists the options.";

  @TempDir private Path tmp;
  private Path data;

  @BeforeEach
  void makeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
  }

  private Program train(BooleanSupplier stopping, String name, String line) {
    return Program.run(
        Program.NO_GPUS, stopping, Program.words(line, "--data", data, "--out", tmp.resolve(name)));
  }

  private Path trained(String name, String line) {
    Program program = train(() -> false, name, line);
    assertEquals(0, program.code(), program.err());
    return tmp.resolve(name).resolve("model.safetensors");
  }

  private Program goOn(BooleanSupplier stopping, String name, String options) {
    return Program.run(
        Program.NO_GPUS,
        stopping,
        Program.words("train " + options, "--resume", tmp.resolve(name), "--data", data));
  }

  private byte[] model(String name) throws IOException {
    return Files.readAllBytes(tmp.resolve(name).resolve("model.safetensors"));
  }

  /** A condition that stops whatever asks for the {@code step}-th time, from 1, and later. */
  private static BooleanSupplier before(int step) {
    var asked = new AtomicInteger();
    return () -> asked.incrementAndGet() >= step;
  }

  @Test
  void membersDifferBySeedAndWidth() throws IOException {
    Program program = train(() -> false, "run", LINE);
    assertEquals(0, program.code(), program.err());
    assertEquals("", program.err());
    assertTrue(program.out().contains("\nA committee of 3 such networks, up to 2 at once\n"));
    Committee committee = Committee.read(tmp.resolve("run/model.safetensors"));
    assertEquals(3, committee.size());
    var widths = committee.members().stream().map(m -> ((ImageForm) m.form()).inkWidth()).toList();
    assertEquals("4,as-is,4", InkWidth.labels(widths));
    Set<Float> first = new HashSet<>();
    for (int i = 0; i < 3; i++) {
      ModelFile member = committee.members().get(i);
      first.add(member.weights().get(0)[0]);
      Path own = tmp.resolve("run/member-" + (i + 1));
      ModelFile alone = ModelFile.read(own.resolve("model.safetensors"));
      assertEquals(alone.form(), member.form());
      for (int t = 0; t < 4; t++) {
        assertArrayEquals(alone.weights().get(t), member.weights().get(t));
      }
      assertTrue(Files.readString(own.resolve("log.txt")).contains("Epoch 2/2: "));
    }
    assertEquals(3, first.size(), "each member must have weights of its own");

    Map<String, Object> metrics = Program.json(Files.readString(tmp.resolve("run/metrics.json")));
    List<?> members = (List<?>) metrics.get("members");
    for (int i = 0; i < 3; i++) {
      Map<?, ?> member = (Map<?, ?>) members.get(i);
      Map<String, Object> own =
          Program.json(
              Files.readString(tmp.resolve("run/member-%d/metrics.json".formatted(i + 1))));
      assertEquals(5 + i, ((Number) member.get("seed")).intValue());
      for (String set : List.of("test", "validation")) {
        assertEquals(((Map<?, ?>) own.get(set)).get("accuracy"), member.get(set + "_accuracy"));
        assertEquals(((Map<?, ?>) own.get(set)).get("loss"), member.get(set + "_loss"));
      }
    }
    assertTrue(Files.readString(tmp.resolve("run/report.html")).contains("a committee of 3"));
    Program evaluated =
        Program.succeed(
            "evaluate", "--cpu", "--model", tmp.resolve("run/model.safetensors"), "--data", data);
    assertEquals(program.lastLine(), evaluated.lastLine());
    assertTrue(
        evaluated.lines().contains("The probabilities of 3 such networks are averaged."),
        evaluated.out());
  }

  /** The first member is the single run of its seed and threads. */
  @Test
  void theFirstMemberIsTheSingleRun() throws IOException {
    trained("run", LINE.replace("--member-widths 4,as-is", ""));
    trained(
        "alone", LINE.replaceAll("--member\\S+ \\S+", "").replace("--threads 2", "--threads 1"));
    assertArrayEquals(model("alone"), model("run/member-1"));
  }

  /**
   * Wherever the training is stopped, in a member or between two of them, it goes on to the bytes
   * of one that was not; members that are done are not trained again.
   */
  @Test
  void stoppedAnywhereItEndsWithTheSameBytes() throws IOException {
    String line = LINE + "--parallel 1 --checkpoint-every 2 ";
    var asked = new AtomicInteger();
    Program whole =
        train(
            () -> {
              asked.incrementAndGet();
              return false;
            },
            "whole",
            line);
    assertEquals(0, whole.code(), whole.err());
    int all = asked.get();
    assertTrue(all > 15, "each step and each member asks");
    for (int k = 1; k <= all; k++) {
      String name = "before " + k;
      Program stopped = train(before(k), name, line);
      if (stopped.code() == 0) { // the last question is after the last step
        assertEquals(all, k);
        break;
      }
      assertEquals(130, stopped.code(), stopped.err());
      assertTrue(
          stopped
              .err()
              .matches("stopped with \\d of 3 members done; --resume '.*' --data .* goes on\n"),
          stopped.err());
      Program resumed = goOn(() -> false, name, "");
      assertEquals(0, resumed.code(), resumed.err());
      assertArrayEquals(model("whole"), model(name), name);
      assertEquals(whole.lastLine(), resumed.lastLine());
      int done = Integer.parseInt(stopped.err().replaceAll("(?s)stopped with (\\d) .*", "$1"));
      for (int i = 1; i <= 3; i++) {
        assertEquals(i > done, resumed.out().contains("member-" + i + ": done."), resumed.out());
      }
    }
  }

  /** Several at once, stopped again and again, end with the bytes of a run that is not. */
  @Test
  void severalAtOnceStoppedAgainAndAgain() throws IOException {
    String line = LINE + "--parallel 3 ";
    trained("whole", line);
    Program part = train(before(6), "parts", line);
    for (int n = 0; n < 200 && part.code() == 130; n++) {
      part = goOn(before(7), "parts", "--parallel 2");
    }
    assertEquals(0, part.code(), part.err());
    assertArrayEquals(model("whole"), model("parts"));
  }

  /** The number of members at once changes nothing where each has as many threads. */
  @Test
  void theNumberAtOnceDoesNotMatter() throws IOException {
    trained("one", LINE.replace("--threads 2", "--threads 1"));
    trained("three", LINE.replace("--threads 2", "--threads 3"));
    trained("parallel", LINE.replace("--threads 2", "--threads 1 --parallel 2"));
    assertArrayEquals(model("one"), model("three"));
    assertArrayEquals(model("one"), model("parallel"));
  }

  /** On a GPU each member has a stream of its own; the emulator finds what is not released. */
  @Test
  void onAGpu() throws IOException {
    String line = LINE.replace("--threads 2", "--gpu 0");
    for (int parallel : new int[] {1, 2}) {
      Program program =
          Program.run(
              GpuCommandsTest.WITH_CUBLAS,
              Program.words(
                  line + "--parallel " + parallel,
                  "--data",
                  data,
                  "--out",
                  tmp.resolve("gpu" + parallel)));
      assertEquals(0, program.code(), program.err());
    }
    assertArrayEquals(model("gpu1"), model("gpu2"));
    Program stopped =
        Program.run(
            GpuCommandsTest.WITH_CUBLAS,
            before(5),
            Program.words(line, "--data", data, "--out", tmp.resolve("parts")));
    assertEquals(130, stopped.code(), stopped.err());
    Program resumed =
        Program.run(
            GpuCommandsTest.WITH_CUBLAS,
            () -> false,
            "train",
            "--resume",
            tmp.resolve("parts"),
            "--data",
            data);
    assertEquals(0, resumed.code(), resumed.err());
    assertArrayEquals(model("gpu1"), model("parts"));
  }

  /** A killed process leaves what its checkpoints hold: here none of the third member. */
  @Test
  void goesOnWhereAMemberNeverBegan() throws IOException {
    trained("run", LINE);
    byte[] whole = model("run");
    Files.delete(tmp.resolve("run/model.safetensors"));
    Files.delete(tmp.resolve("run/metrics.json"));
    Files.delete(tmp.resolve("run/member-3/checkpoint.safetensors"));
    Files.delete(tmp.resolve("run/member-2/model.safetensors"));
    Program resumed = goOn(() -> false, "run", "");
    assertEquals(0, resumed.code(), resumed.err());
    assertArrayEquals(whole, model("run"));
  }

  @Test
  void aLongerCommitteeIsOneThatWasBegunAsLong() throws IOException {
    trained("long", LINE.replace("--epochs 2", "--epochs 3"));
    trained("run", LINE);
    assertNotEquals(List.of(model("long")), List.of(model("run")));
    Program more = goOn(() -> false, "run", "--epochs 3");
    assertEquals(0, more.code(), more.err());
    assertArrayEquals(model("long"), model("run"));
    Program again = goOn(() -> false, "run", "");
    assertEquals(0, again.code(), again.err());
    assertFalse(again.out().contains("member-1: "), "nothing is trained again");
    Program shorter = goOn(() -> false, "run", "--epochs 1");
    assertEquals(2, shorter.code());
    assertTrue(
        shorter
            .err()
            .startsWith("Invalid value for option '--epochs': must be at least 3, because"),
        shorter.err());
  }

  @Test
  void aFinishedCommitteeIsReplacedOnlyIfAsked() throws IOException {
    trained("run", LINE);
    byte[] before = model("run");
    for (String line : List.of(LINE, "--epochs 1 --hidden 6 ")) {
      Program refused = train(() -> false, "run", line);
      assertEquals(2, refused.code());
      assertTrue(refused.err().contains("--overwrite replaces it"), refused.err());
    }
    trained("run", LINE.replace("--seed 5", "--seed 6") + "--overwrite");
    assertNotEquals(List.of(before), List.of(model("run")));
    trained("run", "--epochs 1 --hidden 6 --overwrite");
    assertEquals(1, Committee.read(tmp.resolve("run/model.safetensors")).size());
    Program alone = goOn(() -> false, "run", ""); // the single run that the folder holds now
    assertEquals(0, alone.code(), alone.err());
    assertTrue(alone.out().contains("is finished, after 1 epoch"), alone.out());
  }

  @Test
  void aTryWritesNothing() {
    Program program = Program.succeed(Program.words(LINE + "--dry-run", "--data", data, "--json"));
    Map<String, Object> metrics = Program.json(program.out());
    assertEquals(3, ((List<?>) metrics.get("members")).size());
    assertTrue(program.err().contains("member-3: done. Test set: "), program.err());
  }

  /** evaluate, predict, serve and the library answer the same, the mean of the members'. */
  @Test
  void allAnswerTheMeanOfTheMembers() throws IOException, InterruptedException {
    Path model = trained("run", LINE);
    Path images = data.resolve("t10k-images-idx3-ubyte");
    Map<String, Object> predicted =
        Program.json(
            Program.succeed("predict", "--cpu", "--json", "--raw", "--model", model, images).out());
    Map<String, Object> evaluated =
        Program.json(
            Program.succeed("evaluate", "--cpu", "--json", "--model", model, "--data", data).out());
    Path picture =
        Files.writeString(tmp.resolve("p.pgm"), "P2 7 5 255\n" + "9 0 0 90 200 7 0\n".repeat(5));
    Map<?, ?> ofPicture =
        (Map<?, ?>)
            ((List<?>)
                    Program.json(
                            Program.succeed(
                                    "predict", "--cpu", "--json", "--raw", "--model", model,
                                    picture)
                                .out())
                        .get("images"))
                .get(0);
    try (Device device = Device.cpu(1);
        Model committee = Network.load(model).on(device)) {
      var tests = Dataset.read(data).test();
      List<Prediction> mean = committee.predictAll(tests);
      List<?> answers = (List<?>) predicted.get("images");
      double[][] probabilities = new double[tests.size()][3];
      for (Network member : committee.network().members()) {
        try (Model alone = member.on(device)) {
          List<Prediction> own = alone.predictAll(tests);
          for (int i = 0; i < tests.size(); i++) {
            for (int c = 0; c < 3; c++) {
              probabilities[i][c] += own.get(i).probabilities()[c] / 3;
            }
          }
        }
      }
      for (int i = 0; i < tests.size(); i++) {
        assertArrayEquals(probabilities[i], mean.get(i).probabilities(), 1e-6);
        assertArrayEquals(
            mean.get(i).probabilities(), committee.predict(tests.pixels(i)).probabilities(), 1e-6);
        float[] lights = tests.values(i);
        for (int p = 0; p < lights.length; p++) {
          lights[p] /= 255;
        }
        assertArrayEquals(
            mean.get(i).probabilities(), committee.predict(lights).probabilities(), 1e-5);
        Map<?, ?> answer = (Map<?, ?>) answers.get(i);
        assertEquals(mean.get(i).probability(), (double) answer.get("probability"), 1e-6);
      }
      Evaluation evaluation = committee.evaluate(tests);
      assertEquals(evaluation.accuracy(), (double) evaluated.get("accuracy"));
      assertEquals(evaluation.loss(), (double) evaluated.get("loss"), 1e-6);
    }
    try (var serving = new Serving(Program.NO_GPUS, model, "--cpu")) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(serving.url() + "predict?raw=true"))
              .POST(BodyPublishers.ofFile(picture))
              .build();
      String body = HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
      assertEquals(ofPicture.get("likeliest"), Program.json(body).get("likeliest"), body);
      assertEquals(0, serving.stop().code());
    }
  }

  /** Members of a committee for a table are asked about rows. */
  @Test
  void tablesHaveCommitteesWithoutWidths() throws IOException {
    Path iris = Path.of("src/test/resources/mlpcuda/input/iris.csv");
    Path out = tmp.resolve("iris");
    Object[] line = Program.words("--cpu --members 2 --epochs 2", "--data", iris, "--out", out);
    Program program = Program.succeed(line);
    Path model = out.resolve("model.safetensors");
    Program predicted = Program.succeed("predict", "--cpu", "--model", model, "--data", iris);
    assertEquals(150, predicted.lines().size());
    Program.run(Program.words("--cpu --members 2 --member-widths 9", "--data", iris))
        .assertRefused(
            2,
            "Invalid value for option '--member-widths': must be of grey images whose pixels are"
                + " bytes, found examples of 4 columns",
            HINT);
    Program.run("evaluate", "--cpu", "--model", model, "--data", iris, "--importance")
        .assertRefused(
            2,
            "--importance is of one network, and " + model + " has a committee of 2",
            "'mlp-cuda evaluate --help' lists the options.");
    assertTrue(program.lastLine().startsWith("Test set: "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--members 1|Invalid value for option '--members': must be from 2 to 1000, found 1",
        "--members 2000|Invalid value for option '--members': must be from 2 to 1000, found 2000",
        "--members 2 --member-widths 1,2,3|Invalid value for option '--member-widths': must be at"
            + " most as many as the 2 members, found 3",
        "--members 2 --member-widths 8|Invalid value for option '--member-widths': must be at most"
            + " the 7 columns of an image, found 8",
        "--members 2 --member-widths 0|Invalid value for option '--member-widths': must be a number"
            + " of pixels from 1, or as-is, found 0",
        "--member-widths 3|--member-widths and --parallel need --members, found none",
        "--parallel 3|--member-widths and --parallel need --members, found none",
        "--members 2 --init x|Invalid value for option '--init': must not be given for a committee,"
            + " whose members begin with weights of their own",
        "--members 2 --importance|Invalid value for option '--importance': must not be asked for of"
            + " a committee",
      })
  void refusals(String line, String message) {
    Path out = tmp.resolve("refused");
    Program program =
        Program.run(Program.words("train --cpu --epochs 1 " + line, "--data", data, "--out", out));
    assertEquals(List.of(message, HINT), program.err().lines().toList());
    assertEquals(2, program.code());
    assertFalse(Files.exists(out.resolve("committee.json")));
  }

  @Test
  void whatNeedsOneNetworkRefusesACommittee() throws IOException {
    Path model = trained("run", LINE);
    String holds =
        model + ": the file holds the networks of a committee, and one network is needed";
    Program program =
        Program.run(
            Program.words(
                "train --cpu --epochs 1 --hidden 6",
                "--data",
                data,
                "--init",
                model,
                "--out",
                tmp));
    assertEquals(4, program.code());
    assertEquals(holds + " here\n", program.err());
    Program.run("export", "--model", model, "--onnx", tmp.resolve("m.onnx"))
        .assertRefused(
            4,
            model
                + ": a network of it sees the ink of images in another width, which an ONNX model"
                + " cannot do; export a committee without widths");
    Program swept =
        Program.run(
            Program.words("sweep --grid members=2,3", "--data", data, "--out", tmp.resolve("s")));
    assertEquals(2, swept.code());
    assertTrue(swept.err().contains("found --members"), swept.err());
    assertEquals(
        "a committee of 3 such networks", Program.succeed("summary", "--model", model).lastLine());
    Program.run("lr-find", "--cpu", "--members", 2)
        .assertRefused(
            2, "Unknown options: '--members', '2'", "'mlp-cuda lr-find --help' lists the options.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{}", "null", "[]", "{\"version\": 1, \"members\": 2}"})
  void damagedPlansAreRefused(String text) throws IOException {
    Path folder = Files.createDirectories(tmp.resolve("damaged"));
    Path file = Files.writeString(folder.resolve("committee.json"), text);
    Program.run("train", "--resume", folder)
        .assertRefused(
            4, file + ": it must be what training a committee writes, found something else");
  }

  /** A plan that came from somebody else does not choose what is read. */
  @Test
  void placesOutsideOfTheFolderAreNamedAgain() {
    trained("run", LINE);
    Program refused = Program.run("train", "--resume", tmp.resolve("run"));
    assertEquals(2, refused.code());
    assertTrue(refused.err().contains("which is outside of that folder"), refused.err());
  }
}
