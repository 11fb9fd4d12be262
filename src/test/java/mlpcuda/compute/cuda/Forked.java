package mlpcuda.compute.cuda;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import mlpcuda.Child;

/**
 * The result of a test's main class in a JVM of its own: a process loads a native library only
 * once.
 *
 * @param code the exit code
 * @param output the output of both streams
 */
record Forked(int code, String output) {
  /** Runs {@code main} on the tests' class path. */
  static Forked run(
      Class<?> main, Map<String, String> environment, List<String> options, String... arguments)
      throws IOException {
    var builder =
        new ProcessBuilder(Child.java(options, main, (Object[]) arguments))
            .redirectErrorStream(true);
    builder.environment().putAll(environment);
    try (Child child = Child.start(builder)) {
      child.process().getOutputStream().close();
      String output = child.rest();
      return new Forked(child.exitCode(), output);
    }
  }
}
