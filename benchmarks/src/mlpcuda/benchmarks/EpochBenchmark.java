package mlpcuda.benchmarks;

import java.util.concurrent.TimeUnit;
import mlpcuda.compute.Ops;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;
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

/** An epoch of the default network: its order, its batches, and a loss every 100 steps. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 5) // epochs; the JIT compiler shares the processors in the first
@Measurement(iterations = 10)
public class EpochBenchmark {
  private static final int LOG_INTERVAL = 100;

  @Param({"cpu", "gpu", "gpu-ptx", "gpu-cudnn"})
  public String device;

  @Param({"64", "1024"})
  public int batch;

  @Param("60000")
  public int images;

  private Ops ops;
  private TrainingSetup training;
  private Learner learner;

  @Setup
  public void open() {
    ops = Devices.open(device);
    training = Network.training(images, batch);
    learner = Network.learner(ops, training);
  }

  @Benchmark
  public double epoch() {
    for (int i = 1; i < training.batches(); i++) {
      learner.run();
      if (i % LOG_INTERVAL == 0) {
        learner.loss();
      }
    }
    learner.run();
    return learner.loss();
  }

  @TearDown
  public void close() {
    learner.close();
    ops.close();
  }
}
