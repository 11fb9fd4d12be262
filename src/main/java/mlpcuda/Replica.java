package mlpcuda;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.SgdSettings;
import mlpcuda.error.SettingException;
import mlpcuda.model.Committee;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.run.RunSettings;
import mlpcuda.train.LocalSteps;
import mlpcuda.train.Schedule;
import mlpcuda.train.TrainingSetup;

/**
 * One of several copies of a network that learn side by side, each on a device of its own from its
 * part of the examples. In a round each takes some steps from a common state; {@link RoundMean}
 * averages what came out, and {@link OuterStep} makes the state of the next round of it. This is
 * local SGD (Stich, "Local SGD converges fast and communicates little", 2019) in the form of DiLoCo
 * (Douillard et al., "DiLoCo: Distributed low-communication training of language models", 2023).
 *
 * <p>A replica keeps nothing from one round to the next: a round is a function of its state, the
 * settings, the part and the worker's number, and gives the same bytes on another device of the
 * same kind. Whoever lost a replica opens another one and repeats its round.
 */
public final class Replica implements AutoCloseable {
  /**
   * What a replica learns from.
   *
   * @param dataset the part of the examples, whose test set is not looked at
   * @param worker the number of the part, from 0: each has its own order of examples, dropout and
   *     distortions; number 0 has those of a training that is not shared
   * @param batches the steps of an epoch, from 1, on which all workers agree: at most the whole
   *     batches of the smallest part
   */
  public record Part(Dataset dataset, int worker, int batches) {
    /** Checks the number of the worker. */
    public Part {
      if (worker < 0) {
        throw new IllegalArgumentException("a worker's number must be at least 0, found " + worker);
      }
    }
  }

  /**
   * The state of a training between two steps. The arrays are not copied, and must not change.
   *
   * @param weights (P): for each layer its matrix (outputs, inputs), row by row, and its biases
   * @param m (P), the means of the gradients, or their momentum; empty if it is not needed, or
   *     before the first step
   * @param v (P), the means of the squared gradients; empty if they are not needed, or before the
   *     first step
   * @param steps the number of steps that are done
   * @param lossScale the state of a GPU's loss scale in fp16; empty in other precisions, or before
   *     the first step
   */
  public record State(float[] weights, float[] m, float[] v, int steps, float[] lossScale)
      implements Serializable {
    /** The state of a network that has weights, before its first step. */
    public static State of(Network begin) {
      return new State(flat(begin.single().weights()), new float[0], new float[0], 0, new float[0]);
    }

    /**
     * The network with the weights of this state.
     *
     * @param begin the network that the training began with, for the rest of it
     */
    public Network network(Network begin) {
      ModelFile file = begin.single();
      return Network.of(
          Committee.of(new ModelFile(file.shape(), file.form(), tensors(weights, file.shape()))));
    }
  }

  /**
   * What came out of a round.
   *
   * @param state the state of the worker, or the mean of several
   * @param losses for each step the mean loss of its batch, before its update
   * @param workers the number of workers that the means are of
   */
  public record Round(State state, float[] losses, int workers) implements Serializable {}

  private final Device device;
  private final MlpShape shape;
  private final OptimizerSettings optimizer;
  private final LocalSteps steps;
  private boolean closed;

  private Replica(Device device, MlpShape shape, OptimizerSettings optimizer, LocalSteps steps) {
    this.device = device;
    this.shape = shape;
    this.optimizer = optimizer;
    this.steps = steps;
  }

  /**
   * Prepares a device for the rounds of a replica, which the caller closes.
   *
   * @param training the settings, which are those of all replicas; its folder and its listeners are
   *     not looked at
   * @param begin the network that {@link InputStatistics#network} gave for all parts together,
   *     whose shape and scaling of inputs the replica takes
   * @throws SettingException if replicas cannot train with a setting, or it does not fit the part
   * @throws IllegalArgumentException if the part has too few examples, or does not fit the network
   */
  public static Replica open(Training training, Network begin, Part part, Device device) {
    check(training);
    RunSettings settings = training.settings();
    ModelFile network = begin.single();
    int size = part.dataset.train().size();
    int B = settings.course().batchSize();
    if (part.batches < 1 || size < (long) part.batches * B) {
      throw new IllegalArgumentException(
          "the part of worker %d must have at least 1 batch, and the %d batches of %d examples that"
                  .formatted(part.worker, part.batches, B)
              + " all workers agree on, found %d examples".formatted(size));
    }
    TrainingSetup setup =
        settings
            .withSeed(seed(settings.seed(), part.worker))
            .training(network.shape(), part.dataset.data().train(), network.form().scaling());
    var course =
        new LocalSteps.Settings(
            settings.rate(), settings.course().epochs(), part.batches, settings.course().shuffle());
    LocalSteps steps = device.call(() -> new LocalSteps(device.ops(), setup, course));
    return new Replica(device, network.shape(), settings.learning().optimizer(), steps);
  }

