package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.StepNeeds;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.GpuProperties.Multiprocessors;
import org.junit.jupiter.api.Test;

/** Tests how persistent steps share a network out among the blocks of real devices. */
class PersistentLayoutTest {
  /** The layout for a network trained by Adam on that many multiprocessors. */
  private static PersistentLayout layout(int multiprocessors, int kib, int maxB, int... sizes) {
    var layers = new ArrayList<FusedStep.Layer>();
    int end = 0;
    for (int l = 0; l + 1 < sizes.length; l++) {
      int bias = end + sizes[l] * sizes[l + 1];
      layers.add(new FusedStep.Layer(sizes[l], sizes[l + 1], end, bias, Activation.RELU, 0));
      end = bias + sizes[l + 1];
    }
    try (var ops = new CpuOps(1);
        var w = ops.allocate("w", Type.FLOAT32, end)) {
      var plan =
          new FusedStep.Plan(
              List.copyOf(layers),
              new OptimizerState(w, w, w),
              AdamSettings.DEFAULT,
              new FusedStep.StepState(w, w, w, w, Optional.empty()),
              new FusedStep.Constants(new InputScaling.Uniform(1, 0), 0, 1),
              new StepNeeds(maxB, 1, layers.size(), false, false, false));
      return PersistentLayout.of(plan, new Multiprocessors(multiprocessors, kib << 10, true));
    }
  }

  private static GpuProperties gpu(int index, String name, boolean cooperative) {
    return new GpuProperties(
        index,
        name,
        new GpuProperties.Capability(7, 5),
        1L << 30,
        new Multiprocessors(2, 64 << 10, cooperative),
        new GpuProperties.CudaVersion(12060));
  }

  private static void assertTiles(PersistentLayout layout, int across, int slices, int quads) {
    assertEquals(
        List.of(across, slices, quads), List.of(layout.across(), layout.slices(), layout.quads()));
  }

  @Test
  void theDefaultNetworkFillsAnH100() {
    PersistentLayout h100 = layout(132, 227, 64, 784, 128, 64, 10);
    assertTiles(h100, 16, 8, 25);
    assertTrue(h100.fits());
    assertEquals(128, h100.blocks(64));
    PersistentLayout.Memory memory = h100.memory(64).orElseThrow();
    assertEquals(64, memory.chunk());
    assertTrue(memory.copies());
    assertEquals(16, h100.memory(5).orElseThrow().chunk(), "a shorter batch");
  }

  /** Smaller devices take the batch in parts, or not at all. */
  @Test
  void smallerDevicesHaveLessRoom() {
    PersistentLayout l4 = layout(58, 99, 64, 784, 128, 64, 10);
    assertTiles(l4, 16, 3, 66);
    assertEquals(32, l4.memory(64).orElseThrow().chunk());
    PersistentLayout t4 = layout(40, 64, 64, 784, 128, 64, 10);
    assertFalse(t4.fits());
    assertTrue(t4.leastBytes() > 64 << 10, t4.leastBytes() + " bytes");
    assertTrue(layout(40, 64, 64, 784, 64, 10).fits(), "half as wide");
  }

  /** Weights that do not fit beside a row are read where they lie. */
  @Test
  void wideSecondLayersAreNotCopied() {
    PersistentLayout wide = layout(132, 227, 64, 784, 512, 512, 10);
    assertTrue(wide.fits());
    assertFalse(wide.memory(64).orElseThrow().copies());
  }

  @Test
  void theRefusalHasBothNumbers() {
    var device = gpu(0, "Small", true);
    assertEquals(
        "persistent steps take images of at most 2048 pixels on GPU 0 (Small), with 2"
            + " multiprocessors, found 2049",
        GpuProblem.ofLayout(layout(2, 64, 16, 2049, 3), device).why());
    assertEquals(
        "persistent steps need 382.0 KiB of shared memory a block for this network and batch; GPU 0"
            + " (Small), with 2 multiprocessors, has 64.0 KiB",
        GpuProblem.ofLayout(layout(2, 64, 16, 784, 64, 3), device).why());
    var old = gpu(1, "Old", false);
    assertEquals(
        "GPU 1 (Old) has no cooperative launch, which persistent steps need",
        GpuProblem.notCooperative(old).why());
  }
}
