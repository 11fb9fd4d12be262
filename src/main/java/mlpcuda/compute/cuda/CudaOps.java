package mlpcuda.compute.cuda;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import jcuda.JCudaVersion;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Feed;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.Order;
import mlpcuda.compute.Originals;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Readback;
import mlpcuda.compute.Replay;
import mlpcuda.compute.ResidentFeed;
import mlpcuda.compute.Resources;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.StepNeeds;
import mlpcuda.compute.Targets;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.error.DeviceException;

/**
 * The operations on an NVIDIA GPU: kernels of cuda/, launched one after another on one stream.
 * Products may be cuBLAS's; bias, activations and log-softmax may be cuDNN's, which has no
 * cross-entropy.
 *
 * <p>A call returns before its work is done; {@link #read} and {@link #write} wait.
 */
public final class CudaOps extends Ops {
  /**
   * The most bytes of a readback that has page-locked memory of its own, which a system has little
   * of: a longer one is read at once, in pieces.
   */
  private static final int LONGEST_READBACK = 16 << 20;

  private final Resources resources = new Resources();
  private final CudaDriver driver;
  private final CudaOptions options;
  private final long stream;
  private final Staging staging;
  private final KernelModules modules;
  private final KernelModule kernels;
  private final ColumnSums columnSums;
  private final LayerEngine engine;
  private final DistortionKernels distortions;
  private final CrossEntropy crossEntropy;
  private final StepMaker steps;
  private final FeedParts feeds;

