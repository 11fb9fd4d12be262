package mlpcuda.benchmarks;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.conformance.Conformance;
import mlpcuda.conformance.GuardedBuffers;
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

/**
 * Each operation of the conformance table. Each call is waited for, so that a GPU's time has a
 * launch and a copy of one number in it: {@link StepBenchmark} has what a step costs.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
// Half seconds, for there are many operations; the first one is the JIT compiler's.
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class OperationBenchmark {
  @Param({"cpu", "gpu", "gpu-ptx", "gpu-cudnn"})
  public String device;

  /** How the name of a case begins: all of a step of the default network, then the others. */
  @Param({
    "gatherForward B=64 I=784",
    "linearForward B=64 I=784 O=128 RELU",
    "linearForward B=64 I=128 O=64 RELU",
    "linearForward B=64 I=64 O=10 NONE",
    "crossEntropyForward B=64 C=10",
    "linearBackward B=64 I=64 O=10 below RELU",
    "linearBackward B=64 I=128 O=64 below RELU",
    "linearBackward B=64 I=784 O=128 below NONE, without dx",
    "adamStep n=109386",
    "advance",
    "dropoutForward n=8192 rate=0.2",
    "distortForward B=33 28x28x1",
    "activationBackward n=8192 RELU",
    "logSoftmaxForward B=1025 C=10",
    "sgdStep n=109386",
    "clipNorm n=300000",
    "averageStep n=109386"
  })
  public String operation;

  private Ops ops;
  private GuardedBuffers buffers;
  private Runnable call;

  /** All cases: those of a step of the default network, of one with other settings, the table's. */
  static List<Case> cases() {
    List<Case> others = ofStep(0.2f, SgdSettings.DEFAULT);
    return Stream.of(ofStep(), others, Cases.all()).flatMap(List::stream).toList();
  }

  /** The cases of a step of the default network. */
  static List<Case> ofStep() {
    return ofStep(0, AdamSettings.DEFAULT);
  }

  private static List<Case> ofStep(float dropout, OptimizerSettings optimizer) {
    var network =
        new Cases.Network(
            List.of(784, 128, 64, 10), Activation.RELU, Activation.NONE, dropout, 109_386);
    return Cases.ofStep(Precision.FP32, network, 64, 0, optimizer);
  }

  @Setup
  public void open() {
    Case chosen =
        cases().stream()
            .filter(one -> one.name().startsWith(operation))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no case begins with " + operation));
    ops = Devices.open(device);
    Conformance.Result result = Conformance.check(ops, chosen);
    if (!result.passed()) {
      throw new IllegalStateException(result + " on " + ops.description());
    }
    buffers = new GuardedBuffers(ops);
    call = chosen.inputs().apply(buffers);
  }

  @Benchmark
  public void operation() {
    call.run();
    buffers.await();
  }

  @TearDown
  public void close() {
    buffers.close();
    ops.close();
  }
}
