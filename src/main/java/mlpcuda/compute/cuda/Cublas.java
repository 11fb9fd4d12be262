package mlpcuda.compute.cuda;

import static jcuda.cudaDataType.CUDA_R_16BF;
import static jcuda.cudaDataType.CUDA_R_16F;
import static jcuda.jcublas.cublasMath.CUBLAS_DEFAULT_MATH;
import static jcuda.jcublas.cublasMath.CUBLAS_TF32_TENSOR_OP_MATH;
import static jcuda.jcublas.cublasPointerMode.CUBLAS_POINTER_MODE_HOST;
import static jcuda.jcublas.cublasStatus.CUBLAS_STATUS_SUCCESS;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jcuda.jcublas.cublasStatus;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.GpuProperties.CudaVersion;
import mlpcuda.compute.cuda.JCudaObjects.Stream;

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
  private final CublasFunctions functions;
  private final Resources resources = new Resources();
  private final String description;
  private long workspace; // an address of the device; 0: none yet
  private boolean closed;

  /**
   * Opens cuBLAS for a stream, before any recording of it.
   *
   * @throws mlpcuda.error.DeviceException if no cuBLAS is found that the driver can run
   */
  Cublas(CudaDriver driver, Natives natives, Stream stream, Precision precision) {
    this.driver = driver;
    this.precision = precision;
    functions = find(natives, driver.device().driver());
    check("cublasCreate", functions.create());
    resources.add(this::destroy);
    long bytes = driver.device().capability().major() >= 9 ? HOPPER_WORKSPACE : WORKSPACE;
    try {
      // The stream is set first, because setting it resets the workspace.
      check("cublasSetStream", functions.setStream(stream));
      int math = precision == Precision.TF32 ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH;
      check("cublasSetMathMode", functions.setMathMode(math));
      check("cublasSetPointerMode", functions.setPointerMode(CUBLAS_POINTER_MODE_HOST));
      int[] version = new int[1];
      check("cublasGetVersion", functions.getVersion(version));
      description =
          "cuBLAS %d.%d.%d".formatted(version[0] / 10000, version[0] / 100 % 100, version[0] % 100);
      // Without this workspace cuBLAS would allocate one during a capture, which fails.
      workspace = driver.allocate(bytes);
      check("cublasSetWorkspace", functions.setWorkspace(workspace, bytes));
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /**
   * Loads the newest cuBLAS that the driver can run: 13, which needs a driver for CUDA 13 and is
   * called on Linux alone, or else 12. One that is there and cannot be loaded is passed over.
   */
  private static CublasFunctions find(Natives natives, CudaVersion driver) {
    List<Path> folders = CudaLibrary.folders();
    CudaLibrary newer = CudaLibrary.cublas(13, folders);
    CudaLibrary older = CudaLibrary.cublas(12, folders);
    var wanted = new ArrayList<String>();
    var messages = new ArrayList<String>();
    if (driver.isAtLeast(GpuProblem.DRIVER_OF_CUBLAS_13) && File.separatorChar == '/') {
      wanted.add(newer.name());
      try {
        return new JnaCublasFunctions(newer, natives);
      } catch (LinkageError e) {
        messages.add(e.getMessage());
      }
    }
    wanted.add(older.name());
    try {
      return new JCublasFunctions(older, natives);
    } catch (LinkageError e) {
      messages.add(e.getMessage());
      String what = String.join("; ", messages);
      GpuProblem problem =
          what.contains("libcublas")
              ? GpuProblem.noCublas(wanted, older.others(), what)
              : GpuProblem.notLoaded(what, Surroundings.here());
      throw problem.exception(e);
    }
  }

  /** Destroys the handle first: cuBLAS may use its workspace until then. */
  private void destroy() {
    int destroyed = functions.destroy();
    if (workspace != 0) {
      driver.free(workspace);
    }
    check("cublasDestroy", destroyed);
  }

  @Override
  public void multiply(Factor a, Factor b, ColumnMajor c) {
    requireOpen();
    Blas.checkShapes(a, b, c);
    if (precision.isHalf()) {
      int half = precision == Precision.BF16 ? CUDA_R_16BF : CUDA_R_16F;
      check("cublasGemmEx", functions.gemmEx(a, b, c, half));
    } else {
      check("cublasSgemm", functions.sgemm(a, b, c));
    }
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

  private void check(String call, int status) {
    if (status != CUBLAS_STATUS_SUCCESS) {
      throw new CudaException(
          call, status, cublasStatus.stringFor(status), functions.statusString(status));
    }
  }
}
