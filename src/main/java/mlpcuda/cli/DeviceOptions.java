package mlpcuda.cli;

import mlpcuda.compute.DeviceException;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What computes. */
final class DeviceOptions {
  /** More than machines have processors, and less than makes them fail. */
  private static final int MAX_THREADS = 1024;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--gpu",
      paramLabel = "N",
      converter = Converters.NotNegative.class,
      description = "Train on the NVIDIA GPU of that index, or fail.")
  private Integer gpu;

  @Option(names = "--cpu", description = "Train on the CPU.")
  private boolean cpu;

  @Option(
      names = "--threads",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Threads of the CPU device. Default: all processors.")
  private Integer threads;

  /** Refuses what can be refused before any file is read. */
  void check() {
    if (gpu != null && cpu) {
      throw new ParameterException(
          spec.commandLine(), "--gpu and --cpu exclude each other, found both");
    }
    if (threads != null && threads > MAX_THREADS) {
      throw new ParameterException(
          spec.commandLine(),
          "Invalid value for option '--threads': must be at most %d, found %d"
              .formatted(MAX_THREADS, threads));
    }
  }

  /** Opens the device; the caller closes it. */
  Ops open() {
    if (gpu != null) {
      throw new DeviceException(
          "GPU %d cannot be used: version %s has no CUDA device".formatted(gpu, Main.version()),
          "Train on the CPU: leave --gpu away, or give --cpu.");
    }
    return threads == null ? new CpuOps() : new CpuOps(threads);
  }

  /** Why the device is what it is. */
  String reason() {
    return cpu ? "--cpu" : "no GPU is used: this version has no CUDA device";
  }
}
