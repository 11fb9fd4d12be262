package mlpcuda.compute.cuda.ptx.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.machine.Accesses;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.Test;

/** Tests loads and stores of each width, of vectors, of global and shared memory. */
class MemoryInstructionsTest {
  @Test
  void bytesAndShorts() {
    Emulation emulation = new Emulation();
    long in = emulation.of((byte) 0x81, (byte) 0x02, (byte) 0xf3, (byte) 0xff);
    long out = emulation.of(new int[6]);
    emulation.run(
        Emulation.kernel(
            2,
            """
            ld.global.u8 %rs1, [%rd0]; cvt.u32.u16 %r1, %rs1; st.global.u32 [%rd1], %r1;
            ld.global.s8 %rs1, [%rd0]; cvt.s32.s16 %r1, %rs1; st.global.u32 [%rd1+4], %r1;
            ld.global.nc.u8 %r1, [%rd0+2]; st.global.u32 [%rd1+8], %r1;
            ld.global.u16 %r1, [%rd0+2]; st.global.u32 [%rd1+12], %r1;
            ld.global.s16 %r1, [%rd0+2]; st.global.u32 [%rd1+16], %r1;
            st.global.u8 [%rd1+20], %r1; st.global.u16 [%rd1+22], %r1;
            """),
        Emulation.shape(1, 1),
        in,
        out);
    assertArrayEquals(
        new int[] {0x81, 0xffffff81, 0xf3, 0xfff3, 0xfffffff3, 0xfff300f3}, emulation.ints(out, 6));
  }

  @Test
  void wideRegistersTakeTheSignOrZeros() {
    Emulation emulation = new Emulation();
    long in = emulation.of(-2, 7);
    long out = emulation.of(new long[3]);
    emulation.run(
        Emulation.kernel(
            2,
            """
            ld.global.s32 %rd2, [%rd0]; st.global.u64 [%rd1], %rd2;
            ld.global.u32 %rd2, [%rd0]; st.global.u64 [%rd1+8], %rd2;
            ld.global.b64 %rd2, [%rd0]; st.global.f64 [%rd1+16], %rd2;
            """),
        Emulation.shape(1, 1),
        in,
        out);
    assertArrayEquals(new long[] {-2, 0xfffffffeL, 0x7fffffffeL}, emulation.longs(out, 3));
  }

  @Test
  void vectors() {
    Emulation emulation = new Emulation();
    float[] values = {1, 2, 3, 4, 5, 6, 7, 8};
    long in = emulation.of(values);
    long bytes = emulation.of((byte) 9, (byte) 10, (byte) 11, (byte) -1);
    long out = emulation.of(new float[8]);
    PtxModule module =
        Emulation.kernel(
            3,
            """
            .shared .align 16 .b8 tile[32];
            ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd0];
            ld.global.nc.v2.f32 {%f5, _}, [%rd0+16];
            st.shared.v4.f32 [tile+16], {%f4, %f3, %f2, %f1};
            ld.shared.v2.f32 {%f6, %f7}, [tile+24];
            mov.u64 %rd5, tile;
            ld.shared.f32 %f8, [%rd5+16];
            st.global.v4.f32 [%rd2], {%f5, %f6, %f7, %f8};
            ld.global.v4.u8 {%rs1, %rs2, %rs3, %rs4}, [%rd1];
            cvt.rn.f32.u16 %f1, %rs1; cvt.rn.f32.u16 %f2, %rs2;
            cvt.rn.f32.u16 %f3, %rs3; cvt.rn.f32.u16 %f4, %rs4;
            st.global.v2.f32 [%rd2+16], {%f1, %f2};
            st.global.v2.f32 [%rd2+24], {%f3, %f4};
            """);
    Accesses accesses = emulation.run(module, Emulation.shape(1, 1), in, bytes, out);
    assertArrayEquals(new float[] {5, 2, 1, 4, 9, 10, 11, 255}, emulation.floats(out, 8));
    assertEquals(Set.of(in, bytes), accesses.read());
    assertEquals(Set.of(out), accesses.written());
  }

  @Test
  void parametersOfEachType() {
    Emulation emulation = new Emulation();
    long out = emulation.of(new long[5]);
    PtxModule module =
        PtxModule.parse(
            "test",
            Emulation.HEADER
                + """
                .entry k(.param .u64 .ptr .global .align 4 a, .param .u32 b, .param .f32 c,
                    .param .s64 d)
                .maxntid 32, 1, 1
                {
                  .reg .b64 %rd<9>; .reg .b32 %r1; .reg .f32 %f1;
                  ld.param.u64 %rd1, [a]; cvta.to.global.u64 %rd2, %rd1;
                  ld.param.u32 %r1, [b]; ld.param.f32 %f1, [c]; ld.param.s64 %rd3, [d];
                  st.global.u32 [%rd2], %r1; st.global.f32 [%rd2+8], %f1;
                  st.global.u64 [%rd2+16], %rd3;
                }
                """);
    assertEquals("pifp", module.parameters("k"));
    Arguments arguments = new Arguments().address(out).add(-5).add(2.5f).add(-1L << 40);
    module.run("k", Emulation.shape(1, 1), arguments, emulation.memory);
    assertArrayEquals(
        new long[] {0xfffffffbL, Float.floatToIntBits(2.5f), -1L << 40, 0, 0},
        emulation.longs(out, 5));
  }

  @Test
  void launchesMustFitTheEntry() {
    Emulation emulation = new Emulation();
    long buffer = emulation.of(1);
    PtxModule module = Emulation.kernel(2, "ret;");
    Emulation.assertFault(
        () -> emulation.run(module, Emulation.shape(1, 1), buffer), "arguments p", "are pp");
    Emulation.assertFault(
        () -> emulation.run(module, Emulation.shape(1, 1025), buffer, buffer), "1025 threads");
    Emulation.assertFault(
        () -> emulation.run(module, Emulation.shape(0, 1), buffer, buffer), "launched with");
    Emulation.assertFault(() -> module.parameters("other"), "no entry other", "[k]");
    PtxModule narrow =
        PtxModule.parse("test", Emulation.HEADER + ".entry k() .maxntid 64, 1, 1 { ret; }");
    Emulation.assertFault(
        () -> emulation.run(narrow, Emulation.shape(1, 65)), "65 threads a block, at most 64");
    PtxModule exact = PtxModule.parse("test", Emulation.HEADER + ".entry k() .reqntid 64 { ret; }");
    Emulation.assertFault(() -> emulation.run(exact, Emulation.shape(1, 32)), "[64, 1, 1]");
  }
}
