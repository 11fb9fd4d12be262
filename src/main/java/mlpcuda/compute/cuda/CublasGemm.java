package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;
import mlpcuda.error.DeviceException;

/**
 * Products by cuBLAS, whose matrices are column-major; bias and activations are computed by others.
 *
 * <p>A row-major matrix read as column-major is its transpose. So a row-major C = A · B is asked
 * for as Cᵀ = Bᵀ · Aᵀ: the operands change places, and each is transposed exactly if it was in the
 * row-major product.
 *
 * <p>Operands are rounded anew for each product: the rounded ones are a copy, and what is kept
 * between products is in single precision.
 */
final class CublasGemm implements Gemm {
  private final Blas blas;
  private final Nonlinear nonlinear;
  private final RoundedOperands rounded;

  /**
   * Owns {@code blas} and {@code rounded} from now on; {@code nonlinear} is closed by its maker.
   *
   * @param rounded makes rounded operands; null where they are single precision
   */
  CublasGemm(Blas blas, Nonlinear nonlinear, RoundedOperands rounded) {
    this.blas = blas;
    this.nonlinear = nonlinear;
    this.rounded = rounded;
  }

  /**
   * Row-major c (M, N) = op(a) (M, K) · op(b) (K, N), where a transposed operand lies in memory as
   * (K, M) or (N, K).
   */
  private void multiply(
      long c, long a, boolean transposeA, long b, boolean transposeB, int M, int N, int K) {
    int lda = transposeA ? M : K; // the length of a row in memory
    int ldb = transposeB ? K : N;
    var operands = new RoundedOperands.Operands(a, b);
    if (rounded != null) {
      operands = rounded.round(a, M * K, b, K * N);
    }
    try {
      blas.multiply(transposeB, transposeA, N, M, K, operands.b(), ldb, operands.a(), lda, c, N);
    } catch (CudaException e) {
      String why = "%s; in a product of M=%d N=%d K=%d".formatted(e.why(), M, N, K);
      throw new DeviceException(why, e.remedy(), e);
    }
  }

  @Override
  public void linearForward(
      long y, long x, long w, long b, int B, int I, int O, Activation activation) {
    multiply(y, x, false, w, true, B, O, I);
    nonlinear.biasActivationForward(y, b, B, O, activation);
  }

  @Override
  public void backwardWeights(long dw, long dy, long x, int B, int I, int O) {
    multiply(dw, dy, true, x, false, O, I, B);
  }

  @Override
  public void backwardInputs(
      long dx, long dy, long x, long w, int B, int I, int O, Activation below) {
    multiply(dx, dy, false, w, false, B, I, O);
    if (below != Activation.NONE) {
      nonlinear.activationBackward(dx, dx, x, B * I, below);
    }
  }

  @Override
  public String description() {
    return blas.description();
  }

  @Override
  public void close() {
    try (rounded) {
      blas.close();
    }
  }
}
