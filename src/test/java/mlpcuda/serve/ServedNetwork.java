package mlpcuda.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;

/** A server with a small network, and requests to it. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
abstract class ServedNetwork {
  /** A time-out that is far longer than any answer takes. */
  static final int MILLIS = 5 * 60_000;

  /** A picture of the network's size: a stroke from top to bottom. */
  static final String STROKE =
      """
      {"image": [[0,0,0,255,0,0,0], [0,0,0,255,0,0,0], [0,0,0,255,0,0,0], [0,0,0,255,0,0,0],
      [0,0,0,255,0,0,0]]}""";

  static Running server;

  @BeforeAll
  static void start() throws IOException {
    server = new Running();
  }

  @AfterAll
  static void stop() {
    server.close();
    assertEquals(List.of(), server.failures);
  }

  static RawHttp.Reply send(String line, byte[] body, String... headers) throws IOException {
    byte[] request = RawHttp.request(server.port(), line, body, headers);
    return RawHttp.send(server.port(), request, false, MILLIS);
  }

  static RawHttp.Reply predict(String body) throws IOException {
    return send("POST /predict", RawHttp.bytes(body));
  }

  static void assertError(int status, String message, RawHttp.Reply reply) throws IOException {
    assertEquals(status, reply.status(), reply.text());
    assertEquals("application/json", reply.headers().get("content-type"));
    assertEquals(Map.of("error", message), JSON.std.mapFrom(reply.text()));
  }
}
