package mlpcuda.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Each benchmark runs, and what it measures is right: for some milliseconds, and for no figure. */
class BenchmarksTest {
  private static final List<Class<?>> ALL =
      List.of(
          OperationBenchmark.class,
          StepBenchmark.class,
          EpochBenchmark.class,
          FeedBenchmark.class,
          IdxBenchmark.class);

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
    long operations =
        results.stream()
            .filter(result -> result.getParams().getBenchmark().contains("Operation"))
            .count();
    assertEquals(9, operations);
  }

  private static String name(Method method) {
    return method.getDeclaringClass().getName() + "." + method.getName();
  }
}
