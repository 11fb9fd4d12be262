package mlpcuda.serve;

import java.io.IOException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** Answers requests that Jetty refuses, in the form of the refusals of {@link Routes}. */
final class JettyErrors implements Request.Handler {
  private final Consumer<Throwable> failed;

  /** Creates the handler; {@code failed} receives exceptions that are bugs. */
  JettyErrors(Consumer<Throwable> failed) {
    this.failed = failed;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    var exchange = new Exchange(request, response, callback, failed);
    response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE.asString());
    var cause = (Throwable) request.getAttribute(ErrorHandler.ERROR_EXCEPTION);
    if (cause instanceof HttpException refused) {
      exchange.refuse(refusal(refused.getCode(), refused.getReason()));
    } else if (cause == null || cause instanceof IOException || cause instanceof TimeoutException) {
      exchange.refuse(refusal(response.getStatus(), null)); // the connection was closed
    } else {
      exchange.fail(cause);
    }
    return true;
  }

  private static RefusedException refusal(int status, String reason) {
    return switch (status) {
      case 414 ->
          new RefusedException(
              status,
              "the path must have fewer than %d bytes, found more"
                  .formatted(PredictionServer.MAX_HEADER_BYTES));
      case 417 -> new RefusedException(status, "Expect must be 100-continue, found another");
      case 426, 505 -> // Jetty answers HTTP/2 with 426 and the wish for another protocol
          new RefusedException(505, "the version must be HTTP/1.0 or HTTP/1.1, found another");
      case 431 ->
          new RefusedException(
              status,
              "a request must have at most %d headers, of %d bytes, found more"
                  .formatted(ClientConnection.MAX_HEADERS, PredictionServer.MAX_HEADER_BYTES));
      default ->
          new RefusedException(
              status,
              "the request must be HTTP as RFC 9112 has it, found: "
                  + (reason == null || reason.equals("Bad Request")
                      ? "something else"
                      : Routes.quote(reason)));
    };
  }
}
