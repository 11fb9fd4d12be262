package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;

/** Products by our own kernels, the module gemm, which need nothing but the driver. */
final class PtxGemm implements Gemm {
  /** The most bytes of workspace for the sums of a product's parts. */
  private static final long WORKSPACE = 32L << 20;

  private final CudaDriver driver;
  private final Kernels kernels;
  private final String description;
  private final Workspace parts;

  /**
   * Owns {@code kernels}, the module gemm of some precision, from now on, and closes it.
   *
   * @param description the name of these products
   */
  PtxGemm(CudaDriver driver, Kernels kernels, String description) {
    this.driver = driver;
    this.kernels = kernels;
    this.description = description;
    this.parts = new Workspace(driver, "parts of sums");
  }

  private int multiprocessors() {
    return driver.device().multiprocessors();
  }

  private static boolean readsQuads(long a, int contiguousA, long b, int contiguousB) {
    return Tiling.readsQuads(a, Float.BYTES, contiguousA)
        && Tiling.readsQuads(b, Float.BYTES, contiguousB);
  }

  private void multiply(String entry, int M, int N, int K, boolean quads, Arguments arguments) {
    Tiling tiling = Tiling.whole(M, N, K, multiprocessors(), quads);
    kernels.launch(entry + tiling.tiles().suffix(), tiling.cover(M, N), arguments);
  }

  @Override
  public void linearForward(
      long y, long x, long w, long b, int B, int I, int O, Activation activation) {
    var arguments = new Arguments().address(y).address(x).address(w).address(b);
    arguments.add("B", B).add("I", I).add("O", O).add("activation", activation.ordinal());
    multiply("linear_forward", B, O, I, readsQuads(x, I, w, I), arguments);
  }

  @Override
  public void backwardWeights(long dw, long dy, long x, int B, int I, int O) {
    int n = O * I;
    int most = (int) Math.min(B, WORKSPACE / Float.BYTES / n);
    Tiling tiling = Tiling.of(O, I, B, multiprocessors(), readsQuads(dy, O, x, I), most);
    boolean divided = tiling.parts() > 1;
    long sums = divided ? parts.reserve((long) Float.BYTES * n * tiling.parts()) : dw;
    var arguments = new Arguments().address(sums).address(dy).address(x);
    arguments.add("B", B).add("I", I).add("O", O).add("share", tiling.share());
    String entry = "linear_backward_weights" + tiling.tiles().suffix();
    kernels.launch(entry, tiling.cover(O, I), arguments);
    if (divided) {
      var sum = new Arguments().address(dw).address(sums);
      kernels.launch("add_parts", Kernels.cover(n), sum.add("n", n).add("P", tiling.parts()));
    }
  }

  @Override
  public void backwardInputs(
      long dx, long dy, long x, long w, int B, int I, int O, Activation below) {
    var arguments = new Arguments().address(dx).address(dy).address(x).address(w);
    arguments.add("B", B).add("I", I).add("O", O).add("below", below.ordinal());
    multiply("linear_backward_inputs", B, I, O, readsQuads(dy, O, w, I), arguments);
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    try (parts) {
      kernels.close();
    }
  }
}
