package mlpcuda.compute.cpu;

import java.util.Optional;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.SgdSettings;

/** The optimizers' steps, over all weights at once. */
final class OptimizerSteps {
  private final WorkSplitter parts;

  OptimizerSteps(WorkSplitter parts) {
    this.parts = parts;
  }

  /** {@link Ops#adamStep}. */
  void adam(
      OptimizerState state,
      Buffer dw,
      Buffer step,
      Buffer rate,
      Optional<Buffer> scaling,
      int n,
      AdamSettings settings) {
    if (skips(scaling)) {
      return;
    }
    var w = (Floats) state.w();
    var moments = new Moments((Floats) state.m(), (Floats) state.v());
    var gradients = (Floats) dw;
    moments.m.arrangeAs(w, n);
    moments.v.arrangeAs(w, n);
    gradients.arrangeAs(w, n);
    int skipped = scaling.map(of -> (int) ((Floats) of).get(LossScale.SKIPPED)).orElse(0);
    var adam = new ArrayMath.Adam(settings, ((Floats) rate).get(0), ((Ints) step).at(0) - skipped);
    Optional<float[][]> m = moments.m.blocks(n);
    Optional<float[][]> v = moments.v.blocks(n);
    if (m.isPresent() && v.isPresent()) {
      parts.blocks(
          n,
          (part, from, size) -> {
            int block = from / WorkSplitter.BLOCK;
            float[] wBlock = parts.floats(part, 0);
            float[] gBlock = parts.floats(part, 3);
            w.get(from, wBlock, size);
            gradients.get(from, gBlock, size);
            adam.step(wBlock, m.get()[block], v.get()[block], gBlock, size);
            w.put(from, wBlock, size);
          });
    } else {
      parts.blocks(n, (part, from, size) -> adam(part, w, moments, gradients, from, size, adam));
    }
  }

  /** Adam's moments. */
  private record Moments(Floats m, Floats v) {}

  /** A step of Adam on the {@code n} floats from {@code i} on, at most a block. */
  private void adam(
      int part, Floats w, Moments moments, Floats dw, int i, int n, ArrayMath.Adam adam) {
    float[] wBlock = parts.floats(part, 0);
    float[] mBlock = parts.floats(part, 1);
    float[] vBlock = parts.floats(part, 2);
    float[] gBlock = parts.floats(part, 3);
    w.get(i, wBlock, n);
    moments.m.get(i, mBlock, n);
    moments.v.get(i, vBlock, n);
    dw.get(i, gBlock, n);
    adam.step(wBlock, mBlock, vBlock, gBlock, n);
    w.put(i, wBlock, n);
    moments.m.put(i, mBlock, n);
    moments.v.put(i, vBlock, n);
  }

  /** {@link Ops#sgdStep}. */
  void sgd(
      Buffer weights,
      Buffer velocities,
      Buffer gradients,
      Buffer rate,
      Optional<Buffer> scaling,
      int n,
      SgdSettings settings) {
    if (skips(scaling)) {
      return;
    }
    var w = (Floats) weights;
    var velocity = (Floats) velocities;
    var dw = (Floats) gradients;
    velocity.arrangeAs(w, n);
    dw.arrangeAs(w, n);
    float lr = ((Floats) rate).get(0);
    Optional<float[][]> moved = velocity.blocks(n);
    if (moved.isPresent()) {
      parts.blocks(
          n,
          (part, from, size) -> {
            float[] wBlock = parts.floats(part, 0);
            float[] gBlock = parts.floats(part, 2);
            w.get(from, wBlock, size);
            dw.get(from, gBlock, size);
            float[] vBlock = moved.get()[from / WorkSplitter.BLOCK];
            ArrayMath.descend(wBlock, vBlock, gBlock, lr, size, settings);
            w.put(from, wBlock, size);
          });
      return;
    }
    parts.blocks(
        n,
        (part, from, size) -> {
          float[] wBlock = parts.floats(part, 0);
          float[] vBlock = parts.floats(part, 1);
          float[] gBlock = parts.floats(part, 2);
          w.get(from, wBlock, size);
          velocity.get(from, vBlock, size);
          dw.get(from, gBlock, size);
          ArrayMath.descend(wBlock, vBlock, gBlock, lr, size, settings);
          w.put(from, wBlock, size);
          velocity.put(from, vBlock, size);
        });
  }

  /** {@link Ops#averageStep}. */
  void average(Floats average, Floats w, int step, int n, double decay) {
    average.arrangeAs(w, n);
    float take = Math.max((float) (1 - decay), 9 / (10f + step)); // 1 − (1 + t) / (10 + t)
    Optional<float[][]> moved = average.blocks(n);
    parts.blocks(
        n,
        (part, from, size) -> {
          float[] wBlock = parts.floats(part, 0);
          w.get(from, wBlock, size);
          if (moved.isPresent()) {
            ArrayMath.approach(moved.get()[from / WorkSplitter.BLOCK], wBlock, take, size);
            return;
          }
          float[] block = parts.floats(part, 1);
          average.get(from, block, size);
          ArrayMath.approach(block, wBlock, take, size);
          average.put(from, block, size);
        });
  }

  private static boolean skips(Optional<Buffer> scaling) {
    return scaling.isPresent() && ((Floats) scaling.get()).get(LossScale.SKIPS) != 0;
  }

  /** {@link Ops#clipNorm}. */
  void clip(Floats dw, Floats norm, Optional<Buffer> scaling, int n, float limit) {
    dw.keepTogether(n);
    double[] squares =
        new double[(n - 1) / WorkSplitter.BLOCK + 1]; // the sum of each block's squares
    parts.blocks(
        n,
        (part, from, size) -> {
          float[] block = parts.floats(part, 0);
          dw.get(from, block, size);
          squares[from / WorkSplitter.BLOCK] = ArrayMath.squares(block, size);
        });
    double sum = 0;
    for (double square : squares) {
      sum += square;
    }
    float scale = scaling.map(of -> ((Floats) of).get(LossScale.SCALE)).orElse(1f);
    float whole = (float) (Math.sqrt(sum) / scale);
    norm.put(0, whole);
    scaling.ifPresent(of -> ((Floats) of).put(LossScale.SKIPS, Float.isFinite(whole) ? 0f : 1f));
    if (skips(scaling)) {
      return;
    }
    float coefficient = limit / (whole + 1e-6f);
    float factor = (coefficient >= 1 ? 1 : coefficient) / scale; // NaN stays NaN
    if (factor == 1) {
      return;
    }
    parts.blocks(
        n,
        (part, from, size) -> {
          float[] block = parts.floats(part, 0);
          dw.get(from, block, size);
          ArrayMath.scale(block, factor, size);
          dw.put(from, block, size);
        });
  }
}
