package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import mlpcuda.benchmark.DeviceLimits;
import mlpcuda.benchmark.ReferenceComparison;
import mlpcuda.benchmark.Shares;
import mlpcuda.benchmark.Throughput;
import mlpcuda.benchmark.Throughput.Result;
import mlpcuda.benchmark.Timing;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.data.Dataset;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.error.DeviceException;
import mlpcuda.files.WholeFile;
import mlpcuda.net.MlpShape;
import mlpcuda.report.Build;
import mlpcuda.report.Tables;
import mlpcuda.run.Presets;
import mlpcuda.run.RunSettings;
import mlpcuda.train.Training;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code benchmark}: how many images a second a device learns from and answers. */
@Command(
    name = "benchmark",
    description = {
      "Measures how many images a second a device learns from and answers, after holding what it"
          + " computes against the reference, and what limits it.",
      "A GPU is measured in each way that no option rules out: each GEMM, each feed, with and"
          + " without graph, each precision; the first way with all presets, the others with the"
          + " first preset."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    footer = {"", "Exit code 1 if an answer is wrong."})
final class BenchmarkCommand implements Callable<Integer> {
  private static final List<Integer> BATCH_SIZES =
      List.of(32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384);

  @Spec private CommandSpec spec;
  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();
  // no option is given: the preset's are taken
  private final LearningOptions learning = new LearningOptions();

  @Option(
      names = {"--presets", "--preset"},
      paramLabel = "NAMES",
      converter = Converters.PresetNames.class,
      description = "Measure these presets alone, such as 128x64,tuned. Default: all.")
  private Converters.PresetList presets;

  @Option(
      names = "--batch-sizes",
      paramLabel = "SIZES",
      converter = Converters.BatchSizes.class,
      description =
          "Batch sizes of every preset, such as 64,1024. Default: 32,64,128 ... 16384 of the first"
              + " preset, and of each other its own.")
  private Converters.Sizes batchSizes;

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
      description =
          "Seconds of a repeat, at least; twice that, and first ten times, warms up. Default: 0.1.")
  private double seconds = 0.1;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Write device, versions, command, commit and figures to FILE, as JSON.")
  private Path out;

  @Option(
      names = "--json",
      description = "Print that JSON on standard output, all else on standard error.")
  private boolean json;

  private Terminal terminal;
  private DeviceLimits limits;
  private boolean wrong;
  private boolean lossAlone; // whether only the loss was compared, for one training step at least
  private boolean anything; // whether anything was measured
  private DeviceException failure; // the first
  // the precisions that were opened
  private final SortedSet<Precision> precisions = new TreeSet<>();
  private final Map<String, String> versions = new TreeMap<>();
  private final List<Map<String, Object>> measured = new ArrayList<>();

  /** A preset's network, and the batches to measure it in. */
  private record Subject(RunSettings preset, Throughput throughput, List<Integer> sizes) {}

  @Override
  public Integer call() {
    data.check();
    device.check();
    if (out != null) {
      WholeFile.check(out); // better refused now than after minutes
    }
    PrintWriter standardOut = spec.commandLine().getOut();
    terminal = new Terminal(json ? spec.commandLine().getErr() : standardOut, false);
    List<Subject> subjects;
    List<GpuWay> ways;
    String description;
    try (Opened opened = Opened.of(device, data, terminal)) {
      subjects = subjects(opened.dataset());
      description = opened.ops().description();
      precisions.add(opened.ops().precision());
      terminal.line("%s", opened.device().line(description));
      ways = device.ways(opened.device().choice());
      if (ways.isEmpty()) {
        measure(description, opened.ops(), subjects);
      }
    }
    measureWays(ways, subjects);
    terminal.line(
        "error: normalised and squared, against the reference, at most %s; limit: what most of the"
            + " time is, and its share",
        limitsOfErrors());
    if (lossAlone) {
      terminal.line(
          "*: the loss alone, for a ReLU was at 0, but for rounding, and no other images were left");
    }
    String document = Tables.json(document(description));
    if (json) { // printed first: the disk may be full
      standardOut.println(document);
    }
    if (out != null) {
      WholeFile.write(out, stream -> stream.write(document.getBytes(StandardCharsets.UTF_8)));
    }
    if (!anything && failure != null) {
      throw failure;
    }
    return wrong ? ExitCode.INTERNAL.code : 0;
  }

  /** The limits of errors, for the precisions that were measured. */
  private String limitsOfErrors() {
    String first = "%.0e".formatted(ReferenceComparison.limit(precisions.first()));
    return precisions.stream()
        .skip(1)
        .map(p -> ", in %s %.0e".formatted(p.label(), ReferenceComparison.limit(p)))
        .collect(Collectors.joining("", first, ""));
  }

  private List<Subject> subjects(Dataset dataset) {
    ImageSet set = dataset.train();
    List<RunSettings> chosen = presets == null ? Presets.ALL : presets.list();
    var subjects = new ArrayList<Subject>();
    for (RunSettings preset : chosen) {
      subjects.add(
          new Subject(
              preset,
              new Throughput(training(preset, set, dataset.classes())),
              sizes(preset, preset == chosen.get(0), set.size())));
    }
    return subjects;
  }

  /** The training of a run with no options, but for its schedule. */
  private Training training(RunSettings preset, ImageSet set, int classes) {
    RunSettings settings = preset.with(learning.learning(preset)).with(learning.rate(preset));
    MlpShape shape = preset.network().shape(set.pixelsPerImage(), classes);
    return settings.training(shape, set, Scaling.of(preset.network().scaling(), set));
  }

  private List<Integer> sizes(RunSettings preset, boolean first, int examples) {
    if (batchSizes == null) {
      List<Integer> sizes = first ? BATCH_SIZES : List.of(preset.course().batchSize());
      return sizes.stream().map(B -> Math.min(B, examples)).distinct().toList();
    }
    for (int B : batchSizes.list()) {
      if (B > examples) {
        throw new ParameterException(
            spec.commandLine(),
            "Invalid value for option '--batch-sizes': must be at most the %d training examples,"
                    .formatted(examples)
                + " found "
                + B);
      }
    }
    return batchSizes.list();
  }

  /** Measures the ways of using a GPU, as far as they are there. */
  private void measureWays(List<GpuWay> ways, List<Subject> subjects) {
    List<Subject> some = subjects;
    var missing = new HashSet<Enum<?>>();
    for (GpuWay way : ways) {
      if (way.needsOneOf(missing)) {
        continue; // the lack of it was told once
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

  /** Notes that a part of that way, or all of it, could not be measured. */
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

  private void measure(String way, Ops ops, List<Subject> subjects) {
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
    terminal.line(HEADER);
    for (Subject subject : subjects) {
      subject.throughput.measure(
          ops,
          limits,
          subject.sizes,
          new Timing.Plan(2 * seconds, seconds, repeats),
          result -> {
            terminal.line(row(subject, result));
            lossAlone |= result.lossAlone();
            rows.add(json(subject, result));
            if (result.failure().isPresent()) {
              failed(result.failure().get());
            } else {
              anything = true;
              wrong |= result.speed().isEmpty();
            }
          });
    }
  }

  private static final String HEADER =
      "%-18s %-9s %5s %10s %7s %9s %9s %9s %7s %4s %-15s %7s"
          .formatted(
              "preset",
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

  private static String row(Subject of, Result result) {
    String what = "%-18s %-9s %5d".formatted(of.preset.preset(), name(result), result.batch());
    if (result.failure().isPresent()) {
      return what + " not measured: " + result.failure().get().why();
    }
    if (result.speed().isEmpty()) {
      return "%s WRONG, and not timed: error %.1e".formatted(what, result.error());
    }
    Throughput.Speed speed = result.speed().get();
    Timing timing = speed.timing();
    Shares shares = speed.shares();
    return String.format(
        Locale.ROOT,
        "%s %,10.0f %,7.0f %,9.1f %,9.1f %,9.1f %,7.0f %3.0f%% %-15s%s%7.1e",
        what,
        result.batch() / timing.median(),
        1 / timing.median(),
        timing.median() * 1e6,
        timing.min() * 1e6,
        timing.max() * 1e6,
        speed.flops() / timing.median() / 1e9,
        100 * shares.arithmetic(),
        "%s %.0f%%".formatted(shares.limit(), 100 * shares.all().get(shares.limit())),
        result.lossAlone() ? "*" : " ",
        result.error());
  }

  private static Map<String, Object> json(Subject of, Result result) {
    var json = new LinkedHashMap<String, Object>();
    json.put("preset", of.preset.preset());
    json.put("layers", of.throughput.training().shape().sizes());
    json.put("work", name(result));
    json.put("batch_size", result.batch());
    if (result.failure().isPresent()) {
      json.put("not_measured", result.failure().get().why());
      return json;
    }
    json.put("error", Tables.number(result.error()));
    json.put("loss_alone", result.lossAlone());
    json.put("right", result.speed().isPresent());
    result.speed().ifPresent(speed -> put(json, result.batch(), speed));
    return json;
  }

  private static void put(Map<String, Object> json, int batch, Throughput.Speed speed) {
    Timing timing = speed.timing();
    json.put("seconds", timing.median());
    json.put("seconds_min", timing.min());
    json.put("seconds_max", timing.max());
    json.put("images_per_second", batch / timing.median());
    json.put("steps_per_second", 1 / timing.median());
    json.put("flops_per_second", speed.flops() / timing.median());
    json.put("shares", speed.shares().all());
    json.put("limit", speed.shares().limit());
  }

  private Map<String, Object> document(String description) {
    var json = new LinkedHashMap<String, Object>();
    json.put("device", description);
    json.put("driver", Objects.requireNonNullElse(versions.remove("driver"), "none"));
    versions.put("mlp-cuda", Build.version());
    json.put("versions", versions);
    json.put("command", spec.root().commandLine().getParseResult().originalArgs());
    json.put("commit", Build.commit().orElse("unknown"));
    json.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    json.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    json.put(
        "system",
        "%s %s, %s"
            .formatted(
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch")));
    json.put("processors", Runtime.getRuntime().availableProcessors());
    json.put("repeats", repeats);
    json.put("repeat_seconds", seconds);
    json.put("error_limit", ReferenceComparison.limit(precisions.first()));
    json.put("peak_flops_per_second", limits == null ? null : limits.flops());
    json.put("peak_bytes_per_second", limits == null ? null : limits.bandwidth());
    json.put("measured", measured);
    return json;
  }
}
