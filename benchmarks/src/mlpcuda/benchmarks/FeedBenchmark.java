package mlpcuda.benchmarks;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Targets;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.net.Batches;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
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

/** Filling a batch: images to the device, scaled to floats, waited for. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1) // the first iteration is the JIT compiler's
@Measurement(iterations = 5, time = 1)
public class FeedBenchmark {
  private static final int I = 784;

  @Param({"cpu", "gpu"})
  public String device;

  @Param({"64", "1024"})
  public int batch;

  @Param("60000")
  public int images;

  private Ops ops;
  private Parameters parameters;
  private Batches examples;
  private Buffer x; // (batch, I)
  private Buffer y; // (batch) INT32
  private Buffer end; // (1) INT32
  private int[] order;
  private final float[] first = new float[1];

  @Setup
  public void open() {
    ExampleSet train = Mnist.first(images);
    PixelScaling scaling = Mnist.scaling();
    ops = Devices.open(device);
    var shape = new MlpShape(List.of(I, 10), Activation.RELU, Activation.NONE);
    parameters = Parameters.forInference(ops, shape);
    examples = new Batches(parameters, train, scaling, batch, 1);
    x = ops.allocate("x", Type.FLOAT32, batch * I);
    y = ops.allocate("y", Type.INT32, batch);
    end = ops.allocate("end", Type.INT32, 1);
    ops.write(end, new int[] {batch}, 0, 1);
    order = Arrays.copyOf(ExampleOrder.shuffled(images, 1, 1), batch);
    fill();
    check(train, scaling);
  }

  private void check(ExampleSet train, PixelScaling scaling) {
    float[] found = new float[batch * I];
    ops.read(x, found);
    for (int i = 0; i < found.length; i++) {
      int pixel = train.features().array()[order[i / I] * I + i % I] & 0xff;
      float expected = pixel * scaling.scale() + scaling.shift();
      if (!(Math.abs(found[i] - expected) <= 1e-6)) { // a device may round once or twice
        throw new IllegalStateException(
            "x[%d] must be %s, found %s".formatted(i, expected, found[i]));
      }
    }
  }

  @Benchmark
  public float fill() {
    examples.begin(order, 0);
    examples.stage(batch, 1);
    examples.gather(0, x, new Targets(y, Optional.empty()), end, batch);
    ops.read(x, first);
    return first[0];
  }

  @TearDown
  public void close() {
    x.close();
    y.close();
    end.close();
    examples.close();
    parameters.close();
    ops.close();
  }
}
