package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import mlpcuda.error.DivergedException;
import mlpcuda.error.SettingException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests copies of a network that learn side by side, and how their results become one. */
class ReplicaTest {
  private static final int BATCHES = 5;

  /** Images of 6x6 pixels, 10 of each of four classes. */
  private static Dataset images() {
    var random = new Random(1);
    byte[] pixels = new byte[40 * 36];
    byte[] labels = new byte[40];
    for (int i = 0; i < 40; i++) {
      labels[i] = (byte) (i % 4);
      for (int p = 0; p < 36; p++) {
        pixels[i * 36 + p] = (byte) ((p % 4 == i % 4 ? 120 : 0) + random.nextInt(100));
      }
    }
    Examples all = Examples.images(6, 6, pixels, labels);
    return Dataset.of(all, all);
  }

  /** Rows of three numbers of different sizes, of two classes. */
  private static Dataset rows(int count) {
    var random = new Random(2);
    float[] values = new float[count * 3];
    byte[] labels = new byte[count];
    for (int i = 0; i < count; i++) {
      labels[i] = (byte) (i % 2);
      for (int c = 0; c < 3; c++) {
        values[3 * i + c] =
            (float) (Math.pow(100, c) * (5 + labels[i] + 0.5 * random.nextGaussian()));
      }
    }
    Examples all = Examples.rows(3, values, labels);
    return Dataset.of(all, all);
  }

  /** Rows of a data set, those whose number leaves that rest. */
  private static Dataset every(Dataset all, int step, int rest) {
    int[] chosen = IntStream.range(0, all.train().size()).filter(i -> i % step == rest).toArray();
    return Dataset.of(all.train().chosen(chosen), all.train().chosen(0)).withClasses(all.classes());
  }

  private static Training training() {
    return Training.of(Network.relu(36, 7, 4))
        .epochs(4)
        .batchSize(8)
        .optimizer(Adam.rate(1e-2))
        .schedule("one-cycle")
        .warmup(2)
        .dropout(0.2)
        .labelSmoothing(0.1)
        .augment("rotate:10")
        .scaling("z-score")
        .seed(3);
  }

  private static Network begin(Training training, Dataset data) {
    return InputStatistics.of(training, data).network(training);
  }

  private static Replica open(Training training, Dataset data, int worker, Device device) {
    int batches = data.train().size() / 8;
    return Replica.open(
        training, begin(training, data), new Replica.Part(data, worker, batches), device);
  }

  private static void assertSame(Replica.State expected, Replica.State found) {
    assertEquals(expected.steps(), found.steps());
    assertArrayEquals(expected.weights(), found.weights());
    assertArrayEquals(expected.m(), found.m());
    assertArrayEquals(expected.v(), found.v());
    assertArrayEquals(expected.lossScale(), found.lossScale());
  }

  @ParameterizedTest
  @EnumSource(LibraryTest.Kind.class)
  void roundsOnSeveralDevicesGiveWhatOneRoundGives(LibraryTest.Kind kind) {
    Training training = training();
    Replica.State first = Replica.State.of(begin(training, images()));
    Replica.Round whole;
    float[] losses = new float[4 * BATCHES];
    Replica.State state = first;
    try (Device device = kind.open();
        Replica replica = open(training, images(), 3, device)) {
      whole = replica.run(first, 4 * BATCHES);
      for (int steps = 7; state.steps() < 14; ) {
        Replica.Round round = replica.run(state, steps);
        System.arraycopy(round.losses(), 0, losses, state.steps(), steps);
        state = round.state();
      }
      assertSame(state, replica.run(replica.run(first, 7).state(), 7).state());
    }
    try (Device device = kind.open();
        Replica replica = open(training, images(), 3, device)) {
      Replica.Round round = replica.run(state, 6);
      System.arraycopy(round.losses(), 0, losses, 14, 6);
      assertSame(whole.state(), round.state());
    }
    assertArrayEquals(whole.losses(), losses);
  }

  /** Whole batches, one worker: the steps are those of a training that nobody shares. */
  @ParameterizedTest
  @ValueSource(strings = {"adam", "sgd", "momentum"})
  void workerZeroTrainsAsATrainingDoes(String optimizer) {
    Training training =
        switch (optimizer) {
          case "sgd" -> training().optimizer(Sgd.rate(0.1));
          case "momentum" -> training().optimizer(Sgd.rate(0.1).momentum(0.9));
          default -> training();
        };
    try (Device device = Device.cpu(1);
        Replica replica = open(training, images(), 0, device)) {
      Network begin = begin(training, images());
      Replica.State last = replica.run(Replica.State.of(begin), 4 * BATCHES).state();
      Network expected = training.fit(images(), device).network();
      Network found = last.network(begin);
      assertEquals(expected.form(), found.form());
      for (int t = 0; t < expected.weights().size(); t++) {
        assertArrayEquals(expected.weights().get(t), found.weights().get(t));
      }
      assertEquals(optimizer.equals("sgd") ? 0 : last.weights().length, last.m().length);
      assertEquals(optimizer.equals("adam") ? last.weights().length : 0, last.v().length);
    }
  }

  @Test
  void workersDiffer() {
    Training training = training();
    Replica.State first = Replica.State.of(begin(training, images()));
    try (Device device = Device.cpu(1);
        Replica one = open(training, images(), 1, device);
        Replica other = open(training, images(), 2, device)) {
      assertFalse(
          Arrays.equals(
              one.run(first, 1).state().weights(), other.run(first, 1).state().weights()));
    }
  }

