package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Path;
import mlpcuda.error.DeviceException;

/** GPU 0 of this machine, for the tests of tag {@code gpu}. */
public final class RealGpu {
  private RealGpu() {}

  /** Opens the GPU; where there is none, the test is skipped with the reason. */
  public static CudaDriver open() {
    try {
      return new CudaDevices(Path.of(System.getProperty("java.io.tmpdir"), "mlp-cuda-natives"))
          .open(0);
    } catch (DeviceException e) {
      return abort(e.why());
    }
  }
}