  /**
   * Opens the operations on a device that is open already; {@link #close} closes it.
   *
   * @throws DeviceException if cuBLAS or cuDNN is asked for and not found, or the device lacks the
   *     precision; {@code driver} is closed then
   */
  public CudaOps(CudaDriver driver, CudaOptions options) {
    super(options.precision());
    this.driver = resources.add(driver);
    this.options = options;
    try {
      if (!GpuProblem.canMultiply(driver.device(), precision())) {
        throw GpuProblem.ofPrecision(driver.device(), precision()).exception();
      }
      stream = driver.createStream();
      resources.add(() -> driver.destroyStream(stream));
      staging = resources.add(new Staging(driver, stream));
      var launches = new LaunchStream(driver, stream, options.launching());
      modules = new KernelModules(launches, precision());
      var feedKind = Choice.feed(options.feed(), options.step());
      feeds = new FeedParts(this, driver, stream, modules, feedKind);
      // Every run has operations of this module, and a device that cannot load it is of no use.
      kernels = resources.add(modules.module("layers")).load();
      columnSums = resources.add(new ColumnSums(driver, kernels));
      engine = resources.add(new LayerEngine(launches, modules, kernels, options));
      distortions = resources.add(new DistortionKernels(driver, modules.module("distort")));
      crossEntropy = new CrossEntropy(kernels, engine.rounded());
      steps = new StepMaker(options, engine);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  @Override
  public void tellNotes(Consumer<String> listener) {
    modules.tellNotes(listener);
  }

  @Override
  public String description() {
    return describe("", steps.describeGraph());
  }

  @Override
  public String description(StepNeeds needs) {
    return describe(", " + steps.choose(needs).describe("steps"), steps.describeLaunch(needs));
  }

  private String describe(String kind, String launched) {
    return "%s, %s%s, %s, %s"
        .formatted(
            driver.device().describe(),
            engine.description(),
            kind,
            feeds.kind().describe("feed"),
            launched);
  }

  /** The name of the implementation of bias, activations and log-softmax, with its version. */
  public String kernels() {
    return engine.nonlinear().description();
  }

  @Override
  public Map<String, String> versions() {
    var versions = new LinkedHashMap<String, String>();
    versions.put("driver", driver.device().driver().toString());
    versions.put("JCuda", JCudaVersion.get());
    engine.addVersions(versions);
    return versions;
  }

  @Override
  protected void closeK() {
    resources.close();
  }

  // ---- memory ----

  @Override
  protected Buffer allocateK(String name, Type type, int length) {
    long bytes = (long) length * type.bytes();
    long address = reserve(name, bytes);
    try {
      driver.zero(address, bytes, stream);
    } catch (CudaException e) {
      throw attempt(() -> driver.free(address), e);
    }
    if (type == Type.FLOAT32) {
      rounded().ifPresent(copies -> copies.add(name, address, length));
    }
    return new DeviceBuffer(this, name, type, length, address);
  }

  private long reserve(String name, long bytes) {
    try {
      return driver.allocate(bytes);
    } catch (CudaException e) {
      throw GpuProblem.ofAllocation(e, driver, name, bytes, insteadOfResidence());
    }
  }

  @Override
  protected Buffer constantK(String name, byte[] values) {
    Buffer buffer = allocateK(name, Type.UINT8, values.length);
    staging.write(buffer, values);
    return buffer;
  }

  @Override
  public long freeBytes() {
    return driver.freeMemory();
  }

  @Override
  protected long copiedBytes() {
    return rounded().map(RoundedOperands::liveBytes).orElse(0L);
  }

  @Override
  public int bytesOfOperand() {
    return Float.BYTES
        + (precision() == Precision.FP32 ? 0 : RoundedOperands.elementBytes(precision()));
  }

  /** The rounded copies of buffers; empty in single precision. */
  Optional<RoundedOperands> rounded() {
    return engine.rounded();
  }

  /** Frees the memory of a buffer, and of its rounded copy, after all work that may use it. */
  void free(long address) {
    driver.synchronizeStream(stream);
    rounded().ifPresent(copies -> copies.remove(address));
    driver.free(address);
  }

  /** Rounds the first {@code n} floats of a buffer to its copy, if it has one. */
  void refresh(Buffer written, int n) {
    rounded().ifPresent(copies -> copies.refresh(DeviceBuffer.address(written), n));
  }

  /** Adds the address of a buffer, and that of its rounded copy, for a kernel that writes both. */
  private Arguments withCopy(Buffer written) {
    return RoundedOperands.withCopy(rounded(), DeviceBuffer.address(written));
  }

  @Override
  protected void writeK(Buffer to, byte[] values) {
    staging.write(to, values);
  }

  @Override
  protected void writeK(Buffer to, float[] values) {
    staging.write(to, values);
    refresh(to, values.length);
  }

  @Override
  protected void writeK(Buffer to, int[] values, int from, int n) {
    staging.write(to, values, from, n);
  }

  @Override
  protected void readK(Buffer buffer, float[] values) {
    staging.read(buffer, values);
  }

  @Override
  protected void readK(Buffer buffer, int[] values) {
    staging.read(buffer, values);
  }

  @Override
  public Readback readback(int length) {
    return (long) length * Float.BYTES <= LONGEST_READBACK
        ? new PinnedReadback(this, driver, stream, length)
        : super.readback(length);
  }

  // ---- how a training loop uses a device ----

  @Override
  public Feed feed(HostExamples examples, int maxB, int atOnce) {
    return feeds.areResident()
        ? new ResidentFeed(this, examples)
        : new PinnedFeed(feeds, examples, maxB, atOnce);
  }

  /** The host gathers these images at the moment that they are needed. */
  @Override
  public Feed changingFeed(byte[] pixels, int I, int maxB) {
    HostExamples images = HostExamples.of(pixels, new byte[pixels.length / I]);
    return new PinnedFeed(feeds, images, maxB, 1);
  }

  @Override
  public Feed distortedFeedFor(
      Buffer weights, HostExamples examples, Distorting distorting, int maxB, int atOnce) {
    return new DistortingFeed(feeds, examples, distorting, maxB, atOnce);
  }

  @Override
  public long feedBytes(HostExamples examples, boolean distorted, int maxB, int atOnce) {
    boolean resident = feeds.areResident();
    if (distorted) {
      return DistortingFeed.deviceBytes(examples, resident, maxB, atOnce);
    }
    return resident ? 0 : PinnedFeed.deviceBytes(examples, maxB, atOnce);
  }

  /** The remedy where a training set does not fit into the device, as the end of a sentence. */
  @Override
  protected String insteadOfResidence() {
    if (!feeds.areResident()) {
      return "";
    }
    boolean persistent = options.step() == StepKind.PERSISTENT;
    return ", or use " + (persistent ? "fused steps" : "the pinned feed");
  }

  @Override
  public boolean fusesSteps(StepNeeds needs) {
    return steps.choose(needs).kind() != StepKind.LAYERED;
  }

  @Override
  public Optional<FusedStep> fusedStep(FusedStep.Plan plan) {
    return steps.make(this, modules, driver.device(), plan);
  }

  @Override
  public int stepsAtOnce(StepNeeds needs) {
    return steps.stepsAtOnce(needs);
  }

  @Override
  public Replay replay() {
    return options.launching() == Launching.GRAPH
        ? new GraphReplay(driver, stream, () -> rounded().map(RoundedOperands::made).orElse(0))
        : super.replay();
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
    var arguments = withCopy(x).add(targets.y()).add(targets.weights());
    arguments.add(examples.features(), examples.labels()).add(examples.weights());
    arguments.add(order.map(Order::rows)).add(order.map(Order::end));
    arguments.add("B", B).add("I", I).add(precision()).add(scaling);
    String entry = examples.features().type() == Type.FLOAT32 ? "gather_floats" : "gather_bytes";
    String suffix = scaling instanceof InputScaling.PerColumn ? "_by_column" : "";
    kernels.launch(entry + suffix, Shape.of(B, 256), arguments);
  }

  @Override
  protected void distortForwardK(
      Buffer x, Originals originals, int B, Distorting distorting, int epoch) {
    distortions.distort(x, originals, B, distorting, epoch);
    refresh(x, B * distorting.inputs());
  }

  @Override
  protected void linearForwardK(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
    engine
        .gemm()
        .linearForward(
            DeviceMatrix.of(y, B, O),
            DeviceMatrix.of(x, B, I),
            DeviceMatrix.of(w, O, I),
            DeviceBuffer.address(b),
            activation);
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
    DeviceMatrix gradient = DeviceMatrix.of(dy, B, O);
    DeviceMatrix input = DeviceMatrix.of(x, B, I);
    Gemm gemm = engine.gemm();
    gemm.backwardWeights(DeviceMatrix.of(gradients.dw(), O, I), gradient, input);
    columnSums.sum(DeviceBuffer.address(gradients.db()), gradient);
    if (gradients.dx().isPresent()) {
      DeviceMatrix dx = DeviceMatrix.of(gradients.dx().get(), B, I);
      gemm.backwardInputs(dx, gradient, input, DeviceMatrix.of(w, O, I), below);
    }
  }

  @Override
  protected void activationBackwardK(Buffer dx, Buffer dy, Buffer y, int n, Activation activation) {
    engine
        .nonlinear()
        .activationBackward(
            DeviceMatrix.of(dx, 1, n),
            DeviceMatrix.of(dy, 1, n),
            DeviceMatrix.of(y, 1, n),
            activation);
  }

  @Override
  protected void dropoutForwardK(
      Buffer y, Buffer x, Buffer step, int n, float rate, int layer, long seed) {
    Arguments arguments = withCopy(y).add(x, step).add("n", n).add(precision());
    arguments.dropoutRate(rate).add("layer", layer).dropoutMask(seed);
    kernels.launch("dropout_forward", KernelModule.cover((n - 1) / 4 + 1), arguments);
  }

  @Override
  protected void logSoftmaxForwardK(Buffer y, Buffer x, int B, int C) {
    engine.nonlinear().logSoftmaxForward(DeviceMatrix.of(y, B, C), DeviceMatrix.of(x, B, C));
    refresh(y, B * C);
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
    crossEntropy.forward(outputs, x, targets, step, scaling, B, C, smoothing);
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
    var arguments = withCopy(state.w()).add(state.m(), state.v(), dw, step, rate);
    arguments.add(scaling).add("n", n).add(precision());
    kernels.launch("adam_step", KernelModule.cover(n), arguments.add(settings));
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
    Arguments arguments = withCopy(w).add(velocity, dw, rate).add(scaling).add("n", n);
    arguments.add(precision());
    kernels.launch("sgd_step", KernelModule.cover(n), arguments.add(settings));
  }

  @Override
  protected void averageStepK(Buffer average, Buffer w, Buffer step, int n, double decay) {
    Arguments arguments = withCopy(average).add(w, step).add("n", n).add(precision());
    kernels.launch("average_step", KernelModule.cover(n), arguments.add((float) (1 - decay)));
  }

  @Override
  protected void clipNormK(Buffer dw, Buffer norm, Optional<Buffer> scaling, int n, float limit) {
    int P = Math.min(NORM_LENGTH - 1, (n - 1) / 1024 + 1);
    kernels.launch("partial_norms", Shape.of(P, 1024), new Arguments().add(norm, dw).add("n", n));
    kernels.launch(
        "clip_norm",
        Shape.of(Math.min(1024, (n - 1) / 256 + 1), 256), // each block sums up the norm's parts
        new Arguments().add(dw, norm).add(scaling).add("n", n).add("P", P).add(limit));
  }

  @Override
  protected void advanceK(
      Buffer position, Buffer rate, Buffer rates, Optional<Buffer> scaling, int B) {
    Arguments arguments = new Arguments().add(position, rate, rates).add(scaling).add("B", B);
    kernels.launch("advance", Shape.of(1, 1), arguments);
  }

  /** Sets all elements of a FLOAT32 buffer to 0. */
  void zero(Buffer x) {
    kernels.launch(
        "zero", KernelModule.cover(x.length()), new Arguments().add(x).add("n", x.length()));
    refresh(x, x.length());
  }
}
