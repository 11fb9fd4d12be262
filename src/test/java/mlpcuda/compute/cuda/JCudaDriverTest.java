package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JCudaDriverTest {
  @TempDir Path folder;

  @Test
  void everyCallArrivesAtTheDriverAsItShould() throws IOException, InterruptedException {
    var environment = new HashMap<>(FakeCuda.compile(folder).environment());
    environment.put("CUDA_VISIBLE_DEVICES", "0,1");
    Forked calls =
        Forked.run(
            JCudaDriverCalls.class, environment, List.of(), folder.resolve("natives").toString());
    assertEquals(0, calls.code(), calls.output());
    assertEquals("all calls are right\n", calls.output()); // without a warning
  }

  @Test
  void whereThereIsNoDriverTheMessageSaysSoAndWhatToDo() {
    DeviceException none = null;
    try {
      new CudaDevices(folder).list();
    } catch (DeviceException e) {
      none = e;
    }
    assumeTrue(none != null, "here is a GPU");
    String[] lines = none.getMessage().split(System.lineSeparator(), -1);
    assertEquals(2, lines.length, none.getMessage());
    assertTrue(lines[1].contains("use the CPU"), lines[1]);
  }
}
