package mlpcuda.compute.cuda;

import static jcuda.cudaDataType.CUDA_R_32F;
import static jcuda.jcublas.JCublas2.cublasCreate;
import static jcuda.jcublas.JCublas2.cublasDestroy;
import static jcuda.jcublas.JCublas2.cublasGemmEx;
import static jcuda.jcublas.JCublas2.cublasGetStatusString;
import static jcuda.jcublas.JCublas2.cublasGetVersion;
import static jcuda.jcublas.JCublas2.cublasSetMathMode;
import static jcuda.jcublas.JCublas2.cublasSetPointerMode;
import static jcuda.jcublas.JCublas2.cublasSetStream;
import static jcuda.jcublas.JCublas2.cublasSetWorkspace;
import static jcuda.jcublas.JCublas2.cublasSgemm;
import static jcuda.jcublas.cublasGemmAlgo.CUBLAS_GEMM_DEFAULT;
import static mlpcuda.compute.cuda.CublasFunctions.op;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.runtime.cudaStream_t;
import mlpcuda.compute.cuda.Blas.ColumnMajor;
import mlpcuda.compute.cuda.Blas.Factor;
import mlpcuda.compute.cuda.JCudaObjects.Address;
import mlpcuda.compute.cuda.JCudaObjects.Stream;

/** The functions of cuBLAS 12, by JCublas. */
final class JCublasFunctions implements CublasFunctions {
  private final cublasHandle handle = new cublasHandle();
  private final Pointer one;
  private final Pointer zero;

  /**
   * Loads cuBLAS 12.
   *
   * @throws LinkageError if it is not found, or cannot be loaded
   */
  JCublasFunctions(CudaLibrary library, Natives natives) {
    library.load();
    natives.load("JCublas2", () -> JCublas2.setExceptionsEnabled(false));
    Pointer scalars =
        Pointer.to(
            ByteBuffer.allocateDirect(2 * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .putFloat(0, 1f));
    one = scalars;
    zero = scalars.withByteOffset(Float.BYTES);
  }

  @Override
  public int create() {
    return cublasCreate(handle);
  }

  @Override
  public int destroy() {
    return cublasDestroy(handle);
  }

  @Override
  public int setStream(Stream stream) {
    return cublasSetStream(handle, new cudaStream_t(stream));
  }

  @Override
  public int setMathMode(int mode) {
    return cublasSetMathMode(handle, mode);
  }

  @Override
  public int setPointerMode(int mode) {
    return cublasSetPointerMode(handle, mode);
  }

  @Override
  public int getVersion(int[] version) {
    return cublasGetVersion(handle, version);
  }

  @Override
  public int setWorkspace(long address, long bytes) {
    return cublasSetWorkspace(handle, new Address(address), bytes);
  }

  @Override
  public int sgemm(Factor a, Factor b, ColumnMajor c) {
    return cublasSgemm(
        handle,
        op(a),
        op(b),
        c.rows(),
        c.columns(),
        a.columns(),
        one,
        new Address(a.matrix().address()),
        a.matrix().stride(),
        new Address(b.matrix().address()),
        b.matrix().stride(),
        zero,
        new Address(c.address()),
        c.stride());
  }

  @Override
  public int gemmEx(Factor a, Factor b, ColumnMajor c, int type) {
    // JCuda's last but one argument is the type of the sums, as before cuBLAS 11, which has more to
    // choose from there: CUBLAS_COMPUTE_32F_FAST_16F would be refused.
    return cublasGemmEx(
        handle,
        op(a),
        op(b),
        c.rows(),
        c.columns(),
        a.columns(),
        one,
        new Address(a.matrix().address()),
        type,
        a.matrix().stride(),
        new Address(b.matrix().address()),
        type,
        b.matrix().stride(),
        zero,
        new Address(c.address()),
        CUDA_R_32F,
        c.stride(),
        CUDA_R_32F,
        CUBLAS_GEMM_DEFAULT);
  }

  @Override
  public String statusString(int status) {
    return cublasGetStatusString(status);
  }
}
