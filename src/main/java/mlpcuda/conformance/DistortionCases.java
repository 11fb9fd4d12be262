package mlpcuda.conformance;

import java.util.List;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Originals;
import mlpcuda.conformance.Cases.Case;

/** Cases of distorted images. */
final class DistortionCases {
  private static final String ALL =
      "elastic:37:5.5,rotate:12,shear:10,scale:15,translate:1,erase:0.5";

  private DistortionCases() {}

  static List<Case> all() {
    return List.of(
        distort(7, 28, 28, 1, ALL, 3),
        distort(33, 28, 28, 1, "elastic:37:5.5", 1),
        distort(33, 7, 5, 1, ALL, 2),
        distort(1, 1, 1, 1, ALL, 1),
        distort(3, 1, 33, 1, "elastic:8:1.5,translate:2", 4),
        distort(3, 31, 2, 1, "rotate:180,scale:90", 5),
        distort(5, 9, 11, 3, ALL, 6),
        distort(2, 64, 61, 1, ALL, 1),
        distort(2, 33, 70, 3, "elastic:20:0.5,shear:45", 9),
        distort(31, 8, 8, 1, "erase:1", 1),
        distort(4, 8, 8, 1, "rotate:0", 1),
        // Most of these images have moved out of sight.
        distort(9, 8, 8, 1, "translate:1000", 1));
  }

  /** Images of a set and images of a batch, in turn by the epoch. */
  private static Case distort(int B, int rows, int cols, int channels, String amounts, int epoch) {
    boolean staged = epoch % 2 == 0;
    return new Case(
        "distortForward",
        "B=%d %dx%dx%d %s%s".formatted(B, rows, cols, channels, amounts, staged ? " staged" : ""),
        Cases.FP32,
        t -> {
          var distorting =
              new Distorting(
                  Distortion.parse(amounts),
                  rows,
                  cols,
                  channels,
                  0x1234_5678_9ABCL,
                  new InputScaling.Uniform(0.0127f, -0.42f));
          int N = staged ? B : 19;
          Buffer x = t.output("x", B * distorting.inputs());
          Buffer images = t.bytes("images", N * distorting.inputs(), 256);
          Buffer numbers = t.integers("numbers", B, staged ? 60_000 : N);
          var originals = new Originals(images, numbers, staged);
          return () -> t.ops().distortForward(x, originals, B, distorting, epoch);
        });
  }
}
