package mlpcuda.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Replay;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.conformance.Conformance;
import mlpcuda.conformance.GuardedBuffers;
import mlpcuda.report.Tables;

/**
 * Checks whether a device computes: a small kernel, a small product, a replayed step, a small
 * layer.
 */
final class DeviceCheck {
  /**
   * The result of a check.
   *
   * @param error the normalised mean squared error against the reference
   */
  record Result(String name, boolean passed, double error, double limit) {
    Map<String, Object> json() {
      var json = new LinkedHashMap<String, Object>();
      json.put("check", name);
      json.put("passed", passed());
      json.put("error", Tables.number(error));
      json.put("limit", limit);
      return json;
    }

    @Override
    public String toString() {
      return "%s: %s, error %.1e, limit %.1e"
          .formatted(name, passed ? "right" : "WRONG", error, limit);
    }
  }

  private DeviceCheck() {}

  /** Runs all checks on a device. */
  static List<Result> run(Ops ops) {
    return List.of(
        check("kernel", DeviceCheck::logSoftmax, ops),
        check("product", DeviceCheck::product, ops),
        check("replay", DeviceCheck::replay, ops));
  }

  /** Checks a layer on a device with other kernels, which give the check its name. */
  static Result ofKernels(CudaOps ops) {
    return check(ops.kernels(), DeviceCheck::layer, ops);
  }

  private static Result check(String name, Function<GuardedBuffers, Runnable> inputs, Ops ops) {
    var result = Conformance.check(ops, new Case(name, "", Cases.FP32, inputs));
    return new Result(name, result.passed(), result.error(), Cases.FP32);
  }

  private static Runnable logSoftmax(GuardedBuffers t) {
    int B = 10;
    int C = 100;
    Buffer y = t.output("y", B * C);
    Buffer x = t.normal("x", B * C, 1);
    return () -> t.ops().logSoftmaxForward(y, x, B, C);
  }

  private static Runnable product(GuardedBuffers t) {
    int B = 33;
    int I = 103;
    int O = 31;
    Buffer y = t.output("y", B * O);
    Buffer x = t.normal("x", B * I, 1);
    Buffer w = t.normal("w", O * I, 1 / Math.sqrt(I));
    Buffer b = t.normal("b", O, 1);
    return () -> t.ops().linearForward(y, x, w, b, B, I, O, Activation.TANH);
  }

  private static Runnable layer(GuardedBuffers t) {
    int B = 33;
    int O = 31;
    Buffer y = t.output("y", B * O);
    Buffer dx = t.output("dx", B * O);
    Buffer p = t.output("p", B * O);
    Buffer x = t.normal("x", B, 1);
    Buffer w = t.normal("w", O, 1);
    Buffer b = t.normal("b", O, 1);
    Buffer dy = t.normal("dy", B * O, 1);
    return () -> {
      t.ops().linearForward(y, x, w, b, B, 1, O, Activation.SIGMOID);
      t.ops().activationBackward(dx, dy, y, B * O, Activation.SIGMOID);
      t.ops().logSoftmaxForward(p, y, B, O);
    };
  }

  private static Runnable replay(GuardedBuffers t) {
    int steps = 3;
    Buffer position = t.intOutput("position", 0, 0, 0);
    Buffer rate = t.output("rate", 1);
    Buffer rates = t.uniform("rates", steps, 0, 1);
    Replay replay = t.replay();
    return () -> {
      for (int i = 0; i < steps; i++) {
        replay.run(0, 64, 1, () -> t.ops().advance(position, rate, rates, Optional.empty(), 64));
      }
    };
  }
}
