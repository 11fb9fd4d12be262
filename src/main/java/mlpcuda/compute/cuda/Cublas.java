package mlpcuda.compute.cuda;

import static jcuda.cudaDataType.CUDA_R_16BF;
import static jcuda.cudaDataType.CUDA_R_16F;
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
import static jcuda.jcublas.cublasMath.CUBLAS_DEFAULT_MATH;
import static jcuda.jcublas.cublasMath.CUBLAS_TF32_TENSOR_OP_MATH;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;
import static jcuda.jcublas.cublasPointerMode.CUBLAS_POINTER_MODE_HOST;
import static jcuda.jcublas.cublasStatus.CUBLAS_STATUS_SUCCESS;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.JCudaObjects.Address;

/**
 * Products by cuBLAS: in single precision without TF32, in TF32, or of operands of 16 bits. The
 * same product gives the same bits each time, because it has one stream, a workspace of its own,
 * and no atomics, as is cuBLAS's default.
 */
final class Cublas implements Blas {
  /**
   * The workspace that NVIDIA recommends from Hopper on, in bytes; the next one is for older GPUs.
   */
  private static final long HOPPER_WORKSPACE = 32L << 20;

  private static final long WORKSPACE = 4L << 20;

  private final CudaDriver driver;
  private final Precision precision;
  private final cublasHandle handle = new cublasHandle();
  private final Pointer one;
  private final Pointer zero;
  private final Resources resources = new Resources();
  private final String description;
  private long workspace; // an address of the device; 0: none yet
  private boolean closed;

  /**
   * Opens cuBLAS for a stream, before any recording of it.
   *
   * @throws mlpcuda.error.DeviceException if cuBLAS 12 is not found
   */
  Cublas(CudaDriver driver, Natives natives, CUstream stream, Precision precision) {
    this.driver = driver;
    this.precision = precision;
    load(natives, CudaLibrary.cublas(CudaLibrary.folders()));
    Pointer scalars =
        Pointer.to(
            ByteBuffer.allocateDirect(2 * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .putFloat(0, 1f));
    one = scalars;
    zero = scalars.withByteOffset(Float.BYTES);
    check("cublasCreate", cublasCreate(handle));
    resources.add(this::destroy);
    long bytes = driver.device().capability().major() >= 9 ? HOPPER_WORKSPACE : WORKSPACE;
    try {
      // The stream is set first, because setting it resets the workspace.
      check("cublasSetStream", cublasSetStream(handle, new cudaStream_t(stream)));
      int math = precision == Precision.TF32 ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH;
      check("cublasSetMathMode", cublasSetMathMode(handle, math));
      check("cublasSetPointerMode", cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_HOST));
      int[] version = new int[1];
      check("cublasGetVersion", cublasGetVersion(handle, version));
      description =
          "cuBLAS %d.%d.%d".formatted(version[0] / 10000, version[0] / 100 % 100, version[0] % 100);
      // Without this workspace cuBLAS would allocate one during a capture, which fails.
      workspace = driver.allocate(bytes);
      check("cublasSetWorkspace", cublasSetWorkspace(handle, new Address(workspace), bytes));
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /** Destroys the handle first: cuBLAS may use its workspace until then. */
  private void destroy() {
    int destroyed = cublasDestroy(handle);
    if (workspace != 0) {
      driver.free(workspace);
    }
    check("cublasDestroy", destroyed);
  }

  private static void load(Natives natives, CudaLibrary library) {
    try {
      library.load();
      natives.load("JCublas2", () -> JCublas2.setExceptionsEnabled(false));
    } catch (LinkageError e) {
      String what = String.valueOf(e.getMessage());
      GpuProblem problem =
          what.contains("libcublas")
              ? GpuProblem.noCublas(library.name(), library.others(), what)
              : GpuProblem.notLoaded(what, Surroundings.here());
      throw problem.exception(e);
    }
  }

  @Override
  public void multiply(Factor a, Factor b, ColumnMajor c) {
    requireOpen();
    Blas.checkShapes(a, b, c);
    int m = c.rows();
    int n = c.columns();
    int k = a.columns();
    int opA = op(a);
    int opB = op(b);
    int lda = a.matrix().stride();
    int ldb = b.matrix().stride();
    int ldc = c.stride();
    var aAt = new Address(a.matrix().address());
    var bAt = new Address(b.matrix().address());
    var cAt = new Address(c.address());
    if (!precision.isHalf()) {
      check(
          "cublasSgemm",
          cublasSgemm(handle, opA, opB, m, n, k, one, aAt, lda, bAt, ldb, zero, cAt, ldc));
      return;
    }
    int half = precision == Precision.BF16 ? CUDA_R_16BF : CUDA_R_16F;
    int single = CUDA_R_32F;
    // JCuda's last but one argument is the type of the sums, as before cuBLAS 11, which has more to
    // choose from there: CUBLAS_COMPUTE_32F_FAST_16F would be refused.
    check(
        "cublasGemmEx",
        cublasGemmEx(
            handle,
            opA,
            opB,
            m,
            n,
            k,
            one,
            aAt,
            half,
            lda,
            bAt,
            half,
            ldb,
            zero,
            cAt,
            single,
            ldc,
            single,
            CUBLAS_GEMM_DEFAULT));
  }

  private static int op(Factor factor) {
    return factor.op() == Op.TRANSPOSE ? CUBLAS_OP_T : CUBLAS_OP_N;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    requireOpen();
    closed = true;
    resources.close();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("cuBLAS is closed");
    }
  }

  private static void check(String call, int code) {
    if (code != CUBLAS_STATUS_SUCCESS) {
      throw new CudaException(
          call, code, cublasStatus.stringFor(code), cublasGetStatusString(code));
    }
  }
}
