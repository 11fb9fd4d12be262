package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/** Products by our own kernels, module gemm: they need nothing but the driver. */
final class PtxGemm implements Gemm {
  /** A tiling of cuda/gemm.cuh: its tile is size x size. */
  private enum Tiles {
    SMALL("_small", 32),
    LARGE("_large", 128);

    private static final int THREADS = 256;

    private final String suffix;
    private final int size;

    Tiles(String suffix, int size) {
      this.suffix = suffix;
      this.size = size;
    }

    Shape cover(int M, int N) {
      return new Shape((M - 1) / size + 1, (N - 1) / size + 1, 1, THREADS, 1);
    }
  }

  private final Kernels kernels;
  private final int multiprocessors;

  PtxGemm(Kernels kernels, int multiprocessors) {
    this.kernels = kernels;
    this.multiprocessors = multiprocessors;
  }

  /** Large tiles where they occupy half of the device at least: they reuse more, but are fewer. */
  private Tiles tiles(int M, int N) {
    Shape large = Tiles.LARGE.cover(M, N);
    return 2L * large.gridX() * large.gridY() >= multiprocessors ? Tiles.LARGE : Tiles.SMALL;
  }

  private void multiply(String entry, int M, int N, Arguments arguments) {
    Tiles tiles = tiles(M, N);
    kernels.launch(entry + tiles.suffix, tiles.cover(M, N), arguments);
  }

  @Override
  public void linearForward(
      long y, long x, long w, long b, int B, int I, int O, Activation activation) {
    var arguments = new Arguments().address(y).address(x).address(w).address(b);
    arguments.add("B", B).add("I", I).add("O", O).add("activation", activation.ordinal());
    multiply("linear_forward", B, O, arguments);
  }

  @Override
  public void backwardWeights(long dw, long dy, long x, int B, int I, int O) {
    var arguments = new Arguments().address(dw).address(dy).address(x);
    multiply("linear_backward_weights", O, I, arguments.add("B", B).add("I", I).add("O", O));
  }

  @Override
  public void backwardInputs(
      long dx, long dy, long x, long w, int B, int I, int O, Activation below) {
    var arguments = new Arguments().address(dx).address(dy).address(x).address(w);
    arguments.add("B", B).add("I", I).add("O", O).add("below", below.ordinal());
    multiply("linear_backward_inputs", B, I, arguments);
  }

  @Override
  public String description() {
    return "own GEMM";
  }

  @Override
  public void close() {
    kernels.close();
  }
}
