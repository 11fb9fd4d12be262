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
 * A request and its answer. No thread waits for the client: Jetty calls back when bytes of the body
 * have arrived, and when the answer was sent.
 */
final class Exchange {
  static final String JSON = "application/json";

  /**
   * The number of bytes of a refused body that are still read, so that the client can receive the
   * answer.
   */
  private static final int DRAINED = 32 << 20;

  private static final byte[] NOTHING = {};

  /**
   * Headers by which browsers let the page send requests to this server alone, and let no other
   * site embed or read the page.
   */
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

  /**
   * The answer to a request whose headers have not arrived in time; such a request has no exchange.
   */
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

  /**
   * Creates the exchange of a request; {@code callback} completes the request, and {@code failed}
   * receives exceptions that are bugs.
   */
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
    request.addIdleTimeoutListener(
        timeout -> false); // a reader that does not wait must not be woken
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

  /** A step of the work on a request, which may refuse the request. */
  interface Step {
    void run() throws RefusedException;
  }

  /** Does a step of the work; an exception that the step throws becomes the answer. */
  void attempt(Step step) {
    try {
      step.run();
    } catch (RefusedException e) {
      refuse(e);
    } catch (RuntimeException | Error e) {
      fail(e);
    }
  }

  /** Answers that the server has failed, and reports the exception. */
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
   * @throws RefusedException if the headers announce a body that is too large
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
      if (reading.refusal().isPresent()) {
        throw reading.refusal().get();
      }
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        request.demand(() -> attempt(() -> readOn(whole)));
        return;
      }
      if (Content.Chunk.isFailure(chunk)) {
        if (reading.refusal().isPresent()) {
          throw reading.refusal().get();
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

  /** Sends the answer. The connection is closed afterwards if the body was not read. */
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

  /**
   * Reads and discards the body: a connection that is closed while bytes arrive would lose the
   * answer.
   */
  private void drain() {
    while (reading.refusal().isEmpty() && length <= DRAINED) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        request.demand(this::drain);
        return;
      }
      if (Content.Chunk.isFailure(chunk)) {
        if (reading.refusal().isPresent()) {
          break;
        }
        connection.release();
        callback.succeeded(); // Jetty notices the end of the connection
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
