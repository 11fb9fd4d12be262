package mlpcuda.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheFolderTest {
  @TempDir Path tmp;

  @Test
  void cacheFollowsXdg() throws IOException {
    Path home = Path.of("home").toAbsolutePath();
    Path xdg = Path.of("elsewhere").toAbsolutePath();
    Path usual = home.resolve(".cache").resolve("mlp-cuda");
    assertEquals(
        xdg.resolve("mlp-cuda"),
        CacheFolder.of(Map.of("XDG_CACHE_HOME", xdg.toString()), home.toString()));
    assertEquals(usual, CacheFolder.of(Map.of("XDG_CACHE_HOME", "relative"), home.toString()));
    assertEquals(usual, CacheFolder.of(Map.of(), home.toString()));
    assertEquals(usual, CacheFolder.of(Map.of("HOME", home.toString()), "/another"));
    assertEquals(usual, CacheFolder.of(Map.of("HOME", home.toString()), "?"));
    // No folder can be made below a file: such a home is passed over.
    String file = Files.createFile(tmp.resolve("file")).resolve("home").toString();
    assertEquals(usual, CacheFolder.of(Map.of("HOME", file), home.toString()));
    for (String unusable : new String[] {"?", file}) {
      Path temporary = CacheFolder.of(Map.of("HOME", unusable), unusable);
      assertTrue(temporary.isAbsolute() && Files.isDirectory(temporary), temporary.toString());
      Files.delete(temporary);
    }
  }
}
