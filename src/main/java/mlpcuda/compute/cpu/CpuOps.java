package mlpcuda.compute.cpu;

import static org.bytedeco.openblas.global.openblas_nolapack.OPENBLAS_VERSION;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.Order;
import mlpcuda.compute.Originals;
import mlpcuda.compute.Precision;
import mlpcuda.compute.ResidentFeed;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.Targets;
import mlpcuda.error.DeviceException;
import mlpcuda.features.Features;
import mlpcuda.random.Philox;
import org.bytedeco.javacpp.Pointer;

/**
 * The operations on all cores: products by OpenBLAS, the rest by loops that the JIT compiler
 * vectorises.
 *
 * <p>A product of one batch is too small for OpenBLAS's own threads, so each operation is split
 * into parts by {@link WorkSplitter}, and every part calls OpenBLAS with one thread. Parts depend
 * on the sizes and the number of threads alone, and a sum that they share is added up in their
 * order: the same run gives the same bits.
 */
public final class CpuOps extends Ops {
  private final WorkSplitter parts;
  private final Gathering gathering;
  private final Distortions distortions;
  private final Layers layers;
  private final Losses losses;
  private final OptimizerSteps optimizers;

  /** Operations on all processors that this Java runtime may use. */
  public CpuOps() {
    this(Runtime.getRuntime().availableProcessors());
  }

  /**
   * Operations on {@code threads} threads, at least 1.
   *
   * @throws DeviceException if OpenBLAS cannot be loaded
   */
  public CpuOps(int threads) {
    this(threads, Precision.FP32);
  }

  /**
   * Operations on {@code threads} threads, at least 1, with operands of products of that precision.
   */
  public CpuOps(int threads, Precision precision) {
    this(threads, precision, Products.hasSmallKernels());
  }

