package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaDriver.Device;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.function.Executable;

/**
 * Calls every method of {@link JCudaDriver}, {@link Cublas} and {@link Cudnn} on {@link FakeCuda}:
 * what arrives at the driver is compared argument by argument. {@link JCudaDriverTest} starts this
 * class in a process of its own.
 */
final class JCudaDriverCalls {
  private final FakeCuda fake = FakeCuda.here();
  private final Path natives;
  private JCudaDriver driver;
  private long stream;

  private JCudaDriverCalls(Path natives) {
    this.natives = natives;
  }

  public static void main(String[] args) throws IOException {
    var calls = new JCudaDriverCalls(Path.of(args[0]));
    calls.situations();
    calls.opens();
    calls.copies();
    calls.orders();
    calls.launches();
    calls.launchesTogether();
    calls.records();
    calls.multiplies();
    calls.activates();
    calls.fails();
    calls.failsWhicheverCallItIs();
    calls.closes();
    System.out.println("all calls are right");
  }

  private void expect(String... calls) {
    assertEquals(List.of(calls), fake.calls());
  }

  private void refuses(String control, int index, String why) {
    fake.control(control);
    var e = assertThrows(DeviceException.class, () -> JCudaDriver.open(index, natives));
    String[] lines = e.getMessage().split(System.lineSeparator(), -1);
    assertEquals(2, lines.length, e.getMessage());
    assertTrue(lines[0].contains(why), e.getMessage());
    fake.control("");
    fake.calls();
  }

  private void situations() {
    refuses("version 11080", 0, "must be for CUDA 12.0 or newer, found CUDA 11.8");
    refuses("cuDriverGetVersion 34", 0, "is a toolkit's stub");
    refuses("cuDeviceGetName 999", 0, "the driver fails: cuDeviceGetName failed: FAKE_ERROR (999)");
    refuses("cuInit 100", 0, "CUDA_VISIBLE_DEVICES='0,1'");
    refuses("cuInit 803", 0, "different versions: cuInit failed: FAKE_ERROR (803): fails as asked");
    refuses("cuInit 12345", 0, "error unknown to the driver (12345): no description");
    refuses("devices 0", 0, "the driver shows no GPU");
    refuses("", 3, "there is no GPU 3: CUDA_VISIBLE_DEVICES=0,1 shows 2 GPUs, 0 to 1");
    refuses("major 7 \n minor 0", 1, "GPU 1 (Fake 71) must have compute capability 7.5 or newer");
    refuses("cuDevicePrimaryCtxRetain 46", 0, "GPU 0 (Fake 70) cannot be opened");
    assertThrows(IllegalArgumentException.class, () -> JCudaDriver.open(-1, natives));

    fake.control("cuMemAllocHost 2"); // the context is given back
    assertThrows(DeviceException.class, () -> JCudaDriver.open(0, natives));
    List<String> calls = fake.calls();
    assertEquals("cuDevicePrimaryCtxRelease 70", calls.get(calls.size() - 1));
    fake.control("");

    var devices = new CudaDevices(natives);
    assertEquals(
        List.of(
            new Device(0, "Fake 70", 8, 6, 5_000_000_000L, 82, 12060, 101_376, true),
            new Device(1, "Fake 71", 8, 6, 5_000_000_000L, 82, 12060, 101_376, true)),
        devices.list());
    fake.control("cuDeviceTotalMem 3");
    var failed = assertThrows(DeviceException.class, devices::list);
    assertTrue(failed.why().contains("cuDeviceTotalMem failed"), failed.why());
    fake.control("devices 0");
    assertThrows(DeviceException.class, devices::list);
    fake.control("");
    fake.calls();
  }

