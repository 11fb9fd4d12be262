package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import mlpcuda.ShippedCubins;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tests which machine code of the jar is taken for a device. */
class ModuleImageIT {
  /**
   * The place of e_flags in the header of an ELF file; of a cubin, its low byte is 90 for sm_90.
   */
  private static final int FLAGS = 48;

  @BeforeAll
  static void assumeCubins() throws IOException {
    ShippedCubins.assumeThere();
  }

  /** The architecture of the machine code for a device of that compute capability. */
  private static int taken(String module, int major, int minor) {
    ModuleImage image = ModuleImage.read(module, new GpuProperties.Capability(major, minor));
    assertTrue(image.ptx().get().contains(".version"));
    return image.cubin().orElseThrow()[FLAGS];
  }

  @Test
  void theClosestOfTheSameMajorVersionIsTaken() {
    assertEquals(75, taken("layers", 7, 5));
    assertEquals(80, taken("layers", 8, 0));
    assertEquals(80, taken("gemm_bf16", 8, 5));
    assertEquals(86, taken("gemm_bf16", 8, 6));
    assertEquals(86, taken("fused", 8, 7)); // Orin
    assertEquals(89, taken("fused", 8, 9));
    assertEquals(90, taken("gemm", 9, 0));
  }

  @Test
  void otherDevicesGetPtx() {
    assertTrue(ModuleImage.read("layers", new GpuProperties.Capability(7, 4)).cubin().isEmpty());
    assertTrue(ModuleImage.read("gemm_bf16", new GpuProperties.Capability(7, 5)).cubin().isEmpty());
    assertTrue(ModuleImage.read("layers", new GpuProperties.Capability(10, 0)).cubin().isEmpty());
    assertTrue(ModuleImage.read("layers", new GpuProperties.Capability(12, 0)).cubin().isEmpty());
  }
}
