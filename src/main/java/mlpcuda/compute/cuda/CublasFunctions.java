package mlpcuda.compute.cuda;

import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;

import mlpcuda.compute.cuda.Blas.ColumnMajor;
import mlpcuda.compute.cuda.Blas.Factor;
import mlpcuda.compute.cuda.JCudaObjects.Stream;

/**
 * The functions of one version of cuBLAS that {@link Cublas} calls, on a handle that the object
 * keeps. Each function that returns an int returns cuBLAS's status. The numbers that stand for
 * modes and types are the same in cuBLAS 12 and 13.
 */
interface CublasFunctions {
  /** Creates the handle; the other functions with a status need it. */
  int create();

  /** Destroys the handle. */
  int destroy();

  int setStream(Stream stream);

  int setMathMode(int mode);

  int setPointerMode(int mode);

  /** Writes the version, as 120604 for 12.6.4, into the first element of {@code version}. */
  int getVersion(int[] version);

  /** Sets the workspace: an address of the device, and a number of bytes. */
  int setWorkspace(long address, long bytes);

  /** Computes c = a · b in single precision; the shapes were checked. */
  int sgemm(Factor a, Factor b, ColumnMajor c);

  /**
   * Computes c = a · b with sums and results in single precision; the shapes were checked.
   *
   * @param type the type of the operands, a number of cudaDataType
   */
  int gemmEx(Factor a, Factor b, ColumnMajor c, int type);

  /** The text of cuBLAS for a status. */
  String statusString(int status);

  /** The number with which cuBLAS is told whether to transpose an operand. */
  static int op(Factor factor) {
    return factor.op() == Blas.Op.TRANSPOSE ? CUBLAS_OP_T : CUBLAS_OP_N;
  }
}
