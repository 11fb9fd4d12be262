package mlpcuda.serve;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import mlpcuda.files.OneLine;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.http.HttpScheme;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Answers requests by their path, after checking that the request may come from its sender. */
final class Routes extends Handler.Abstract {
  private static final int MAX_QUOTED = 100; // characters

  /** The files of the page, by path. */
  private static final Map<String, Resource> RESOURCES =
      Map.of(
          "/page.css", Resource.of("/mlpcuda/report/page.css", "text/css; charset=utf-8"),
          "/serve.css", Resource.of("serve.css", "text/css; charset=utf-8"),
          "/serve.js", Resource.of("serve.js", "text/javascript; charset=utf-8"),
          "/rows.js", Resource.of("rows.js", "text/javascript; charset=utf-8"),
          "/icon.svg", Resource.of("icon.svg", "image/svg+xml"));

  private record Resource(String type, byte[] bytes) {
    static Resource of(String name, String type) {
      try (InputStream in = Routes.class.getResourceAsStream(name)) {
        return new Resource(type, in.readAllBytes());
      } catch (IOException e) {
        throw new AssertionError(name + " must be in the jar", e);
      }
    }
  }

  private final Hosts hosts;
  private final PictureQueue queue;
  private final Consumer<Throwable> failed;
  private final byte[] description;
  private final Resource page;

  /**
   * Creates the routes of a server.
   *
   * @param hosts the host names that requests may use
   * @param network describes itself, and has the page that asks it
   * @param failed receives exceptions that are bugs
   */
  Routes(Hosts hosts, PictureQueue queue, Responder network, Consumer<Throwable> failed) {
    this.hosts = hosts;
    this.queue = queue;
    this.description = network.description();
    this.page = Resource.of(network.page(), "text/html; charset=utf-8");
    this.failed = failed;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    var exchange = new Exchange(request, response, callback, failed);
    exchange.attempt(() -> answer(exchange));
    return true;
  }

  private void answer(Exchange exchange) throws RefusedException {
    Request request = exchange.request();
    checkAsked(request);
    checkCoding(request);
    String path = request.getHttpURI().getPath();
    if (path.equals("/predict")) {
      checkMethod(exchange, "POST");
      boolean raw = raw(request.getHttpURI().getQuery());
      exchange.readBody(body -> predict(exchange, body, raw));
    } else if (path.equals("/model")) {
      checkMethod(exchange, "GET", "HEAD");
      exchange.send(200, Exchange.JSON, description);
    } else if (path.equals("/") || RESOURCES.containsKey(path)) {
      checkMethod(exchange, "GET", "HEAD");
      Resource resource = path.equals("/") ? page : RESOURCES.get(path);
      exchange.send(200, resource.type(), resource.bytes());
    } else {
      throw new RefusedException(
          404, "the path must be / or /model or /predict, found " + quote(path));
    }
  }

  private void predict(Exchange exchange, byte[] body, boolean raw) {
    queue
        .ask(body, raw)
        .whenComplete(
            (answer, failure) -> {
              if (failure == null) {
                exchange.send(200, Exchange.JSON, answer);
                return;
              }
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause instanceof RefusedException refused) {
                exchange.refuse(refused);
              } else { // the thread that failed has reported the exception
                exchange.refuse(RefusedException.internal());
              }
            });
  }

  private void checkAsked(Request request) throws RefusedException {
    HttpFields headers = request.getHeaders();
    List<String> host = headers.getValuesList(HttpHeader.HOST);
    if (host.size() != 1 || !hosts.accepts(host.get(0))) {
      throw new RefusedException(
          403, "Host must be one of %s, found %s".formatted(hosts, quote(String.join(", ", host))));
    }
    String scheme =
        request.getHttpURI().getScheme(); // Jetty has already refused a URL of another host
    if (!HttpScheme.HTTP.is(scheme)) {
      throw new RefusedException(
          403, "the request line must have a path, found a URL with the scheme " + quote(scheme));
    }
    for (String origin : headers.getValuesList(HttpHeader.ORIGIN)) {
      String own = "http://" + host.get(0); // the origin of pages that this server sent
      if (!origin.equalsIgnoreCase(own)) {
        throw new RefusedException(
            403, "Origin must be %s, found %s".formatted(own, quote(origin)));
      }
    }
  }

  /**
   * Refuses transfer codings that a server must refuse by RFC 9112, 6.1, and that Jetty leaves to
   * its handlers.
   */
  private static void checkCoding(Request request) throws RefusedException {
    String coding = request.getHeaders().get(HttpHeader.TRANSFER_ENCODING);
    if (coding == null) {
      return;
    }
    if (request.getConnectionMetaData().getHttpVersion() != HttpVersion.HTTP_1_1) {
      throw new RefusedException(400, "HTTP/1.0 must not have Transfer-Encoding, found one");
    }
    if (!HttpHeaderValue.CHUNKED.is(coding)) {
      throw new RefusedException(501, "Transfer-Encoding must be chunked, found " + quote(coding));
    }
  }

  private static void checkMethod(Exchange exchange, String... methods) throws RefusedException {
    String method = exchange.request().getMethod();
    if (!Set.of(methods).contains(method)) {
      String allowed = String.join(", ", methods);
      exchange.response().getHeaders().put(HttpHeader.ALLOW, allowed);
      throw new RefusedException(
          405, "the method must be %s, found %s".formatted(allowed, quote(method)));
    }
  }

  private static boolean raw(String query) throws RefusedException {
    if (query == null || query.equals("raw=false")) {
      return false;
    }
    if (query.equals("raw=true")) {
      return true;
    }
    throw new RefusedException(
        400, "the query must be raw=true, raw=false or nothing, found " + quote(query));
  }

  /** Quotes a text that a client sent: at most 100 characters, in one line. */
  static String quote(String text) {
    return OneLine.orNothing(OneLine.start(text, MAX_QUOTED));
  }
}
