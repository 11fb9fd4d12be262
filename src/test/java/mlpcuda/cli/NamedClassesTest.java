package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import mlpcuda.report.Png;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the names of classes where a network learnt from pictures in a folder for each class. */
class NamedClassesTest {
  private static final String LONG = "a wide bar, across";

  @TempDir static Path tmp;
  private static Path model;
  private static Path bar;

  @BeforeAll
  static void train() throws IOException {
    Path data = tmp.resolve("data");
    for (String name : List.of("upright", LONG)) {
      Files.createDirectories(data.resolve(name));
      for (int i = 0; i < 20; i++) {
        byte[] pixels = new byte[64];
        for (int p = 0; p < 8; p++) {
          int line = 2 + i % 4;
          pixels[name.equals(LONG) ? line * 8 + p : p * 8 + line] = (byte) (200 + i);
        }
        bar = data.resolve(name).resolve(i + ".png");
        Files.write(bar, Png.encode(pixels, 8, 8));
      }
    }
    Path run = tmp.resolve("run");
    Program.succeed(
        Program.words(
            "--cpu --epochs 30 --batch-size 4 --hidden 16 --prepare as-is",
            "--data",
            data,
            "--out",
            run));
    model = run.resolve("model.safetensors");
  }

  @Test
  void predictSaysThem() {
    Program plain = Program.succeed("predict", "--cpu", "--model", model, bar);
    String line = plain.lastLine();
    assertTrue(line.matches(".*: a wide bar, across \\([\\d.]+%; then upright [\\d.]+\\)"), line);
    Program json = Program.succeed("predict", "--cpu", "--json", "--model", model, bar);
    var image = (Map<?, ?>) ((List<?>) Program.json(json.out()).get("images")).get(0);
    assertEquals(0, image.get("class"));
    assertEquals(LONG, image.get("label"));
    var second = (Map<?, ?>) ((List<?>) image.get("likeliest")).get(1);
    assertEquals("upright", second.get("label"));
  }

  @Test
  void theServerSaysThem() throws IOException, InterruptedException {
    try (var serving = new Serving(Program.NO_GPUS, model, "--cpu")) {
      HttpClient client = HttpClient.newHttpClient();
      URI url = URI.create(serving.url());
      String answer =
          client
              .send(
                  HttpRequest.newBuilder(url.resolve("predict"))
                      .POST(BodyPublishers.ofFile(bar))
                      .build(),
                  BodyHandlers.ofString())
              .body();
      assertEquals(LONG, Program.json(answer).get("label"));
      String described =
          client
              .send(HttpRequest.newBuilder(url.resolve("model")).build(), BodyHandlers.ofString())
              .body();
      assertEquals(List.of(LONG, "upright"), Program.json(described).get("labels"));
    }
  }

  @Test
  void rowsAreAnsweredAsPictures() {
    Program rows =
        Program.succeed("predict", "--cpu", "--model", model, "--data", tmp.resolve("data"));
    assertEquals(40, rows.lines().size());
    assertTrue(rows.out().contains(": " + LONG + " ("), rows.out());
  }

  @Test
  @Tag("long")
  void theReportShowsThem() {
    try (Browser browser = Browser.open()) {
      browser.show(model.resolveSibling("report.html").toUri().toString(), 1400, 900, false);
      browser.assertNoComplaints();
      assertEquals(
          List.of("a wide ba…", "upright"),
          browser.script(
              "return [...document.querySelectorAll('#confusion th[scope=col]')]"
                  + ".map(h => h.textContent)"));
      assertEquals(
          LONG, browser.script("return document.querySelector('#confusion th[scope=row]').title"));
      String training =
          browser.script("return document.querySelector('#training').textContent").toString();
      assertTrue(training.contains("upright"), training);
      String cell =
          browser.script("return document.querySelector('#cell h2').textContent").toString();
      assertTrue(cell.startsWith("True "), cell);
      assertFalse(cell.matches("True \\d.*"), cell);
    }
  }
}
