package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.error.DeviceException;

/**
 * Calls every method of {@link JCudaDriver}, {@link Cublas} and {@link Cudnn} on {@link FakeCuda}:
 * what arrives at the driver is compared argument by argument. {@link JCudaLaunchCalls}, {@link
 * CublasCalls}, {@link CudnnCalls} and {@link FailingCalls} have a part of it each. {@link
 * JCudaDriverTest} starts this class in a process of its own.
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
    calls.records();
    var open = new OpenDriver(calls.fake, calls.natives, calls.driver, calls.stream);
    var launches = new JCudaLaunchCalls(open);
    launches.launches();
    launches.launchesTogether();
    CublasCalls.twelve(open).multiplies();
    new CudnnCalls(open).activates();
    var failing = new FailingCalls(open);
    failing.fails();
    failing.failsWhicheverCallItIs();
    calls.multipliesByCublas13();
    calls.closes();
    System.out.println("all calls are right");
  }

  /** The device of that index of the fake driver. */
  private static GpuProperties fakeGpu(int index) {
    return new GpuProperties(
        index,
        "Fake 7" + index,
        new GpuProperties.Capability(8, 6),
        5_000_000_000L,
        new GpuProperties.Multiprocessors(82, 101_376, true),
        new GpuProperties.CudaVersion(12060));
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
    assertEquals(List.of(fakeGpu(0), fakeGpu(1)), devices.list());
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
    assertEquals(fakeGpu(1), driver.device());
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
        "cuDeviceGetAttribute 97 71",
        "cuDeviceGetAttribute 95 71",
        "cuDriverGetVersion",
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

  /** A driver for CUDA 13 gets cuBLAS 13, even where this process has cuBLAS 12 loaded. */
  private void multipliesByCublas13() {
    fake.control("version 13000");
    try (JCudaDriver newer = JCudaDriver.open(1, natives)) {
      fake.control("");
      var open = new OpenDriver(fake, natives, newer, newer.createStream());
      fake.calls();
      CublasCalls.thirteen(open).multiplies();
      new FailingCalls(open).failsInCublas();
      newer.destroyStream(open.stream());
    }
    fake.calls();
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
