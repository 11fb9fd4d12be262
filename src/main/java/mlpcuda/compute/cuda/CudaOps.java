package mlpcuda.compute.cuda;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import jcuda.JCudaVersion;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Feed;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Readback;
import mlpcuda.compute.Replay;
import mlpcuda.compute.ResidentFeed;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.StepNeeds;
import mlpcuda.compute.cuda.Auto.Choice;
import mlpcuda.compute.cuda.CudaDriver.Device;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.error.DeviceException;

/**
 * The operations on an NVIDIA GPU: kernels of cuda/, launched one after another on one stream.
 * Products may be cuBLAS's; bias, activations and log-softmax may be cuDNN's, which has no
 * cross-entropy.
 *
 * <p>A call returns before its work is done; {@link #read} and {@link #write} wait.
 */
public final class CudaOps extends Ops {
  /** Bytes that a read or a write moves at once, through page-locked memory. */
  private static final int STAGING = 1 << 20;

  /**
   * The most bytes of a readback that has page-locked memory of its own, which a system has little
   * of: a longer one is read at once, in pieces.
   */
  private static final int LONGEST_READBACK = 16 << 20;

  /** The most rows whose losses one block takes: that saves a launch, and is as fast. */
  private static final int ROWS_OF_ONE_BLOCK = 256;

  /**
   * Steps of a graph, unless the options say: to launch it costs the host as much as one step's.
   */
  private static final int STEPS_AT_ONCE = 8;

  /**
   * Steps of a persistent launch, unless the options say: the first layer's weights are read and
   * written once in a launch, and a stop waits for its end.
   */
  private static final int PERSISTENT_STEPS = 100;

  /**
   * The most examples of a graph of several steps: a long step's work hides the cost of its launch.
   */
  private static final int EXAMPLES_AT_ONCE = 2048;

  private final CudaDriver driver;
  private final CudaOptions options;
  private final Choice<CudaOptions.Feed> feed;
  private long stream;
  private Pinned staging;
  private Kernels kernels;
  private Nonlinear nonlinear;
  private Gemm gemm;
  private String note = ""; // says what was looked for in vain
  private final List<String> early = new ArrayList<>(); // notes that nobody has listened to
  private Consumer<String> notes = early::add;