  private void opens() {
    driver = JCudaDriver.open(1, natives);
    assertEquals(
        new Device(1, "Fake 71", 8, 6, 5_000_000_000L, 82, 12060, 101_376, true), driver.device());
    expect(
        "cuDriverGetVersion",
        "cuInit 0",
        "cuDeviceGetCount",
        "cuDeviceGet 1",
        "cuDeviceGetName 71",
        "cuDeviceTotalMem 71",
        "cuDeviceGetAttribute 75 71",
        "cuDeviceGetAttribute 76 71",
        "cuDeviceGetAttribute 16 71",
        "cuDriverGetVersion",
        "cuDeviceGetAttribute 97 71",
        "cuDeviceGetAttribute 95 71",
        "cuDeviceGet 1",
        "cuDevicePrimaryCtxRetain 71",
        "cuCtxSetCurrent 0xc0de",
        "cuMemAllocHost 4608");
    assertEquals(4_000_000_000L, driver.freeMemory());
    stream = driver.createStream();
    expect("cuMemGetInfo", "cuStreamCreate 1"); // 1: CU_STREAM_NON_BLOCKING
  }

  private void copies() {
    Pinned pinned = driver.allocatePinned(16);
    assertEquals(16, pinned.bytes().capacity());
    assertEquals(ByteOrder.nativeOrder(), pinned.bytes().order());
    pinned.bytes().putInt(0, 1).putInt(4, 2).putInt(8, 3).putInt(12, 4);
    long memory = driver.allocate(24);
    assertNotEquals(0, memory);
    driver.copyToDevice(memory + 4, pinned, 8, 8, stream); // 0 3 4 0 0 0
    driver.zero(memory + 8, 4, stream); // 0 3 0 0 0 0
    driver.copyToHost(pinned, memory + 4, 12, stream);
    assertArrayEquals(
        new int[] {3, 0, 0, 4},
        new int[] {
          pinned.bytes().getInt(0),
          pinned.bytes().getInt(4),
          pinned.bytes().getInt(8),
          pinned.bytes().getInt(12)
        });
    expect(
        "cuMemAllocHost 16",
        "cuMemAlloc 24",
        "cuMemcpyHtoDAsync 0x%x 0x%x 8 0x%x".formatted(memory + 4, pinned.address() + 8, stream),
        "cuMemsetD8Async 0x%x 0 4 0x%x".formatted(memory + 8, stream),
        "cuMemcpyDtoHAsync 0x%x 0x%x 12 0x%x".formatted(pinned.address(), memory + 4, stream));
    assertThrows(
        IndexOutOfBoundsException.class, () -> driver.copyToDevice(memory, pinned, 12, 8, stream));
    assertThrows(
        IndexOutOfBoundsException.class, () -> driver.copyToHost(pinned, memory, 17, stream));
    driver.free(memory);
    driver.freePinned(pinned);
    expect("cuMemFree 0x%x".formatted(memory), "cuMemFreeHost 0x%x".formatted(pinned.address()));
  }

  private void orders() {
    long other = driver.createStream();
    long event = driver.createEvent();
    driver.record(event, stream);
    driver.await(other, event);
    driver.synchronizeEvent(event);
    assertTrue(driver.isDone(event));
    fake.control("cuEventQuery 600"); // CUDA_ERROR_NOT_READY
    assertFalse(driver.isDone(event));
    fake.control("");
    driver.synchronizeStream(other);
    driver.destroyEvent(event);
    driver.destroyStream(other);
    expect(
        "cuStreamCreate 1",
        "cuEventCreate 2", // CU_EVENT_DISABLE_TIMING
        "cuEventRecord 0x%x 0x%x".formatted(event, stream),
        "cuStreamWaitEvent 0x%x 0x%x 0".formatted(other, event),
        "cuEventSynchronize 0x%x".formatted(event),
        "cuEventQuery 0x%x".formatted(event),
        "cuEventQuery 0x%x".formatted(event),
        "cuStreamSynchronize 0x%x".formatted(other),
        "cuEventDestroy 0x%x".formatted(event),
        "cuStreamDestroy 0x%x".formatted(other));
    assertThrows(IllegalStateException.class, () -> driver.destroyStream(other));
    assertThrows(IllegalStateException.class, () -> driver.record(event, stream));
    expect();
  }

