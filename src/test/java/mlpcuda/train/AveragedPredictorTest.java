package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Originals;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.data.View;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Pass;
import mlpcuda.net.Weights;
import org.junit.jupiter.api.Test;

/** Tests that several passes are averaged, and that one alone answers as it does elsewhere. */
class AveragedPredictorTest {
  private static final Scaling UNIT = new PixelScaling("unit", 0, 1);
  private static final int N = 7;
  private static final int C = 3;

  private static final MlpShape SHAPE =
      new MlpShape(List.of(4, 6, C), Activation.RELU, Activation.NONE);

  /** Images with their pixels in the reverse order. */
  private static final View REVERSED =
      new View() {
        @Override
        public byte[] of(byte[] images) {
          byte[] seen = new byte[images.length];
          for (int i = 0; i < images.length; i++) {
            seen[i] = images[i - i % 4 + 3 - i % 4];
          }
          return seen;
        }

        @Override
        public float[] of(float[] images) {
          float[] seen = new float[images.length];
          for (int i = 0; i < images.length; i++) {
            seen[i] = images[i - i % 4 + 3 - i % 4];
          }
          return seen;
        }
      };

  private static Pass pass(Ops ops, int seed, View view) {
    try (var parameters = new Parameters(ops, SHAPE)) {
      parameters.initialise(seed);
      return new Pass(new Weights(SHAPE, parameters.read()), view);
    }
  }

  private static List<Pass> passes(Ops ops) {
    return List.of(pass(ops, 1, View.AS_IS), pass(ops, 2, REVERSED), pass(ops, 3, View.AS_IS));
  }

  private static ExampleSet set() {
    byte[] pixels = new byte[4 * N];
    new Random(5).nextBytes(pixels);
    byte[] labels = new byte[N];
    for (int i = 0; i < N; i++) {
      labels[i] = (byte) (i % C);
    }
    return ExampleSet.images(2, 2, pixels, labels);
  }

  /** The mean of the passes' own probabilities, each computed by a predictor of its own. */
  private static double[][] expected(Ops ops, List<Pass> passes, byte[] pixels) {
    double[][] mean = new double[N][C];
    for (Pass pass : passes) {
      try (var predictor = new Predictor(ops, pass.weights(), UNIT, N, "a network")) {
        float[][] logs = predictor.logProbabilities(pass.view().of(pixels));
        for (int i = 0; i < N; i++) {
          for (int c = 0; c < C; c++) {
            mean[i][c] += Math.exp(logs[i][c]) / passes.size();
          }
        }
      }
    }
    return mean;
  }

