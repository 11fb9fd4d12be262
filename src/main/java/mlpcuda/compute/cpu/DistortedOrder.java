package mlpcuda.compute.cpu;

import java.util.Arrays;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.Resources;
import mlpcuda.features.Features;

/** The order of inputs that suits images which are distorted: see {@link Background#order}. */
final class DistortedOrder {
  private static final int SAMPLED = 1024; // images
  private static final int BATCH = 256;
  private static final int EPOCH = 1;

  private DistortedOrder() {}

  /** The order by a sample of the images, spread over the set, as one epoch distorts them. */
  static InputOrder of(CpuOps ops, HostExamples examples, Distorting distorting) {
    int sampled = Math.min(SAMPLED, examples.size());
    int I = distorting.inputs();
    byte[] inked = new byte[sampled * I]; // 1 where an input differs from the background
    for (int from = 0; from < sampled; from += BATCH) {
      int[] numbers = new int[Math.min(BATCH, sampled - from)];
      int first = from;
      Arrays.setAll(numbers, b -> (int) ((long) examples.size() * (first + b) / sampled));
      float[] values = distorted(ops, examples.features(), distorting, numbers);
      for (int i = 0; i < values.length; i++) {
        inked[from * I + i] = (byte) (values[i] == distorting.scaling().shift() ? 0 : 1);
      }
    }
    return Background.order(inked, I);
  }

  private static float[] distorted(
      CpuOps ops, Features features, Distorting distorting, int[] numbers) {
    int I = distorting.inputs();
    byte[] pixels = new byte[numbers.length * I];
    for (int b = 0; b < numbers.length; b++) {
      features.read(numbers[b], pixels, b * I);
    }
    float[] values = new float[pixels.length];
    try (var resources = new Resources()) {
      Buffer x = resources.open(() -> ops.allocate("sample", Type.FLOAT32, pixels.length));
      Buffer images = resources.open(() -> ops.constant("images", pixels));
      Buffer rows = resources.open(() -> ops.allocate("numbers", Type.INT32, numbers.length));
      ops.write(rows, numbers, 0, numbers.length);
      ops.distortForward(x, images, rows, true, numbers.length, distorting, EPOCH);
      ops.read(x, values);
    }
    return values;
  }
}