  /**
   * Opens the operations on a device that is open already; {@link #close} closes it.
   *
   * @throws DeviceException if cuBLAS or cuDNN is asked for and not found, or the device lacks the
   *     precision; {@code driver} is closed then
   */
  public CudaOps(CudaDriver driver, CudaOptions options) {
    super(options.precision());
    this.driver = driver;
    this.options = options;
    this.feed = Auto.feed(options.feed(), options.step());
    try {
      if (!Obstacle.canMultiply(driver.device(), precision())) {
        throw Obstacle.ofPrecision(driver.device(), precision()).exception(null);
      }
      stream = driver.createStream();
      staging = driver.allocatePinned(STAGING);
      // Every run has operations of this module, and a device that cannot load it is of no use.
      kernels = kernels("layers").load();
      var own = new PtxNonlinear(kernels);
      nonlinear =
          options.kernels() == CudaOptions.Kernels.CUDNN
              ? new CudnnNonlinear(driver.openDnn(stream), own, driver, stream, options.check())
              : own;
      gemm = openGemm();
    } catch (RuntimeException e) {
      try {
        closeK();
      } catch (RuntimeException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private Gemm openGemm() {
    if (options.gemm() != CudaOptions.Gemm.PTX) {
      try {
        Blas blas = driver.openBlas(stream, precision());
        RoundedOperands rounded =
            precision() == Precision.FP32
                ? null
                : new RoundedOperands(driver, kernels, precision());
        return new CublasGemm(blas, nonlinear, rounded);
      } catch (DeviceException e) {
        if (options.gemm() == CudaOptions.Gemm.CUBLAS) {
          throw e;
        }
        note = ": " + e.why();
      }
    }
    var own = new PtxGemm(driver, productKernels("gemm"), "own GEMM");
    return nonlinear instanceof CudnnNonlinear cudnn ? new UnfusedGemm(own, cudnn) : own;
  }

  private Kernels kernels(String module) {
    return new Kernels(driver, stream, module, options.check(), line -> notes.accept(line));
  }

  /** The entries of the module of that family that has products of this precision. */
  private Kernels productKernels(String family) {
    return kernels(precision() == Precision.FP32 ? family : family + "_" + precision().label());
  }

  @Override
  public void tellNotes(Consumer<String> listener) {
    early.forEach(listener);
    early.clear();
    notes = listener;
  }

  @Override
  public String description() {
    return describe("", graph());
  }

  @Override
  public String description(StepNeeds needs) {
    Choice<CudaOptions.Step> steps = steps(needs);
    String launched =
        steps.way() == CudaOptions.Step.PERSISTENT
            ? "up to %d a launch".formatted(stepsAtOnce(needs))
            : graph();
    return describe(", " + steps.describe("steps"), launched);
  }

  private String graph() {
    return options.graph() ? "CUDA graph" : "no graph";
  }

  private String describe(String steps, String launched) {
    return "%s, %s%s%s%s%s, %s, %s"
        .formatted(
            driver.device().describe(),
            gemm.description(),
            precision() == Precision.FP32 ? "" : " of " + precision().label(),
            note,
            nonlinear instanceof CudnnNonlinear ? ", " + nonlinear.description() : "",
            steps,
            feed.describe("feed"),
            launched);
  }

  /** How steps with those needs run. */
  private Choice<CudaOptions.Step> steps(StepNeeds needs) {
    return Auto.step(
        options.step(), needs, gemm instanceof CublasGemm, nonlinear instanceof CudnnNonlinear);
  }

  /** Whether training sets lie on the device as a whole. */
  private boolean resident() {
    return feed.way() == CudaOptions.Feed.RESIDENT;
  }

  /** The name of what computes bias, activations and log-softmax; a library's has its version. */
  public String kernels() {
    return nonlinear.description();
  }

  @Override
  public Map<String, String> versions() {
    var versions = new LinkedHashMap<String, String>();
    versions.put("driver", driver.device().driverVersion());
    versions.put("JCuda", JCudaVersion.get());
    if (gemm instanceof CublasGemm) {
      versions.put("cuBLAS", gemm.description().replace("cuBLAS ", ""));
    }
    if (nonlinear instanceof CudnnNonlinear) {
      versions.put("cuDNN", nonlinear.description().replace("cuDNN ", ""));
    }
    return versions;
  }

  @Override
  protected void closeK() {
    RuntimeException failure = null;
    // A field is empty here if the constructor failed before it.
    if (gemm != null) {
      failure = attempt(gemm::close, failure);
    }
    if (nonlinear != null) {
      failure = attempt(nonlinear::close, failure);
    }
    if (kernels != null) {
      failure = attempt(kernels::close, failure);
    }
    if (staging != null) {
      failure = attempt(() -> driver.freePinned(staging), failure);
    }
    if (stream != 0) {
      failure = attempt(() -> driver.destroyStream(stream), failure);
    }
    failure = attempt(driver::close, failure);
    if (failure != null) {
      throw failure;
    }
  }

  // ---- memory ----

  @Override
  protected Buffer allocateK(String name, Type type, int length) {
    long bytes = (long) length * type.bytes();
    long address;
    try {
      address = driver.allocate(bytes);
    } catch (CudaException e) {
      String instead =
          options.step() == CudaOptions.Step.PERSISTENT ? "fused steps" : "the pinned feed";
      String or = resident() ? ", or use " + instead : "";
      throw Obstacle.ofAllocation(e, driver, name, bytes, or);
    }
    try {
      driver.zero(address, bytes, stream);
    } catch (CudaException e) {
      throw attempt(() -> driver.free(address), e);
    }
    return new DeviceBuffer(this, name, type, length, address);
  }

  @Override
  protected Buffer constantK(String name, byte[] values) {
    Buffer buffer = allocateK(name, Type.UINT8, values.length);
    inChunks(
        values.length,
        STAGING,
        (from, n) -> {
          staging.bytes().put(0, values, from, n);
          upload(buffer, from, n);
        });
    return buffer;
  }

  @Override
  public long freeBytes() {
    return driver.freeMemory();
  }

  void free(long address) {
    driver.synchronizeStream(stream);
    driver.free(address);
  }

  private interface Chunk {
    void move(int from, int n);
  }

  /** Divides {@code length} elements into chunks that fit the staging memory, one after another. */
  private static void inChunks(int length, int size, Chunk chunk) {
    for (int from = 0; from < length; from += Math.min(size, length - from)) {
      chunk.move(from, Math.min(size, length - from));
    }
  }

  /** Copies {@code n} elements from the staging memory to element {@code from} of a buffer. */
  private void upload(Buffer to, int from, int n) {
    int bytes = to.type().bytes();
    driver.copyToDevice(
        DeviceBuffer.address(to) + (long) from * bytes, staging, 0, n * bytes, stream);
    driver.synchronizeStream(stream);
  }

  /** Copies {@code n} elements of a buffer, from {@code from} on, to the staging memory. */
  private ByteBuffer download(Buffer buffer, int from, int n) {
    int bytes = buffer.type().bytes();
    driver.copyToHost(
        staging, DeviceBuffer.address(buffer) + (long) from * bytes, n * bytes, stream);
    driver.synchronizeStream(stream);
    return staging.bytes();
  }

  @Override
  protected void writeK(Buffer to, float[] values) {
    inChunks(
        values.length,
        STAGING / Float.BYTES,
        (from, n) -> {
          staging.bytes().asFloatBuffer().put(0, values, from, n);
          upload(to, from, n);
        });
  }

  @Override
  protected void writeK(Buffer to, int[] values, int from, int n) {
    inChunks(
        n,
        STAGING / Integer.BYTES,
        (at, count) -> {
          staging.bytes().asIntBuffer().put(0, values, from + at, count);
          upload(to, at, count);
        });
  }

  @Override
  protected void readK(Buffer buffer, float[] values) {
    inChunks(
        values.length,
        STAGING / Float.BYTES,
        (from, n) -> download(buffer, from, n).asFloatBuffer().get(0, values, from, n));
  }

  @Override
  protected void readK(Buffer buffer, int[] values) {
    inChunks(
        values.length,
        STAGING / Integer.BYTES,
        (from, n) -> download(buffer, from, n).asIntBuffer().get(0, values, from, n));
  }

  @Override
  public Readback readback(int length) {
    return (long) length * Float.BYTES <= LONGEST_READBACK
        ? new PinnedReadback(this, driver, stream, length)
        : super.readback(length);
  }

  // ---- how a training loop uses a device ----

  @Override
  public Feed feed(byte[] pixels, byte[] labels, int maxB, int atOnce) {
    int I = pixels.length / labels.length;
    return resident()
        ? new ResidentFeed(this, pixels, labels)
        : new PinnedFeed(this, driver, stream, pixels, labels, I, maxB, atOnce);
  }

  /** The host gathers these images at the moment that they are needed. */
  @Override
  public Feed changingFeed(byte[] pixels, int I, int maxB) {
    byte[] unknown = new byte[pixels.length / I];
    return new PinnedFeed(this, driver, stream, pixels, unknown, I, maxB, 1);
  }

  @Override
  public boolean fusesSteps(StepNeeds needs) {
    return steps(needs).way() != CudaOptions.Step.LAYERED;
  }

  @Override
  public Optional<FusedStep> fusedStep(FusedStep.Plan plan) {
    return switch (steps(plan.needs()).way()) {
      case FUSED ->
          Optional.of(
              new FusedKernels(
                  this, productKernels("fused").load(), plan, driver.device().multiprocessors()));
      case PERSISTENT -> Optional.of(persistentStep(plan));
      default -> Optional.empty();
    };
  }

  private FusedStep persistentStep(FusedStep.Plan plan) {
    Device device = driver.device();
    if (!device.cooperative()) {
      throw Obstacle.notCooperative(device).exception(null);
    }
    var layout = PersistentLayout.of(plan, device.multiprocessors(), device.sharedBytes());
    if (!layout.fits()) {
      throw Obstacle.ofLayout(layout, device).exception(null);
    }
    return new PersistentKernels(this, kernels("persistent").load(), plan, layout);
  }

  /** A single step where there is no graph: each kernel is launched by itself anyway. */
  @Override
  public int stepsAtOnce(StepNeeds needs) {
    boolean persistent = steps(needs).way() == CudaOptions.Step.PERSISTENT;
    if (!persistent && !options.graph()) {
      return 1;
    }
    if (options.stepsAtOnce() > 0) {
      return options.stepsAtOnce();
    }
    return persistent
        ? PERSISTENT_STEPS
        : Math.max(1, Math.min(STEPS_AT_ONCE, EXAMPLES_AT_ONCE / needs.maxB()));
  }

  @Override
  public Replay replay() {
    return options.graph() ? new GraphReplay(driver, stream) : super.replay();
  }

  // ---- operations ----

  @Override
  protected void gatherForwardK(
      Buffer x,
      Buffer y,
      Buffer images,
      Buffer labels,
      Buffer rows,
      Buffer end,
      int B,
      int I,
      float scale,
      float shift) {
    Arguments arguments =
        new Arguments().add(x, y, images, labels, rows, rows == null ? null : end);
    arguments.add("B", B).add("I", I).add(scale).add(shift);
    kernels.launch("gather_forward", Shape.of(B, 256), arguments);
  }

  @Override
  protected void linearForwardK(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
    gemm.linearForward(
        DeviceBuffer.address(y),
        DeviceBuffer.address(x),
        DeviceBuffer.address(w),
        DeviceBuffer.address(b),
        B,
        I,
        O,
        activation);
  }

  @Override
  protected void linearBackwardK(
      Buffer dx,
      Buffer dw,
      Buffer db,
      Buffer dy,
      Buffer x,
      Buffer w,
      int B,
      int I,
      int O,
      Activation below) {
    long dyAddress = DeviceBuffer.address(dy);
    long xAddress = DeviceBuffer.address(x);
    gemm.backwardWeights(DeviceBuffer.address(dw), dyAddress, xAddress, B, I, O);
    kernels.launch(
        "column_sum",
        new Shape((O - 1) / Kernels.WARP + 1, 1, 1, Kernels.WARP, Kernels.WARP),
        new Arguments().add(db, dy).add("B", B).add("O", O));
    if (dx != null) {
      gemm.backwardInputs(
          DeviceBuffer.address(dx), dyAddress, xAddress, DeviceBuffer.address(w), B, I, O, below);
    }
  }

  @Override
  protected void activationBackwardK(Buffer dx, Buffer dy, Buffer y, int n, Activation activation) {
    nonlinear.activationBackward(
        DeviceBuffer.address(dx), DeviceBuffer.address(dy), DeviceBuffer.address(y), n, activation);
  }

  @Override
  protected void dropoutForwardK(
      Buffer y, Buffer x, Buffer step, int n, float rate, int layer, long seed) {
    Arguments arguments = new Arguments().add(y, x, step).add("n", n).dropoutRate(rate);
    arguments.add("layer", layer).dropoutMask(seed);
    kernels.launch("dropout_forward", Kernels.cover((n - 1) / 4 + 1), arguments);
  }

  @Override
  protected void logSoftmaxForwardK(Buffer y, Buffer x, int B, int C) {
    nonlinear.logSoftmaxForward(DeviceBuffer.address(y), DeviceBuffer.address(x), B, C);
  }

  @Override
  protected void crossEntropyForwardK(
      Buffer dx,
      Buffer log,
      Buffer losses,
      Buffer x,
      Buffer y,
      Buffer step,
      Buffer scaling,
      int B,
      int C,
      float smoothing) {
    int S = log.length() / 2;
    boolean one = B <= ROWS_OF_ONE_BLOCK;
    kernels.launch(
        "cross_entropy_forward",
        one ? Shape.of(1, Math.min(1024, Kernels.WARP * B)) : Kernels.coverRows(B),
        new Arguments()
            .add(dx, log, losses, x, y, step, scaling)
            .add("B", B)
            .add("C", C)
            .add("S", S)
            .add(smoothing));
    if (!one) {
      kernels.launch(
          "log_losses",
          Shape.of(1, 1024),
          new Arguments().add(log, losses, step).add("B", B).add("S", S));
    }
  }

  @Override
  protected void adamStepK(
      Buffer w,
      Buffer m,
      Buffer v,
      Buffer dw,
      Buffer step,
      Buffer rate,
      Buffer scaling,
      int n,
      AdamSettings settings) {
    Arguments arguments = new Arguments().add(w, m, v, dw, step, rate, scaling).add("n", n);
    kernels.launch("adam_step", Kernels.cover(n), arguments.add(settings));
  }

  @Override
  protected void sgdStepK(
      Buffer w,
      Buffer velocity,
      Buffer dw,
      Buffer rate,
      Buffer scaling,
      int n,
      SgdSettings settings) {
    Arguments arguments = new Arguments().add(w, velocity, dw, rate, scaling).add("n", n);
    kernels.launch("sgd_step", Kernels.cover(n), arguments.add(settings));
  }

  @Override
  protected void clipNormK(Buffer dw, Buffer norm, Buffer scaling, int n, float limit) {
    int P = Math.min(NORM_LENGTH - 1, (n - 1) / 1024 + 1);
    kernels.launch("partial_norms", Shape.of(P, 1024), new Arguments().add(norm, dw).add("n", n));
    kernels.launch(
        "clip_norm",
        Shape.of(Math.min(1024, (n - 1) / 256 + 1), 256), // each block sums up the norm's parts
        new Arguments().add(dw, norm, scaling).add("n", n).add("P", P).add(limit));
  }

  @Override
  protected void advanceK(Buffer position, Buffer rate, Buffer rates, Buffer scaling, int B) {
    kernels.launch(
        "advance", Shape.of(1, 1), new Arguments().add(position, rate, rates, scaling).add("B", B));
  }

  /** Sets all elements of a FLOAT32 buffer to 0. */
  void zero(Buffer x) {
    kernels.launch("zero", Kernels.cover(x.length()), new Arguments().add(x).add("n", x.length()));
  }
}
