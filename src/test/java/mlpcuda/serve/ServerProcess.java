package mlpcuda.serve;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.util.List;
import mlpcuda.Child;

/** A server in a JVM of its own, with a heap as small as the documents say that it may be. */
final class ServerProcess implements AutoCloseable {
  private static final String HEAP = "-Xmx128m";

  private final Child child;
  private final int port;

  /** Starts a server whose time limit is {@code seconds}. */
  ServerProcess(int seconds) throws IOException {
    List<String> command =
        Child.java(List.of(HEAP, "-Dmlpcuda.serve.seconds=" + seconds), ServerProcess.class);
    child = Child.start(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT));
    port = Integer.parseInt(child.output().readLine());
  }

  /**
   * Runs in the server's JVM: prints the port and then, for each line of input, the state of the
   * server.
   */
  public static void main(String[] args) throws IOException {
    try (var server = new Running();
        var lines = new BufferedReader(new InputStreamReader(System.in))) {
      System.out.println(server.port());
      while (lines.readLine() != null) {
        System.out.printf(
            "%d %d %d%n",
            ManagementFactory.getThreadMXBean().getThreadCount(),
            server.failures.size(),
            server.connections());
        server.failures.forEach(Throwable::printStackTrace);
      }
    }
  }

  int port() {
    return port;
  }

  /** The state of the server. */
  record State(int threads, int failures, int connections) {}

  State state() throws IOException {
    Writer questions = child.process().outputWriter();
    questions.write("\n");
    questions.flush();
    String[] state = child.output().readLine().split(" ");
    return new State(
        Integer.parseInt(state[0]), Integer.parseInt(state[1]), Integer.parseInt(state[2]));
  }

  /**
   * Waits, for some minutes at most, until at most {@code most} connections are open on the server.
   */
  State awaitConnections(int most) throws IOException, InterruptedException {
    State state = state();
    for (int i = 0; i < 6000 && state.connections() > most; i++) {
      Thread.sleep(50);
      state = state();
    }
    return state;
  }

  @Override
  public void close() {
    child.close();
  }
}
