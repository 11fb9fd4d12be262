package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.error.DeviceException;

/** Loads modules and launches kernels by {@link JCudaDriver} on {@link FakeCuda}. */
final class JCudaLaunchCalls {
  private final FakeCuda fake;
  private final JCudaDriver driver;
  private final long stream;

  JCudaLaunchCalls(OpenDriver open) {
    fake = open.fake();
    driver = open.driver();
    stream = open.stream();
  }

  private void expect(String... calls) {
    assertEquals(List.of(calls), fake.calls());
  }

  void launches() {
    long module = driver.loadModule(ModuleImage.of("some.ptx", "text"));
    long function = driver.function(module, "entry");
    fake.control("parameters 5");
    var arguments =
        new Arguments().address(0x1234_5678_9abc_def0L).add(-1).add(1.5f).add(7L).address(0);
    driver.launch(function, new Shape(2, 3, 4, 32, 8), arguments, stream);
    expect(
        "cuModuleLoadDataEx text 2",
        "cuModuleGetFunction 0x%x entry".formatted(module),
        "cuLaunchKernel 0x%x 2 3 4 32 8 1 0 0x%x 0x0: 123456789abcdef0 ffffffff 3fc00000 7 0"
            .formatted(function, stream));
    fake.control("parameters 3");
    var structure = new Arguments().add(5).structure(1, 2, 3).add(6L);
    driver.launch(function, Shape.of(1, 32), structure, stream);
    assertTrue(fake.calls().get(0).endsWith(": 5 200000001 6"));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            driver.launch(
                function, Shape.of(1, 1), new Arguments().structure(new int[1025]), stream));
    fake.control("parameters 64");
    var most = new Arguments();
    for (int i = 0; i < 64; i++) {
      most.add(i);
    }
    driver.launch(function, Shape.of(9, 256), most, stream);
    assertTrue(fake.calls().get(0).endsWith(" 3e 3f"));
    assertThrows(
        IllegalArgumentException.class,
        () -> driver.launch(function, Shape.of(1, 1), most.add(64), stream));
    driver.unloadModule(module);
    expect("cuModuleUnload 0x%x".formatted(module));
    assertThrows(
        IllegalStateException.class,
        () -> driver.launch(function, Shape.of(1, 1), new Arguments(), stream));

    for (int code : new int[] {209, 218, 221, 222, 223}) {
      fake.control("cuModuleLoadDataEx " + code);
      var e =
          assertThrows(
              DeviceException.class, () -> driver.loadModule(ModuleImage.of("some.ptx", "text")));
      assertEquals(
          "the driver (CUDA 12.6) cannot load some.ptx for GPU 1: cuModuleLoadDataEx failed:"
              + " FAKE_ERROR (%d): fails as asked: ptxas application ptx input, line 7; error: fake"
                  .formatted(code),
          e.why());
    }
    // Machine code that is refused has PTX beside it: the caller asks for that instead.
    var compiled =
        new ModuleImage(
            "some.ptx", Optional.of("cubin".getBytes(StandardCharsets.UTF_8)), () -> "text");
    for (int code : new int[] {200, 209, 300}) {
      fake.control("cuModuleLoadDataEx " + code);
      var e = assertThrows(CudaException.class, () -> driver.loadModule(compiled));
      assertEquals(code, e.code());
      assertTrue(GpuProblem.isOfMachineCode(code));
    }
    fake.control("");
    fake.calls();
    driver.unloadModule(driver.loadModule(compiled));
    assertEquals("cuModuleLoadDataEx cubin 2", fake.calls().get(0));
    fake.control("cuModuleLoadDataEx 700");
    assertThrows(CudaException.class, () -> driver.loadModule(ModuleImage.of("some.ptx", "text")));
    fake.control("");
    fake.calls();
  }

  void launchesTogether() {
    long module = driver.loadModule(ModuleImage.of("some.ptx", "text"));
    long function = driver.function(module, "entry");
    fake.calls();
    assertEquals(2 * 82, driver.residentBlocks(function, 256, 0));
    expect("cuOccupancyMaxActiveBlocksPerMultiprocessor 0x%x 256 0".formatted(function));
    fake.control("resident 1");
    assertEquals(82, driver.residentBlocks(function, 256, 60_000));
    fake.control("parameters 2");
    var arguments = new Arguments().add(5L).add(-2);
    driver.launchCooperative(function, new Shape(82, 1, 1, 256, 1), 60_000, arguments, stream);
    driver.launchCooperative(function, new Shape(2, 3, 4, 32, 8), 60_001, arguments, stream);
    driver.launchCooperative(function, Shape.of(1, 32), 0, arguments, stream);
    expect(
        "cuFuncSetAttribute 0x%x 8 60000".formatted(function), // 8: the dynamic shared memory
        "cuOccupancyMaxActiveBlocksPerMultiprocessor 0x%x 256 60000".formatted(function),
        "cuLaunchCooperativeKernel 0x%x 82 1 1 256 1 1 60000 0x%x: 5 fffffffe"
            .formatted(function, stream),
        "cuFuncSetAttribute 0x%x 8 60001".formatted(function),
        "cuLaunchCooperativeKernel 0x%x 2 3 4 32 8 1 60001 0x%x: 5 fffffffe"
            .formatted(function, stream),
        "cuLaunchCooperativeKernel 0x%x 1 1 1 32 1 1 0 0x%x: 5 fffffffe"
            .formatted(function, stream));

    fake.control("cuLaunchCooperativeKernel 720");
    var e =
        assertThrows(
            CudaException.class,
            () -> driver.launchCooperative(function, Shape.of(200, 256), 0, arguments, stream));
    assertEquals(
        "cuLaunchCooperativeKernel failed: CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE (720): all"
            + " blocks of a cooperative launch must be resident at once, but of its 200 blocks,"
            + " each of 256 threads with 0 bytes of dynamic shared memory, a multiprocessor holds"
            + " 2",
        e.why());
    assertEquals(CudaException.COOPERATIVE_LAUNCH_TOO_LARGE, e.code());
    fake.control("");
    driver.unloadModule(module);
    fake.calls();
  }
}
