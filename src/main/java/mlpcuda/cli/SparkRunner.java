package mlpcuda.cli;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import mlpcuda.cli.SweepRun.Outcome;
import mlpcuda.compute.cuda.CudaDevices;
import mlpcuda.files.CacheFolder;
import mlpcuda.files.OneLine;
import mlpcuda.spark.AssignedGpu;
import mlpcuda.spark.JavaBytes;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;

/**
 * Makes the runs of a sweep on the executors of a Spark cluster, each as a task. The sweep's folder
 * must be on a path that all machines share: the executors write the runs' folders there.
 */
final class SparkRunner implements ParallelRuns.Runner, AutoCloseable {
  /** Spark's setting for the number of GPUs of a task. */
  private static final String GPUS = "spark.task.resource.gpu.amount";

  /**
   * The runs that Spark is given at once. It lets those wait for which it has no core yet, and
   * knows better than this program how many those are: executors come and go.
   */
  static final int PARALLEL = 256;

  /** The time between two looks at whether the program was told to stop. */
  private static final long LOOK_MILLIS = 200;

  /** The most characters of Spark's message that a table shows. */
  private static final int MOST = 200;

  private final JavaSparkContext spark;
  private final BooleanSupplier stopping;

  /**
   * Connects to a cluster; the caller closes it.
   *
   * @param master Spark's address of the cluster, such as {@code spark://HOST:7077}
   * @param stopping whether the program was told to stop
   */
  SparkRunner(String master, BooleanSupplier stopping) {
    this.spark =
        new JavaSparkContext(new SparkConf().setMaster(master).setAppName("mlp-cuda sweep"));
    this.stopping = stopping;
  }

  /**
   * The GPUs by which the options of the runs are checked: one, whichever Spark assigns to a task,
   * if it is set to do so; otherwise none.
   */
  static List<Integer> gpus() {
    return Double.parseDouble(new SparkConf().get(GPUS, "0")) > 0 ? List.of(0) : List.of();
  }

  /**
   * How a run ended on an executor, whose results are in its folder.
   *
   * @param error the first line of its error; null if there is none
   */
  private record End(int code, String error, double seconds) implements Serializable {}

  /**
   * A run on its way to an executor, which returns {@link JavaBytes} of its end.
   *
   * @param folder the run's folder
   * @param names the folder that the relative names of files in the arguments start from: an
   *     executor works in another folder than the program
   */
  private record Task(
      String folder, Map<String, String> settings, List<String> arguments, String names)
      implements Function<Integer, byte[]> {
    @Override
    public byte[] call(Integer place) {
      BooleanSupplier stopped = TaskContext.get()::isInterrupted;
      var context = new Context(new CudaDevices(CacheFolder.natives()), stopped, Path.of(names));
      var run = new SweepRun(Path.of(folder), settings, arguments);
      Outcome outcome = run.run(AssignedGpu.index(), context);
      return JavaBytes.of(new End(outcome.code(), outcome.error().orElse(null), outcome.seconds()));
    }
  }

  /** Makes a run on an executor, and waits for its end. */
  @Override
  public Outcome run(SweepRun run, int thread) {
    String folder = run.folder().toAbsolutePath().toString();
    var settings = new LinkedHashMap<>(run.settings()); // a kind that can be serialised
    String names = Path.of("").toAbsolutePath().toString();
    var task = new Task(folder, settings, new ArrayList<>(run.arguments()), names);
    spark.setJobGroup("mlp-cuda-" + folder, run.folder().getFileName().toString(), true);
    JavaFutureAction<List<byte[]>> job = spark.parallelize(List.of(0), 1).map(task).collectAsync();
    while (true) {
      try {
        byte[] end = job.get(LOOK_MILLIS, TimeUnit.MILLISECONDS).get(0);
        return outcome(run, JavaBytes.read(end, End.class));
      } catch (TimeoutException e) {
        if (stopping.getAsBoolean() && !job.isCancelled()) {
          job.cancel(true); // the executor interrupts the task, which ends after its step
        }
      } catch (CancellationException e) {
        return Outcome.failed(ExitCode.STOPPED.code, "stopped", 0);
      } catch (ExecutionException e) {
        if (stopping.getAsBoolean()) {
          return Outcome.failed(ExitCode.STOPPED.code, "stopped", 0);
        }
        String why = OneLine.start(String.valueOf(e.getMessage()), MOST);
        return Outcome.failed(ExitCode.INTERNAL.code, why, 0);
      } catch (InterruptedException e) {
        throw new IllegalStateException("the sweep is ended by its stop, not by an interrupt", e);
      }
    }
  }

  private static Outcome outcome(SweepRun run, End end) {
    if (end.code != 0) {
      return Outcome.failed(end.code, String.valueOf(end.error), end.seconds);
    }
    return run.former()
        .orElseGet(
            () ->
                Outcome.failed(
                    ExitCode.INTERNAL.code,
                    "an executor made the run, but its folder is not here: --out must be on a path"
                        + " that all machines share",
                    end.seconds));
  }

  @Override
  public void close() {
    spark.close();
  }
}
