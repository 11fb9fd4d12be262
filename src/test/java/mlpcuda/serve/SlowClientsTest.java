package mlpcuda.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests that slow clients lose their connections, and that a fast one is served among them. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Tag("long")
class SlowClientsTest {
  /** A time-out that is far longer than any answer takes. */
  private static final int MILLIS = 5 * 60_000;

  /** A time limit that keeps the slow clients of a test connected until its end. */
  private static final int PATIENT = 300;

  private static byte[] picture(int port) {
    return RawHttp.request(
        port,
        "POST /predict",
        RawHttp.bytes("P2 7 5 9\n" + "0 0 0 9 0 0 0\n".repeat(Running.ROWS)),
        "Connection: close");
  }

  /** Measures the nanoseconds from a client's connection to its answer. */
  private static long ask(int port) throws IOException {
    long begin = System.nanoTime();
    RawHttp.Reply reply = RawHttp.send(port, picture(port), false, MILLIS);
    long taken = System.nanoTime() - begin;
    assertEquals(200, reply.status(), reply.text());
    return taken;
  }

  private static double medianMillis(List<Long> nanos) {
    return nanos.stream().mapToLong(n -> n).sorted().toArray()[nanos.size() / 2] / 1e6;
  }

  /** Compares a fast client with itself, in turns, and prints what it found. */
  @Test
  void aFastClientIsServedAmongAThousandSlowOnes() throws Exception {
    var alone = new ArrayList<Long>();
    var among = new ArrayList<Long>();
    try (var server = new ServerProcess(PATIENT)) {
      int port = server.port();
      var habits = new ArrayList<>(SlowClients.all(port));
      habits.add(SlowClients.unread(port));
      for (int turn = 0; turn < 6; turn++) {
        server.awaitConnections(0);
        for (int i = 0; i < 60; i++) {
          alone.add(ask(port));
        }
        try (var slow = new SlowClients(port, 20, 50, habits)) {
          for (int i = 0; i < 60; i++) {
            among.add(ask(port));
          }
          int open = server.awaitConnections(slow.count()).connections();
          assertEquals(slow.count(), open, "slow clients that are still there");
        }
      }
      assertEquals(0, server.state().failures());
    }
    System.out.printf(
        "A fast client's median: %.2f ms alone, %.2f ms among 1,000 slow ones%n",
        medianMillis(alone), medianMillis(among));
  }

