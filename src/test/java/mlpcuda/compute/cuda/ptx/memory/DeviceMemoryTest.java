package mlpcuda.compute.cuda.ptx.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import org.junit.jupiter.api.Test;

/** Tests allocations and copies of the host. */
class DeviceMemoryTest {
  private final DeviceMemory memory = new DeviceMemory();

  private static ByteBuffer bytes(int count, int value) {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    for (int i = 0; i < count; i++) {
      bytes.put(i, (byte) value);
    }
    return bytes;
  }

  @Test
  void allocationsAreAlignedAndApart() {
    long a = memory.allocate(1);
    long b = memory.allocate(300);
    long c = memory.allocate(256);
    for (long address : new long[] {a, b, c}) {
      assertEquals(0, address % 256);
    }
    assertEquals(true, b - a >= 257 && c - b >= 556);
    assertEquals(557, memory.liveBytes());
    assertEquals(b, memory.allocationOf(b + 299));
    Emulation.assertFault(() -> memory.allocationOf(b + 300), "ends 1 bytes after the end");
    Emulation.assertFault(() -> memory.allocate(0), "allocation of 0 bytes");
  }

  @Test
  void copiesComeBack() {
    long address = memory.allocate(200);
    memory.write(address + 3, bytes(130, 7));
    memory.write(address + 5, bytes(1, 9));
    ByteBuffer back = ByteBuffer.allocate(4);
    memory.read(address + 3, back);
    assertArrayEquals(new byte[] {7, 7, 9, 7}, back.array());
    assertEquals(0, back.remaining());
  }

  @Test
  void readsOfWhatWasNeverWrittenFail() {
    long address = memory.allocate(500);
    memory.write(address + 3, bytes(400, 7));
    memory.read(address + 3, ByteBuffer.allocate(400));
    Emulation.assertFault(
        () -> memory.read(address + 2, ByteBuffer.allocate(9)), "byte 2 of the allocation of 500");
    Emulation.assertFault(
        () -> memory.read(address + 4, ByteBuffer.allocate(400)), "byte 403", "never written");
  }

  @Test
  void copiesOutsideFail() {
    long address = memory.allocate(10);
    Emulation.assertFault(
        () -> memory.write(address, bytes(11, 1)),
        "copy of 11 bytes to 0x",
        "ends 1 bytes after the end of the allocation of 10 bytes");
    Emulation.assertFault(() -> memory.write(0, bytes(1, 1)), "the null pointer");
    Emulation.assertFault(
        () -> memory.read(address - 1, ByteBuffer.allocate(1)), "1 bytes before the start");
  }

  @Test
  void freedIsGone() {
    long a = memory.allocate(10);
    long b = memory.allocate(20);
    memory.free(a);
    assertEquals(20, memory.liveBytes());
    Emulation.assertFault(() -> memory.free(a), "which is freed already");
    Emulation.assertFault(() -> memory.free(b + 1), "where no allocation starts");
    Emulation.assertFault(() -> memory.write(a, bytes(1, 1)), "which is freed");
    Emulation.assertFault(() -> memory.allocationOf(a + 9), "of 10 bytes", "which is freed");
    long c = memory.allocate(10);
    assertEquals(true, c > b, "no address is used twice");
  }

  @Test
  void allOfMnistFits() {
    long address = memory.allocate(60_000_000);
    memory.write(address, ByteBuffer.allocate(60_000_000));
    memory.read(address + 59_999_000, ByteBuffer.allocate(1000));
    memory.free(address);
    assertEquals(0, memory.liveBytes());
  }
}
