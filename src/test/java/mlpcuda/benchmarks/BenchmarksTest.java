package mlpcuda.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.train.TrainingSetup;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Each benchmark runs for some milliseconds, and its work is right; its figures do not matter. */
class BenchmarksTest {
  private static final List<Class<?>> ALL =
      List.of(
          OperationBenchmark.class,
          StepBenchmark.class,
          EpochBenchmark.class,
          FeedBenchmark.class,
          GatherBenchmark.class,
          IdxBenchmark.class,
          CsvBenchmark.class);

  @Test
  void eachRuns() throws RunnerException {
    System.setProperty("jmh.ignoreLock", "true"); // others may measure: this does not
    var options =
        new OptionsBuilder()
            .include("mlpcuda.benchmarks")
            .forks(0)
            .warmupIterations(0)
            .measurementIterations(1)
            .measurementTime(TimeValue.milliseconds(5))
            .param("device", "cpu")
            .param("batch", "64")
            .param("images", "320")
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();
    var results = new Runner(options).run();
    Set<String> ran = new TreeSet<>();
    for (RunResult result : results) {
      assertTrue(result.getPrimaryResult().getScore() > 0, result.getParams().getBenchmark());
      ran.add(result.getParams().getBenchmark());
    }
    Set<String> expected =
        ALL.stream()
            .flatMap(c -> Stream.of(c.getMethods()))
            .filter(method -> method.isAnnotationPresent(Benchmark.class))
            .map(BenchmarksTest::name)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(expected, ran);
    List<String> chosen =
        results.stream()
            .filter(result -> result.getParams().getBenchmark().contains("Operation"))
            .map(result -> result.getParams().getParam("operation"))
            .toList();
    assertEquals(
        operations(Cases.all().stream().map(Case::operation)),
        operations(chosen.stream().map(name -> name.split(" ")[0])),
        "each operation of the table has its benchmark");
    for (Case one : OperationBenchmark.ofStep()) {
      assertTrue(chosen.stream().anyMatch(one.name()::startsWith), one + " has its benchmark");
    }
  }

  private static Set<String> operations(Stream<String> names) {
    return names.collect(Collectors.toCollection(TreeSet::new));
  }

  /** A layer whose bias has no gradient, which the first loss does not show. */
  private static final class WrongGradient extends ReferenceOps {
    @Override
    protected void linearBackwardK(
        LayerGradients gradients,
        Buffer dy,
        Buffer x,
        Buffer w,
        int B,
        int I,
        int O,
        Activation below) {
      super.linearBackwardK(gradients, dy, x, w, B, I, O, below);
      for (int o = 0; o < O; o++) {
        set(gradients.db(), o, 0);
      }
    }
  }

  /** An optimizer whose step is a tenth too long, which the first loss does not show either. */
  private static final class WrongOptimizer extends ReferenceOps {
    @Override
    protected void adamStepK(
        OptimizerState state,
        Buffer dw,
        Buffer step,
        Buffer rate,
        Optional<Buffer> scaling,
        int n,
        AdamSettings settings) {
      double right = value(rate, 0);
      set(rate, 0, 1.1 * right);
      super.adamStepK(state, dw, step, rate, scaling, n, settings);
      set(rate, 0, right);
    }
  }

  @Test
  void aStepThatGoesWrongAfterItsLossIsNotTimed() {
    TrainingSetup training = Network.training(320, 64);
    for (Ops wrong : List.of(new WrongGradient(), new WrongOptimizer())) {
      try (Ops ops = wrong) {
        var refusal =
            assertThrows(IllegalStateException.class, () -> Network.learner(ops, training));
        assertTrue(refusal.getMessage().contains("weights and moments"), refusal.getMessage());
        assertEquals(0, ops.liveBytes());
      }
    }
    try (Ops right = new ReferenceOps()) {
      Network.learner(right, training).close();
    }
  }

  private static String name(Method method) {
    return method.getDeclaringClass().getName() + "." + method.getName();
  }
}
