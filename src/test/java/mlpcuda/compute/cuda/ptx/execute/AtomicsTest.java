package mlpcuda.compute.cuda.ptx.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.kernels.Together;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests what atomic operations compute. */
class AtomicsTest {
  /** Runs one instruction in one thread on memory at %rd0; returns its result and the memory. */
  private static long[] apply(String instruction, long memory) {
    Emulation emulation = new Emulation();
    long buffer = emulation.of(memory, 0L);
    PtxModule module =
        Emulation.kernel(
            1,
            "mov.u64 %rd5, 0;\nmov.u32 %r5, 0;\n"
                + instruction
                + "\nst.global.u64 [%rd0+8], %rd5;");
    module.runTogether(
        "k", Emulation.shape(1, 1), 0, new Arguments().address(buffer), emulation.memory, 1);
    return emulation.longs(buffer, 2);
  }

  @ParameterizedTest
  @CsvSource({
    "add.u32, -3, 5, 2",
    "add.s32, 7, 5, 12",
    "exch.b32, 9, 5, 9",
    "min.s32, -3, 5, -3",
    "min.u32, -3, 5, 5",
    "max.s32, -3, 5, 5",
    "max.u32, -3, 5, -3",
    "and.b32, 6, 5, 4",
    "or.b32, 6, 5, 7",
    "xor.b32, 6, 5, 3",
    "inc.u32, 7, 5, 6",
    "inc.u32, 5, 5, 0",
    "inc.u32, 4, 5, 0",
    "dec.u32, 7, 5, 4",
    "dec.u32, 7, 0, 7",
    "dec.u32, 7, 9, 7",
  })
  void wholeNumbersOf32Bits(String operation, int operand, int before, int after) {
    String result = "cvt.u64.u32 %rd5, %r5;";
    String atom = "atom.global.%s %%r5, [%%rd0], %d;\n".formatted(operation, operand);
    long above = 3L << 32;
    assertArrayEquals(
        new long[] {above | after & 0xffffffffL, before & 0xffffffffL},
        apply(atom + result, above | before),
        operation);
    if (!operation.startsWith("exch")) {
      String red = "red.relaxed.sys.global.%s [%%rd0], %d;".formatted(operation, operand);
      assertEquals(above | after & 0xffffffffL, apply(red, above | before)[0], operation);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "add.u64, 5000000000, 6000000000, 11000000000",
    "exch.b64, 5000000000, 6000000000, 5000000000",
    "min.s64, -1, 6, -1",
    "min.u64, -1, 6, 6",
    "max.u64, -1, 6, -1",
    "or.b64, 4294967296, 1, 4294967297",
  })
  void wholeNumbersOf64Bits(String operation, long operand, long before, long after) {
    String atom = "mov.u64 %%rd6, %d;\natom.global.%s %%rd5, [%%rd0], %%rd6;";
    assertArrayEquals(
        new long[] {after, before}, apply(atom.formatted(operand, operation), before));
  }

  @Test
  void comparesBeforeItSwaps() {
    String cas = "atom.acq_rel.gpu.global.cas.b32 %r5, [%rd0], 7, 9;\ncvt.u64.u32 %rd5, %r5;";
    assertArrayEquals(new long[] {9, 7}, apply(cas, 7));
    assertArrayEquals(new long[] {6, 6}, apply(cas, 6));
    String wide = "mov.u64 %rd6, -1;\natom.global.cas.b64 %rd5, [%rd0], %rd6, 4;";
    assertArrayEquals(new long[] {4, -1}, apply(wide, -1));
  }

  @Test
  void sumsOfFloatsFlushSubnormals() {
    String add = "mov.f32 %f1, 0f3FC00000;\nred.global.add.f32 [%rd0], %f1;";
    assertEquals(Float.floatToRawIntBits(3.75f), apply(add, Float.floatToRawIntBits(2.25f))[0]);
    String tiny = "mov.f32 %f1, 0f80000001;\nred.global.add.f32 [%rd0], %f1;";
    assertEquals(0, apply(tiny, 1)[0]);
    assertEquals(Float.floatToRawIntBits(1e-37f), apply(tiny, Float.floatToRawIntBits(1e-37f))[0]);
  }

  @Test
  void allThreadsCount() {
    int[] memory =
        Together.fine("red.global.add.u32 [%rd3], 1;\nred.global.max.u32 [%rd3+4], %r1;");
    assertEquals(Together.BLOCKS * Together.THREADS, memory[Together.FLAGS]);
    assertEquals(Together.THREADS - 1, memory[Together.FLAGS + 1]);
  }

  @Test
  void onlyCooperativeLaunchesHaveThem() {
    Emulation.assertFault(
        Emulation.shape(1, 1),
        1,
        "red.global.add.u32 [%rd0], 1;",
        "red.global.add.u32 [%rd0], 1; is known to the emulator in cooperative launches alone");
  }

  @Test
  void addressesAreChecked() {
    Together.faulty("red.global.add.u32 [%rd0+2], 1;", "which is no multiple of 4");
    Together.faulty("red.global.add.u32 [%rd0+16384], 1;", "after the end of the allocation");
  }
}
