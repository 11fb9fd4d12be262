package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import mlpcuda.Child;
import mlpcuda.cli.Main;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenBlasTest {
  @TempDir Path tmp;

  /** A limit on the size of files acts like a full disk: the first large library reaches it. */
  @Test
  void aLibraryThatCannotBeUnpackedNamesTheFolderAndTheFirstCause() {
    String folder = "-Dorg.bytedeco.javacpp.cachedir=" + tmp;
    List<String> command = Child.java(List.of(folder), Main.class, "--cpu", "--dry-run");
    String limited = "ulimit -f 2000; exec '" + String.join("' '", command) + "'";
    try (Child child = Child.start(List.of("bash", "-c", limited))) {
      List<String> lines = child.rest().lines().toList();
      assertEquals(3, child.exitCode(), lines.toString());
      assertEquals(2, lines.size(), lines.toString());
      String cause = ": it cannot be unpacked to " + tmp + ": File too large";
      assertTrue(lines.get(0).endsWith(cause), lines.get(0));
      assertTrue(lines.get(1).contains("XDG_CACHE_HOME"), lines.get(1));
    }
  }

  @Test
  void theFirstCauseIsTheOneThatIsTold() {
    var first = new UnsatisfiedLinkError("libx.so: failed to map segment from shared object");
    var last = new UnsatisfiedLinkError("no jniopenblas_nolapack in java.library.path: /usr/lib");
    last.initCause(first);
    assertEquals(first.getMessage(), OpenBlas.firstCause(last));
    assertTrue(OpenBlas.remedy(first.getMessage()).contains("allows execution"));
  }
}