  private void launches() {
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
    var compiled = new ModuleImage("some.ptx", new byte[] {'c', 'u', 'b', 'i', 'n'}, () -> "text");
    for (int code : new int[] {200, 209, 300}) {
      fake.control("cuModuleLoadDataEx " + code);
      var e = assertThrows(CudaException.class, () -> driver.loadModule(compiled));
      assertEquals(code, e.code());
      assertTrue(Obstacle.isOfMachineCode(code));
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

  private void launchesTogether() {
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

  private void records() {
    long memory = driver.allocate(8);
    fake.calls();
    driver.beginCapture(stream);
    driver.zero(memory, 8, stream);
    driver.zero(memory, 4, stream);
    long graph = driver.endCapture(stream);
    List<String> calls = fake.calls();
    assertEquals("cuStreamBeginCapture 0x%x 1".formatted(stream), calls.get(0)); // 1: THREAD_LOCAL
    assertEquals("cuStreamEndCapture 0x%x".formatted(stream), calls.get(3));
    String recorded = calls.get(4).split(" ")[1];
    assertEquals("cuGraphGetNodes " + recorded + " 0x0", calls.get(4));
    assertEquals("cuGraphInstantiate " + recorded + " 0", calls.get(5));
    assertEquals("cuGraphDestroy " + recorded, calls.get(6));
    assertEquals(7, calls.size());
    assertEquals(2, driver.nodes(graph));
    driver.launchGraph(graph, stream);
    driver.destroyGraph(graph);
    expect(
        "cuGraphLaunch 0x%x 0x%x".formatted(graph, stream),
        "cuGraphExecDestroy 0x%x".formatted(graph));
    assertThrows(IllegalStateException.class, () -> driver.nodes(graph));

    driver.beginCapture(stream);
    fake.control("cuGraphInstantiate 2");
    fake.calls();
    assertThrows(CudaException.class, () -> driver.endCapture(stream));
    assertTrue(fake.calls().get(3).startsWith("cuGraphDestroy"));
    fake.control("");
    driver.free(memory);
    fake.calls();
  }

  private void multiplies() throws IOException {
    List<Path> system = CudaLibrary.folders(Map.of(), Path.of("/"));
    if (!CudaLibrary.cublas(system).file().isPresent()) {
      Path library = fake.folder().resolve("libcublas.so.12");
      Path hidden = fake.folder().resolve("hidden");
      Path newer = fake.folder().resolve("libcublas.so.13");
      Files.move(library, hidden);
      Files.createFile(newer);
      var e = assertThrows(DeviceException.class, () -> driver.openBlas(stream, Precision.FP32));
      assertTrue(e.getMessage().contains("wanted libcublas.so.12, found " + newer), e.getMessage());
      Files.move(hidden, library);
    }

    fake.control("cublasSetWorkspace 7");
    assertThrows(CudaException.class, () -> driver.openBlas(stream, Precision.FP32));
    List<String> calls = fake.calls();
    assertEquals("cublasDestroy 0xb1a5", calls.get(calls.size() - 2));
    assertTrue(calls.get(calls.size() - 1).startsWith("cuMemFree "), calls.toString());

    fake.control("");
    Blas blas = driver.openBlas(stream, Precision.FP32);
    assertEquals("cuBLAS 12.6.4", blas.description());
    calls = fake.calls();
    String workspace = calls.get(6).split(" ")[2];
    assertEquals(
        List.of(
            "cublasCreate",
            "cublasSetStream 0xb1a5 0x%x".formatted(stream),
            "cublasSetMathMode 0xb1a5 0",
            "cublasSetPointerMode 0xb1a5 0",
            "cublasGetVersion 0xb1a5",
            "cuMemAlloc 4194304",
            "cublasSetWorkspace 0xb1a5 %s 4194304".formatted(workspace)),
        calls);

    // C (2, 1) = transpose of A (3, 2) times B (3, 1), all with more rows than are used
    Pinned pinned = driver.allocatePinned(64);
    float[] values = {1, 2, 3, 9, 4, 5, 6, 9, /* B */ 1, 10, 100, 9, /* C */ 9, 9, 9, 9};
    for (int i = 0; i < values.length; i++) {
      pinned.bytes().putFloat(4 * i, values[i]);
    }
    long memory = driver.allocate(64);
    driver.copyToDevice(memory, pinned, 0, 64, stream);
    fake.calls();
    blas.multiply(true, false, 2, 1, 3, memory, 4, memory + 32, 5, memory + 48, 6);
    expect(
        "cublasSgemm 0xb1a5 1 0 2 1 3 1 0x%x 4 0x%x 5 0 0x%x 6"
            .formatted(memory, memory + 32, memory + 48));
    driver.copyToHost(pinned, memory + 48, 16, stream);
    assertEquals(321, pinned.bytes().getFloat(0));
    assertEquals(654, pinned.bytes().getFloat(4));
    assertEquals(9, pinned.bytes().getFloat(8));
    fake.calls();

    fake.control("cublasSgemm 13");
    var e =
        assertThrows(
            CudaException.class,
            () -> blas.multiply(false, true, 1, 1, 1, memory, 1, memory, 1, memory, 1));
    assertEquals(
        "cublasSgemm failed: CUBLAS_STATUS_EXECUTION_FAILED (13): fails as asked", e.why());
    fake.control("");
    fake.calls();
    driver.free(memory);
    driver.freePinned(pinned);
    fake.calls();
    blas.close();
    expect("cublasDestroy 0xb1a5", "cuMemFree " + workspace);
    assertThrows(IllegalStateException.class, blas::close);
    assertThrows(
        IllegalStateException.class,
        () -> blas.multiply(false, false, 1, 1, 1, memory, 1, memory, 1, memory, 1));
    expect();
    multipliesLessThanSinglePrecision();
  }

  /** Checks cuBLAS's numbers: TF32 is a mode, 14 and 2 are bfloat16 and half, 0 and 68 single. */
  private void multipliesLessThanSinglePrecision() {
    Blas tf32 = driver.openBlas(stream, Precision.TF32);
    assertTrue(fake.calls().contains("cublasSetMathMode 0xb1a5 3"));
    tf32.multiply(true, false, 0, 0, 0, 64, 4, 128, 5, 192, 6);
    expect("cublasSgemm 0xb1a5 1 0 0 0 0 1 0x40 4 0x80 5 0 0xc0 6");
    tf32.close();
    for (Precision half : List.of(Precision.BF16, Precision.FP16)) {
      fake.calls();
      Blas gemm = driver.openBlas(stream, half);
      assertTrue(fake.calls().contains("cublasSetMathMode 0xb1a5 0"));
      gemm.multiply(true, false, 2, 1, 3, 64, 4, 128, 5, 192, 6);
      expect(
          "cublasGemmEx 0xb1a5 1 0 2 1 3 1 0x40 %1$d 4 0x80 %1$d 5 0 0xc0 0 6 68 -1"
              .formatted(half == Precision.BF16 ? 14 : 2));
      gemm.close();
    }
    fake.calls();
  }

  private void hide(String... names) throws IOException {
    for (String name : names) {
      Files.move(fake.folder().resolve(name), fake.folder().resolve("hidden-" + name));
    }
  }

  private void show(String... names) throws IOException {
    for (String name : names) {
      Files.move(fake.folder().resolve("hidden-" + name), fake.folder().resolve(name));
    }
  }

  private boolean unpacked(String library) throws IOException {
    try (Stream<Path> files = Files.walk(natives)) {
      return files.anyMatch(file -> file.endsWith(Natives.fileName(library)));
    }
  }

  private void activates() throws IOException {
    assertFalse(unpacked("JCudnn"), "unpacked, though nobody asked for it");
    List<Path> system = CudaLibrary.folders(Map.of(), Path.of("/"));
    if (!CudaLibrary.cudnn(system).file().isPresent()) {
      hide("libcudnn.so.9");
      Path older = Files.createFile(fake.folder().resolve("libcudnn.so.8"));
      var e = assertThrows(DeviceException.class, () -> driver.openDnn(stream));
      assertTrue(
          e.why().startsWith("cuDNN 9 was not found: wanted libcudnn.so.9, found " + older + " ("),
          e.why());
      assertTrue(e.remedy().endsWith(", or use the program's own kernels."), e.remedy());
      assertTrue(unpacked("JCudnn"), "it is JCudnn's library that misses cuDNN's");
      show("libcudnn.so.9");
    }
    // Without this part cuDNN would end the process.
    hide("libcudnn_ops.so.9");
    var partless = assertThrows(DeviceException.class, () -> driver.openDnn(stream));
    assertTrue(partless.why().startsWith("cuDNN 9 cannot be loaded: "), partless.why());
    assertTrue(partless.why().contains("libcudnn_ops.so.9"), partless.why());
    show("libcudnn_ops.so.9");
    expect();

    fake.control("cudnnCreate 1001");
    var refused = assertThrows(DeviceException.class, () -> driver.openDnn(stream));
    assertEquals(
        "cuDNN does not start on GPU 1 (Fake 71), driver for CUDA 12.6: cudnnCreate failed:"
            + " FAKE_STATUS (1001): cuDNN 9.10.2",
        refused.why());
    expect("cudnnCreate");

    fake.control("cudnnSetActivationDescriptor 2000");
    var bad = assertThrows(CudaException.class, () -> driver.openDnn(stream));
    assertEquals(
        "cudnnSetActivationDescriptor failed: CUDNN_STATUS_BAD_PARAM (2000): cuDNN 9.10.2",
        bad.why());
    expect(
        "cudnnCreate",
        "cudnnSetStream 0xd22 0x%x".formatted(stream),
        "cudnnCreateActivationDescriptor",
        "cudnnSetActivationDescriptor 0xac0 1 1 0",
        "cudnnDestroyActivationDescriptor 0xac0",
        "cudnnDestroy 0xd22");

    fake.control("");
    Dnn dnn = driver.openDnn(stream);
    assertEquals("cuDNN 9.10.2", dnn.description());
    expect(
        "cudnnCreate",
        "cudnnSetStream 0xd22 0x%x".formatted(stream),
        "cudnnCreateActivationDescriptor",
        "cudnnSetActivationDescriptor 0xac1 1 1 0", // ReLU, NaN propagated
        "cudnnCreateActivationDescriptor",
        "cudnnSetActivationDescriptor 0xac2 0 1 0", // sigmoid
        "cudnnCreateActivationDescriptor",
        "cudnnSetActivationDescriptor 0xac3 2 1 0"); // tanh

    long memory = driver.allocate(128);
    long a = memory;
    long b = memory + 32;
    long c = memory + 64;
    long d = memory + 96;
    Pinned pinned = driver.allocatePinned(128);
    float[] values = {10, -30, 9, 9, 9, 9, 9, 9, /* b */ 1, 2, 3, 40, 5, 6};
    for (int i = 0; i < values.length; i++) {
      pinned.bytes().putFloat(4 * i, values[i]);
    }
    driver.copyToDevice(memory, pinned, 0, 128, stream);
    fake.calls();

    dnn.addTensor(b, a, 3, 2); // 11 -28 13 10 15 -24
    expect(
        "cudnnCreateTensorDescriptor",
        "cudnnSetTensor4dDescriptor 0x7e0 0 0 1 2 1 1",
        "cudnnCreateTensorDescriptor",
        "cudnnSetTensor4dDescriptor 0x7e1 0 0 3 2 1 1",
        "cudnnAddTensor 0xd22 1 0x7e0 0x%x 1 0x7e1 0x%x".formatted(a, b));
    dnn.activationForward(c, b, 3, 2, Activation.RELU); // 11 0 13 10 15 0
    expect("cudnnActivationForward 0xd22 0xac1 1 0x7e1 0x%x 0 0x7e1 0x%x".formatted(b, c));
    dnn.activationBackward(d, c, b, c, 3, 2, Activation.RELU); // 11 0 13 10 15 0
    expect(
        "cudnnActivationBackward 0xd22 0xac1 1 0x7e1 0x%x 0x7e1 0x%x 0x7e1 0x%x 0 0x7e1 0x%x"
            .formatted(c, b, c, d));
    expectFloats(pinned, d, 11, 0, 13, 10, 15, 0);
    dnn.activationBackward(d, a, b, c, 1, 2, Activation.TANH);
    expect( // the tensor of the row is known already
        "cudnnActivationBackward 0xd22 0xac3 1 0x7e0 0x%x 0x7e0 0x%x 0x7e0 0x%x 0 0x7e0 0x%x"
            .formatted(a, b, c, d));
    dnn.logSoftmaxForward(d, c, 3, 2);
    // 2, 0: CUDNN_SOFTMAX_LOG, CUDNN_SOFTMAX_MODE_INSTANCE
    expect("cudnnSoftmaxForward 0xd22 2 0 1 0x7e1 0x%x 0 0x7e1 0x%x".formatted(c, d));
    float small = (float) -Math.log1p(Math.exp(-3)); // a result for 13 and 10
    expectFloats(pinned, d + 8, small, small - 3);

    assertThrows(
        IllegalArgumentException.class, () -> dnn.activationForward(c, b, 3, 2, Activation.NONE));
    fake.control("cudnnSetTensor4dDescriptor 2000");
    assertThrows(CudaException.class, () -> dnn.addTensor(b, a, 4, 2));
    expect(
        "cudnnCreateTensorDescriptor",
        "cudnnSetTensor4dDescriptor 0x7e2 0 0 4 2 1 1",
        "cudnnDestroyTensorDescriptor 0x7e2");
    fake.control("");
    driver.free(memory);
    driver.freePinned(pinned);
    fake.calls();
    dnn.close();
    List<String> closing = fake.calls();
    assertEquals(
        Set.of(
            "cudnnDestroyTensorDescriptor 0x7e0",
            "cudnnDestroyTensorDescriptor 0x7e1",
            "cudnnDestroyActivationDescriptor 0xac1",
            "cudnnDestroyActivationDescriptor 0xac2",
            "cudnnDestroyActivationDescriptor 0xac3",
            "cudnnDestroy 0xd22"),
        Set.copyOf(closing));
    assertEquals(6, closing.size());
    assertEquals("cudnnDestroy 0xd22", closing.get(5));
    assertThrows(IllegalStateException.class, dnn::close);
    assertThrows(IllegalStateException.class, () -> dnn.addTensor(b, a, 3, 2));
    expect();
  }

  private void expectFloats(Pinned pinned, long from, float... values) {
    driver.copyToHost(pinned, from, 4 * values.length, stream);
    for (int i = 0; i < values.length; i++) {
      assertEquals(values[i], pinned.bytes().getFloat(4 * i), 1e-5f);
    }
    fake.calls();
  }

  /** A code of the driver must arrive as an exception that names the call. */
  private void fails() {
    fake.control("cuMemAlloc 2");
    var e = assertThrows(CudaException.class, () -> driver.allocate(1L << 40));
    assertEquals(CudaException.OUT_OF_MEMORY, e.code());
    assertEquals("cuMemAlloc failed: FAKE_ERROR (2): fails as asked", e.why());
    expect("cuMemAlloc 1099511627776");
    fake.control("cuStreamSynchronize 700");
    e = assertThrows(CudaException.class, () -> driver.synchronizeStream(stream));
    assertEquals(700, e.code());
    fake.control("cuStreamEndCapture 901");
    assertThrows(CudaException.class, () -> driver.endCapture(stream));
    fake.control("");
    fake.calls();
  }

  /** Every call that fails must throw: no code may be lost. */
  private void failsWhicheverCallItIs() {
    Pinned pinned = driver.allocatePinned(8);
    long memory = driver.allocate(8);
    long event = driver.createEvent();
    long module = driver.loadModule(ModuleImage.of("some.ptx", "text"));
    long function = driver.function(module, "entry");
    driver.beginCapture(stream);
    long graph = driver.endCapture(stream);
    var none = new Arguments();
    failure("cuMemGetInfo", driver::freeMemory);
    failure("cuMemAllocHost", () -> driver.allocatePinned(8));
    failure("cuMemcpyHtoDAsync", () -> driver.copyToDevice(memory, pinned, 0, 8, stream));
    failure("cuMemcpyDtoHAsync", () -> driver.copyToHost(pinned, memory, 8, stream));
    failure("cuMemsetD8Async", () -> driver.zero(memory, 8, stream));
    failure("cuStreamCreate", driver::createStream);
    failure("cuEventCreate", driver::createEvent);
    failure("cuEventRecord", () -> driver.record(event, stream));
    failure("cuStreamWaitEvent", () -> driver.await(stream, event));
    failure("cuEventSynchronize", () -> driver.synchronizeEvent(event));
    failure("cuEventQuery", () -> driver.isDone(event));
    failure("cuModuleGetFunction", () -> driver.function(module, "entry"));
    failure("cuLaunchKernel", () -> driver.launch(function, Shape.of(1, 1), none, stream));
    failure(
        "cuLaunchCooperativeKernel",
        () -> driver.launchCooperative(function, Shape.of(1, 1), 0, none, stream));
    failure("cuFuncSetAttribute", () -> driver.residentBlocks(function, 1, 1));
    failure(
        "cuOccupancyMaxActiveBlocksPerMultiprocessor", () -> driver.residentBlocks(function, 1, 0));
    failure("cuStreamBeginCapture", () -> driver.beginCapture(stream));
    failure("cuGraphGetNodes", () -> driver.endCapture(stream));
    failure("cuGraphDestroy", () -> driver.endCapture(stream));
    failure("cuGraphLaunch", () -> driver.launchGraph(graph, stream));
    failure("cuGraphExecDestroy", () -> driver.destroyGraph(graph));
    failure("cuModuleUnload", () -> driver.unloadModule(module));
    failure("cuEventDestroy", () -> driver.destroyEvent(event));
    failure("cuMemFree", () -> driver.free(memory));
    failure("cuMemFreeHost", () -> driver.freePinned(pinned));
    long other = driver.createStream();
    failure("cuStreamDestroy", () -> driver.destroyStream(other));
    for (String call :
        List.of(
            "cublasCreate",
            "cublasSetStream",
            "cublasSetMathMode",
            "cublasSetPointerMode",
            "cublasGetVersion")) {
      failure(call, () -> driver.openBlas(stream, Precision.FP32));
    }
    failure("cublasDestroy", driver.openBlas(stream, Precision.FP32)::close);
    for (String call : List.of("cudnnSetStream", "cudnnCreateActivationDescriptor")) {
      failure(call, () -> driver.openDnn(stream));
    }
    Dnn dnn = driver.openDnn(stream);
    for (String call : List.of("cudnnCreateTensorDescriptor", "cudnnSetTensor4dDescriptor")) {
      failure(call, () -> dnn.logSoftmaxForward(0, 0, 1, 1));
    }
    failure("cudnnAddTensor", () -> dnn.addTensor(0, 0, 1, 1));
    failure("cudnnActivationForward", () -> dnn.activationForward(0, 0, 1, 1, Activation.SIGMOID));
    failure(
        "cudnnActivationBackward",
        () -> dnn.activationBackward(0, 0, 0, 0, 1, 1, Activation.SIGMOID));
    failure("cudnnSoftmaxForward", () -> dnn.logSoftmaxForward(0, 0, 1, 1));
    failure("cudnnDestroyTensorDescriptor", dnn::close);
    failure("cudnnDestroyActivationDescriptor", driver.openDnn(stream)::close);
    failure("cudnnDestroy", driver.openDnn(stream)::close);
    for (String call : List.of("cuMemFreeHost", "cuDevicePrimaryCtxRelease")) {
      failure(call, JCudaDriver.open(0, natives)::close);
    }
    fake.calls();
  }

  private void failure(String call, Executable action) {
    fake.control(call + " 1");
    var e = assertThrows(CudaException.class, action, call);
    assertTrue(e.getMessage().startsWith(call + " failed: "), e.getMessage());
    assertEquals(1, e.code());
    fake.control("");
  }

  private void closes() {
    driver.close();
    List<String> calls = fake.calls();
    assertTrue(calls.get(0).startsWith("cuMemFreeHost 0x"));
    assertEquals(List.of("cuDevicePrimaryCtxRelease 71"), calls.subList(1, calls.size()));
    assertThrows(IllegalStateException.class, driver::close);
    assertThrows(IllegalStateException.class, driver::freeMemory);
    assertThrows(IllegalStateException.class, () -> driver.allocate(1));
    assertThrows(IllegalStateException.class, driver::createStream);
    assertThrows(IllegalStateException.class, () -> driver.synchronizeStream(stream));
    assertThrows(IllegalStateException.class, () -> driver.openBlas(stream, Precision.FP32));
    assertThrows(IllegalStateException.class, () -> driver.openDnn(stream));
    expect();

    fake.control("major 9");
    try (JCudaDriver hopper = JCudaDriver.open(0, natives)) {
      long order = hopper.createStream();
      fake.calls();
      hopper.openBlas(order, Precision.FP32).close();
      assertTrue(fake.calls().contains("cuMemAlloc 33554432"));
    }
  }
}
