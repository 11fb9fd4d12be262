package mlpcuda.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.Test;

class DeviceLimitsTest {
  /**
   * A larger set is slower; but a size whose measurement was disturbed does not count by itself.
   */
  @Test
  void bytesTakeTheirTimeAtTheRateOfAsManyOrMore() {
    var limits = new DeviceLimits(1, new TreeMap<>(Map.of(100.0, 8.0, 1000.0, 2.0, 5000.0, 4.0)));
    assertEquals(4.0, limits.bandwidth());
    assertEquals(50 / 8.0, limits.seconds(50));
    assertEquals(100 / 8.0, limits.seconds(100));
    assertEquals(101 / 4.0, limits.seconds(101));
    assertEquals(9000 / 4.0, limits.seconds(9000));
  }

  @Test
  void aDeviceIsMeasuredAndLeftAsItWas() {
    try (var ops = new CpuOps(1)) {
      DeviceLimits limits = DeviceLimits.of(ops, new Timing.Plan(0, 1e-4, 1));
      assertTrue(limits.flops() > 0 && Double.isFinite(limits.flops()), limits.toString());
      assertTrue(limits.memory().size() > 1, limits.toString());
      assertTrue(limits.memory().values().stream().allMatch(rate -> rate > 0), limits.toString());
      assertEquals(28.0 * 8192, limits.memory().firstKey());
      assertEquals(0, ops.liveBytes());
    }
  }

  /** A device has room for a product of 64 by 64, and for Adam over the fewest parameters. */
  @Test
  void sizesThatDoNotFitEndTheSearch() {
    try (var ops = new Small(8192)) {
      DeviceLimits limits = DeviceLimits.of(ops, new Timing.Plan(0, 1e-4, 1));
      assertTrue(limits.flops() > 0, limits.toString());
      assertEquals(Set.of(28.0 * 8192), limits.memory().keySet());
      assertEquals(0, ops.liveBytes());
    }
    try (var ops = new Small(8191)) {
      var plan = new Timing.Plan(0, 1e-4, 1);
      assertThrows(DeviceException.class, () -> DeviceLimits.of(ops, plan));
    }
  }

  /** A device whose buffers have no more elements than that. */
  private static final class Small extends ReferenceOps {
    private final int most;

    Small(int most) {
      this.most = most;
    }

    @Override
    protected Buffer allocateK(String name, Type type, int length) {
      if (length > most) {
        throw new DeviceException("no room for " + name, "Ask for less.");
      }
      return super.allocateK(name, type, length);
    }
  }

  @Test
  void theLargestShareIsTheLimitAndTheRestIsTheHosts() {
    var shares = new Shares(0.4, 0.3, 0.1);
    assertEquals(0.2, shares.host(), 1e-12);
    assertEquals("arithmetic", shares.limit());
    assertEquals(
        List.of("arithmetic", "memory", "launches", "host"), List.copyOf(shares.all().keySet()));
    assertEquals("memory", new Shares(0.1, 0.5, 0.2).limit());
    assertEquals("launches", new Shares(0.1, 0.2, 0.4).limit());
    assertEquals("host", new Shares(0.1, 0.2, 0.1).limit());
  }

  @Test
  void whatADeviceDoesAtOnceMayBeMoreThanTheWhole() {
    var shares = new Shares(0.8, 0.7, 0);
    assertEquals(0, shares.host());
    assertEquals("arithmetic", shares.limit());
  }
}
