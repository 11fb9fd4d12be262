package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Agreement;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.compute.cuda.ptx.memory.BankConflicts;
import mlpcuda.conformance.Cases;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;
import mlpcuda.train.Update;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that the thin tiling's lanes rarely meet in a bank of shared memory. */
class ThinTilingTest {
  /**
   * The most cycles of a pass. A model of the machine code put the four-way conflicts that there
   * once were at a sixth of the first layer's time.
   */
  private static final int MOST = 2;

  private static final EmulatedOptions OPTIONS =
      EmulatedOptions.of(EmulatedPolicy.LATEST).withoutCublas().withMultiprocessors(1000);

  @ParameterizedTest
  @EnumSource(Precision.class)
  void lanesDoNotMeetInABank(Precision precision) {
    Map<String, BankConflicts.Count> counts =
        BankConflicts.during(
            () -> {
              products(precision);
              step(precision);
            });
    Set<String> thin =
        counts.keySet().stream().filter(k -> k.endsWith("_thin")).collect(Collectors.toSet());
    assertEquals(
        Set.of(
            "fused_input_thin",
            "linear_forward_thin",
            "linear_backward_inputs_thin",
            "linear_backward_weights_thin"),
        thin);
    thin.forEach(
        kernel -> {
          BankConflicts.Count count = counts.get(kernel);
          assertTrue(count.degree() <= MOST, kernel + " has " + count);
        });
  }

  private static void products(Precision precision) {
    try (var ops = new CudaOps(new EmulatedDriver(OPTIONS), CudaOptions.DEFAULT.with(precision))) {
      Cases.all(precision).stream()
          .filter(
              c ->
                  c.name().equals("linearForward B=17 I=260 O=7 TANH")
                      || c.name().equals("linearBackward B=257 I=12 O=260 below TANH"))
          .forEach(c -> Agreement.check(ops, c));
    }
  }

  private static void step(Precision precision) {
    int I = 784;
    int B = 20;
    byte[] pixels = new byte[B * I];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i * 31);
    }
    var training =
        new TrainingSetup(
            new MlpShape(List.of(I, 9, 2), Activation.RELU, Activation.NONE),
            ExampleSet.images(28, 28, pixels, new byte[B]),
            new PixelScaling("unit", 0, 1),
            B,
            new Update(AdamSettings.DEFAULT, 0, Regularisation.NONE),
            0.01,
            1);
    var options = CudaOptions.DEFAULT.with(StepKind.FUSED).with(precision);
    try (var ops = new CudaOps(new EmulatedDriver(OPTIONS), options);
        var learner = new Learner(ops, training)) {
      learner.run();
      learner.loss();
    }
  }
}
