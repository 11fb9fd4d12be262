package mlpcuda.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import mlpcuda.benchmark.DeviceLimits;
import mlpcuda.benchmark.ReferenceComparison;
import mlpcuda.benchmark.Throughput;
import mlpcuda.benchmark.Timing;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.error.DeviceException;
import mlpcuda.run.RunSettings;

/** What {@code benchmark} has measured so far. Each row is printed as soon as it is measured. */
final class Measurements {
  /**
   * A network and the batches to measure it in.
   *
   * @param name the name of the network for people
   * @param preset the preset as which the network learns
   */
  record Subject(String name, RunSettings preset, Throughput throughput, List<Integer> sizes) {}

  /** The seconds after which no repeat of a measurement begins. */
  private static final double MOST_SECONDS = 10;

  private final Terminal terminal;
  private final double seconds;
  private final int repeats;
  private DeviceLimits limits; // null: no device was opened yet
  private boolean wrong; // whether an answer was wrong
  private boolean lossAlone; // whether only the loss was compared, for one training step at least
  private boolean anything; // whether anything was measured
  private DeviceException failure; // the first failure of a device
  // the precisions of the devices that were opened
  private final SortedSet<Precision> precisions = new TreeSet<>();
  private final Map<String, String> versions = new TreeMap<>();
  private final List<Map<String, Object>> measured = new ArrayList<>();

  /**
   * @param terminal where the rows are printed
   * @param seconds the time of a repeat, at least
   * @param repeats the number of repeats of each measurement
   */
  Measurements(Terminal terminal, double seconds, int repeats) {
    this.terminal = terminal;
    this.seconds = seconds;
    this.repeats = repeats;
  }

  /** Notes the precision of a device that was opened. */
  void opened(Ops ops) {
    precisions.add(ops.precision());
  }

  /** Measures the ways of using a GPU, but for those that need a part which is missing. */
  void measureWays(List<GpuWay> ways, List<Subject> subjects) {
    List<Subject> some = subjects;
    var missing = new HashSet<Enum<?>>();
    for (GpuWay way : ways) {
      if (way.needsOneOf(missing)) {
        continue; // a line has said already that the part is missing
      }
      Ops ops;
      try {
        ops = way.open();
      } catch (DeviceException e) {
        way.part().ifPresent(missing::add);
        notMeasured(beginWay(way.named()), e);
        continue;
      }
      try (ops) {
        terminal.line(way.toString());
        measure(way.toString(), ops, some);
        if (anything) {
          some = subjects.subList(0, 1);
        }
      } catch (DeviceException e) { // closing what has failed may fail, too
        notMeasured(measured.get(measured.size() - 1), e);
      }
    }
  }

  /** Adds a way of using a device to the measurements, with nothing measured yet. */
  private Map<String, Object> beginWay(String way) {
    var json = new LinkedHashMap<String, Object>();
    json.put("way", way);
    measured.add(json);
    return json;
  }

  /** Notes that a way of using a device, or a part of it, could not be measured. */
  private void notMeasured(Map<String, Object> way, DeviceException e) {
    terminal.line("%s: not measured: %s", way.get("way"), e.why());
    way.put("not_measured", e.why());
    failed(e);
  }

  private void failed(DeviceException e) {
    if (failure == null) {
      failure = e;
    }
  }

  /**
   * Measures one way of using a device, which is open; a failure of the device is noted.
   *
   * @param way the name of the way
   */
  void measure(String way, Ops ops, List<Subject> subjects) {
    Map<String, Object> json = beginWay(way);
    precisions.add(ops.precision());
    json.put("precision", ops.precision().label());
    json.put("error_limit", ReferenceComparison.limit(ops.precision()));
    var rows = new ArrayList<Map<String, Object>>();
    json.put("rows", rows);
    try {
      measure(ops, subjects, rows);
    } catch (DeviceException e) {
      notMeasured(json, e);
    }
  }

  private void measure(Ops ops, List<Subject> subjects, List<Map<String, Object>> rows) {
    versions.putAll(ops.versions());
    if (limits == null) {
      limits = DeviceLimits.of(ops, new Timing.Plan(seconds / 2, seconds / 5, repeats));
      terminal.line(
          "At most %,.0f GFLOP/s were seen in products, and %,.1f GB/s in Adam",
          limits.flops() / 1e9, limits.bandwidth() / 1e9);
    }
    terminal.line(BenchmarkTable.HEADER);
    for (Subject subject : subjects) {
      subject
          .throughput()
          .measure(
              ops,
              limits,
              subject.sizes(),
              new Timing.Plan(2 * seconds, seconds, repeats, MOST_SECONDS),
              result -> {
                terminal.line(BenchmarkTable.row(subject, result, repeats));
                lossAlone |= result.lossAlone();
                rows.add(BenchmarkTable.json(subject, result));
                result.failure().ifPresent(this::failed);
                if (result.failure().isEmpty()) {
                  anything = true;
                  wrong |= result.speed().isEmpty();
                }
              });
    }
  }

  /** The limits of errors, for the precisions that were measured. */
  String limitsOfErrors() {
    String first = "%.0e".formatted(ReferenceComparison.limit(precisions.first()));
    return precisions.stream()
        .skip(1)
        .map(p -> ", in %s %.0e".formatted(p.label(), ReferenceComparison.limit(p)))
        .collect(Collectors.joining("", first, ""));
  }

  /** Whether only the loss was compared, for one training step at least. */
  boolean lossAlone() {
    return lossAlone;
  }

  /**
   * Whether an answer was wrong.
   *
   * @throws DeviceException if nothing could be measured: the first failure of a device
   */
  boolean anyWrong() {
    if (!anything && failure != null) {
      throw failure;
    }
    return wrong;
  }

  /** The versions of the driver and the libraries that the devices use. */
  Map<String, String> versions() {
    return versions;
  }

  /** The limits and the measurements as an object for JSON. */
  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("error_limit", ReferenceComparison.limit(precisions.first()));
    json.put("peak_flops_per_second", limits == null ? null : limits.flops());
    json.put("peak_bytes_per_second", limits == null ? null : limits.bandwidth());
    json.put("measured", measured);
    return json;
  }
}
