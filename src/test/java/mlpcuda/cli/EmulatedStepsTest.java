package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.ModuleImage;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.net.Regularisation;
import mlpcuda.train.TrainingSetup;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Judges steps on the interpreter, and the judgement itself, by kernels that are wrong. */
class EmulatedStepsTest extends CudaSteps {
  @Override
  CudaDriver open() {
    return new EmulatedDriver(EmulatedPolicy.LATEST);
  }

  @Override
  int steps() {
    return 2;
  }

  @Override
  @Tag("long")
  @ParameterizedTest
  @EnumSource(Precision.class)
  void stepsAreTheReferences(Precision precision) {
    super.stepsAreTheReferences(precision);
  }

  /** A mistake in the text of kernels. */
  enum Mistake {
    /** Adam divides by the second moment itself: moments and losses stay right. */
    ROOT_FORGOTTEN("sqrt.rn.f32", "mov.f32"),
    /** The softmax forgets its exponential. */
    EXPONENTIAL_FORGOTTEN("ex2.approx.ftz.f32", "mov.f32");

    private final String right;
    private final String wrong;

    Mistake(String right, String wrong) {
      this.right = right;
      this.wrong = wrong;
    }

    /** The argument with the mistake, if it is a module. */
    Object in(Object argument) {
      return argument instanceof ModuleImage image
          ? ModuleImage.of(image.name(), image.ptx().get().replace(right, wrong))
          : argument;
    }
  }

  private CudaDriver with(Mistake mistake) {
    CudaDriver driver = open();
    return (CudaDriver)
        Proxy.newProxyInstance(
            CudaDriver.class.getClassLoader(),
            new Class<?>[] {CudaDriver.class},
            (proxy, method, arguments) -> {
              for (int i = 0; arguments != null && i < arguments.length; i++) {
                arguments[i] = mistake.in(arguments[i]);
              }
              try {
                return method.invoke(driver, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @ParameterizedTest
  @EnumSource
  void aWrongKernelIsFound(Mistake mistake) {
    for (StepKind step : List.of(StepKind.LAYERED, StepKind.FUSED)) {
      CudaOptions options =
          CudaOptions.layered(Multiplier.PTX, FeedKind.PINNED, Launching.GRAPH).with(step);
      TrainingSetup training =
          training(List.of(784, 5, 10), Regularisation.NONE, AdamSettings.DEFAULT);
      List<StepCheck> wrong = checks(with(mistake), options, training);
      StepCheck first = wrong.get(0);
      assertEquals(0, first.kinks(), "the first step is judged");
      assertFalse(first.passed(), step + ": " + first);
      if (mistake == Mistake.ROOT_FORGOTTEN) {
        assertTrue(first.lossPassed() && first.momentsPassed(), step + ": weights alone: " + first);
      }
    }
  }
}
