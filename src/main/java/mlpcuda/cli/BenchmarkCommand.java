package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import mlpcuda.cli.Measurements.Subject;
import mlpcuda.files.WholeFile;
import mlpcuda.report.Build;
import mlpcuda.report.Tables;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code benchmark}: how many images a second a device learns from and answers. */
@Command(
    name = "benchmark",
    description = {
      "Measures how many images a second a device learns from and answers, after holding what it"
          + " computes against the reference, and what limits it.",
      "A GPU is measured in each way that no option rules out: each GEMM, each feed, with and"
          + " without graph, each precision; the first way with all networks, the others with the"
          + " first one."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    footer = {"", "Exit code 1 if an answer is wrong."})
final class BenchmarkCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();
  @Mixin private SubjectOptions networks = new SubjectOptions();

  @Option(
      names = "--repeats",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description =
          "Repeats of each measurement, of which the median is given; none begins after 10 seconds,"
              + " and a row with fewer says so. Default: 5.")
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

  @Override
  public Integer call() {
    data.check();
    device.check();
    if (out != null) {
      WholeFile.check(out); // better refused now than after minutes
    }
    PrintWriter standardOut = spec.commandLine().getOut();
    var terminal = new Terminal(json ? spec.commandLine().getErr() : standardOut, false);
    var measurements = new Measurements(terminal, seconds, repeats);
    List<Subject> subjects;
    List<GpuWay> ways;
    String description;
    try (Opened opened = Opened.of(device, data, terminal)) {
      subjects = networks.subjects(opened.dataset());
      description = opened.ops().description();
      measurements.opened(opened.ops());
      terminal.line("%s", opened.device().line(description));
      ways = device.ways(opened.device().choice());
      if (ways.isEmpty()) {
        measurements.measure(description, opened.ops(), subjects);
      }
    }
    measurements.measureWays(ways, subjects);
    terminal.line(
        "error: normalised and squared, against the reference, at most %s; limit: what most of the"
            + " time is, and its share",
        measurements.limitsOfErrors());
    if (measurements.lossAlone()) {
      terminal.line(
          "*: the loss alone, for a ReLU was at 0, but for rounding, and no other images were left");
    }
    String document = Tables.json(document(description, measurements));
    if (json) { // printed first: the disk may be full
      standardOut.println(document);
    }
    if (out != null) {
      WholeFile.write(out, stream -> stream.write(document.getBytes(StandardCharsets.UTF_8)));
    }
    return measurements.anyWrong() ? ExitCode.INTERNAL.code : 0;
  }

  private Map<String, Object> document(String description, Measurements measurements) {
    var json = new LinkedHashMap<String, Object>();
    json.put("device", description);
    var versions = new TreeMap<>(measurements.versions());
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
    json.putAll(measurements.json());
    return json;
  }
}
