package mlpcuda.compute.cpu;

import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.SgdSettings;

/** The optimizers' steps, over all weights at once; a loss scale may be null. */
final class OptimizerSteps {
  private final WorkSplitter parts;

  OptimizerSteps(WorkSplitter parts) {
    this.parts = parts;
  }

  /** {@link Ops#adamStep}. */
  void adam(
      Floats w,
      Floats m,
      Floats v,
      Floats dw,
      Ints step,
      Floats rate,
      Floats scaling,
      int n,
      AdamSettings settings) {
    if (skips(scaling)) {
      return;
    }
    m.arrangeAs(w, n);
    v.arrangeAs(w, n);
    dw.arrangeAs(w, n);
    int skipped = scaling == null ? 0 : (int) scaling.get(LossScale.SKIPPED);
    var adam = new ArrayMath.Adam(settings, rate.get(0), step.at(0) - skipped);
    parts.blocks(n, (part, from, size) -> adam(part, w, m, v, dw, from, size, adam));
  }

  /** A step of Adam on the {@code n} floats from {@code i} on, at most a block. */
  private void adam(
      int part, Floats w, Floats m, Floats v, Floats dw, int i, int n, ArrayMath.Adam adam) {
    float[] wBlock = parts.floats(part, 0);
    float[] mBlock = parts.floats(part, 1);
    float[] vBlock = parts.floats(part, 2);
    float[] gBlock = parts.floats(part, 3);
    w.get(i, wBlock, n);
    m.get(i, mBlock, n);
    v.get(i, vBlock, n);
    dw.get(i, gBlock, n);
    adam.step(wBlock, mBlock, vBlock, gBlock, n);
    w.put(i, wBlock, n);
    m.put(i, mBlock, n);
    v.put(i, vBlock, n);
  }

  /** {@link Ops#sgdStep}. */
  void sgd(
      Floats w,
      Floats velocity,
      Floats dw,
      Floats rate,
      Floats scaling,
      int n,
      SgdSettings settings) {
    if (skips(scaling)) {
      return;
    }
    velocity.arrangeAs(w, n);
    dw.arrangeAs(w, n);
    float lr = rate.get(0);
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

  private static boolean skips(Floats scaling) {
    return scaling != null && scaling.get(LossScale.SKIPS) != 0;
  }

  /** {@link Ops#clipNorm}. */
  void clip(Floats dw, Floats norm, Floats scaling, int n, float limit) {
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
    float scale = scaling == null ? 1 : scaling.get(LossScale.SCALE);
    float whole = (float) (Math.sqrt(sum) / scale);
    norm.put(0, whole);
    if (scaling != null) {
      scaling.put(LossScale.SKIPS, Float.isFinite(whole) ? 0 : 1);
    }
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
