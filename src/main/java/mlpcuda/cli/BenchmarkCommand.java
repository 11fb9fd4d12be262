package mlpcuda.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import mlpcuda.benchmark.DeviceLimits;
import mlpcuda.benchmark.Throughput;
import mlpcuda.benchmark.Throughput.Result;
import mlpcuda.benchmark.Throughput.Work;
import mlpcuda.benchmark.Timing;
import mlpcuda.compute.Activation;
import mlpcuda.compute.DeviceException;
import mlpcuda.compute.Ops;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.data.WholeFile;
import mlpcuda.net.MlpShape;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code benchmark}: how many images a second a device trains on and answers. */
@Command(
    name = "benchmark",
    description = {
      "Measures how many images a second a device trains on and answers, for each batch size with"
          + " the default preset and for each preset with its own, after holding its answer against"
          + " the reference.",
      "On a GPU, unless an option says which: with each feed, each GEMM, with and without graph."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    footer = {"", "Exit code 1 if an answer is wrong."})
final class BenchmarkCommand implements Callable<Integer> {
  private static final List<Integer> BATCH_SIZES =
      List.of(32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384);
  private static final double WARM_UP = 0.3; // seconds

  /** What takes less of a batch's time than this does not limit it. */
  private static final double NOTABLE = 1.0 / 3;

  @Spec private CommandSpec spec;
  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();

  @Option(
      names = "--batch-sizes",
      paramLabel = "N",
      split = ",",
      converter = Converters.Positive.class,
      description = "Batch sizes of the default preset. Default: 32,64,… 16384.")
  private List<Integer> batchSizes;

  @Option(
      names = "--repeats",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Repeats of each measurement, of which the median is given. Default: 5.")
  private int repeats = 5;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      converter = Converters.PositiveReal.class,
      description = "Seconds of a repeat, at least. Default: 0.1.")
  private double seconds = 0.1;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Write device, command, version and figures to FILE, as JSON.")
  private Path out;

  @Option(names = "--json", description = "Print that JSON on standard output.")
  private boolean json;

  private PrintWriter standardOut;
  private Terminal terminal;
  private boolean wrong;

  @Override
  public Integer call() {
    data.check();
    device.check();
    standardOut = spec.commandLine().getOut();
    terminal = new Terminal(json ? spec.commandLine().getErr() : standardOut, false);
    ImageSet set = data.load(terminal).train();
    List<Integer> sizes = sizes(set);
    int classes = set.largestLabel() + 1;
    var devices = new LinkedHashMap<String, Object>(); // by what they say of themselves
    try (Ops ops = device.open()) {
      terminal.line("%s", ops.description() + " (" + device.reason() + ")");
      devices.put(ops.description(), measure(ops, set, classes, sizes, Preset.ALL));
    }
    for (DeviceOptions.Variation variation : device.variations()) {
      try (Ops ops = variation.open()) {
        if (!devices.containsKey(ops.description())) {
          terminal.line("%s", ops.description());
          devices.put(ops.description(), measure(ops, set, classes, sizes, List.of()));
        }
      } catch (DeviceException e) { // no cuBLAS, say
        terminal.line("%s: not measured: %s", variation, e.why());
      }
    }
    Map<String, Object> document = document(List.copyOf(devices.values()));
    if (out != null) {
      WholeFile.write(
          out,
          stream ->
              stream.write(JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asBytes(document)));
    }
    if (json) {
      standardOut.println(Tables.json(document));
    }
    return wrong ? Main.INTERNAL : 0;
  }

  private List<Integer> sizes(ImageSet set) {
    if (batchSizes == null) {
      return BATCH_SIZES.stream().filter(B -> B <= set.size()).toList();
    }
    for (int B : batchSizes) {
      if (B > set.size()) {
        throw new ParameterException(
            spec.commandLine(),
            "Invalid value for option '--batch-sizes': must be at most the %d training examples,"
                    .formatted(set.size())
                + " found "
                + B);
      }
    }
    return batchSizes;
  }

  /** Rows of one device: the default preset in those sizes, and those presets in their own. */
  private Map<String, Object> measure(
      Ops ops, ImageSet set, int classes, List<Integer> sizes, List<Preset> presets) {
    DeviceLimits limits = DeviceLimits.of(ops);
    terminal.line(
        "Seen of it: %.0f GFLOP/s in products, %.1f GB/s in Adam, %.2f µs an operation",
        limits.flops() / 1e9,
        limits.memory().lastEntry().getValue() / 1e9,
        limits.operation() * 1e6);
    terminal.line(
        "%-18s %-9s %6s %12s %10s %10s %21s %8s %5s  %-16s %9s",
        "preset",
        "work",
        "batch",
        "images/s",
        "batches/s",
        "µs",
        "(min–max)",
        "GFLOP/s",
        "peak",
        "limit",
        "error²");
    var rows = new ArrayList<Map<String, Object>>();
    for (int B : sizes) {
      rows.addAll(rows(ops, set, classes, limits, Preset.DEFAULT, B));
    }
    for (Preset preset : presets) {
      if (preset != Preset.DEFAULT && preset.batchSize() <= set.size()) {
        rows.addAll(rows(ops, set, classes, limits, preset, preset.batchSize()));
      }
    }
    var json = new LinkedHashMap<String, Object>();
    json.put("device", ops.description());
    json.put("flops_per_second", limits.flops());
    json.put("bytes_per_second", limits.memory().lastEntry().getValue());
    json.put("operation_seconds", limits.operation());
    json.put("rows", rows);
    return json;
  }

  private List<Map<String, Object>> rows(
      Ops ops, ImageSet set, int classes, DeviceLimits limits, Preset preset, int B) {
    List<Integer> layers =
        Stream.of(List.of(set.pixelsPerImage()), preset.hidden(), List.of(classes))
            .flatMap(List::stream)
            .toList();
    var shape = new MlpShape(layers, Activation.RELU, preset.output());
    var throughput = new Throughput(ops, shape, set, Scaling.of(preset.scaling(), set));
    var plan = new Timing.Plan(WARM_UP, seconds, repeats);
    return Stream.of(Work.values())
        .map(work -> row(throughput, throughput.measure(work, B, plan), limits, preset))
        .toList();
  }

  private Map<String, Object> row(
      Throughput of, Result result, DeviceLimits limits, Preset preset) {
    Work work = result.work();
    int B = result.batch();
    String name = work.name().toLowerCase(Locale.ROOT);
    var json = new LinkedHashMap<String, Object>();
    json.put("preset", preset.name());
    json.put("layers", of.shape().sizes());
    json.put("work", name);
    json.put("batch_size", B);
    json.put("error", result.error());
    json.put("error_limit", Throughput.LIMIT);
    if (result.timing() == null) {
      wrong = true;
      terminal.line(
          "%-18s %-9s %6d WRONG: squared error %.1e, limit %.1e: not measured",
          preset.name(), name, B, result.error(), Throughput.LIMIT);
      return json;
    }
    Timing timing = result.timing();
    double rate = of.flops(work, B) / timing.median();
    Limit limit = limit(of, result, limits);
    json.put("seconds", timing.median());
    json.put("seconds_min", timing.min());
    json.put("seconds_max", timing.max());
    json.put("images_per_second", result.imagesPerSecond());
    json.put("flops_per_second", rate);
    json.put("limit", limit.name());
    json.put("limit_share", limit.share());
    terminal.line(
        "%-18s %-9s %6d %,12.0f %,10.0f %,10.1f %21s %8.1f %4.0f%%  %-16s %9.1e",
        preset.name(),
        name,
        B,
        result.imagesPerSecond(),
        1 / timing.median(),
        timing.median() * 1e6,
        "(%,.1f–%,.1f)".formatted(timing.min() * 1e6, timing.max() * 1e6),
        rate / 1e9,
        100 * rate / limits.flops(),
        limit,
        result.error());
    return json;
  }

  /**
   * What a batch's time goes into most.
   *
   * @param share of the time, as far as the device's limits explain it
   */
  private record Limit(String name, double share) {
    @Override
    public String toString() {
      return "%s %.0f%%".formatted(name, 100 * share);
    }
  }

  private static Limit limit(Throughput of, Result result, DeviceLimits limits) {
    double time = result.timing().median();
    Work work = result.work();
    int B = result.batch();
    var arithmetic = new Limit("arithmetic", of.flops(work, B) / limits.flops() / time);
    var memory = new Limit("memory", limits.seconds(of.bytes(work, B)) / time);
    var launches = new Limit("launches", of.operations(work) * limits.operation() / time);
    Limit most =
        Stream.of(arithmetic, memory, launches)
            .max(Comparator.comparingDouble(Limit::share))
            .orElseThrow();
    return most.share() >= NOTABLE ? most : new Limit("host", 1 - most.share());
  }

  private Map<String, Object> document(List<Object> devices) {
    var json = new LinkedHashMap<String, Object>();
    json.put("version", Main.version());
    json.put("command", spec.root().commandLine().getParseResult().originalArgs());
    json.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    json.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    json.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    json.put("processors", Runtime.getRuntime().availableProcessors());
    json.put("repeats", repeats);
    json.put("devices", devices);
    return json;
  }
}
