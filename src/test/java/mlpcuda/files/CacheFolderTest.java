package mlpcuda.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CacheFolderTest {
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
    Path temporary = CacheFolder.of(Map.of(), "?");
    assertTrue(temporary.isAbsolute() && Files.isDirectory(temporary), temporary.toString());
    Files.delete(temporary);
  }
}
