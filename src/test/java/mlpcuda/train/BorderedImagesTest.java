package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.Conformance;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.features.Features;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests training on images with a border, whose weights the CPU keeps in an order of its own. */
class BorderedImagesTest {
  private static final int I = 40;
  private static final int N = 256;

  /** Images whose first ten pixels are 0 but for two images each. */
  private static ExampleSet bordered() {
    var random = new Random(5);
    byte[] pixels = new byte[N * I];
    byte[] labels = new byte[N];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i % I < 10 ? 0 : random.nextInt(256));
    }
    for (int i = 0; i < 20; i++) {
      pixels[random.nextInt(N) * I + i % 10] = (byte) 200;
    }
    for (int n = 0; n < N; n++) {
      labels[n] = (byte) random.nextInt(3);
    }
    return ExampleSet.images(1, I, pixels, labels);
  }

  /** Weights and moments after four steps that begin with moments of a run before. */
  private static List<float[]> trained(Supplier<Ops> device, OptimizerSettings optimizer) {
    var shape = new MlpShape(List.of(I, 8, 3), Activation.TANH, Activation.NONE);
    var training =
        new TrainingSetup(
            shape,
            bordered(),
            new PixelScaling("centred", 0.5, 0.5),
            32,
            new Update(optimizer, 0.5, Regularisation.NONE),
            0.01,
            3);
    try (Ops ops = device.get();
        var learner = new Learner(ops, training)) {
      Learner.State begin = learner.state();
      learner.start(new Learner.State(begin.weights(), moments(begin.weights())));
      learner.run(4);
      Learner.State end = learner.state();
      var all = new ArrayList<>(end.weights());
      all.addAll(end.moments().m());
      if (optimizer instanceof AdamSettings) {
        all.addAll(end.moments().v());
      }
      return all;
    }
  }

  /** Moments that differ from weight to weight. */
  private static Parameters.State moments(List<float[]> weights) {
    var m = new ArrayList<float[]>();
    var v = new ArrayList<float[]>();
    var random = new Random(9);
    for (float[] tensor : weights) {
      float[] first = new float[tensor.length];
      float[] second = new float[tensor.length];
      for (int i = 0; i < tensor.length; i++) {
        first[i] = (float) random.nextGaussian() / 100;
        second[i] = random.nextFloat() / 1000;
      }
      m.add(first);
      v.add(second);
    }
    return new Parameters.State(m, v);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void trainingAgreesWithTheReference(boolean adam) {
    OptimizerSettings optimizer = adam ? AdamSettings.DEFAULT : new SgdSettings(0.9, false, 0.01);
    byte[] pixels = bordered().features().array();
    try (var ops = new CpuOps(1)) {
      assertTrue(ops.multipliedInputs(Features.of(pixels, I)) < I, "the border is left out");
    }
    List<float[]> expected = trained(ReferenceOps::new, optimizer);
    List<float[]> found = trained(() -> new CpuOps(2), optimizer);
    double error = Conformance.normalisedError(found, expected);
    assertTrue(error < 1e-9, "error " + error);
  }
}
