package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests {@code --tta}: the commands that have it answer alike, and refuse what has no copies. */
class CopiesTest {
  private static final String COPIES = " --tta 3 --augment elastic:8:2,translate:1,rotate:20";

  @TempDir private static Path tmp;
  private static Path data;
  private static Path model;

  @BeforeAll
  static void train() throws IOException {
    data = Program.writeData(tmp.resolve("data"), 8, 8, 3, 60, 30);
    Program.succeed(
        Program.words("--cpu --hidden 6 --epochs 3 --data", data, "--out", tmp.resolve("run")));
    model = tmp.resolve("run/model.safetensors");
  }

  private static Program evaluate(String options) {
    return Program.succeed(
        Program.words("evaluate --cpu --quiet" + options, "--model", model, "--data", data));
  }

  /** The answers to the test images, a line each. */
  private static List<String> predict(String options) throws IOException {
    Path csv = tmp.resolve("answers.csv");
    Program.succeed(
        Program.words("predict --cpu" + options, "--model", model, "--data", data, "--csv", csv));
    return Files.readAllLines(csv);
  }

  @Test
  void copiesChangeAnswersAndAreTheSameEachTime() throws IOException {
    String plain = evaluate("").lastLine();
    String copies = evaluate(COPIES).lastLine();
    assertNotEquals(plain, copies);
    assertEquals(copies, evaluate(COPIES).lastLine());
    assertEquals(copies, evaluate(COPIES + " --test-batch-size 7").lastLine());
    assertEquals(plain, evaluate(" --tta 1 --augment rotate:0").lastLine());
    assertNotEquals(predict(""), predict(COPIES));
    assertEquals(predict(COPIES), predict(COPIES));
  }

  @Test
  void aGpuAnswersAsTheCpuDoes() {
    Program gpu =
        Program.run(
            GpuCommandsTest.DRIVER_ALONE,
            Program.words("evaluate --gpu 0 --quiet" + COPIES, "--model", model, "--data", data));
    assertEquals(0, gpu.code(), gpu.err());
    assertEquals(evaluate(COPIES).lastLine(), gpu.lastLine());
  }

  /** The page and the program give an image the same probabilities. */
  @Test
  void serveAnswersAsPredictDoes() throws IOException, InterruptedException {
    Path png = tmp.resolve("image.png");
    Program.succeed(
        Program.words(
            "distort --cpu --augment rotate:0 --images 1 --epochs 1 --data", data, "--png", png));
    Program predicted =
        Program.succeed(
            Program.words("predict --cpu --json --prepare as-is" + COPIES, "--model", model, png));
    Map<?, ?> expected = (Map<?, ?>) ((List<?>) Program.json(predicted.out()).get("images")).get(0);
    try (var serving = new Serving(Program.NO_GPUS, model, "--cpu --prepare as-is" + COPIES)) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(serving.url() + "predict"))
              .POST(BodyPublishers.ofFile(png))
              .build();
      HttpClient client = HttpClient.newHttpClient();
      Map<String, Object> found =
          Program.json(client.send(request, BodyHandlers.ofString()).body());
      for (String key : List.of("class", "probability", "likeliest")) {
        assertEquals(expected.get(key), found.get(key), key);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--augment rotate:5|--augment needs --tta, found none",
        "--tta 0|Invalid value for option '--tta': must be a whole number from 1 to 2147483647",
        "--tta 2 --augment none|Invalid value for option '--augment': must be some of"
      })
  void wrongOptionsAreRefused(String options, String why) {
    for (String command : List.of("evaluate", "predict", "serve")) {
      Program refused = Program.run(Program.words(command + " --cpu " + options, "--model", model));
      assertEquals(2, refused.code(), command);
      assertTrue(refused.err().startsWith(why), refused.err());
    }
  }

  @Test
  void aTableHasNoCopies() throws IOException {
    Path table =
        Files.writeString(
            tmp.resolve("pets.csv"),
            "weight,label\n4,cat\n3,dog\n9,dog\n8,cat\n7,cat\n6,dog\n5,cat\n2,dog\n");
    Path out = tmp.resolve("table-run");
    Program.succeed(Program.words("--cpu --epochs 1 --hidden 4 --data", table, "--out", out));
    Path network = out.resolve("model.safetensors");
    for (String command : List.of("evaluate", "predict")) {
      Program refused =
          Program.run(
              Program.words(command + " --cpu --tta 2", "--model", network, "--data", table));
      assertEquals(2, refused.code(), command);
      String why = "--tta is for networks of images, and that of " + network + " takes numbers\n";
      assertTrue(refused.err().startsWith(why), refused.err());
    }
  }
}
