package mlpcuda.compute.cuda;

import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.Blas.ColumnMajor;
import mlpcuda.compute.cuda.Blas.Factor;
import mlpcuda.compute.cuda.Blas.Op;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.error.DeviceException;

/**
 * Products by cuBLAS, whose matrices are column-major; bias and activations are computed by others.
 *
 * <p>A row-major matrix read as column-major is its transpose. So a row-major C = A · B is asked
 * for as Cᵀ = Bᵀ · Aᵀ: the operands change places, and each is transposed exactly if it was in the
 * row-major product.
 *
 * <p>cuBLAS does not round operands to the precision: it is given their rounded copies. What it
 * computes is in single precision, and is rounded to a copy by what comes after it.
 */
final class CublasGemm implements Gemm {
  private final Blas blas;
  private final Nonlinear nonlinear;
  private final Optional<RoundedOperands> rounded;

  /**
   * Owns {@code blas} from now on, and closes it; {@code nonlinear} is closed by its maker.
   *
   * @param rounded the operands' copies; empty where operands are in single precision
   */
  CublasGemm(Blas blas, Nonlinear nonlinear, Optional<RoundedOperands> rounded) {
    this.blas = blas;
    this.nonlinear = nonlinear;
    this.rounded = rounded;
  }

  /** Computes the row-major c (M, N) = op(a) (M, K) · op(b) (K, N). */
  private void multiply(DeviceMatrix c, DeviceMatrix a, Op opA, DeviceMatrix b, Op opB) {
    var operands =
        rounded
            .map(copies -> copies.round(a, b))
            .orElseGet(() -> new RoundedOperands.Operands(a, b)); // single precision, as they are
    var left = new Factor(transposed(operands.b()), opB);
    var right = new Factor(transposed(operands.a()), opA);
    try {
      blas.multiply(left, right, transposed(c));
    } catch (CudaException e) {
      String why =
          "%s; in a product of M=%d N=%d K=%d"
              .formatted(e.why(), c.rows(), c.columns(), left.columns());
      throw new DeviceException(why, e.remedy(), e);
    }
  }

  /** The transpose of a row-major matrix: the same elements in column-major order. */
  private static ColumnMajor transposed(DeviceMatrix matrix) {
    return new ColumnMajor(matrix.address(), matrix.columns(), matrix.rows(), matrix.columns());
  }

  @Override
  public void linearForward(
      DeviceMatrix y, DeviceMatrix x, DeviceMatrix w, long b, Activation activation) {
    multiply(y, x, Op.NONE, w, Op.TRANSPOSE);
    nonlinear.biasActivationForward(y, b, activation);
  }

  @Override
  public void backwardWeights(DeviceMatrix dw, DeviceMatrix dy, DeviceMatrix x) {
    multiply(dw, dy, Op.TRANSPOSE, x, Op.NONE);
  }

  @Override
  public void backwardInputs(
      DeviceMatrix dx, DeviceMatrix dy, DeviceMatrix x, DeviceMatrix w, Activation below) {
    multiply(dx, dy, Op.NONE, w, Op.NONE);
    if (below == Activation.NONE) {
      rounded.ifPresent(copies -> copies.refresh(dx));
    } else {
      nonlinear.activationBackward(dx, dx, x, below);
    }
  }

  @Override
  public Multiplier multiplier() {
    return Multiplier.CUBLAS;
  }

  @Override
  public String description() {
    return blas.description();
  }

  @Override
  public void close() {
    blas.close();
  }
}
