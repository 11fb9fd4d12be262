package mlpcuda.compute.cuda.ptx.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that unknown text is refused by its name and line, before anything runs. */
class RefusalsTest {
  private static final String TF32_PRODUCT = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32";
  private static final String D = " {%f0, %f1, %f2, %f3}, ";
  private static final String A = "{%r0, %r1, %r2, %r3}, ";
  private static final String B = "{%r4, %r5}, ";
  private static final String C = "{%f0, %f1, %f2, %f3};";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sad.s32 %r1, %r2, %r3, %r4;",
        "add.cc.s32 %r1, %r2, %r3;",
        "add.ftz.s32 %r1, %r2, %r3;",
        "add.sat.u32 %r1, %r2, %r3;",
        "add.f16 %rs1, %rs2, %rs3;",
        "add.rz.f64 %fd1, %fd2, %fd3;",
        "mul.s32 %r1, %r2, %r3;",
        "mul.wide.s64 %rd1, %rd2, %rd3;",
        "mad.f32 %f1, %f2, %f3, %f4;",
        "fma.f32 %f1, %f2, %f3, %f4;",
        "div.f32 %f1, %f2, %f3;",
        "div.rz.f32 %f1, %f2, %f3;",
        "ex2.f32 %f1, %f2;",
        "rcp.approx.ftz.f64 %fd1, %fd2;",
        "min.NaN.f32 %f1, %f2, %f3;",
        "max.relu.f32 %f1, %f2, %f3;",
        "cvt.f32.s32 %f1, %r1;",
        "cvt.s32.f32 %r1, %f1;",
        "cvt.f32.f64 %f1, %fd1;",
        "cvt.f16.f32 %rs1, %f1;",
        "cvt.rz.f16.f32 %rs1, %f1;",
        "cvt.rn.relu.f16.f32 %rs1, %f1;",
        "cvt.rn.f16.f32 %r1, %f1;",
        "cvt.rn.f16.f64 %rs1, %fd1;",
        "cvt.rn.f32.f16 %f1, %rs1;",
        "cvt.ftz.f32.f16 %f1, %rs1;",
        "cvt.f32.f16 %f1, %r1;",
        "cvt.f32.bf16 %f1, %rs1;",
        "cvt.rz.bf16.f32 %rs1, %f1;",
        "cvt.rn.bf16.f32 %r1, %f1;",
        "cvt.rn.tf32.f32 %r1, %f1;",
        "cvt.rna.satfinite.tf32.f32 %r1, %f1;",
        "cvt.rna.tf32.f32 %rs1, %f1;",
        "cvt.rn.bf16x2.f32 %r1, %f1;",
        "cvt.rn.f16x2.f32 %rs1, %f1, %f2;",
        "cvt.rn.relu.f32.f64 %f1, %fd1;",
        "setp.lt.b32 %p1, %r1, %r2;",
        "setp.ltu.s32 %p1, %r1, %r2;",
        "set.lt.u32.s32 %r1, %r2, %r3;",
        "and.u32 %r1, %r2, %r3;",
        "lop3.b32 %r1, %r2, %r3, %r4, %r5;",
        "bfi.b32 %r1, %r2, %r3, %r4, 8;",
        "prmt.b32.f4e %r1, %r2, %r3, %r4;",
        "mul24.lo.s32 %r1, %r2, %r3;",
        "dp4a.s32.s32 %r1, %r2, %r3, %r4;",
        "atom.shared.add.u32 %r1, [%r3], %r2;",
        "atom.global.add.f64 %fd1, [%rd1], %fd2;",
        "atom.global.add.noftz.f16 %rs1, [%rd1], %rs2;",
        "atom.global.add.s64 %rd1, [%rd2], %rd3;",
        "atom.global.inc.s32 %r1, [%rd1], %r2;",
        "atom.global.cas.b32 %r1, [%rd1], %r2;",
        "atom.acquire.cluster.global.add.u32 %r1, [%rd1], %r2;",
        "red.global.exch.b32 [%rd1], %r1;",
        "red.global.max.f32 [%rd1], %f1;",
        "ld.local.u32 %r1, [%rd1];",
        "ld.const.u32 %r1, [%rd1];",
        "ld.acquire.global.u32 %r1, [%rd1];",
        "ld.acquire.cluster.global.u32 %r1, [%rd1];",
        "ld.release.gpu.global.u32 %r1, [%rd1];",
        "ld.acquire.cta.shared.u32 %r1, [%r3];",
        "st.acquire.gpu.global.u32 [%rd1], %r1;",
        "fence.acq_rel;",
        "fence.gpu;",
        "membar.gpu;",
        "nanosleep.s32 %r1;",
        "ld.global.v3.f32 {%f1, %f2, %f3}, [%rd1];",
        "ld.shared.nc.f32 %f1, [%rd1];",
        "ld.param.u32 %r1, [nothing];",
        "ld.param.u32 %r1, [p0];",
        "st.param.u32 [p0], %r1;",
        "cvta.to.shared.u32 %r1, %r2;",
        "cvta.local.u64 %rd1, %rd2;",
        "shfl.bfly.b32 %r1, %r2, 1, 31;",
        "shfl.sync.bfly.b64 %rd1, %rd2, 1, 31, -1;",
        "vote.ballot.b32 %r1, %p1;",
        "match.any.sync.b32 %r1, %r2, -1;",
        "bar.sync 0, 64;",
        "bar.arrive 0, 64;",
        "bar.red.popc.u32 %r1, 0, %p1;",
        "bar.sync %r1;",
        "trap;",
        "brkpt;",
        "cp.async.ca.shared.global [%r1], [%rd1], 12;",
        "cp.async.cg.shared.global [%r1], [%rd1], 8;",
        "cp.async.ca.shared.global [%r1], [%rd1], %r2;",
        "cp.async.ca.shared.global [%r1], [%rd1], 4, %p1;",
        "cp.async.ca.shared.global [%r1], [%rd1], 4, %rd2;",
        "cp.async.ca.shared.global [%r1], [%rd1];",
        "cp.async.shared.global [%r1], [%rd1], 4;",
        "cp.async.ca.global.shared [%rd1], %r1, 4;",
        "cp.async.ca.shared::cluster.global [%r1], [%rd1], 4;",
        "cp.async.ca.shared.global.L2::32B [%r1], [%rd1], 4;",
        "cp.async.ca.shared.global.L2::cache_hint [%r1], [%rd1], 4, %rd2;",
        "cp.async.mbarrier.arrive.b64 [%r1];",
        "cp.async.bulk.commit_group;",
        "cp.async.commit_group 0;",
        "cp.async.wait_all 0;",
        "cp.async.wait_group;",
        "cp.async.wait_group %r1;",
        "cp.async.wait_group -1;",
        "cp.reduce.async.bulk.commit_group;",
        "ldmatrix.sync.aligned.m8n8.x3.shared.b16 {%r1, %r2, %r3}, [%r4];",
        "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r1}, [%r4];",
        "ldmatrix.sync.aligned.m8n8.x1.shared.b16 %r1, [%r4];",
        "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%f1}, 5;",
        "ldmatrix.sync.aligned.m8n8.x1.b16 {%r1}, [%r4];",
        "ldmatrix.aligned.m8n8.x1.shared.b16 {%r1}, [%r4];",
        "ldmatrix.sync.aligned.m8n16.x1.shared.b8 {%r1}, [%r4];",
        "ldmatrix.sync.aligned.m8n8.x1.global.b16 {%r1}, [%rd4];",
        "wmma.load.a.sync.aligned.row.m16n16k16.f16 {%r1}, [%rd1], %r2;",
        "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32" + D + "{%r0, %r1}, {%r2}, " + C,
        "mma.sync.m16n8k8.row.col.f32.tf32.tf32.f32" + D + A + B + C,
        "mma.sync.aligned.m16n8k8.row.row.f32.tf32.tf32.f32" + D + A + B + C,
        "mma.sync.aligned.m16n8k16.row.col.f32.tf32.tf32.f32" + D + A + B + C,
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.f16.f32" + D + A + B + C,
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32" + D + "{%r0, %r1}, {%r2}, " + C,
        TF32_PRODUCT + D + A + "{%r4, %r5};",
        TF32_PRODUCT + D + A + "%rd1, " + C,
        TF32_PRODUCT + D + A + "{%r4, %r5, %r6}, " + C,
        TF32_PRODUCT + D + A + "{%r4, %rs5}, " + C,
        TF32_PRODUCT + D + A + B + "{%f0, %f1, %f2, %fd3};",
        TF32_PRODUCT + " {%f0, %f1, %f2, _}, " + A + B + C,
        "prefetch.global.L3 [%rd1];",
        "prefetch.local.L1 [%rd1];",
        "ld.global.L1::no_allocate.f32 %f1, [%rd1];",
        "mov.u32 %r1, %clock;",
        "mov.u32 %r1, %lanemask_lt;",
        "mov.u32 %r1, unknown;",
        "mov.u64 %rd1, %tid.x;",
        "mov.u32 %r1, %rd1;",
        "add.s32 %r1, %r2, %rd3;",
        "add.s32 %r1, %r2, 0f3F800000;",
        "add.f32 %f1, %f2, 1;",
        "add.s32 %r1, %r2;",
        "add.s32 5, %r1, %r2;",
        "add.s32 %undeclared, %r1, %r2;",
        "@%r1 add.s32 %r1, %r1, %r1;",
        "selp.b32 %r1, %r2, %r3, %r4;",
        "mov.b64 %rd1, {%r1, %r2, %r3};",
        "bra NOWHERE;",
        "brx.idx %r1, NOWHERE;",
      })
  void instructions(String text) {
    Emulation.assertFault(
        () -> Emulation.kernel(1, "mov.u32 %r1, 0;\n" + text), "test, line 13: " + text + " ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ".local .align 4 .b8 stack[16];",
        ".extern .shared .b8 a[];",
        ".weird x;",
        "call.uni foo, (%r1);",
        ".pragma \"enable_smem_spilling\";",
        "{ .reg .b32 %t; mov.u32 %t, 0; }",
        "{ { add.s32 %r1, %r1, %r1; } }",
        "{ AGAIN: bra AGAIN; }",
        ".reg .f16 %h<4>;",
        ".reg .b32 %r1;",
        "mov.u32 %r1, 09;",
        "mov.u32 %r1, 0b11;",
        "mov.f32 %f1, -0f3F800000;",
        "mov.f32 %f1, 1.5;",
        "mov.u32 %r1, 99999999999999999999;",
        "mov.u32 %r1 %r2;",
      })
  void bodies(String text) {
    Emulation.assertFault(
        () -> Emulation.kernel(1, "mov.u32 %r1, 0;\n" + text + "\nret;"), "test, line 13: ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ".extern .shared .align 16 .b8 a[16];",
        ".extern .global .align 16 .b8 a[];",
        ".global .align 4 .b8 table[24];",
        ".const .align 4 .b8 table[24];",
        ".func (.reg .f32 %f) helper () { ret; }",
        ".visible .func helper () { ret; }",
        ".entry k(.param .u16 s) { ret; }",
        ".entry k() .cluster_dim { ret; }",
        ".entry a() { ret; } .entry a() { ret; }",
      })
  void modules(String text) {
    Emulation.assertFault(() -> PtxModule.parse("test", Emulation.HEADER + text), "test, line 4: ");
  }

  @Test
  void anotherSizeOfAddresses() {
    Emulation.assertFault(
        () -> PtxModule.parse("test", ".version 8.0\n.target sm_75\n.address_size 32\n"),
        "test, line 3: '64' expected, found '32'");
  }

  @Test
  void targetsThatAreNone() {
    Emulation.assertFault(
        () -> PtxModule.parse("test", ".version 8.0\n.target compute_80\n.address_size 64\n"),
        "test, line 2: target 'compute_80'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cvt.rna.tf32.f32 %r1, %f1;",
        "cvt.rn.bf16.f32 %rs1, %f1;",
        "cvt.rn.bf16x2.f32 %r1, %f1, %f2;",
        "cvt.rn.f16x2.f32 %r1, %f1, %f2;",
        "cp.async.wait_all;",
        TF32_PRODUCT + D + A + B + C,
      })
  void instructionsOfLaterTargets(String text) {
    String module =
        Emulation.HEADER
            + ".entry k() { .reg .b16 %rs<9>; .reg .b32 %r<9>; .reg .f32 %f<9>;\n"
            + text
            + "\n}";
    assertEquals(Set.of("k"), PtxModule.parse("test", module).entries());
    Emulation.assertFault(
        () -> PtxModule.parse("test", module.replace("sm_80", "sm_75")),
        "test, line 5: " + text + " needs .target sm_80, not sm_75");
  }

  @Test
  void textThatEndsTooEarly() {
    Emulation.assertFault(
        () -> PtxModule.parse("test", Emulation.HEADER + ".entry k() {\n ret;"), "too early");
    Emulation.assertFault(
        () -> PtxModule.parse("test", Emulation.HEADER + ".entry k() {\n ret"), "line 5");
  }

  @Test
  void commentsAndHintsAreNoInstructions() {
    PtxModule module =
        PtxModule.parse(
            "test",
            "// one\n"
                + Emulation.HEADER
                + """
                .file 1 "a.cu", 1, 2
                /* two
                   lines */
                .visible .entry one() .minnctapersm 2 .maxnreg 64 {
                  .loc 1 2 3
                  .reg .b32 %r<3>, %s;
                  $L__BB0_1: .pragma "nounroll";
                  add.s32 %s, %r1, -0x10; // three
                }
                .entry two() { exit; }
                """);
    assertEquals(Set.of("one", "two"), module.entries());
    Emulation.assertFault(
        () -> PtxModule.parse("test", Emulation.HEADER + "/*\n\n*/ .entry k() { trap; }"),
        "line 6: trap; is not known");
  }
}
