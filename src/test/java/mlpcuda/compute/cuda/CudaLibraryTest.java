package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaLibraryTest {
  @TempDir Path root;

  private Path file(String name) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.createFile(file);
  }

  @Test
  void foldersAreLookedIntoInTheLinkersOrder() throws IOException {
    Path old = file("usr/local/cuda-12.0/lib64/libcublas.so.12");
    Path newer = file("usr/local/cuda-13.0/lib64/libcublas.so.13");
    Map<String, String> environment =
        Map.of("LD_LIBRARY_PATH", ":relative:" + root.resolve("mine"), "CUDA_HOME", "/opt/cuda");
    List<Path> folders = CudaLibrary.folders(environment, root);
    assertEquals(
        List.of(
            root.resolve("mine"),
            Path.of("/opt/cuda/lib64"),
            root.resolve("usr/local/cuda-12.0/lib64"),
            root.resolve("usr/local/cuda-13.0/lib64")),
        folders.subList(0, 4));
    assertEquals(Optional.of(old), CudaLibrary.cublas(12, folders).file());
    Path mine = file("mine/libcublas.so.12");
    assertEquals(Optional.of(mine), CudaLibrary.cublas(12, folders).file());
    assertEquals(Optional.of(newer), CudaLibrary.cublas(13, folders).file());
  }

  @Test
  void otherVersionsAreNamed() throws IOException {
    Path eleven = file("usr/lib/x86_64-linux-gnu/libcublas.so.11");
    Path thirteen = file("usr/local/cuda/lib64/libcublas.so.13");
    file("usr/local/cuda/lib64/libcublas.so.13.1.0"); // an installation has a link to it
    file("usr/local/cuda/lib64/libcublasLt.so.13");
    var library = CudaLibrary.cublas(12, CudaLibrary.folders(Map.of(), root));
    assertEquals(Optional.empty(), library.file());
    assertEquals(List.of(thirteen, eleven), library.others());
  }

  @Test
  void cudnnIsLookedForWithItsParts() throws IOException {
    Path eight = file("usr/lib/x86_64-linux-gnu/libcudnn.so.8");
    file("usr/lib/x86_64-linux-gnu/libcudnn.so.8.9.7");
    var library = CudaLibrary.cudnn(CudaLibrary.folders(Map.of(), root));
    assertEquals("libcudnn.so.9", library.name());
    assertEquals(Optional.empty(), library.file());
    assertEquals(List.of(eight), library.others());
    library.load(); // the linker may know where it is: so this is no failure yet
    Path nine = file("usr/local/cuda/lib64/libcudnn.so.9");
    var alone = CudaLibrary.cudnn(CudaLibrary.folders(Map.of(), root));
    assertEquals(Optional.of(nine), alone.file());
    var e = assertThrows(UnsatisfiedLinkError.class, alone::load);
    assertTrue(e.getMessage().contains("libcudnn_graph.so.9"), e.getMessage());
  }
}
