package mlpcuda;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether the jar must have machine code of the kernels. */
public final class ShippedCubins {
  /** The build writes this file where it cannot assemble; see the execution "cubins" of the pom. */
  private static final Path NONE = Path.of("target", "no-cubins.txt");

  private ShippedCubins() {}

  /** Skips the test where the build said that this machine cannot run the PTX assembler. */
  public static void assumeThere() throws IOException {
    if (Files.exists(NONE)) {
      abort(Files.readString(NONE));
    }
  }
}