  /**
   * Operations on {@code threads} threads, at least 1, with products divided in a chosen way.
   *
   * @param smallKernels whether products shall suit OpenBLAS's kernels for small matrices, which it
   *     has for AVX-512
   */
  public CpuOps(int threads, Precision precision, boolean smallKernels) {
    super(precision);
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, found " + threads);
    }
    load();
    parts = new WorkSplitter(threads);
    gathering = new Gathering(parts);
    distortions = new Distortions(parts, this::floats);
    layers = new Layers(parts, precision, this::floats, smallKernels);
    losses = new Losses(parts);
    optimizers = new OptimizerSteps(parts);
  }

  /**
   * Loads OpenBLAS, as the constructors do where it is not loaded.
   *
   * @throws DeviceException if OpenBLAS cannot be loaded
   */
  public static void load() {
    OpenBlas.load();
  }

  @Override
  public String description() {
    return "CPU, %d thread%s, %s%s"
        .formatted(
            parts.most(),
            parts.most() == 1 ? "" : "s",
            OPENBLAS_VERSION.trim(),
            precision() == Precision.FP32 ? "" : ", operands rounded to " + precision().label());
  }

  @Override
  public Map<String, String> versions() {
    return Map.of("OpenBLAS", OPENBLAS_VERSION.trim().replace("OpenBLAS ", ""));
  }

  @Override
  protected void closeK() {
    parts.close();
    distortions.close();
    layers.close();
  }

  /** A feed that leaves the features where they are, in an array or not. */
  @Override
  public Feed feed(HostExamples examples, int maxB, int atOnce) {
    return examples.features().isArray()
        ? new ResidentFeed(this, examples)
        : new HostFeed(gathering, examples);
  }

  /**
   * A feed that leaves the features where they are and, in single precision and for bytes in an
   * array, gathers them in the order that suits the first set that a network is fed with.
   */
  @Override
  public Feed feedFor(Buffer weights, HostExamples examples, int maxB, int atOnce) {
    Feed feed = feed(examples, maxB, atOnce);
    int I = examples.inputs();
    if (feed instanceof ResidentFeed resident
        && precision() == Precision.FP32
        && weights.length() % I == 0) {
      var w = (Floats) weights;
      byte[] pixels = examples.features().array();
      InputOrder order = w.chosen().orElseGet(() -> Background.order(pixels, I));
      w.choose(order);
      ((Bytes) resident.features()).arrange(order);
    }
    return feed;
  }

  /**
   * A feed whose batches have their inputs in the natural order, which the weights keep: distorted
   * images have no background.
   */
  @Override
  public Feed distortedFeedFor(
      Buffer weights, HostExamples examples, Distorting distorting, int maxB, int atOnce) {
    var w = (Floats) weights;
    if (w.chosen().isEmpty()) {
      w.choose(InputOrder.natural(examples.inputs()));
    }
    return super.distortedFeedFor(weights, examples, distorting, maxB, atOnce);
  }

  @Override
  public void feedsToo(Buffer others, Buffer weights) {
    ((Floats) weights).chosen().ifPresent(((Floats) others)::choose);
  }

  @Override
  public int multipliedInputs(Features features) {
    int I = features.width();
    return features.isArray() && precision() == Precision.FP32
        ? Background.order(features.array(), I).multiplied()
        : I;
  }

  // ---- memory ----

  /** The memory that the system can give without swapping, at most that of a container. */
  @Override
  public long freeBytes() {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long available = Pointer.availablePhysicalBytes();
    return available > 0 ? Math.min(available, system.getTotalMemorySize()) : Long.MAX_VALUE;
  }

  @Override
  public int longestBuffer() {
    return Floats.MAX_LENGTH;
  }

  @Override
  protected Buffer allocateK(String name, Type type, int length) {
    return switch (type) {
      case FLOAT32 -> floats(name, length);
      case INT32 -> new Ints(this, name, length);
      case UINT8 -> new Bytes(this, name, new byte[length]);
    };
  }

  /** Floats in the natural order of a network's inputs. */
  private static Floats natural(Buffer buffer) {
    return ((Floats) buffer).natural();
  }

  private Floats floats(String name, int length) {
    if (length > Floats.MAX_LENGTH) {
      throw outOfMemory(name, length, "a buffer may have at most " + Floats.MAX_LENGTH, null);
    }
    try {
      return new Floats(this, name, length);
    } catch (OutOfMemoryError e) {
      throw outOfMemory(name, length, e.getMessage(), e);
    }
  }

  private DeviceException outOfMemory(String name, int length, String why, Throwable cause) {
    return new DeviceException(
        "Out of memory for %s: %d floats, with %d MiB in use: %s"
            .formatted(name, length, liveBytes() >> 20, why),
        "Lower the widths of the hidden layers, the batch size or the test batch size.",
        cause);
  }

  @Override
  protected Buffer constantK(String name, byte[] values) {
    return new Bytes(this, name, values);
  }

  @Override
  protected void writeK(Buffer to, byte[] values) {
    ((Bytes) to).write(values);
  }

  @Override
  protected void writeK(Buffer to, float[] values) {
    ((Floats) to).write(values);
  }

  @Override
  protected void writeK(Buffer to, int[] values, int from, int n) {
    var ints = (Ints) to;
    System.arraycopy(values, from, ints.array, ints.offset, n);
  }

  @Override
  protected void readK(Buffer from, float[] values) {
    ((Floats) from).read(values);
  }

  @Override
  protected void readK(Buffer from, int[] values) {
    var ints = (Ints) from;
    System.arraycopy(ints.array, ints.offset, values, 0, values.length);
  }

  // ---- operations ----

  @Override
  protected void gatherForwardK(
      Buffer x,
      Targets targets,
      DeviceExamples examples,
      Optional<Order> order,
      int B,
      int I,
      InputScaling scaling) {
    gathering.gather((Floats) x, targets, examples, order, new LayerSize(B, I, 1), scaling);
  }

  @Override
  protected void distortForwardK(
      Buffer x, Originals originals, int B, Distorting distorting, int epoch) {
    distortions.distort((Floats) x, originals, B, distorting, epoch);
  }

  @Override
  protected void linearForwardK(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
    var size = new LayerSize(B, I, O);
    layers.forward(natural(y), (Floats) x, (Floats) w, natural(b), size, activation);
  }

  @Override
  protected void linearBackwardK(
      LayerGradients gradients,
      Buffer dy,
      Buffer x,
      Buffer w,
      int B,
      int I,
      int O,
      Activation below) {
    var size = new LayerSize(B, I, O);
    layers.backward(gradients, natural(dy), (Floats) x, (Floats) w, size, below);
  }

  @Override
  protected void activationBackwardK(Buffer dx, Buffer dy, Buffer y, int n, Activation activation) {
    Floats d = natural(dx);
    Floats above = natural(dy);
    Floats output = natural(y);
    parts.blocks(
        n,
        (part, from, size) ->
            layers.differentiate(
                part, d, above, output, new Layers.Range(from, from + size), activation));
  }

  @Override
  protected void dropoutForwardK(
      Buffer y, Buffer x, Buffer step, int n, float rate, int layer, long seed) {
    float scale = dropoutScale(rate);
    int count = ((Ints) step).at(0);
    Floats from = natural(x);
    Floats to = natural(y);
    parts.blocks(
        n,
        (part, first, size) -> {
          float[] block = parts.floats(part, 0);
          int[] words = new int[4];
          from.get(first, block, size);
          for (int i = 0; i < size; i++) {
            if ((i & 3) == 0) { // blocks are multiples of 4, so i and first + i agree here
              Philox.block(words, (first + i) >>> 2, layer, count, Philox.Use.DROPOUT, seed);
            }
            block[i] = Philox.uniform(words[i & 3]) >= rate ? block[i] * scale : 0f;
          }
          to.put(first, block, size);
        });
  }

  @Override
  protected void logSoftmaxForwardK(Buffer y, Buffer x, int B, int C) {
    losses.logSoftmax(natural(y), natural(x), B, C);
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
    losses.crossEntropy(outputs, x, targets, step, scaling, B, C, smoothing);
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
    optimizers.adam(state, dw, step, rate, scaling, n, settings);
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
    optimizers.sgd(w, velocity, dw, rate, scaling, n, settings);
  }

  @Override
  protected void averageStepK(Buffer average, Buffer w, Buffer step, int n, double decay) {
    optimizers.average((Floats) average, (Floats) w, ((Ints) step).at(0), n, decay);
  }

  @Override
  protected void clipNormK(Buffer dw, Buffer norm, Optional<Buffer> scaling, int n, float limit) {
    optimizers.clip((Floats) dw, (Floats) norm, scaling, n, limit);
  }

  @Override
  protected void advanceK(
      Buffer position, Buffer rate, Buffer rates, Optional<Buffer> scaling, int B) {
    var ints = (Ints) position;
    if (scaling.isPresent() && ints.at(0) > 0) {
      float[] state = new float[LossScale.LENGTH];
      var floats = (Floats) scaling.get();
      floats.get(0, state, state.length);
      LossScale.settle(state);
      floats.put(0, state, state.length);
    }
    ((Floats) rate).put(0, ((Floats) rates).get(ints.at(2)));
    ints.array[ints.offset]++;
    ints.array[ints.offset + 1] += B;
    ints.array[ints.offset + 2]++;
  }
}