  @Test
  void oneAddressHasItsShareOfConnectionsAndNoMore() throws Exception {
    int most = Clients.CONNECTIONS_OF_ADDRESS;
    try (var server = new ServerProcess(PATIENT)) {
      int port = server.port();
      var sockets = new ArrayList<Socket>();
      for (int i = 0; i < 2 * most; i++) {
        sockets.add(RawHttp.connect(port, MILLIS));
        if (i % 10 == 0) {
          ask(port);
        }
      }
      assertEquals(-1, sockets.get(0).getInputStream().read(), "who came first goes first");
      assertTrue(server.awaitConnections(most).connections() <= most);
      Socket last = sockets.get(sockets.size() - 1);
      last.getOutputStream().write(picture(port));
      assertEquals(200, RawHttp.read(last.getInputStream()).status());
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  @Test
  void allAddressesTogetherHaveTheirShare() throws Exception {
    try (var server = new ServerProcess(PATIENT)) {
      int port = server.port();
      int most = Clients.CONNECTIONS;
      int clients = 60;
      int addresses = most / clients + 3;
      try (var slow = new SlowClients(port, addresses, clients, SlowClients.all(port))) {
        for (int i = 0; i < 20; i++) {
          ask(port);
        }
        assertTrue(server.awaitConnections(most).connections() <= most);
        slow.awaitAnswers(slow.count() - most);
      }
      assertEquals(0, server.awaitConnections(0).failures());
    }
  }

  /** Sends most of the largest body from each of many clients: not all can be kept. */
  @Test
  void theBytesOfAllRequestsAreBounded() throws Exception {
    try (var server = new ServerProcess(PATIENT)) {
      int port = server.port();
      int length = PredictionServer.MAX_BODY;
      byte[] head = RawHttp.request(port, "POST /predict", null, "Content-Length: " + length);
      byte[] most = RawHttp.joined(head, new byte[length - 1]);
      int fitting = Clients.BYTES / length;
      var sockets = new ArrayList<Socket>();
      for (int i = 0; i < 3 * fitting; i++) {
        Socket socket = RawHttp.connect(port, MILLIS);
        sockets.add(socket);
        socket.getOutputStream().write(most);
        ask(port);
      }
      for (int i = 0; i < fitting; i++) {
        RawHttp.Reply reply = RawHttp.read(sockets.get(i).getInputStream());
        assertEquals(503, reply.status(), reply.text());
        assertEquals(
            "{\"error\":\"busy: all requests may take 16777216 bytes, found more\"}", reply.text());
      }
      Socket last = sockets.get(sockets.size() - 1);
      last.getOutputStream().write(0);
      assertEquals(400, RawHttp.read(last.getInputStream()).status(), "zeros are no picture");
      for (Socket socket : sockets) {
        socket.close();
      }
      assertEquals(0, server.awaitConnections(0).failures());
    }
  }

  /** Sends as many headers as may be, as long as they may be: they count, like bodies. */
  @Test
  void theLinesOfAllRequestsAreBounded() throws Exception {
    try (var server = new ServerProcess(PATIENT)) {
      int port = server.port();
      String[] headers = new String[ClientConnection.MAX_HEADERS - 1];
      Arrays.fill(headers, "X: " + "y".repeat(150));
      headers[0] = "Content-Length: 20000";
      byte[] request =
          RawHttp.joined(RawHttp.request(port, "POST /predict", null, headers), new byte[10_000]);
      var habit = new SlowClients.Habit(request, "");
      try (var slow = new SlowClients(port, 16, 60, List.of(habit))) {
        for (int i = 0; i < 20; i++) {
          ask(port);
        }
        slow.awaitAnswers(slow.count() - Clients.BYTES / request.length);
      }
      assertEquals(0, server.awaitConnections(0).failures());
    }
  }

  @Test
  void slowClientsAreEnded() throws Exception {
    try (var server = new ServerProcess(1)) {
      int port = server.port();
      String[] answers = {
        "", // the client has sent no request
        "408 a request's lines must come within 1 s",
        "408 a request's lines must come within 1 s",
        "408 the body must come within 12 s, and 8192 bytes of it a second, found ",
        "408 the body must come within 12 s, and 8192 bytes of it a second, found ",
        "408 the body must come within 12 s, and 8192 bytes of it a second, found ",
        "405 the method must be POST, found PUT",
        "408 a request's lines must come within 1 s"
      };
      List<SlowClients.Habit> habits = SlowClients.all(port);
      assertEquals(answers.length, habits.size());
      try (var slow = new SlowClients(port, 1, habits.size(), habits)) {
        for (int i = 0; i < answers.length; i++) {
          String answer = slow.answer(i);
          String end = answer.substring(Math.max(0, answer.lastIndexOf("HTTP/1.1 ")));
          String[] words = answers[i].split(" ", 2);
          assertTrue(
              answers[i].isEmpty()
                  ? answer.isEmpty()
                  : end.startsWith("HTTP/1.1 " + words[0])
                      && end.contains("Connection: close\r\n")
                      && end.contains("{\"error\":\"" + words[1]),
              "habit " + i + ": " + answer);
        }
      }
      assertEquals(0, server.awaitConnections(0).failures());
    }
  }

  private static String answerToSlowBody(int seconds, String drop) throws Exception {
    try (var server = new ServerProcess(seconds)) {
      int port = server.port();
      String length = "Content-Length: " + PredictionServer.MAX_BODY;
      byte[] head = RawHttp.request(port, "POST /predict", null, length);
      try (var slow = new SlowClients(port, 1, 1, List.of(new SlowClients.Habit(head, drop)))) {
        return slow.answer(0);
      }
    }
  }

  /** The rate ends a body after 10 s, which is long before the 120 s of the whole body. */
  @Test
  void aBodyBelowTheRateIsEndedBeforeItsTime() throws Exception {
    String answer = answerToSlowBody(10, "x");
    Matcher seconds = Pattern.compile(" in (\\d+) s\"}$").matcher(answer);
    assertTrue(seconds.find(), answer);
    assertTrue(Integer.parseInt(seconds.group(1)) < 120, answer);
  }

  /** The body comes at 40 KiB a second, and would be complete after 26 s, but has 12 s. */
  @Test
  void aBodyAboveTheRateMustComeWithinItsTime() throws Exception {
    String answer = answerToSlowBody(1, "x".repeat(4096));
    assertTrue(answer.startsWith("HTTP/1.1 408 "), answer);
  }

  /** A body that comes fast enough on average is read to its end, whatever its pauses. */
  @Test
  void aBodyThatIsFastEnoughIsRead() throws Exception {
    try (var server = new ServerProcess(PATIENT)) {
      byte[] request = picture(server.port());
      try (Socket socket = RawHttp.connect(server.port(), MILLIS)) {
        for (byte part : request) {
          socket.getOutputStream().write(part);
          Thread.sleep(1);
        }
        assertEquals(200, RawHttp.read(socket.getInputStream()).status());
      }
    }
  }

  @Test
  void anAnswerThatIsNotFetchedIsGivenUp() throws Exception {
    try (var server = new ServerProcess(1)) {
      int port = server.port();
      byte[] request = RawHttp.request(port, "GET /serve.js", null);
      byte[][] many = new byte[100][];
      Arrays.fill(many, request);
      try (Socket socket = RawHttp.connect(port, MILLIS)) {
        boolean open = true;
        while (open) { // until the answers fill all buffers, the server waits, and then ends
          try {
            socket.getOutputStream().write(RawHttp.joined(many));
          } catch (IOException e) {
            open = false;
          }
        }
        assertEquals(0, server.awaitConnections(0).failures());
      }
      ask(port);
    }
  }

  @Test
  void aConnectionWithoutRequestsIsClosed() throws Exception {
    try (var server = new ServerProcess(1)) {
      byte[] request = RawHttp.request(server.port(), "GET /model", null);
      try (Socket socket = RawHttp.connect(server.port(), MILLIS)) {
        socket.getOutputStream().write(request);
        assertEquals(200, RawHttp.read(socket.getInputStream()).status());
        assertEquals(-1, socket.getInputStream().read());
      }
    }
  }
}
