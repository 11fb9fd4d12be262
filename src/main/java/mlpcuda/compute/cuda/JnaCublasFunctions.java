package mlpcuda.compute.cuda;

import static jcuda.cudaDataType.CUDA_R_32F;
import static jcuda.jcublas.cublasGemmAlgo.CUBLAS_GEMM_DEFAULT;
import static mlpcuda.compute.cuda.CublasFunctions.op;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import mlpcuda.compute.cuda.Blas.ColumnMajor;
import mlpcuda.compute.cuda.Blas.Factor;
import mlpcuda.compute.cuda.JCudaObjects.Stream;

/** The functions of cuBLAS 13, by JNA. */
final class JnaCublasFunctions implements CublasFunctions {
  private static final int RTLD_LAZY = 1; // dlopen's; without RTLD_GLOBAL, as the JVM loads it
  private static final int CUBLAS_COMPUTE_32F = 68;

  /**
   * The functions under their names in the library, which JNA looks up. Nothing checks these
   * declarations against the library: C's pointers, handles and sizes are longs, and its enums
   * ints.
   */
  private static final class C {
    static native int cublasCreate_v2(long[] handle);

    static native int cublasDestroy_v2(long handle);

    static native int cublasSetStream_v2(long handle, long stream);

    static native int cublasSetMathMode(long handle, int mode);

    static native int cublasSetPointerMode_v2(long handle, int mode);

    static native int cublasGetVersion_v2(long handle, int[] version);

    static native int cublasSetWorkspace_v2(long handle, long workspace, long bytes);

    static native int cublasSgemm_v2(
        long handle,
        int opA,
        int opB,
        int m,
        int n,
        int k,
        long alpha,
        long a,
        int lda,
        long b,
        int ldb,
        long beta,
        long c,
        int ldc);

    static native int cublasGemmEx(
        long handle,
        int opA,
        int opB,
        int m,
        int n,
        int k,
        long alpha,
        long a,
        int typeA,
        int lda,
        long b,
        int typeB,
        int ldb,
        long beta,
        long c,
        int typeC,
        int ldc,
        int computeType,
        int algorithm);

    static native String cublasGetStatusString(int status);
  }

  private final ByteBuffer scalars =
      ByteBuffer.allocateDirect(2 * Float.BYTES).order(ByteOrder.nativeOrder()).putFloat(0, 1f);

  private final long one;
  private final long zero;
  private long handle;

  /**
   * Loads cuBLAS 13.
   *
   * @throws LinkageError if it is not found, cannot be loaded, or lacks a function
   */
  JnaCublasFunctions(CudaLibrary library, Natives natives) {
    natives.loadJna();
    synchronized (C.class) { // the process needs one copy, from whichever folder
      if (!Native.registered(C.class)) {
        library.load();
        Native.register(C.class, open(library));
      }
    }
    one = Pointer.nativeValue(Native.getDirectBufferPointer(scalars));
    zero = one + Float.BYTES;
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

  @Override
  public int create() {
    long[] made = new long[1];
    int status = C.cublasCreate_v2(made);
    handle = made[0];
    return status;
  }

  @Override
  public int destroy() {
    return C.cublasDestroy_v2(handle);
  }

  @Override
  public int setStream(Stream stream) {
    return C.cublasSetStream_v2(handle, stream.value());
  }

  @Override
  public int setMathMode(int mode) {
    return C.cublasSetMathMode(handle, mode);
  }

  @Override
  public int setPointerMode(int mode) {
    return C.cublasSetPointerMode_v2(handle, mode);
  }

  @Override
  public int getVersion(int[] version) {
    return C.cublasGetVersion_v2(handle, version);
  }

  @Override
  public int setWorkspace(long address, long bytes) {
    return C.cublasSetWorkspace_v2(handle, address, bytes);
  }

  @Override
  public int sgemm(Factor a, Factor b, ColumnMajor c) {
    return C.cublasSgemm_v2(
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
    return C.cublasGemmEx(
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
    return C.cublasGetStatusString(status);
  }
}
