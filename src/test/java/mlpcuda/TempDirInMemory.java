package mlpcuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/**
 * Makes the tests' temporary folders in Linux's file system in memory, if there is a large one.
 * Most tests of commands train for some steps and then wait for the disk: the program forces each
 * file to it.
 */
public final class TempDirInMemory implements TempDirFactory {
  private static final Path MEMORY = Path.of("/dev/shm");

  /** The space that the tests' largest files need, with much to spare. */
  private static final long LEAST_BYTES = 4L << 30;

  private static final boolean USABLE = isUsable();

  @Override
  public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext test)
      throws IOException {
    String prefix = "mlp-cuda-test";
    return USABLE ? Files.createTempDirectory(MEMORY, prefix) : Files.createTempDirectory(prefix);
  }

  /** Tests run programs and load libraries from their folders, which containers often forbid. */
  private static boolean isUsable() {
    try {
      if (!Files.isDirectory(MEMORY) || Files.getFileStore(MEMORY).getUsableSpace() < LEAST_BYTES) {
        return false;
      }
      Path script = Files.createTempFile(MEMORY, "mlp-cuda-test", ".sh");
      try {
        Files.writeString(script, "#!/bin/sh\n");
        return script.toFile().setExecutable(true) && succeeds(script);
      } finally {
        Files.delete(script);
      }
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean succeeds(Path script) throws IOException {
    Process process = new ProcessBuilder(script.toString()).start();
    try {
      return process.waitFor(1, TimeUnit.MINUTES) && process.exitValue() == 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      process.destroyForcibly();
    }
  }
}
