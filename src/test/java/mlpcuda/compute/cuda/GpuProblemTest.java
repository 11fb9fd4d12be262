package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Tests the messages for situations that no machine at hand is in. */
class GpuProblemTest {
  private static final String NO_LIBCUDA =
      "/c/libJCudaDriver.so: libcuda.so.1: cannot open shared object file: No such file or directory";

  private static final Surroundings HOST = new Surroundings(false, false, Optional.empty());
  private static final GpuProperties TURING = gpu(0, "T4", 7, 5);

  private static GpuProperties gpu(int index, String name, int major, int minor) {
    return new GpuProperties(
        index,
        name,
        new GpuProperties.Capability(major, minor),
        1L << 34,
        new GpuProperties.Multiprocessors(40, 1 << 16, true),
        new GpuProperties.CudaVersion(12020));
  }

  private static void says(String why, String remedy, GpuProblem found) {
    assertTrue(found.why().contains(why), found.why());
    assertTrue(found.remedy().contains(remedy), found.remedy());
    assertEquals(2, found.exception().getMessage().lines().count());
  }

  @Test
  void withoutADriverTheRemedyDependsOnWhereItRuns() {
    says(
        "libcuda.so.1 was not found",
        "Install NVIDIA driver 525 or newer, or use the CPU.",
        GpuProblem.notLoaded(NO_LIBCUDA, HOST));
    says(
        "nor /dev/nvidiactl, in a container",
        "--gpus all",
        GpuProblem.notLoaded(NO_LIBCUDA, new Surroundings(true, false, Optional.empty())));
    says(
        "though /dev/nvidiactl is there, in a container",
        "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
        GpuProblem.notLoaded(NO_LIBCUDA, new Surroundings(true, true, Optional.empty())));
    says(
        "though /dev/nvidiactl is there",
        "LD_LIBRARY_PATH",
        GpuProblem.notLoaded(NO_LIBCUDA, new Surroundings(false, true, Optional.empty())));
    says(
        "nvcuda.dll was not found",
        "Install NVIDIA driver",
        GpuProblem.notLoaded("C:\\J.dll: Can't find dependent libraries", HOST));
  }

  @Test
  void whatTheLinkerRefusesIsExplained() {
    says(
        "older than JCuda needs",
        "glibc 2.17",
        GpuProblem.notLoaded(
            "/c/l.so: /lib64/libc.so.6: version `GLIBC_2.17' not found (required by /c/l.so)",
            HOST));
    says(
        "nothing may be executed",
        "XDG_CACHE_HOME",
        GpuProblem.notLoaded("/c/l.so: failed to map segment from shared object", HOST));
    says(
        "cannot be loaded: /c/l.so: libstdc++.so.6: cannot open",
        "Install what the message misses",
        GpuProblem.notLoaded("/c/l.so: libstdc++.so.6: cannot open\nshared object file", HOST));
    says("built without l.so", "64-bit x86", GpuProblem.noLibrary("l.so"));
    says("to /c: full", "XDG_CACHE_HOME", GpuProblem.notUnpacked(Path.of("/c"), "full"));
    List<String> twelve = List.of("libcublas.so.12");
    List<String> both = List.of("libcublas.so.13", "libcublas.so.12");
    Path thirteen = Path.of("/l/libcublas.so.13");
    says(
        "cuBLAS 12 was not found: wanted libcublas.so.12, found none (why)",
        "Install cuBLAS 12 and add its folder to LD_LIBRARY_PATH, or use the program's own kernels.",
        GpuProblem.noCublas(twelve, List.of(), "why"));
    says(
        "cuBLAS 12 was not found: wanted libcublas.so.12, found /l/libcublas.so.13 (why)",
        ", or install NVIDIA driver 580 or newer, which cuBLAS 13 needs, or use the program's own",
        GpuProblem.noCublas(twelve, List.of(thirteen), "why"));
    says(
        "cuBLAS was not found: wanted libcublas.so.13 or libcublas.so.12, found none (why)",
        "Install cuBLAS 13 or 12 and add its folder to LD_LIBRARY_PATH, or use the program's own",
        GpuProblem.noCublas(both, List.of(), "why"));
    says(
        "cuBLAS cannot be loaded: wanted libcublas.so.13 or libcublas.so.12, found /l/libcublas.so.13",
        "own kernels",
        GpuProblem.noCublas(both, List.of(thirteen), "why"));
    says(
        "cuDNN 9 was not found: wanted libcudnn.so.9, found none (libJCudnn.so: libcudnn.so.9: no)",
        "add that to LD_LIBRARY_PATH, or use the program's own kernels.",
        GpuProblem.noCudnn("libcudnn.so.9", List.of(), "libJCudnn.so: libcudnn.so.9: no", HOST));
    says(
        "cuDNN 9 cannot be loaded: wanted libcudnn.so.9, found /l/libcudnn.so.9 (",
        "all its libraries in one folder",
        GpuProblem.noCudnn(
            "libcudnn.so.9",
            List.of(Path.of("/l/libcudnn.so.9")),
            "Can't load library: /l/libcudnn_ops.so.9",
            HOST));
    says(
        "wanted cudnn64_9.dll, found none",
        "add that to PATH",
        GpuProblem.noCudnn(
            "libcudnn.so.9", List.of(), "C:\\J.dll: Can't find dependent libraries", HOST));
    says(
        "nothing may be executed",
        "XDG_CACHE_HOME",
        GpuProblem.noCudnn(
            "libcudnn.so.9",
            List.of(),
            "/c/libJCudnn.so: failed to map segment from shared object",
            HOST));
    says(
        "cuDNN does not start on GPU 0 (T4), driver for CUDA 12.2: cuInit failed: N (3000): t",
        "a cuDNN 9 that supports this GPU",
        GpuProblem.ofCudnn(failed(3000), TURING));
  }

