package mlpcuda.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The file in a run's folder that has what the run prints, where several runs go on at once. */
final class RunLog {
  private static final String FILE = "log.txt";

  private RunLog() {}

  /** Opens the log of that folder, to write behind what it has; the caller closes it. */
  static PrintWriter open(Path folder) throws IOException {
    return new PrintWriter(
        Files.newBufferedWriter(
            folder.resolve(FILE),
            StandardCharsets.UTF_8,
            StandardOpenOption.CREATE,
            StandardOpenOption.APPEND,
            LinkOption.NOFOLLOW_LINKS), // a link planted here must lead nothing away
        true);
  }
}
