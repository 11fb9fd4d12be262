package mlpcuda.serve;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * A request and its one answer. No thread waits for the client: Jetty calls when bytes of the body
 * have come, and when the answer has been fetched.
 */
final class Exchange {
  static final String JSON = "application/json";

  /** The bytes of a refused body that are still read, so that the client gets to the answer. */
  private static final int DRAINED = 32 << 20;

  private static final byte[] NOTHING = {};

  /** The headers by which the page asks this server alone, and no other page shows or reads it. */
  private static final HttpFields HEADERS =
      HttpFields.build()
          .add(
              "Content-Security-Policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
                  + " connect-src 'self'; base-uri 'none'; form-action 'none';"
                  + " frame-ancestors 'none'")
          .add("X-Content-Type-Options", "nosniff")
          .add("Cross-Origin-Resource-Policy", "same-origin")
          .add("Referrer-Policy", "no-referrer")
          .add("Cache-Control", "no-store")
          .asImmutable();

  /** The answer to a request whose lines have not come in time, which no exchange answers. */
  static final byte[] HEAD_TIME_OUT = headTimeOut();

  private final Request request;
  private final Response response;
  private final Callback callback;
  private final ClientConnection connection;
  private final Client client;
  private final Consumer<Throwable> failed;
  private Client.Stay reading;
  private byte[] body = NOTHING;
  private int length;
  private boolean unread;

  /** A request that {@code callback} ends; {@code failed} gets failures that are bugs. */
  Exchange(Request request, Response response, Callback callback, Consumer<Throwable> failed) {
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.connection = (ClientConnection) request.getConnectionMetaData().getConnection();
    this.client = connection.client();
    this.failed = failed;
    HttpFields headers = request.getHeaders();
    this.unread =
        headers.contains(HttpHeader.TRANSFER_ENCODING)
            || headers.contains(HttpHeader.CONTENT_LENGTH) && declared() != 0;
    request.addIdleTimeoutListener(timeout -> false); // a reader that does not wait is not woken
  }

  private static byte[] headTimeOut() {
    byte[] error =
        error("a request's lines must come within %d s".formatted(PredictionServer.SECONDS));
    String head =
        "HTTP/1.1 408 Request Timeout\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n"
            .formatted(
                HEADERS.stream().map(field -> field + "\r\n").collect(Collectors.joining()),
                JSON,
                error.length);
    return (head + "Connection: close\r\n\r\n" + new String(error, StandardCharsets.US_ASCII))
        .getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] error(String message) {
    return Recogniser.bytes(Map.of("error", message));
  }

  Request request() {
    return request;
  }

  Response response() {
    return response;
  }

  private long declared() {
    return request.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH);
  }

  /** Something to do that can refuse the request. */
  interface Step {
    void run() throws RefusedException;
  }

  /** Does a step towards the answer; what it throws becomes the answer. */
  void attempt(Step step) {
    try {
      step.run();
    } catch (RefusedException e) {
      refuse(e);
    } catch (RuntimeException | Error e) {
      fail(e);
    }
  }

  /** Answers that there is a bug. */
  void fail(Throwable bug) {
    failed.accept(bug);
    refuse(RefusedException.internal());
  }

  void refuse(RefusedException e) {
    send(e.status(), JSON, error(e.getMessage()));
  }

  /**
   * Reads the body, and calls {@code whole} with it.
   *
   * @throws RefusedException if it is announced to be too large
   */
  void readBody(Consumer<byte[]> whole) throws RefusedException {
    if (!request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING)
        && declared() > PredictionServer.MAX_BODY) {
      throw tooLarge(Long.toString(declared()));
    }
    reading = client.enter(Client.State.BODY);
    attempt(() -> readOn(whole));
  }

  private void readOn(Consumer<byte[]> whole) throws RefusedException {
    while (true) {
      if (reading.refusal() != null) {
        throw reading.refusal();
      }
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        request.demand(() -> attempt(() -> readOn(whole)));
        return;
      }
      if (Content.Chunk.isFailure(chunk)) {
        if (reading.refusal() != null) {
          throw reading.refusal();
        }
        throw new RefusedException(
            400,
            "the body must be as long as the headers say, found: "
                + chunk.getFailure().getMessage());
      }
      append(chunk);
      if (chunk.isLast()) {
        unread = false;
        client.enter(Client.State.WORK);
        byte[] all = length == body.length ? body : Arrays.copyOf(body, length);
        body = NOTHING;
        whole.accept(all);
        return;
      }
    }
  }

  private void append(Content.Chunk chunk) throws RefusedException {
    try {
      int n = chunk.remaining();
      int needed = length + n;
      if (needed > PredictionServer.MAX_BODY) {
        throw tooLarge("more");
      }
      if (needed > body.length) {
        long most = declared() < 0 ? PredictionServer.MAX_BODY : declared();
        int size = (int) Math.min(most, Math.max(needed, 2 * body.length));
        connection.hold(size);
        body = Arrays.copyOf(body, size);
      }
      chunk.getByteBuffer().get(body, length, n);
      length = needed;
      reading.receive(n);
    } finally {
      chunk.release();
    }
  }

  private static RefusedException tooLarge(String found) {
    return new RefusedException(
        413,
        "the body must have at most %d bytes, found %s"
            .formatted(PredictionServer.MAX_BODY, found));
  }

  /** Sends the answer. A body that has not been read ends the connection. */
  void send(int status, String type, byte[] bytes) {
    body = NOTHING;
    HttpFields.Mutable headers = response.getHeaders();
    for (HttpField field : HEADERS) {
      headers.put(field);
    }
    headers.put(HttpHeader.CONTENT_TYPE, type);
    headers.put(HttpHeader.CONTENT_LENGTH, bytes.length);
    if (unread) {
      headers.put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE.asString());
    }
    response.setStatus(status);
    client.enter(Client.State.ANSWER);
    boolean head = HttpMethod.HEAD.is(request.getMethod());
    response.write(
        true, ByteBuffer.wrap(head ? NOTHING : bytes), Callback.from(this::sent, callback::failed));
  }

  private void sent() {
    connection.release();
    if (unread) {
      length = 0;
      reading = client.enter(Client.State.BODY);
      drain();
    } else {
      callback.succeeded();
    }
  }

  /** Reads and forgets: a connection that is closed while bytes come loses its answer. */
  private void drain() {
    while (reading.refusal() == null && length <= DRAINED) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        request.demand(this::drain);
        return;
      }
      if (Content.Chunk.isFailure(chunk)) {
        if (reading.refusal() != null) {
          break;
        }
        connection.release();
        callback.succeeded(); // Jetty looks for the connection's end
        return;
      }
      length += chunk.remaining();
      reading.receive(chunk.remaining());
      chunk.release();
      if (chunk.isLast()) {
        connection.release();
        callback.succeeded();
        return;
      }
    }
    callback.failed(new IOException("the rest of the body was not read"));
  }
}
