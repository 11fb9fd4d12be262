package mlpcuda.benchmarks;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import mlpcuda.data.Part;
import mlpcuda.input.CsvFile;
import mlpcuda.input.ReadOptions;
import mlpcuda.input.ReadingProgress;
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

/** Reading a table from a file in the system's cache. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1) // the first iteration is the JIT compiler's
@Measurement(iterations = 5, time = 1)
public class CsvBenchmark {
  private static final int COLUMNS = 40;

  @Param({"numbers", "words", "quoted", "pixels"})
  public String cells;

  /** The number of rows. */
  @Param("60000")
  public int images;

  private Path file;

  @Setup
  public void write() throws IOException {
    var random = new Random(1);
    int columns = cells.equals("pixels") ? 784 : COLUMNS;
    file = Files.createTempFile("mlp-cuda-benchmark", ".csv");
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      out.write("label");
      for (int i = 0; i < columns; i++) {
        out.write((cells.equals("pixels") ? ",pixel" : ",c") + i);
      }
      for (int row = 0; row < images; row++) {
        out.write("\n" + row % 10);
        for (int i = 0; i < columns; i++) {
          out.write("," + cell(random));
        }
      }
      out.write("\n");
    }
    if (read().features().size() != images) {
      throw new IllegalStateException("other rows were read than written");
    }
  }

  private String cell(Random random) {
    return switch (cells) {
      case "numbers" -> Float.toString((float) random.nextGaussian());
      case "words" -> "word" + random.nextInt(10);
      case "quoted" -> "\"" + random.nextInt(100) + "." + random.nextInt(1000) + "\"";
      default -> Integer.toString(random.nextInt(5) == 0 ? random.nextInt(256) : 0);
    };
  }

  @Benchmark
  public Part read() {
    return read(file);
  }

  private static Part read(Path file) {
    return CsvFile.read(file, ReadOptions.DEFAULT, Optional.empty(), true, ReadingProgress.NONE);
  }

  @TearDown
  public void delete() throws IOException {
    Files.delete(file);
  }

  /** Prints the seconds that the first reading of the file takes, for benchmarks/read_csv.py. */
  public static void main(String[] args) {
    long start = System.nanoTime();
    Part part = read(Path.of(args[0]));
    System.out.printf("%.3f %s%n", (System.nanoTime() - start) / 1e9, part.features());
  }
}
