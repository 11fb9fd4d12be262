package mlpcuda.compute.cuda;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.Originals;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.random.Philox;

/**
 * The distortion of images, module distort: one launch for images whose displacements fit into a
 * block's shared memory, or that are not displaced; otherwise three for some images at once, with
 * the displacements in the device's memory.
 */
final class DistortionKernels implements AutoCloseable {
  /** The threads of a block, as in cuda/distort.cuh. */
  private static final int THREADS = 256;

  /** The neighbouring places that a thread computes, as in cuda/distort.cuh. */
  private static final int STRIP = 4;

  /** The weights of the longest window, as in cuda/distort.cuh. */
  private static final int MOST_WEIGHTS = 3 * Distortion.WIDEST_SIGMA + 1;

  /** The most floats of a field in shared memory, as in cuda/distort.cuh. */
  private static final int SMALL_FIELD = 32 * 33;

  /** The bytes of a pixel's two displacements. */
  private static final long PIXEL = 2L * Float.BYTES;

  /** Enough bytes of displacements for all of a device to work on: its cache holds them, too. */
  private static final long GROUP_BYTES = 32 << 20;

  private final Resources resources = new Resources();
  private final KernelModule kernels;
  private final Workspace workspace;
  private final long groupBytes;

  /** Owns {@code kernels}, the module distort, from now on, and closes it. */
  DistortionKernels(CudaDriver driver, KernelModule kernels) {
    this(driver, kernels, GROUP_BYTES);
  }

  /**
   * Kernels as above.
   *
   * @param groupBytes the most bytes of the displacements of images that are distorted at once; one
   *     image may take more
   */
  DistortionKernels(CudaDriver driver, KernelModule kernels, long groupBytes) {
    this.groupBytes = groupBytes;
    this.kernels = resources.add(kernels);
    this.workspace = resources.add(new Workspace(driver, "displacements of images"));
  }

  /**
   * Distorts images as {@link mlpcuda.compute.Ops#distortForward} does.
   *
   * @param x (B, I) out
   */
  void distort(Buffer x, Originals from, int B, Distorting distorting, int epoch) {
    int[] words = words(distorting, epoch);
    int rows = distorting.rows();
    int cols = distorting.cols();
    boolean displaces = distorting.amounts().alpha() > 0;
    if (displaces && (long) rows * (cols | 1) <= SMALL_FIELD) {
      kernels.launch(
          "distort_small", Shape.of(B, THREADS), images(x, from, distorting).structure(words));
      return;
    }
    if (!displaces) {
      resample(x, from, B, distorting, words, 0);
      return;
    }
    long pixels = (long) rows * cols;
    int group = (int) Math.max(1, Math.min(B, groupBytes / (2 * PIXEL * pixels)));
    long noise = workspace.reserve(2 * PIXEL * pixels * group);
    long across = noise + PIXEL * pixels * group;
    int I = distorting.inputs();
    for (int b = 0; b < B; b += group) {
      int n = Math.min(group, B - b);
      Originals part = part(from, b, n, I);
      displace(across, noise, part.numbers(), n, distorting, words);
      resample(x.slice("x of a group", b * I, n * I), part, n, distorting, words, across);
    }
  }

  /** The originals of {@code n} examples of the batch from {@code b} on. */
  private static Originals part(Originals of, int b, int n, int I) {
    Buffer images = of.images();
    return new Originals(
        of.staged() ? images.slice("images of a group", b * I, n * I) : images,
        of.numbers().slice("numbers of a group", b, n),
        of.staged());
  }

  /** Draws the displacements of {@code n} images, and smooths them across. */
  private void displace(
      long across, long noise, Buffer numbers, int n, Distorting distorting, int[] words) {
    int rows = distorting.rows();
    int cols = distorting.cols();
    kernels.launch(
        "distort_noise",
        cover((long) n * ceil(rows * cols, 4)),
        new Arguments()
            .address(noise)
            .add(numbers)
            .add("n", n)
            .add("rows", rows)
            .add("cols", cols)
            .structure(words));
    kernels.launch(
        "distort_across",
        cover((long) n * rows * ceil(cols, STRIP)),
        new Arguments()
            .address(across)
            .address(noise)
            .add("lines", n * rows)
            .add("cols", cols)
            .structure(words));
  }

  /** Distorts images by the displacements at an address, or without any if that is 0. */
  private void resample(
      Buffer x, Originals from, int n, Distorting distorting, int[] words, long across) {
    int strips = distorting.cols() * ceil(distorting.rows(), STRIP);
    int blocks = ceil(strips, THREADS);
    kernels.launch(
        "distort_images",
        Shape.of(Math.multiplyExact(n, blocks), THREADS),
        images(x, from, distorting).structure(words).address(across).add("blocks", blocks));
  }

  private static Arguments images(Buffer x, Originals from, Distorting distorting) {
    return new Arguments()
        .add(x, from.images(), from.numbers())
        .add("staged", from.staged() ? 1 : 0)
        .add("rows", distorting.rows())
        .add("cols", distorting.cols())
        .add("channels", distorting.channels());
  }

  /** The words of the structure Distorting in cuda/distort.cuh. */
  private static int[] words(Distorting distorting, int epoch) {
    Distortion amounts = distorting.amounts();
    float[] window = amounts.alpha() > 0 ? amounts.window() : new float[] {1};
    int[] integers = {
      (int) distorting.seed(),
      (int) (distorting.seed() >>> 32),
      Philox.Use.DISTORTION.ordinal(),
      epoch
    };
    float[] floats = {
      amounts.alpha(),
      amounts.rotate(),
      amounts.shear(),
      amounts.scale(),
      amounts.translate(),
      amounts.erase(),
      distorting.scaling().scale(),
      distorting.scaling().shift()
    };
    int[] words = new int[integers.length + floats.length + 1 + MOST_WEIGHTS + STRIP];
    int at = 0;
    for (int word : integers) {
      words[at++] = word;
    }
    for (float word : floats) {
      words[at++] = Float.floatToRawIntBits(word);
    }
    words[at++] = window.length - 1;
    for (float weight : window) {
      words[at++] = Float.floatToRawIntBits(weight);
    }
    return words; // the weights after the window's are zeros
  }

  private static int ceil(int n, int size) {
    return (n - 1) / size + 1;
  }

  private static Shape cover(long n) {
    return Shape.of(Math.toIntExact((n - 1) / THREADS + 1), THREADS);
  }

  @Override
  public void close() {
    resources.close();
  }
}
