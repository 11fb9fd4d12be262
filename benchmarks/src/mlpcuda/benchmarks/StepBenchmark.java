package mlpcuda.benchmarks;

import java.util.concurrent.TimeUnit;
import mlpcuda.compute.Ops;
import mlpcuda.train.Learner;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Training steps of the default network, waited for one by one and 100 at a time. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1) // the first iteration is the JIT compiler's
@Measurement(iterations = 5, time = 1)
public class StepBenchmark {
  private static final int STEPS = 100;

  @Param({"cpu", "gpu", "gpu-ptx", "gpu-cudnn"})
  public String device;

  @Param({"64", "1024"})
  public int batch;

  @Param("60000")
  public int images;

  private Ops ops;
  private Learner learner;

  @Setup
  public void open() {
    ops = Devices.open(device);
    learner = Network.learner(ops, Network.training(images, batch));
  }

  /** A step, and its loss: a wait. */
  @Benchmark
  public double step() {
    learner.run();
    return learner.loss();
  }

  /** A step of many, as in training. */
  @Benchmark
  @OperationsPerInvocation(STEPS)
  public double stepOfHundred() {
    for (int i = 0; i < STEPS; i++) {
      learner.run();
    }
    return learner.loss();
  }

  @TearDown
  public void close() {
    learner.close();
    ops.close();
  }
}