  @Test
  void probabilitiesAreAveraged() {
    byte[] pixels = set().features().array();
    float[] levels = new float[pixels.length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = Byte.toUnsignedInt(pixels[i]);
    }
    try (var ops = new CpuOps(2);
        var predictor = new AveragedPredictor(ops, passes(ops), UNIT, N, "networks")) {
      double[][] expected = expected(ops, passes(ops), pixels);
      float[][] logs = predictor.logProbabilities(pixels);
      float[][] ofFloats = predictor.logProbabilities(levels);
      float[][] ofRows = predictor.logProbabilities(set().features(), 2, N - 2);
      for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int c = 0; c < C; c++) {
          assertEquals(expected[i][c], Math.exp(logs[i][c]), 1e-6);
          assertEquals(logs[i][c], ofFloats[i][c], 1e-5);
          sum += Math.exp(logs[i][c]);
        }
        assertEquals(1, sum, 1e-6);
        if (i >= 2) {
          assertArrayEquals(logs[i], ofRows[i - 2]);
        }
      }
    }
  }

  @Test
  void aNetworkAloneAnswersAsItIs() {
    byte[] pixels = set().features().array();
    try (var ops = new CpuOps(2)) {
      Pass pass = pass(ops, 2, REVERSED);
      try (var one = new AveragedPredictor(ops, List.of(pass), UNIT, N, "a network");
          var predictor = new Predictor(ops, pass.weights(), UNIT, N, "a network")) {
        float[][] found = one.logProbabilities(pixels);
        float[][] expected = predictor.logProbabilities(REVERSED.of(pixels));
        IntStream.range(0, N).forEach(i -> assertArrayEquals(expected[i], found[i]));
      }
    }
  }

  /** A probability that underflows in every pass is not 0, and two passes of one are that one. */
  @Test
  void smallProbabilitiesStayAboveZero() {
    float[][] logs = {{0, -800, -90}};
    var mean = new MeanProbabilities(1, C);
    mean.add(logs);
    mean.add(logs);
    assertArrayEquals(logs[0], mean.logs()[0]);
    mean.add(new float[][] {{-800, 0, -90}});
    assertArrayEquals(
        new float[] {(float) Math.log(2 / 3.0), (float) Math.log(1 / 3.0), -90}, mean.logs()[0]);
  }

  @Test
  void anEvaluationIsOfTheMean() {
    ExampleSet set = set();
    try (var ops = new CpuOps(2)) {
      double[][] expected = expected(ops, passes(ops), set.features().array());
      double loss = 0;
      int right = 0;
      for (int i = 0; i < N; i++) {
        double[] p = expected[i];
        loss -= Math.log(p[set.label(i)]) / N;
        int answer = 0;
        for (int c = 1; c < C; c++) {
          answer = p[c] > p[answer] ? c : answer;
        }
        right += answer == set.label(i) ? 1 : 0;
      }
      for (int batch : new int[] {1, 3, N, 100}) { // batches that do and do not divide the set
        var answers = new Predictions(N);
        try (var evaluator =
            new NetworkEvaluator(
                ops, passes(ops), UNIT, Optional.empty(), N, batch, "an evaluation", "")) {
          Score score = evaluator.run(set, Optional.of(answers));
          assertEquals(loss, score.loss(), 1e-6);
          assertEquals(right, score.right());
          for (int i = 0; i < N; i++) {
            double[] p = expected[i];
            assertEquals(p[answers.classes()[i]], answers.probabilities()[i], 1e-6);
          }
        }
      }
    }
  }

  @Test
  void anEvaluationOfOneNetworkIsThatOfItsTraining() {
    ExampleSet set = set();
    try (var ops = new CpuOps(2);
        var parameters = Parameters.forInference(ops, SHAPE)) {
      Pass pass = pass(ops, 4, REVERSED);
      parameters.write(pass.weights().tensors());
      Score expected = Evaluator.evaluate(parameters, REVERSED.of(set), UNIT, 3);
      try (var evaluator =
          new NetworkEvaluator(
              ops, List.of(pass), UNIT, Optional.empty(), N, 3, "an evaluation", "")) {
        Score found = evaluator.run(set);
        assertEquals(expected.loss(), found.loss());
        assertArrayEquals(expected.confusion(), found.confusion());
      }
    }
  }

  /** A network sees the image and its copies, after the change that its view makes. */
  @Test
  void copiesAreDistortedAndAveraged() {
    var copies = new DistortedCopies(Distortion.parse("translate:1"), 3, Layout.Images.grey(2, 2));
    byte[] pixels = set().features().array();
    try (var ops = new CpuOps(2)) {
      Pass pass = pass(ops, 2, REVERSED);
      try (var averaged =
              new AveragedPredictor(ops, List.of(pass), UNIT, Optional.of(copies), N, "a network");
          var predictor = new Predictor(ops, pass.weights(), UNIT, N, "a network")) {
        byte[] seen = REVERSED.of(pixels);
        var mean = new MeanProbabilities(N, C);
        mean.add(predictor.logProbabilities(seen));
        for (int copy = 1; copy <= 3; copy++) {
          float[] inputs = new float[4 * N];
          for (int i = 0; i < N; i++) { // each image gets the same distortions
            copies(ops, copies, seen, i, copy, inputs);
          }
          mean.add(predictor.logProbabilities(inputs));
        }
        float[][] expected = mean.logs();
        float[][] found = averaged.logProbabilities(pixels);
        float[][] single = averaged.logProbabilities(Arrays.copyOfRange(pixels, 8, 12));
        for (int i = 0; i < N; i++) {
          assertArrayEquals(expected[i], found[i], 1e-5f);
        }
        assertArrayEquals(found[2], single[0], 1e-5f, "an answer depends on no other image");
        assertThrows(IllegalStateException.class, () -> averaged.logProbabilities(new float[4]));
      }
      try (var evaluator =
          new NetworkEvaluator(
              ops, List.of(pass), UNIT, Optional.of(copies), N, 3, "an evaluation", "")) {
        var answers = new Predictions(N);
        evaluator.run(set(), Optional.of(answers));
        try (var averaged =
            new AveragedPredictor(ops, List.of(pass), UNIT, Optional.of(copies), N, "a network")) {
          float[][] logs = averaged.logProbabilities(pixels);
          for (int i = 0; i < N; i++) {
            assertEquals(Math.exp(logs[i][answers.classes()[i]]), answers.probabilities()[i], 1e-5);
          }
        }
      }
    }
  }

  private static void copies(
      Ops ops, DistortedCopies copies, byte[] seen, int i, int copy, float[] inputs) {
    byte[] image = Arrays.copyOfRange(seen, 4 * i, 4 * i + 4);
    float[] row = new float[4];
    try (Buffer x = ops.allocate("x", Type.FLOAT32, 4);
        Buffer images = ops.constant("image", image);
        Buffer number = ops.allocate("number", Type.INT32, 1)) {
      var originals = new Originals(images, number, true);
      ops.distortForward(x, originals, 1, copies.distorting((PixelScaling) UNIT), copy);
      ops.read(x, row);
    }
    System.arraycopy(row, 0, inputs, 4 * i, 4);
  }
}
