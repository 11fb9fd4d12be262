package mlpcuda.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The version and the commit of this program, as its build has noted them. */
public final class Build {
  private Build() {}

  /** The version from the jar's manifest. */
  public static String version() {
    String version = Build.class.getPackage().getImplementationVersion();
    return version == null ? "(built from source)" : version;
  }

  /** The program's name, its version and, if the build knew it, its commit. */
  public static String describe() {
    return "mlp-cuda " + version() + commit().map(", commit "::concat).orElse("");
  }

  /** The commit that the program was built from, with {@code -dirty} if files were changed. */
  public static Optional<String> commit() {
    try (InputStream file = Build.class.getResourceAsStream("commit")) {
      return file == null
          ? Optional.empty()
          : Optional.of(new String(file.readAllBytes(), StandardCharsets.UTF_8).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
