package mlpcuda.compute.cuda.emulator;

/** Small kernels for tests. */
final class EmulatedKernels {
  /** add(x, y, n): x[i] += y[i] for i &lt; n. */
  static final String ADD =
      """
      .version 7.0
      .target sm_52
      .address_size 64

      .visible .entry add(
        .param .u64 add_param_0,
        .param .u64 add_param_1,
        .param .u32 add_param_2
      )
      {
        .reg .pred  %p<2>;
        .reg .f32   %f<4>;
        .reg .b32   %r<6>;
        .reg .b64   %rd<8>;

        ld.param.u64  %rd1, [add_param_0];
        ld.param.u64  %rd2, [add_param_1];
        ld.param.u32  %r2, [add_param_2];
        mov.u32   %r3, %ctaid.x;
        mov.u32   %r4, %ntid.x;
        mov.u32   %r5, %tid.x;
        mad.lo.s32  %r1, %r3, %r4, %r5;
        setp.ge.s32 %p1, %r1, %r2;
        @%p1 bra  $L__BB0_2;

        cvta.to.global.u64  %rd3, %rd1;
        mul.wide.s32  %rd4, %r1, 4;
        add.s64   %rd5, %rd3, %rd4;
        cvta.to.global.u64  %rd6, %rd2;
        add.s64   %rd7, %rd6, %rd4;
        ld.global.f32   %f1, [%rd5];
        ld.global.f32   %f2, [%rd7];
        add.f32   %f3, %f1, %f2;
        st.global.f32   [%rd5], %f3;

      $L__BB0_2:
        ret;
      }
      """;

  /** fill(x, value): x[thread] = value. */
  static final String FILL =
      """
      .version 7.0
      .target sm_52
      .address_size 64

      .visible .entry fill(
        .param .u64 fill_param_0,
        .param .f32 fill_param_1
      )
      {
        .reg .f32   %f<2>;
        .reg .b32   %r<2>;
        .reg .b64   %rd<5>;

        ld.param.u64  %rd1, [fill_param_0];
        ld.param.f32  %f1, [fill_param_1];
        cvta.to.global.u64  %rd2, %rd1;
        mov.u32   %r1, %tid.x;
        mul.wide.u32  %rd3, %r1, 4;
        add.s64   %rd4, %rd2, %rd3;
        st.global.f32   [%rd4], %f1;
        ret;
      }
      """;

  private EmulatedKernels() {}
}
