package mlpcuda.compute.cuda;

import static jcuda.cudaDataType.CUDA_R_32F;
import static jcuda.jcublas.cublasGemmAlgo.CUBLAS_GEMM_DEFAULT;
import static mlpcuda.compute.cuda.CublasFunctions.op;

import com.sun.jna.Function;
import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import mlpcuda.compute.cuda.Blas.ColumnMajor;
import mlpcuda.compute.cuda.Blas.Factor;
import mlpcuda.compute.cuda.JCudaObjects.Stream;

/**
 * The functions of cuBLAS 13, by JNA. JNA checks no argument against the C function's parameters:
 * ints must be passed as ints, and pointers, handles and sizes as longs.
 */
final class JnaCublasFunctions implements CublasFunctions {
  private static final int RTLD_LAZY = 1; // dlopen's; without RTLD_GLOBAL, as the JVM loads it
  private static final int CUBLAS_COMPUTE_32F = 68;

  private final Function create;
  private final Function destroy;
  private final Function setStream;
  private final Function setMathMode;
  private final Function setPointerMode;
  private final Function getVersion;
  private final Function setWorkspace;
  private final Function sgemm;
  private final Function gemmEx;
  private final Function getStatusString;
  private final ByteBuffer one = scalar(1);
  private final ByteBuffer zero = scalar(0);
  private long handle;

  /**
   * Loads cuBLAS 13.
   *
   * @throws LinkageError if it is not found, cannot be loaded, or lacks a function
   */
  JnaCublasFunctions(CudaLibrary library, Natives natives) {
    natives.loadJna();
    library.load();
    NativeLibrary cublas = open(library);
    create = cublas.getFunction("cublasCreate_v2");
    destroy = cublas.getFunction("cublasDestroy_v2");
    setStream = cublas.getFunction("cublasSetStream_v2");
    setMathMode = cublas.getFunction("cublasSetMathMode");
    setPointerMode = cublas.getFunction("cublasSetPointerMode_v2");
    getVersion = cublas.getFunction("cublasGetVersion_v2");
    setWorkspace = cublas.getFunction("cublasSetWorkspace_v2");
    sgemm = cublas.getFunction("cublasSgemm_v2");
    gemmEx = cublas.getFunction("cublasGemmEx");
    getStatusString = cublas.getFunction("cublasGetStatusString");
  }

  private static NativeLibrary open(CudaLibrary library) {
    String file =
        library.file().map(path -> path.toAbsolutePath().toString()).orElse(library.name());
    try {
      return NativeLibrary.getInstance(file, Map.of(Library.OPTION_OPEN_FLAGS, RTLD_LAZY));
    } catch (UnsatisfiedLinkError e) {
      // JNA's message has the linker's in its second line; the last ones list the class path.
      String linker = e.getMessage().lines().skip(1).findFirst().orElse(e.getMessage());
      throw (Error) new UnsatisfiedLinkError(linker).initCause(e);
    }
  }

  private static ByteBuffer scalar(float value) {
    return ByteBuffer.allocateDirect(Float.BYTES).order(ByteOrder.nativeOrder()).putFloat(0, value);
  }

  private static int call(Function function, Object... arguments) {
    return function.invokeInt(arguments);
  }

  @Override
  public int create() {
    long[] made = new long[1];
    int status = call(create, made);
    handle = made[0];
    return status;
  }

  @Override
  public int destroy() {
    return call(destroy, handle);
  }

  @Override
  public int setStream(Stream stream) {
    return call(setStream, handle, stream.value());
  }

  @Override
  public int setMathMode(int mode) {
    return call(setMathMode, handle, mode);
  }

  @Override
  public int setPointerMode(int mode) {
    return call(setPointerMode, handle, mode);
  }

  @Override
  public int getVersion(int[] version) {
    return call(getVersion, handle, version);
  }

  @Override
  public int setWorkspace(long address, long bytes) {
    return call(setWorkspace, handle, address, bytes);
  }

  @Override
  public int sgemm(Factor a, Factor b, ColumnMajor c) {
    return call(
        sgemm,
        handle,
        op(a),
        op(b),
        c.rows(),
        c.columns(),
        a.columns(),
        one,
        a.matrix().address(),
        a.matrix().stride(),
        b.matrix().address(),
        b.matrix().stride(),
        zero,
        c.address(),
        c.stride());
  }

  @Override
  public int gemmEx(Factor a, Factor b, ColumnMajor c, int type) {
    return call(
        gemmEx,
        handle,
        op(a),
        op(b),
        c.rows(),
        c.columns(),
        a.columns(),
        one,
        a.matrix().address(),
        type,
        a.matrix().stride(),
        b.matrix().address(),
        type,
        b.matrix().stride(),
        zero,
        c.address(),
        CUDA_R_32F,
        c.stride(),
        CUBLAS_COMPUTE_32F,
        CUBLAS_GEMM_DEFAULT);
  }

  @Override
  public String statusString(int status) {
    return getStatusString.invokeString(new Object[] {status}, false);
  }
}
