package mlpcuda.compute.cuda.ptx.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.Test;

/** Tests that accesses outside allocations, of unwritten bytes, and at odd addresses are found. */
class BadAccessesTest {
  private static final Shape ONE = Emulation.shape(1, 1);

  /** Asserts a fault of a kernel with a buffer of 16 bytes. */
  private static void refused(String body, String... parts) {
    Emulation.assertFault(ONE, 4, body, parts);
  }

  private static void fine(String body) {
    Emulation.buffer(ONE, 4, body);
  }

  @Test
  void overTheEndOfAnAllocation() {
    refused(
        "ld.global.f32 %f1, [%rd0+16];",
        "kernel k, block (0,0,0), thread (0,0,0), line 12: ld.global.f32 %f1, [%rd0+16]; at 0x7f",
        "ends 4 bytes after the end of the allocation of 16 bytes");
    refused("ld.global.u8 %rs1, [%rd0+16];", "ends 1 bytes after the end");
    refused("st.global.v2.f32 [%rd0+16], {%f1, %f2};", "ends 8 bytes after the end");
    refused("st.global.u8 [%rd0+-1], %rs1;", "1 bytes before the start of the allocation");
    fine("ld.global.f32 %f1, [%rd0+12];");
    fine("st.global.u8 [%rd0+15], %rs1;");
  }

  @Test
  void partlyOverTheEnd() {
    Emulation emulation = new Emulation();
    long bytes = emulation.of(new byte[6]);
    PtxModule load = Emulation.kernel(1, "ld.global.u32 %r1, [%rd0+4];");
    Emulation.assertFault(
        () -> emulation.run(load, ONE, bytes), "ends 2 bytes after the end of the allocation of 6");
  }

  @Test
  void whereTheDeviceHasNoMemory() {
    refused("mov.u64 %rd1, 0;\nld.global.u32 %r1, [%rd1];", "at 0x0: the null pointer");
    refused("mov.u64 %rd1, 4096;\nld.global.u32 %r1, [%rd1];", "not an address of the device");
    refused("add.s64 %rd1, %rd0, 40960;\nst.global.u32 [%rd1], %r1;", "not an address");
  }

  @Test
  void freedMemory() {
    Emulation emulation = new Emulation();
    long before = emulation.of(1);
    long gone = emulation.of(1, 2, 3);
    long after = emulation.of(1);
    PtxModule load = Emulation.kernel(1, "ld.global.u32 %r1, [%rd0+4];");
    emulation.run(load, ONE, gone);
    emulation.memory.free(gone);
    Emulation.assertFault(
        () -> emulation.run(load, ONE, gone),
        "in the allocation of 12 bytes at " + DeviceMemory.hex(gone) + ", which is freed");
    Emulation.assertFault(() -> emulation.run(load, ONE, before), "after the end of the alloc");
    Emulation.assertFault(() -> emulation.run(load, ONE, after), "after the end of the alloc");
  }

  @Test
  void outsideSharedMemory() {
    String start = ".shared .align 4 .b8 a[10];\n.shared .align 4 .f32 b;\nmov.u32 %r1, b;\n";
    refused(start + "st.shared.f32 [%r1+4], 0f00000000;", "outside the", "shared memory");
    refused(start + "st.shared.f32 [b+4], 0f00000000;", "outside the", "shared memory");
    refused(start + "st.shared.u8 [a+10], %rs1;", "outside all variables of shared memory");
    refused(start + "ld.shared.u8 %rs1, [a+10];", "outside all variables of shared memory");
    refused(start + "st.shared.u32 [a+8], %r1;", "outside all variables of shared memory");
    refused(start + "mov.u32 %r1, -4;\nst.shared.u32 [%r1], %r1;", "outside the");
    fine(start + "st.shared.u8 [a+9], %rs1;\nst.shared.u32 [a+4], %r1;\nst.shared.f32 [b], %f1;");
  }

  @Test
  void whatWasNeverWritten() {
    Emulation emulation = new Emulation();
    long fresh = emulation.memory.allocate(16);
    String store = "st.global.u16 [%rd0], 5;\nst.global.u8 [%rd0+2], 5;\n";
    PtxModule bad = Emulation.kernel(1, store + "ld.global.u32 %r1, [%rd0];");
    Emulation.assertFault(
        () -> emulation.run(bad, ONE, fresh),
        "byte 3 of the allocation of 16 bytes was never written");
    PtxModule good =
        Emulation.kernel(1, store + "st.global.u8 [%rd0+3], 5;\nld.global.u32 %r1, [%rd0];");
    emulation.run(good, ONE, fresh);
  }

  @Test
  void sharedMemoryThatTheBlockNeverWrote() {
    String start =
        ".shared .align 4 .b8 a[64];\nmov.u32 %r1, %ctaid.x;\nsetp.eq.s32 %p1, %r1, 0;\n";
    Shape blocks = Emulation.shape(2, 1);
    Emulation.assertFault(
        blocks,
        4,
        start + "@%p1 st.shared.u32 [a+4], %r1;\nld.shared.u32 %r2, [a+4];",
        "block (1,0,0)",
        "which no thread of the block has written");
    Emulation.buffer(blocks, 4, start + "st.shared.u32 [a+4], %r1;\nld.shared.u32 %r2, [a+4];");
  }

  @Test
  void oddAddresses() {
    refused("ld.global.u32 %r1, [%rd0+2];", "which is no multiple of 4");
    refused("ld.global.v2.f32 {%f1, %f2}, [%rd0+4];", "which is no multiple of 8");
    refused("st.global.v4.f32 [%rd0+-8], {%f1, %f1, %f1, %f1};", "8 bytes before");
    String shared = ".shared .align 16 .b8 a[64];\n";
    refused(shared + "st.shared.v4.f32 [a+8], {%f1, %f1, %f1, %f1};", "no multiple of 16");
    refused(shared + "st.shared.u16 [a+1], %rs1;", "no multiple of 2");
    fine(shared + "st.shared.v4.f32 [a+16], {%f1, %f1, %f1, %f1};");
    fine("ld.global.v2.f32 {%f1, %f2}, [%rd0+8];");
  }

  @Test
  void guardedAccessesAreNotMade() {
    int[] out =
        Emulation.buffer(
            Emulation.shape(1, 40),
            4,
            """
            mov.u32 %r1, %tid.x; mul.wide.s32 %rd1, %r1, 4; add.s64 %rd1, %rd0, %rd1;
            setp.lt.s32 %p1, %r1, 4;
            @%p1 st.global.u32 [%rd1], %r1;
            """);
    assertArrayEquals(new int[] {0, 1, 2, 3}, out);
  }
}
