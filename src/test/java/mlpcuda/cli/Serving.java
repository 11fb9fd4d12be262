package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import mlpcuda.compute.cuda.Gpus;

/** Runs {@code serve} like a user who presses Ctrl-C at the end. */
final class Serving implements AutoCloseable {
  private final CountDownLatch up = new CountDownLatch(1);
  private final CompletableFuture<Program> program;
  private final int port = freePort();
  private volatile boolean stopping;

  /** Serves a model, with further options from a line of words. */
  Serving(Gpus gpus, Path model, String options) throws InterruptedException {
    Object[] command = Program.words("serve --port " + port + " " + options, "--model", model);
    program =
        CompletableFuture.supplyAsync(
            () -> Program.run(gpus, this::stopping, command), task -> new Thread(task).start());
    program.thenRun(up::countDown);
    assertTrue(up.await(5, TimeUnit.MINUTES), "the server must answer");
  }

  /** Whether to stop; it is called only once the server runs. */
  private boolean stopping() {
    up.countDown();
    return stopping;
  }

  /** A port that nobody listens on. */
  static int freePort() {
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return port;
  }

  String url() {
    return "http://127.0.0.1:" + port + "/";
  }

  /** Presses Ctrl-C, and returns the result of the program. */
  Program stop() {
    stopping = true;
    return program.orTimeout(5, TimeUnit.MINUTES).join();
  }

  @Override
  public void close() {
    stop();
  }
}
