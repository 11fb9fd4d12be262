package mlpcuda.benchmarks;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.cuda.HostGather;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.ExampleSet;
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

/** The host's share of a batch for a GPU: shuffled rows gathered into memory outside the heap. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1) // the first iteration is the JIT compiler's
@Measurement(iterations = 5, time = 1)
public class GatherBenchmark {
  private static final int BUFFERS = 4; // as many as a feed fills by turns

  @Param({"64", "1024", "16384"})
  public int batch;

  @Param("60000")
  public int images;

  @Param({"1", "2", "4"})
  public int threads;

  private HostGather host;
  private final ByteBuffer[] to = new ByteBuffer[BUFFERS];
  private int[] order;
  private int from;
  private int next;

  @Setup
  public void open() {
    ExampleSet train = Mnist.first(images);
    var examples = new HostExamples(train.features(), train.labels(), Optional.empty());
    host = new HostGather(examples, threads);
    HostGather.Layout layout = host.layout(batch);
    for (int i = 0; i < BUFFERS; i++) {
      to[i] = ByteBuffer.allocateDirect((int) layout.stride());
    }
    order = ExampleOrder.shuffled(images, 1, 1);
    byte last = gather().get(layout.labels() + batch - 1);
    if (last != train.labels()[order[batch - 1]]) {
      throw new IllegalStateException("the last label must be there, found " + last);
    }
  }

  @Benchmark
  public ByteBuffer gather() {
    ByteBuffer filled = to[next];
    host.gather(filled, order, from, batch, 1);
    next = (next + 1) % BUFFERS;
    from = from + 2 * batch <= images ? from + batch : 0;
    return filled;
  }

  @TearDown
  public void close() {
    host.close();
  }
}
