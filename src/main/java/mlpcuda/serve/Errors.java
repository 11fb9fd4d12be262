package mlpcuda.serve;

import java.io.IOException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** Answers what Jetty refuses, as {@link Routes} answers what it refuses. */
final class Errors implements Request.Handler {
  private final Consumer<Throwable> failed;

  /** Answers that hand failures that are bugs to {@code failed}. */
  Errors(Consumer<Throwable> failed) {
    this.failed = failed;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    var exchange = new Exchange(request, response, callback, failed);
    var cause = (Throwable) request.getAttribute(ErrorHandler.ERROR_EXCEPTION);
    if (cause instanceof HttpException refused) {
      exchange.refuse(refusal(refused.getCode(), refused.getReason()));
    } else if (cause == null || cause instanceof IOException || cause instanceof TimeoutException) {
      exchange.refuse(refusal(response.getStatus(), null)); // the connection has ended
    } else {
      exchange.fail(cause);
    }
    return true;
  }

  private static RefusedException refusal(int status, String reason) {
    return new RefusedException(
        status,
        switch (status) {
          case 414 ->
              "the path must have fewer than %d bytes, found more"
                  .formatted(PredictionServer.MAX_HEADER_BYTES);
          case 431 ->
              "a request must have at most %d headers, of %d bytes, found more"
                  .formatted(ClientConnection.MAX_HEADERS, PredictionServer.MAX_HEADER_BYTES);
          case 505 -> "the version must be HTTP/1.0 or HTTP/1.1, found another";
          default ->
              "the request must be as RFC 9112 has it, found: "
                  + (reason == null ? "another" : Routes.shown(reason));
        });
  }
}
