package mlpcuda.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.data.Column;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.Layout;
import mlpcuda.data.View;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Pass;
import mlpcuda.net.Weights;
import mlpcuda.preparation.NumberForm;
import mlpcuda.train.AveragedPredictor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests a network whose logits are read off its inputs: x = (age − 40) / 10 for "old", and 3 for
 * "young" where the town is Rom.
 */
class RowRecogniserTest {
  private static final MlpShape SHAPE =
      new MlpShape(List.of(4, 2), Activation.RELU, Activation.NONE);

  private static final NumberForm FORM =
      new NumberForm(
          new Layout.Columns(
              List.of(
                  Column.numbers("age"),
                  new Column("town", List.of("", "Rom"), Float.NaN),
                  new Column("shoe size", List.of(), 41))),
          new ColumnScaling("standard", new float[] {40, 0, 0, 0}, new float[] {0.1f, 1, 1, 0}),
          List.of("old", "young"));

  private static final int MILLIS = 5 * 60_000;

  private Ops ops;
  private AveragedPredictor predictor;
  private RowRecogniser network;

  @BeforeEach
  void open() {
    ops = new ReferenceOps();
    var weights =
        new Weights(SHAPE, List.of(new float[] {1, 0, 0, 0, 0, 0, 3, 0}, new float[] {0, 0}));
    var pass = new Pass(weights, View.AS_IS);
    predictor = new AveragedPredictor(ops, List.of(pass), FORM.scaling(), 1, "a network");
    network = new RowRecogniser(ops, SHAPE, predictor, FORM, "rows.safetensors");
  }

  @AfterEach
  void close() {
    predictor.close();
    ops.close();
  }

  private Map<String, Object> answer(String body) throws Exception {
    return JSON.std.mapFrom(network.answer(body.getBytes(StandardCharsets.UTF_8), false));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[60, '', 41] | old | 0.8807970779778823",
        "[60, 'Rom', 41] | young | 0.7310585786300049",
        "{'town': 'Rom', 'age': 40.0, 'shoe size': 7} | young | 0.9525741268224334",
        "{'age': 50} | old | 0.7310585786300049",
        "[50, null, null] | old | 0.7310585786300049"
      })
  void answersAreTheNetworks(String features, String label, double probability) throws Exception {
    Map<String, Object> answer = answer("{'features': %s}".formatted(features).replace('\'', '"'));
    assertEquals(label, answer.get("label"));
    assertEquals(probability, (double) answer.get("probability"), 1e-6);
    assertEquals(2, ((List<?>) answer.get("probabilities")).size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nonsense | 400 | JSON",
        "[1, 2] | 400 | the body must be JSON of",
        "{} | 400 | the one field features",
        "{'features': [1, '', 2], 'more': 1} | 400 | the one field features",
        "{'features': 'x'} | 400 | an array of values, or an object",
        "{'features': [1, '']} | 422 | each of the 3 columns, found 2",
        "{'features': [null, '', 2]} | 422 | the column age must be a finite number, found null",
        "{'features': ['1', '', 2]} | 422 | the column age must be a finite number, found 1",
        "{'features': [1e39, '', 2]} | 422 | the column age must be a finite number",
        "{'features': [1, 'Bonn', 2]} | 422 | the column town must be one of its 2 words, found Bonn",
        "{'features': {'age': 1, 'towns': ''}} | 422 | no column towns"
      })
  void otherBodiesAreRefused(String body, int status, String words) {
    var refused = assertThrows(RefusedException.class, () -> answer(body.replace('\'', '"')));
    assertEquals(status, refused.status());
    assertTrue(refused.getMessage().contains(words), refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count());
  }

  @Test
  void rowsAreNeverRaw() {
    byte[] body = "{\"features\": [1, \"\", 2]}".getBytes(StandardCharsets.UTF_8);
    assertEquals(
        400, assertThrows(RefusedException.class, () -> network.answer(body, true)).status());
  }

  @Test
  void theDescriptionHasTheColumns() throws IOException {
    Map<String, Object> json = JSON.std.mapFrom(network.description());
    assertEquals(List.of("old", "young"), json.get("labels"));
    assertEquals(
        List.of(
            Map.of("name", "age", "optional", false),
            Map.of("name", "town", "words", List.of("", "Rom"), "optional", false),
            Map.of("name", "shoe size", "optional", true)),
        json.get("columns"));
  }

  /** A server answers rows, and sends the page that asks for them. */
  @Test
  void aServerAnswersRows() throws Exception {
    var failures = new ArrayList<Throwable>();
    var stopping = new AtomicBoolean();
    InetAddress address = InetAddress.getByName("127.0.0.1");
    try (var server = PredictionServer.open("127.0.0.1", address, 0, failures::add)) {
      int port = URI.create(server.url()).getPort();
      var replies =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  byte[] body = RawHttp.bytes("{\"features\": [60, \"\", 41]}");
                  return List.of(
                      RawHttp.send(
                          port, RawHttp.request(port, "POST /predict", body), false, MILLIS),
                      RawHttp.send(
                          port, RawHttp.request(port, "GET /", new byte[0]), false, MILLIS));
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                } finally {
                  stopping.set(true);
                }
              },
              task -> new Thread(task, "client").start());
      server.run(network, stopping::get);
      List<RawHttp.Reply> found = replies.get(5, TimeUnit.MINUTES);
      assertEquals(200, found.get(0).status());
      assertTrue(found.get(0).text().contains("\"label\":\"old\""), found.get(0).text());
      assertTrue(found.get(1).text().contains("rows.js"), found.get(1).text());
    }
    assertEquals(List.of(), failures);
  }
}
