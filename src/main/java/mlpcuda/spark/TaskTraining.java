package mlpcuda.spark;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import mlpcuda.Dataset;
import mlpcuda.Device;
import mlpcuda.Training;
import mlpcuda.TrainingResult;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;

/**
 * Trains one network in one task, on all rows, and returns the bytes of a {@link Trained}. If an
 * executor is lost, Spark runs the task on another one, which goes on from the last checkpoint.
 *
 * @param settings the settings
 * @param device the device of the task
 * @param checkpoints where checkpoints are kept; null: nowhere, and a task that is repeated begins
 *     anew
 */
record TaskTraining(FitSettings settings, DeviceChoice device, Checkpoints checkpoints)
    implements FlatMapFunction<Iterator<byte[]>, byte[]> {
  /**
   * A trained network.
   *
   * @param member the network's number among the members of a committee, from 0
   * @param file the network
   * @param losses the mean loss of each epoch
   */
  record Trained(int member, ModelBytes file, double[] losses) implements Serializable {}

  @Override
  public Iterator<byte[]> call(Iterator<byte[]> blocks) throws IOException {
    int member = TaskContext.getPartitionId();
    Dataset dataset = settings.dataset(blocks);
    List<Double> losses = new ArrayList<>();
    TrainingResult result;
    try (Device on = device.open()) {
      result =
          checkpoints == null
              ? untilKilled(settings.training(member, losses)).fit(dataset, on)
              : withCheckpoints(member, dataset, on, losses);
    }
    double[] history = losses.stream().mapToDouble(Double::doubleValue).toArray();
    var trained = new Trained(member, ModelBytes.of(result.network()), history);
    return List.of(JavaBytes.of(trained)).iterator();
  }

  /**
   * A training that ends when Spark kills this task. By default Spark tells only the task's context
   * that the job was cancelled or failed, and interrupts no thread: the training would go on to its
   * last epoch, on a device that others wait for.
   */
  private static Training untilKilled(Training training) {
    return training.cancelWhen(TaskContext.get()::isInterrupted);
  }

  private TrainingResult withCheckpoints(
      int member, Dataset dataset, Device on, List<Double> losses) throws IOException {
    TaskContext task = TaskContext.get(); // the device's thread has none
    Path folder = Files.createTempDirectory("mlp-cuda-spark");
    try {
      Checkpoints.Former former = checkpoints.fetch(member, folder);
      Training training;
      if (former == null) {
        training = settings.training(member, losses).folder(folder);
      } else {
        losses.addAll(former.losses());
        training = settings.goingOn(former.training(), losses);
      }
      return untilKilled(training)
          .onCheckpoint(
              file -> {
                if (!task.isInterrupted()) {
                  checkpoints.put(member, task.taskAttemptId(), file, losses);
                }
              })
          .fit(dataset, on);
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
