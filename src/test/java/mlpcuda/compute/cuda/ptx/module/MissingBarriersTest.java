package mlpcuda.compute.cuda.ptx.module;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import org.junit.jupiter.api.Test;

/** Tests that compiled kernels from which one barrier is missing race, whichever it is. */
class MissingBarriersTest {
  private static final Pattern BARRIER = Pattern.compile("bar\\.sync\\s+0;");

  private static void run(String ptx) {
    PtxModule module = PtxModule.parse("samples", ptx);
    Emulation emulation = new Emulation();
    float[] x = new float[70 * 70];
    long a = emulation.of(x);
    long b = emulation.of(x);
    long c = emulation.of(x);
    long d = emulation.of(x);
    long sum = emulation.of(0L);
    long ones = emulation.of(new int[300]);
    module.run(
        "blas",
        new Shape(2, 2, 1, 256, 1),
        new Arguments().address(a).address(b).address(c).add(70).add(70).add(70),
        emulation.memory);
    module.run(
        "columns",
        new Shape(3, 1, 1, 32, 8),
        new Arguments().address(a).address(c).add(70).add(70),
        emulation.memory);
    module.run(
        "total",
        Emulation.shape(1, 256),
        new Arguments().address(a).address(ones).address(sum).address(emulation.of(0)).add(300),
        emulation.memory);
    module.run(
        "adam",
        Emulation.shape(2, 64),
        new Arguments()
            .address(a)
            .address(b)
            .address(c)
            .address(d)
            .address(emulation.of(1L))
            .add(100L)
            .add(0.1f)
            .add(0.9f)
            .add(0.9f)
            .add(0.1f),
        emulation.memory);
  }

  @Test
  void areFound() throws IOException {
    String ptx;
    try (InputStream in = MissingBarriersTest.class.getResourceAsStream("samples.ptx")) {
      ptx = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    run(ptx);
    int barriers = 0;
    for (Matcher barrier = BARRIER.matcher(ptx); barrier.find(); barriers++) {
      String without = ptx.substring(0, barrier.start()) + ptx.substring(barrier.end());
      String line = "line " + ptx.substring(0, barrier.start()).lines().count();
      try {
        run(without);
        throw new AssertionError("without the barrier in " + line + " no race is found");
      } catch (Fault race) {
        String message = race.getMessage();
        assertEquals(
            true,
            message.contains("a race with") || message.contains("no thread of the block has"),
            line + ": " + message);
      }
    }
    assertEquals(5, barriers);
  }
}