  @Test
  void statisticsOfPartsAreThoseOfTheWhole() {
    Dataset all = rows(1001);
    for (String scaling : List.of("standard", "minmax", "none")) {
      Training training = Training.of(Network.relu(3, 4, 2)).scaling(scaling);
      InputStatistics sum =
          IntStream.range(0, 4)
              .mapToObj(part -> InputStatistics.of(training, every(all, 4, part)))
              .reduce(InputStatistics::plus)
              .orElseThrow();
      assertEquals(1001, sum.size());
      List<double[]> expected = begin(training, all).unscaledWeights();
      List<double[]> found = sum.network(training).unscaledWeights();
      for (int t = 0; t < expected.size(); t++) {
        assertArrayEquals(expected.get(t), found.get(t), 1e-5);
      }
    }
    InputStatistics half = InputStatistics.of(training(), every(images(), 2, 0));
    InputStatistics other = InputStatistics.of(training(), every(images(), 2, 1));
    assertEquals(begin(training(), images()).form(), half.plus(other).network(training()).form());
    assertThrows(
        IllegalArgumentException.class,
        () -> half.plus(InputStatistics.of(training().augment("none"), all)));
  }

  private static Replica.Round round(float weight, float scale, int workers) {
    float[] one = {weight};
    float[] lossScale = scale == 0 ? new float[0] : new float[] {scale, 1, 0, 0};
    return new Replica.Round(
        new Replica.State(one, new float[0], one, 5, lossScale), new float[] {weight}, workers);
  }

  @Test
  void aMeanCountsEachWorkerOnceAndTakesTheSmallestLossScale() {
    var mean = new RoundMean();
    assertThrows(IllegalStateException.class, mean::mean);
    mean.add(round(1, 0, 1));
    mean.add(round(2, 64, 3));
    mean.add(round(5, 32, 1));
    Replica.Round found = mean.mean();
    assertEquals(5, found.workers());
    assertArrayEquals(new float[] {12f / 5}, found.state().weights());
    assertArrayEquals(new float[] {12f / 5}, found.state().v());
    assertArrayEquals(new float[] {12f / 5}, found.losses());
    assertEquals(32, found.state().lossScale()[0]);
    Replica.State later =
        new Replica.State(new float[1], new float[0], new float[1], 6, new float[0]);
    assertThrows(
        IllegalArgumentException.class, () -> mean.add(new Replica.Round(later, new float[1], 1)));
  }

  /** Three workers that agree: their mean, and the state after it, is what each has found. */
  @Test
  void theMeanOfEqualResultsIsTheResult() {
    Training training = training();
    Replica.State first = Replica.State.of(begin(training, images()));
    try (Device device = Device.cpu(1);
        Replica replica = open(training, images(), 0, device)) {
      Replica.Round round = replica.run(first, 9);
      var mean = new RoundMean();
      for (int worker = 0; worker < 3; worker++) {
        mean.add(round);
      }
      assertSame(round.state(), new OuterStep(1, 0).next(first, mean.mean()));
    }
  }

  /** The steps of {@code torch.optim.SGD} with Nesterov's momentum 0.5 and rate 2. */
  @Test
  void theOuterStepIsNesterovs() {
    var outer = new OuterStep(2, 0.5);
    Replica.State before = round(10, 0, 1).state();
    Replica.State next = outer.next(before, round(11, 0, 1)); // change 1, velocity 1, step 1.5
    assertArrayEquals(new float[] {13}, next.weights());
    next = outer.next(next, round(12, 0, 1)); // change -1, velocity -0.5, step -1.25
    assertArrayEquals(new float[] {10.5f}, next.weights());
    assertArrayEquals(new float[] {12}, next.v());
    assertThrows(IllegalArgumentException.class, () -> new OuterStep(0, 0));
    assertThrows(IllegalArgumentException.class, () -> new OuterStep(1, 1));
  }

  @Test
  void refusesWhatReplicasCannotDo() {
    Training plain = Training.of(Network.relu(3, 4, 2));
    for (Training training :
        List.of(
            plain.members(2),
            plain.validation(0.1),
            plain.earlyStopping(1),
            plain.schedule("plateau:0.5:2"),
            plain.ema(0.9),
            plain.classWeights("balanced"))) {
      assertThrows(SettingException.class, () -> Replica.check(training));
    }
    Network begin = begin(plain, rows(20));
    try (Device device = Device.cpu(1)) {
      var part = new Replica.Part(rows(20), 1, 3);
      assertEquals(
          "the part of worker 1 must have at least 1 batch, and the 3 batches of 8 examples that all"
              + " workers agree on, found 20 examples",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> Replica.open(plain.batchSize(8), begin, part, device))
              .getMessage());
      Training diverging = plain.batchSize(8).optimizer(Sgd.rate(1e39)).scaling("none");
      Replica.State first = Replica.State.of(begin(diverging, rows(40)));
      Replica replica = open(diverging, rows(40), 0, device);
      try (replica) {
        assertThrows(DivergedException.class, () -> replica.run(first, 5));
      }
      assertThrows(IllegalStateException.class, () -> replica.run(first, 5));
    }
  }
}