  /**
   * Checks that replicas can train with those settings; {@link #open} does so, too.
   *
   * @throws SettingException if they cannot
   */
  public static void check(Training training) {
    RunSettings settings = training.settings();
    if (training.isOfCommittee()) {
      throw new SettingException("members", "must not be set where replicas train one network");
    }
    if (settings.validation().amount().isPresent() || settings.validation().selection().decides()) {
      throw new SettingException(
          "validation", "must not be set, because no replica knows how good the network is");
    }
    if (settings.rate().schedule() instanceof Schedule.ReduceOnPlateau plateau) {
      throw new SettingException(
          "schedule",
          "must be a function of the step, because no replica knows the loss of an epoch, found "
              + plateau);
    }
    if (settings.learning().ema().isPresent()) {
      throw new SettingException(
          "ema",
          "must not be set, because replicas do not average weights over steps, found "
              + settings.learning().ema().getAsDouble());
    }
    if (settings.learning().classWeights().isPresent()) {
      throw new SettingException(
          "class-weights", "must not be set, because a part may have other shares of the classes");
    }
  }

  /**
   * The seed of a worker, by SplitMix64's function (Steele, Lea and Flood, "Fast splittable
   * pseudorandom number generators", 2014), so that near numbers give seeds with nothing in common.
   */
  private static long seed(long seed, int worker) {
    long mixed = worker * 0x9e3779b97f4a7c15L;
    mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return seed ^ mixed ^ (mixed >>> 31); // worker 0 has the seed itself
  }

  /**
   * Takes steps, and waits for them. If the waiting thread is interrupted, they end before their
   * number, and the replica must be closed, as after any other exception.
   *
   * @param from the state before the steps
   * @param count the number of steps, at most those that the training has left
   * @throws mlpcuda.error.DivergedException if losses or weights become non-finite
   * @throws mlpcuda.error.StoppedException if this thread is interrupted
   */
  public Round run(State from, int count) {
    var stop = new AtomicBoolean();
    return device.call(
        () -> {
          if (closed) {
            throw new IllegalStateException("the replica is closed");
          }
          LocalSteps.Result result = steps.run(local(from), count, stop::get);
          return new Round(state(result.state()), result.losses(), 1);
        },
        () -> stop.set(true));
  }

  private LocalSteps.State local(State from) {
    float[] zeros =
        from.m.length == 0 || from.v.length == 0 ? new float[from.weights.length] : null;
    var moments =
        new Parameters.State(
            tensors(from.m.length == 0 ? zeros : from.m, shape),
            tensors(from.v.length == 0 ? zeros : from.v, shape));
    return new LocalSteps.State(tensors(from.weights, shape), moments, from.steps, from.lossScale);
  }

  /** The state without the moments that the optimizer does not need: each costs as the weights. */
  private State state(LocalSteps.State after) {
    boolean sgd = optimizer instanceof SgdSettings;
    boolean plain = sgd && ((SgdSettings) optimizer).momentum() == 0;
    return new State(
        flat(after.weights()),
        plain ? new float[0] : flat(after.moments().m()),
        sgd ? new float[0] : flat(after.moments().v()),
        after.steps(),
        after.lossScale());
  }

  private static float[] flat(List<float[]> tensors) {
    float[] all = new float[tensors.stream().mapToInt(tensor -> tensor.length).sum()];
    int at = 0;
    for (float[] tensor : tensors) {
      System.arraycopy(tensor, 0, all, at, tensor.length);
      at += tensor.length;
    }
    return all;
  }

  private static List<float[]> tensors(float[] all, MlpShape shape) {
    if (all.length != shape.parameters()) {
      throw new IllegalArgumentException(
          "a state of the network %s must have %d numbers, found %d"
              .formatted(shape, shape.parameters(), all.length));
    }
    var tensors = new ArrayList<float[]>();
    int at = 0;
    for (Parameters.Tensor tensor : Parameters.tensors(shape)) {
      float[] values = new float[tensor.length()];
      System.arraycopy(all, at, values, 0, values.length);
      tensors.add(values);
      at += values.length;
    }
    return tensors;
  }

  /** Frees the memory on the device; closing the replica again does nothing. */
  @Override
  public void close() {
    device.call(
        () -> {
          if (!closed) {
            closed = true;
            steps.close();
          }
          return null;
        });
  }
}
