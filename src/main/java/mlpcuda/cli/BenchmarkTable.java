package mlpcuda.cli;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import mlpcuda.benchmark.Shares;
import mlpcuda.benchmark.Throughput.Result;
import mlpcuda.benchmark.Throughput.Speed;
import mlpcuda.benchmark.Timing;
import mlpcuda.cli.Measurements.Subject;
import mlpcuda.report.Tables;

/** The table that {@code benchmark} prints, and the JSON of its rows. */
final class BenchmarkTable {
  private static final int NAME = 18; // characters of a network's name

  private BenchmarkTable() {}

  /** The names of the columns. */
  static final String HEADER =
      "%-18s %-9s %5s %10s %7s %9s %9s %9s %7s %4s %-15s %7s"
          .formatted(
              "network",
              "",
              "batch",
              "images/s",
              "steps/s",
              "µs/step",
              "min",
              "max",
              "GFLOP/s",
              "peak",
              "limit",
              "error");

  private static String name(Result result) {
    return result.work().name().toLowerCase(Locale.ROOT);
  }

  /**
   * The row of a result.
   *
   * @param repeats the number of repeats that was asked for: a row with fewer says so
   */
  static String row(Subject subject, Result result, int repeats) {
    String network = subject.name();
    if (network.length() > NAME) {
      network = network.substring(0, NAME - 1) + "…";
    }
    String what = "%-18s %-9s %5d".formatted(network, name(result), result.batch());
    if (result.failure().isPresent()) {
      return what + " not measured: " + result.failure().get().why();
    }
    if (result.speed().isEmpty()) {
      return "%s WRONG, and not timed: error %.1e".formatted(what, result.error());
    }
    Speed speed = result.speed().get();
    Timing timing = speed.timing();
    Shares shares = speed.shares();
    return String.format(
        Locale.ROOT,
        "%s %,10.0f %s %s %s %s %,7.0f %3.0f%% %-15s%s%7.1e%s",
        what,
        result.batch() / timing.median(),
        rate(1 / timing.median()),
        micros(timing.median()),
        micros(timing.min()),
        micros(timing.max()),
        speed.flops() / timing.median() / 1e9,
        100 * shares.arithmetic(),
        "%s %.0f%%".formatted(shares.limit(), 100 * shares.all().get(shares.limit())),
        result.lossAlone() ? "*" : " ",
        result.error(),
        timing.repeats() < repeats ? ", " + Tables.count(timing.repeats(), "repeat") : "");
  }

  /** Steps a second: of slow ones with two digits. */
  private static String rate(double steps) {
    return String.format(Locale.ROOT, steps < 10 ? "%,7.2f" : "%,7.0f", steps);
  }

  /** Seconds in microseconds: of a second and more without a fraction. */
  private static String micros(double seconds) {
    return String.format(Locale.ROOT, seconds < 1 ? "%,9.1f" : "%,9.0f", seconds * 1e6);
  }

  /** A result as an object for JSON. */
  static Map<String, Object> json(Subject subject, Result result) {
    var json = new LinkedHashMap<String, Object>();
    json.put("preset", subject.preset().preset());
    json.put("layers", subject.throughput().training().shape().sizes());
    json.put("work", name(result));
    json.put("batch_size", result.batch());
    if (result.failure().isPresent()) {
      json.put("not_measured", result.failure().get().why());
      return json;
    }
    json.put("error", Tables.number(result.error()));
    json.put("loss_alone", result.lossAlone());
    json.put("right", result.speed().isPresent());
    result.speed().ifPresent(speed -> put(json, result, speed));
    return json;
  }

  private static void put(Map<String, Object> json, Result result, Speed speed) {
    Timing timing = speed.timing();
    json.put("seconds", timing.median());
    json.put("seconds_min", timing.min());
    json.put("seconds_max", timing.max());
    json.put("repeats", timing.repeats());
    json.put("images_per_second", result.batch() / timing.median());
    json.put("steps_per_second", 1 / timing.median());
    json.put("flops_per_second", speed.flops() / timing.median());
    json.put("shares", speed.shares().all());
    json.put("limit", speed.shares().limit());
  }
}
