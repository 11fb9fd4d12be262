package mlpcuda.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import mlpcuda.Dataset;
import mlpcuda.Device;
import mlpcuda.Network;
import mlpcuda.Replica;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/**
 * The work of a worker in a round: it takes some steps from the common state, and returns its own,
 * as {@link JavaBytes} of a {@link Replica.Round}, with its number as the key. It reads its rows
 * and the setup only if its executor has no replica of it.
 *
 * @param fit an identifier of the training, by which executors know its replicas
 * @param device the device of a task
 * @param setup {@link JavaBytes} of a {@link Setup}
 * @param state {@link JavaBytes} of the {@link Replica.State} before the round
 * @param steps the number of steps
 * @param isLast whether no further round follows, so that the replica is of no more use
 */
record RoundTask(
    String fit,
    DeviceChoice device,
    Broadcast<byte[]> setup,
    Broadcast<byte[]> state,
    int steps,
    boolean isLast)
    implements PairFlatMapFunction<Iterator<byte[]>, Integer, byte[]> {
  /**
   * What is the same in all rounds of a training.
   *
   * @param settings the settings
   * @param begin the network that the training began with
   * @param batches the steps of an epoch
   */
  record Setup(FitSettings settings, ModelBytes begin, int batches) implements Serializable {}

  @Override
  public Iterator<Tuple2<Integer, byte[]>> call(Iterator<byte[]> blocks) {
    int worker = TaskContext.getPartitionId();
    var key = new ExecutorReplicas.Key(fit, worker, device.gpu());
    ExecutorReplicas.Open kept = ExecutorReplicas.take(key);
    ExecutorReplicas.Open open = kept == null ? open(worker, blocks) : kept;
    Replica.Round round = null;
    try {
      round = open.replica().run(JavaBytes.read(state.value(), Replica.State.class), steps);
    } finally {
      if (round == null || isLast) {
        open.close();
      } else {
        ExecutorReplicas.give(key, open);
      }
    }
    return List.of(new Tuple2<>(worker, JavaBytes.of(round))).iterator();
  }

  private ExecutorReplicas.Open open(int worker, Iterator<byte[]> blocks) {
    ExecutorReplicas.closeUseless();
    Setup of = JavaBytes.read(setup.value(), Setup.class);
    Dataset part = of.settings.dataset(blocks);
    Network begin = of.begin.network();
    Device opened = device.open();
    try {
      Replica replica =
          Replica.open(
              of.settings.training(0, new ArrayList<>()),
              begin,
              new Replica.Part(part, worker, of.batches),
              opened);
      return new ExecutorReplicas.Open(opened, replica, setup.id());
    } catch (RuntimeException | Error e) {
      opened.close();
      throw e;
    }
  }
}
