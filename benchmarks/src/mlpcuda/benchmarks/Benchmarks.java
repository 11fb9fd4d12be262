package mlpcuda.benchmarks;

import java.util.Locale;
import java.util.stream.Collectors;
import mlpcuda.compute.Ops;
import mlpcuda.error.DeviceException;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Runs the benchmarks on one device: what {@code scripts/bench.sh} starts. */
final class Benchmarks {
  private Benchmarks() {}

  /**
   * {@code DEVICE JSON LOG [short [PATTERN]]}: writes JMH's results and log to these files, and
   * prints a table. A device that is not there is a line, and so is one that PATTERN leaves nothing
   * to do.
   */
  public static void main(String[] args) throws RunnerException {
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    String device = args[0];
    try (Ops ops = Devices.open(device)) {
      System.out.println(ops.description());
    } catch (DeviceException e) {
      System.out.println(device + " is skipped: " + e.why());
      return;
    }
    var options =
        new OptionsBuilder()
            .param("device", device)
            .resultFormat(ResultFormatType.JSON)
            .result(args[1])
            .output(args[2])
            .shouldFailOnError(true)
            .shouldDoGC(true)
            .include(args.length > 4 ? args[4] : "mlpcuda.benchmarks");
    if (!device.equals("cpu")) {
      options.exclude("IdxBenchmark"); // reading IDX files uses no device
    }
    if (device.startsWith("gpu-")) {
      options.exclude("FeedBenchmark"); // neither products nor activations are in it: gpu has it
    }
    if (args.length > 3 && args[3].equals("short")) {
      TimeValue time = TimeValue.milliseconds(200);
      options.warmupIterations(2).warmupTime(time).measurementIterations(3).measurementTime(time);
    }
    try {
      for (RunResult result : new Runner(options.build()).run()) {
        System.out.println(row(result));
      }
    } catch (NoBenchmarksException e) {
      System.out.println(device + " is skipped: it has no such benchmark");
    }
  }

  private static String row(RunResult run) {
    BenchmarkParams params = run.getParams();
    Result<?> result = run.getPrimaryResult();
    String name = params.getBenchmark().replaceFirst(".*\\.(\\w+)Benchmark\\.", "$1.");
    String values =
        params.getParamsKeys().stream()
            .filter(key -> !key.equals("device"))
            .map(key -> key + "=" + params.getParam(key))
            .collect(Collectors.joining(", "));
    return "%10.2f ± %8.2f %-6s  %s, %s"
        .formatted(result.getScore(), result.getScoreError(), result.getScoreUnit(), name, values);
  }
}
