package mlpcuda.benchmarks;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.IdxFile;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Reading MNIST's training images from a file in the system's cache. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1) // the first iteration is the JIT compiler's
@Measurement(iterations = 5, time = 1)
public class IdxBenchmark {
  @Param({"plain", "gzip"})
  public String form;

  @Param("60000")
  public int images;

  private Path file;

  @Setup
  public void write() throws IOException {
    ExampleSet set = Mnist.first(images);
    file = Files.createTempFile("mlp-cuda-benchmark", "-idx3-ubyte");
    try (OutputStream bytes = Files.newOutputStream(file);
        OutputStream out = form.equals("gzip") ? new GZIPOutputStream(bytes) : bytes) {
      int[] header = {0x803, images, 28, 28};
      ByteBuffer big = ByteBuffer.allocate(4 * header.length);
      Arrays.stream(header).forEach(big::putInt);
      out.write(big.array());
      out.write(set.features().array());
    }
    if (!Arrays.equals(set.features().array(), read().pixels())) {
      throw new IllegalStateException("other pixels were read than written");
    }
  }

  @Benchmark
  public IdxFile.Images read() {
    return IdxFile.readImages(file);
  }

  @TearDown
  public void delete() throws IOException {
    Files.delete(file);
  }
}
