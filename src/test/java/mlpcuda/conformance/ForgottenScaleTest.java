package mlpcuda.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.Targets;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.Cases.Case;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that the conformance table finds a device that forgets a step of loss scaling. */
class ForgottenScaleTest {
  /** A step of loss scaling that is forgotten, and the operations that must show it. */
  private enum Forgotten {
    SCALE_OF_LOSS("crossEntropyForward"),
    SCALE_OF_GRADIENTS("clipNorm"),
    JUDGEMENT("clipNorm"),
    SKIP("adamStep", "sgdStep"),
    SKIPPED_BEFORE("adamStep"),
    SETTLING("advance"),
    THE_FIRST_STEP("advance");

    private final Set<String> operations;

    Forgotten(String... operations) {
      this.operations = Set.of(operations);
    }
  }

  private static final class Forgetful extends ReferenceOps {
    private final Forgotten forgotten;

    Forgetful(Forgotten forgotten) {
      this.forgotten = forgotten;
    }

    /** Runs an action while an element of the state has another value. */
    private void with(Buffer scaling, int element, double value, Runnable action) {
      double right = value(scaling, element);
      set(scaling, element, value);
      action.run();
      set(scaling, element, right);
    }

    private void withoutState(Optional<Buffer> scaling, Runnable action) {
      if (scaling.isPresent() && forgotten == Forgotten.SKIP) {
        with(scaling.get(), LossScale.SKIPS, 0, action);
      } else if (scaling.isPresent() && forgotten == Forgotten.SKIPPED_BEFORE) {
        with(scaling.get(), LossScale.SKIPPED, 0, action);
      } else {
        action.run();
      }
    }

    @Override
    protected void crossEntropyForwardK(
        LossOutputs outputs,
        Buffer x,
        Targets targets,
        Buffer step,
        Optional<Buffer> scaling,
        int B,
        int C,
        float smoothing) {
      Optional<Buffer> seen = forgotten == Forgotten.SCALE_OF_LOSS ? Optional.empty() : scaling;
      super.crossEntropyForwardK(outputs, x, targets, step, seen, B, C, smoothing);
    }

    @Override
    protected void adamStepK(
        OptimizerState state,
        Buffer dw,
        Buffer step,
        Buffer rate,
        Optional<Buffer> scaling,
        int n,
        AdamSettings settings) {
      withoutState(scaling, () -> super.adamStepK(state, dw, step, rate, scaling, n, settings));
    }

    @Override
    protected void sgdStepK(
        Buffer w,
        Buffer velocity,
        Buffer dw,
        Buffer rate,
        Optional<Buffer> scaling,
        int n,
        SgdSettings settings) {
      withoutState(scaling, () -> super.sgdStepK(w, velocity, dw, rate, scaling, n, settings));
    }

    @Override
    protected void clipNormK(Buffer dw, Buffer norm, Optional<Buffer> scaling, int n, float limit) {
      Runnable clip = () -> super.clipNormK(dw, norm, scaling, n, limit);
      if (scaling.isPresent() && forgotten == Forgotten.SCALE_OF_GRADIENTS) {
        with(scaling.get(), LossScale.SCALE, 1, clip);
      } else if (scaling.isPresent() && forgotten == Forgotten.JUDGEMENT) {
        with(scaling.get(), LossScale.SKIPS, 0, clip);
      } else {
        clip.run();
      }
    }

    @Override
    protected void advanceK(
        Buffer position, Buffer rate, Buffer rates, Optional<Buffer> scaling, int B) {
      if (scaling.isPresent() && forgotten == Forgotten.THE_FIRST_STEP && value(position, 0) == 0) {
        set(position, 0, 1);
        super.advanceK(position, rate, rates, scaling, B);
        set(position, 0, 1);
      } else {
        Optional<Buffer> seen = forgotten == Forgotten.SETTLING ? Optional.empty() : scaling;
        super.advanceK(position, rate, rates, seen, B);
      }
    }
  }

  private static List<Case> cases() {
    return Cases.others().stream().filter(c -> !c.sizes().contains("109386")).toList();
  }

  @ParameterizedTest
  @EnumSource(Forgotten.class)
  void isFound(Forgotten forgotten) {
    try (var ops = new Forgetful(forgotten)) {
      Set<String> failed =
          cases().stream()
              .filter(c -> !Conformance.check(ops, c).passed())
              .map(Case::operation)
              .collect(Collectors.toCollection(TreeSet::new));
      assertEquals(new TreeSet<>(forgotten.operations), failed);
    }
  }

  @Test
  void nothingForgottenPasses() {
    try (var ops = new Forgetful(null)) {
      cases().forEach(c -> assertEquals(0, Conformance.check(ops, c).error(), c.name()));
    }
  }
}
