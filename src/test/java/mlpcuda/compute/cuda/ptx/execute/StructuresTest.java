package mlpcuda.compute.cuda.ptx.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.Test;

/**
 * Tests parameters that are structures: a kernel reads one of four words, which a thread chooses.
 */
class StructuresTest {
  private static final int THREADS = 4;

  private final Emulation emulation = new Emulation();

  private int[] words(int first, int[] structure) {
    PtxModule module =
        PtxModule.parse(
            "test",
            Emulation.HEADER
                + """
                .visible .entry k(.param .u64 out, .param .align 4 .b8 s[16], .param .u32 first) {
                .reg .b32 %r<5>;
                .reg .b64 %rd<6>;
                ld.param.u64 %rd1, [out];
                ld.param.u32 %r1, [first];
                mov.u32 %r2, %tid.x;
                add.u32 %r3, %r1, %r2;
                mov.b64 %rd2, s;
                mul.wide.u32 %rd3, %r3, 4;
                add.u64 %rd2, %rd2, %rd3;
                ld.param.u32 %r4, [%rd2];
                ld.param.u32 %r1, [s+12];
                add.u32 %r4, %r4, %r1;
                mul.wide.u32 %rd3, %r2, 4;
                add.u64 %rd1, %rd1, %rd3;
                st.global.u32 [%rd1], %r4;
                ret;
                }
                """);
    long out = emulation.memory.allocate(4 * THREADS);
    module.run(
        "k",
        Emulation.shape(1, THREADS),
        new Arguments().address(out).structure(structure).add(first),
        emulation.memory);
    return emulation.ints(out, THREADS);
  }

  @Test
  void threadsReadTheWordsThatTheyChoose() {
    assertArrayEquals(new int[] {11, 12, 13, 20}, words(0, new int[] {1, 2, 3, 10}));
  }

  @Test
  void readsBeyondTheStructureAreFound() {
    Emulation.assertFault(() -> words(1, new int[4]), "outside all parameters");
    Emulation.assertFault(() -> words(-1, new int[4]), "outside all parameters");
  }

  @Test
  void anArgumentOfAnotherSizeIsRefused() {
    Emulation.assertFault(() -> words(0, new int[3]), "has 12 bytes, its parameter has 16");
  }
}
