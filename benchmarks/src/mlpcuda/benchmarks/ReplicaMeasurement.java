package mlpcuda.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import mlpcuda.Adam;
import mlpcuda.Dataset;
import mlpcuda.Device;
import mlpcuda.Examples;
import mlpcuda.InputStatistics;
import mlpcuda.Model;
import mlpcuda.Network;
import mlpcuda.OuterStep;
import mlpcuda.Replica;
import mlpcuda.RoundMean;
import mlpcuda.Training;

/**
 * Measures how accurate a network becomes that several workers train, by their number, the steps of
 * a round and the outer step. It learns from 55,000 of MNIST's training images, and the other 5,000
 * judge it: the test set must not choose defaults. It is a program to be started by hand, and no
 * test runs it.
 *
 * <p>Arguments: the number of epochs, that of seeds, and settings such as {@code 4:50:0.7:0.9},
 * which are workers, steps of a round (0: an epoch's), outer rate and outer momentum.
 */
final class ReplicaMeasurement {
  private static final int HELD = 5000;

  private ReplicaMeasurement() {}

  private record Settings(int workers, int localSteps, double rate, double momentum) {
    static Settings parse(String text) {
      String[] parts = text.split(":");
      return new Settings(
          Integer.parseInt(parts[0]),
          Integer.parseInt(parts[1]),
          Double.parseDouble(parts[2]),
          Double.parseDouble(parts[3]));
    }
  }

  /** Prints a line for each of the settings. */
  public static void main(String[] args) throws Exception {
    int epochs = Integer.parseInt(args[0]);
    int seeds = Integer.parseInt(args[1]);
    Examples all = Dataset.mnist().train();
    Examples train = all.chosen(IntStream.range(0, all.size() - HELD).toArray());
    Examples held = all.chosen(IntStream.range(all.size() - HELD, all.size()).toArray());
    ExecutorService cores = Executors.newFixedThreadPool(2);
    for (String text : List.of(args).subList(2, args.length)) {
      List<Future<Double>> accuracies = new ArrayList<>();
      for (int s = 1; s <= seeds; s++) {
        int seed = s;
        accuracies.add(
            cores.submit(() -> accuracy(Settings.parse(text), epochs, seed, train, held)));
      }
      double sum = 0;
      var line = new StringBuilder();
      for (Future<Double> accuracy : accuracies) {
        sum += accuracy.get();
        line.append(String.format(Locale.ROOT, " %.2f", 100 * accuracy.get()));
      }
      System.out.printf(Locale.ROOT, "%-16s %.3f %% of%s%n", text, 100 * sum / seeds, line);
    }
    cores.shutdown();
  }

  private static double accuracy(
      Settings settings, int epochs, long seed, Examples train, Examples held) {
    int N = settings.workers;
    int batchSize = Integer.getInteger("batch", 128);
    Training training =
        Training.of(Network.relu(784, 100, 10))
            .epochs(epochs)
            .batchSize(batchSize)
            .optimizer(Adam.rate(Double.parseDouble(System.getProperty("rate", "0.001"))))
            .schedule(System.getProperty("schedule", "constant"))
            .seed(seed);
    List<Dataset> parts = new ArrayList<>();
    for (int worker = 0; worker < N; worker++) {
      int first = worker;
      int[] rows = IntStream.range(0, train.size()).filter(i -> i % N == first).toArray();
      parts.add(Dataset.of(train.chosen(rows), train.chosen(0)).withClasses(10));
    }
    InputStatistics statistics =
        parts.stream()
            .map(part -> InputStatistics.of(training, part))
            .reduce(InputStatistics::plus)
            .orElseThrow();
    Network begin = statistics.network(training);
    int batches = train.size() / N / batchSize;
    int most = settings.localSteps == 0 ? batches : settings.localSteps;
    var outer = new OuterStep(settings.rate, settings.momentum);
    Replica.State state = Replica.State.of(begin);
    List<Replica> replicas = new ArrayList<>();
    try (Device device = Device.cpu(1)) {
      for (int worker = 0; worker < N; worker++) {
        var part = new Replica.Part(parts.get(worker), worker, batches);
        replicas.add(Replica.open(training, begin, part, device));
      }
      while (state.steps() < batches * epochs) {
        int steps = Math.min(most, batches * epochs - state.steps());
        var mean = new RoundMean();
        for (Replica replica : replicas) {
          mean.add(replica.run(state, steps));
        }
        state = outer.next(state, mean.mean());
      }
      replicas.forEach(Replica::close);
      try (Model model = state.network(begin).on(device)) {
        return model.evaluate(held).accuracy();
      }
    }
  }
}
