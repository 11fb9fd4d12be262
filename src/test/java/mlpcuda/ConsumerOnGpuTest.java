package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.Digits;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the program of the consumer project, which ConsumerIT runs on the CPU, on a GPU. */
class ConsumerOnGpuTest {
  private static final EmulatedOptions OPTIONS =
      EmulatedOptions.of(EmulatedPolicy.LATEST).withoutCublas().withoutCudnn();

  @TempDir private Path tmp;

  /** A machine with one emulated GPU. */
  private record OneGpu() implements Gpus {
    @Override
    public List<GpuProperties> list() {
      try (var driver = new EmulatedDriver(OPTIONS)) {
        return List.of(driver.device());
      }
    }

    @Override
    public CudaDriver open(int index) {
      return new EmulatedDriver(OPTIONS);
    }
  }

  /** Images of 5×5 whose class is the column, of three, that is bright. */
  private static Examples images(int count, long seed) {
    var random = new Random(seed);
    byte[] pixels = new byte[25 * count];
    byte[] labels = new byte[count];
    for (int i = 0; i < count; i++) {
      labels[i] = (byte) (i % 3);
      for (int pixel = 0; pixel < 25; pixel++) {
        int light = pixel % 5 == labels[i] ? 150 : 0;
        pixels[25 * i + pixel] = (byte) (light + random.nextInt(100));
      }
    }
    return Examples.images(5, 5, pixels, labels);
  }

  private List<String> printed(Device device, String folder) {
    var out = new ByteArrayOutputStream();
    try (device) {
      Dataset columns = Dataset.of(images(150, 1), images(15, 2));
      var printer = new PrintStream(out, true, StandardCharsets.UTF_8);
      Digits.run(columns, device, tmp.resolve(folder), printer);
    }
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void theProgramOfTheConsumerRunsOnTheGpuAsOnTheCpu() throws IOException {
    for (String folder : List.of("gpu", "cpu")) {
      Files.createDirectory(tmp.resolve(folder));
    }
    List<String> gpu = printed(Device.gpu(0, new OneGpu()), "gpu");
    List<String> cpu = printed(Device.cpu(1), "cpu");
    assertEquals(5, gpu.size(), gpu.toString());
    assertTrue(
        gpu.get(3).startsWith("accuracy 0.9") || gpu.get(3).equals("accuracy 1.0"), gpu.get(3));
    assertEquals(cpu.subList(3, 5), gpu.subList(3, 5));
    assertEquals("the first test digit is a 0", gpu.get(4));
  }
}