  private static CudaException failed(int code) {
    return new CudaException("cuInit", code, "N", "t");
  }

  @Test
  void whatTheDriverRefusesIsExplained() {
    says("cuInit failed: N (803): t", "Restart", GpuProblem.ofDriver(failed(803), HOST));
    says("forward compat", "'compat' folder", GpuProblem.ofDriver(failed(804), HOST));
    says("not ready", "fabric manager", GpuProblem.ofDriver(failed(802), HOST));
    says("N (999): t", "nvidia-smi works", GpuProblem.ofDriver(failed(999), HOST));
    says("toolkit's stub", "'stubs' folder", GpuProblem.ofDriver(failed(34), HOST));
    says("shows no GPU", "nvidia-smi -L", GpuProblem.ofDriver(failed(100), HOST));
    says(
        "CUDA_VISIBLE_DEVICES=''",
        "or unset it",
        GpuProblem.noDevice(new Surroundings(true, true, Optional.of(""))));
    says(
        "in a container",
        "--gpus all",
        GpuProblem.noDevice(new Surroundings(true, true, Optional.empty())));
    says(
        "12.0 or newer, found CUDA 11.8",
        "driver 525",
        GpuProblem.oldDriver(new GpuProperties.CudaVersion(11080)));
  }

  @Test
  void whatADeviceLacksIsExplained() {
    says(
        "no GPU 3: the driver shows 1 GPU, index 0",
        "Choose one",
        GpuProblem.noSuchDevice(3, 1, HOST));
    says(
        "no GPU 2: CUDA_VISIBLE_DEVICES=4,5 shows 2 GPUs, 0 to 1",
        "change CUDA_VISIBLE_DEVICES",
        GpuProblem.noSuchDevice(2, 2, new Surroundings(false, true, Optional.of("4,5"))));
    assertFalse(GpuProblem.isOld(TURING));
    assertFalse(GpuProblem.isOld(gpu(0, "H200", 9, 0)));
    var volta = gpu(1, "V100", 7, 0);
    assertTrue(GpuProblem.isOld(volta));
    assertTrue(GpuProblem.isOld(gpu(1, "P100", 6, 9)));
    says("GPU 1 (V100)", "mlp-cuda devices", GpuProblem.ofOldDevice(volta));
    says("newer (Turing, 2018), found 7.0", "use the CPU", GpuProblem.ofOldDevice(volta));
    var busy = new CudaException("cuDevicePrimaryCtxRetain", 46, "UNAVAILABLE", "busy");
    says("UNAVAILABLE (46)", "compute mode", GpuProblem.noContext(TURING, busy));
  }

  @Test
  void aModuleThatTheDriverCannotLoadIsExplained() {
    for (int code : new int[] {209, 218, 222}) {
      assertTrue(GpuProblem.isOfModule(code));
      var e = new CudaException("cuModuleLoadDataEx", code, "NAME", "text");
      says(
          "the driver (CUDA 12.2) cannot load gemm.ptx for GPU 0: cuModuleLoadDataEx failed:"
              + " NAME (%d): text: line 3".formatted(code),
          "PTX ISA 8.0 (CUDA 12.0, driver 525) and compute capability 7.5",
          GpuProblem.ofModule("gemm.ptx", "line 3", TURING, e));
    }
    says(
        "text",
        "libnvidia-ptxjitcompiler.so.1",
        GpuProblem.ofModule("m", "", TURING, new CudaException("c", 221, "NAME", "text")));
    says(
        "text",
        "CUDA_DISABLE_PTX_JIT",
        GpuProblem.ofModule("m", "", TURING, new CudaException("c", 223, "NAME", "text")));
    assertFalse(GpuProblem.isOfModule(2));
  }
}
