package mlpcuda.compute.cuda;

import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.RoundedOperands.Operands;
import mlpcuda.compute.cuda.Tiling.Tiles;

/**
 * Products by our own kernels, the modules gemm and large, which need nothing but the driver.
 *
 * <p>In less than single precision there are two kinds of kernels. Those for any operands read
 * floats, and round them on the way to the tensor cores; their tiles are medium at most. Those for
 * large and medium tiles whose names end with {@code _async} read operands that are rounded in
 * memory, 8 or 16 bytes at once: they are taken where each row of both rounded operands begins at a
 * multiple of 8 bytes. They read 16 bytes at once where each row begins at a multiple of 16.
 *
 * <p>In single precision, large tiles read 16 bytes at once. Operands whose rows do not all begin
 * at a multiple of 16 bytes are multiplied in medium tiles instead.
 */
final class PtxGemm implements Gemm {
  /** The most bytes of workspace for the sums of a product's parts. */
  private static final long WORKSPACE = 32L << 20;

  /** The threads of a block of an {@code _async} kernel. */
  private static final int ASYNC_THREADS = 128;

  /** The fewest bytes that an {@code _async} kernel copies at once. */
  private static final int COPIED = 8;

  private final Resources resources = new Resources();
  private final int multiprocessors;
  private final KernelModule kernels;
  private final KernelModule large; // the products in large tiles of single precision
  private final Optional<RoundedOperands> rounded;
  private final Workspace parts;

  /**
   * Products in the precision of {@code modules}.
   *
   * @param rounded makes operands of that precision, and is closed by its maker; empty for single
   *     precision
   */
  PtxGemm(CudaDriver driver, KernelModules modules, Optional<RoundedOperands> rounded) {
    this.multiprocessors = driver.device().multiprocessors().count();
    this.rounded = rounded;
    this.parts = resources.add(new Workspace(driver, "parts of sums"));
    this.kernels = resources.add(modules.ofPrecision("gemm"));
    this.large = resources.add(modules.large());
  }

  /** Whether both operands of a product can be read 4 elements at a time. */
  private static boolean readQuads(DeviceMatrix a, DeviceMatrix b) {
    return Tiling.readsQuads(a.address(), Float.BYTES, a.columns())
        && Tiling.readsQuads(b.address(), Float.BYTES, b.columns());
  }

  /** A kernel with its launch, and a product's operands as it reads them. */
  private record Chosen(KernelModule module, String entry, Shape shape, Operands operands) {}

  /** The kernel for a product in that tiling; {@code product} begins its name. */
  private Chosen choose(
      String product, Tiling tiling, DeviceMatrix result, DeviceMatrix a, DeviceMatrix b) {
    Tiles tiles = tiling.tiles();
    if (rounded.isPresent() && (tiles == Tiles.LARGE || tiles == Tiles.MEDIUM)) {
      Optional<Operands> operands = toCopy(rounded.get(), a, b);
      if (operands.isPresent()) {
        Shape tiled = tiling.cover(result.rows(), result.columns());
        var shape = new Shape(tiled.gridX(), tiled.gridY(), tiled.gridZ(), ASYNC_THREADS, 1);
        return new Chosen(kernels, product + tiles.suffix() + "_async", shape, operands.get());
      }
      tiles = Tiles.MEDIUM;
    }
    if (tiles == Tiles.LARGE && !readQuads(a, b)) {
      tiles = Tiles.MEDIUM;
    }
    Shape shape = tiles.cover(result.rows(), result.columns(), tiling.parts());
    KernelModule module = tiles == Tiles.LARGE ? large : kernels;
    return new Chosen(module, product + tiles.suffix(), shape, new Operands(a, b));
  }

  /** Both operands rounded, if an {@code _async} kernel can copy them. */
  private static Optional<Operands> toCopy(
      RoundedOperands rounded, DeviceMatrix a, DeviceMatrix b) {
    int bytes = RoundedOperands.elementBytes(rounded.precision());
    if (!startsRows(a, bytes) || !startsRows(b, bytes)) {
      return Optional.empty(); // before anything is rounded in vain
    }
    Operands operands = rounded.round(a, b);
    boolean aligned = operands.a().address() % COPIED == 0 && operands.b().address() % COPIED == 0;
    return aligned ? Optional.of(operands) : Optional.empty();
  }

  /** Whether all rows begin at a multiple of the bytes copied at once, if the first one does. */
  private static boolean startsRows(DeviceMatrix matrix, int bytes) {
    return (long) bytes * matrix.columns() % COPIED == 0;
  }

  /** Arguments that begin with a matrix that later products read, and with its rounded copy. */
  private Arguments writing(DeviceMatrix matrix) {
    var arguments = new Arguments().address(matrix.address());
    rounded.ifPresent(copies -> arguments.address(copies.copyOf(matrix.address())));
    return arguments;
  }

  @Override
  public void linearForward(
      DeviceMatrix y, DeviceMatrix x, DeviceMatrix w, long b, Activation activation) {
    int I = w.columns();
    Tiling tiling = Tiling.whole(y.rows(), y.columns(), I, multiprocessors, readQuads(x, w));
    Chosen chosen = choose("linear_forward", tiling, y, x, w);
    Arguments arguments = writing(y);
    arguments.address(chosen.operands.a().address()).address(chosen.operands.b().address());
    arguments.address(b).add("B", y.rows()).add("I", I).add("O", w.rows());
    arguments.add("activation", activation.ordinal());
    chosen.module.launch(chosen.entry, chosen.shape, arguments);
  }

  @Override
  public void backwardWeights(DeviceMatrix dw, DeviceMatrix dy, DeviceMatrix x) {
    int O = dw.rows();
    int I = dw.columns();
    int n = dw.length();
    int most = (int) Math.min(dy.rows(), WORKSPACE / Float.BYTES / n);
    Tiling tiling = Tiling.of(O, I, dy.rows(), multiprocessors, readQuads(dy, x), most);
    boolean divided = tiling.parts() > 1;
    long sums = divided ? parts.reserve((long) Float.BYTES * n * tiling.parts()) : dw.address();
    Chosen chosen = choose("linear_backward_weights", tiling, dw, dy, x);
    var arguments = new Arguments().address(sums);
    arguments.address(chosen.operands.a().address()).address(chosen.operands.b().address());
    arguments.add("B", dy.rows()).add("I", I).add("O", O).add("share", tiling.share());
    chosen.module.launch(chosen.entry, chosen.shape, arguments);
    if (divided) {
      var sum = new Arguments().address(dw.address()).address(sums);
      sum.add("n", n).add("P", tiling.parts());
      kernels.launch("add_parts", KernelModule.cover(n), sum);
    }
  }

  @Override
  public void backwardInputs(
      DeviceMatrix dx, DeviceMatrix dy, DeviceMatrix x, DeviceMatrix w, Activation below) {
    int O = w.rows();
    Tiling tiling = Tiling.whole(dx.rows(), dx.columns(), O, multiprocessors, readQuads(dy, w));
    Chosen chosen = choose("linear_backward_inputs", tiling, dx, dy, w);
    Arguments arguments = writing(dx).address(chosen.operands.a().address());
    arguments.address(x.address()).address(chosen.operands.b().address());
    arguments.add("B", dx.rows()).add("I", w.columns()).add("O", O);
    arguments.add("below", below.ordinal());
    chosen.module.launch(chosen.entry, chosen.shape, arguments);
  }

  @Override
  public Multiplier multiplier() {
    return Multiplier.PTX;
  }

  @Override
  public String description() {
    return "own GEMM";
  }

  @Override
  public void close() {
    resources.close();
  }
}
