package mlpcuda.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import mlpcuda.cli.SweepRun.Outcome;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.error.DeviceException;
import mlpcuda.run.SideBySide;
import mlpcuda.train.Averages;

/** Trains the runs of a sweep on several threads at once. */
final class ParallelRuns {
  /** Makes a run somewhere. */
  interface Runner {
    /**
     * Makes a run, and returns how it ended.
     *
     * @param thread the number of the calling thread, from 0
     */
    Outcome run(SweepRun run, int thread);
  }

  private final List<SweepRun> runs;
  private final List<Optional<Outcome>> outcomes;
  private final Runner runner;
  private final BooleanSupplier stopping;
  private final PrintWriter lines;
  private final List<Integer> pending; // the indices of the runs that have no outcome yet
  private final AtomicInteger ended; // the number of runs that have an outcome

  /**
   * @param outcomes the outcome of each run, empty if it must run; outcomes are added here
   * @param runner makes the runs
   * @param stopping whether the program was told to stop
   * @param lines where the result of each run is printed
   */
  ParallelRuns(
      List<SweepRun> runs,
      List<Optional<Outcome>> outcomes,
      Runner runner,
      BooleanSupplier stopping,
      PrintWriter lines) {
    this.runs = runs;
    this.outcomes = outcomes;
    this.runner = runner;
    this.stopping = stopping;
    this.lines = lines;
    pending =
        IntStream.range(0, runs.size()).filter(i -> outcomes.get(i).isEmpty()).boxed().toList();
    ended = new AtomicInteger(runs.size() - pending.size());
  }

  /**
   * Loads the native libraries once, before several runs do, and refuses a GPU that is not there.
   *
   * @param gpus the indices of the GPUs; empty for the CPU
   * @throws DeviceException if CUDA shows no GPU of one of the indices
   */
  static void checkDevices(List<Integer> gpus, Context context) {
    if (gpus.isEmpty()) {
      new CpuOps(1).close();
      return;
    }
    List<Integer> found = context.gpus().list().stream().map(GpuProperties::index).toList();
    for (int gpu : gpus) {
      if (!found.contains(gpu)) {
        throw new DeviceException(
            "--gpus must be of the GPUs that CUDA shows, %s; found %d".formatted(found, gpu),
            "'mlp-cuda devices' lists them.");
      }
    }
  }

  /**
   * Makes runs in this process, each thread on a GPU of its own.
   *
   * @param gpus the indices of the GPUs; empty for the CPU
   * @param context the GPUs of the machine, and whether to stop
   */
  static Runner here(List<Integer> gpus, Context context) {
    return (run, thread) ->
        run.run(
            gpus.isEmpty() ? OptionalInt.empty() : OptionalInt.of(gpus.get(thread % gpus.size())),
            context);
  }

  /**
   * Runs what has no outcome yet, and returns when all is done or the program was told to stop.
   *
   * @param parallel the number of threads, each of which asks for one run after another
   */
  void run(int parallel) {
    SideBySide.run("mlp-cuda-sweep", pending.size(), parallel, stopping, this::work);
  }

  private void work(int thread, int place) {
    int i = pending.get(place);
    Outcome outcome = runner.run(runs.get(i), thread);
    synchronized (lines) { // the lock keeps the numbers in the order of the lines
      outcomes.set(i, Optional.of(outcome));
      String line = progress(runs.get(i), outcome);
      lines.println("[%d/%d] %s".formatted(ended.incrementAndGet(), runs.size(), line));
    }
  }

  /**
   * Returns the line of a run's result. It has the validation set's result if there is one, because
   * a choice must not be made by the test set.
   */
  private static String progress(SweepRun run, Outcome outcome) {
    if (!outcome.done()) {
      return "%s: exit code %d: %s"
          .formatted(run.folder().getFileName(), outcome.code(), outcome.error().orElse(""));
    }
    boolean validated = outcome.validation().isPresent();
    Averages score = outcome.validation().orElseGet(() -> outcome.test().orElseThrow());
    return String.format(
        Locale.ROOT,
        "%s: %s accuracy %.2f%%, loss %.4f, %.1f s",
        run.folder().getFileName(),
        validated ? "validation" : "test",
        100 * score.accuracy(),
        score.loss(),
        outcome.seconds());
  }
}
