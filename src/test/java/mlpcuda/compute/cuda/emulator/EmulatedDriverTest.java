package mlpcuda.compute.cuda.emulator;

import static mlpcuda.compute.cuda.emulator.EmulatedScenario.faults;
import static mlpcuda.compute.cuda.emulator.EmulatedScenario.passes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaException;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.ModuleImage;
import mlpcuda.compute.cuda.ptx.Fault;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Tests handles, leaks and failures: all that does not depend on the order of operations. */
class EmulatedDriverTest {
  private static void assertFails(String message, Executable call) {
    assertEquals(message, assertThrows(CudaException.class, call).why());
  }

  @Test
  void reportsADevice() {
    EmulatedOptions options =
        EmulatedOptions.of(EmulatedPolicy.EAGER).withMemory(5000).withMultiprocessors(7);
    try (EmulatedDriver cuda = new EmulatedDriver(options)) {
      assertEquals("Emulated GPU", cuda.device().name());
      assertEquals(5000, cuda.device().memory());
      assertEquals(
          new GpuProperties.Multiprocessors(7, 227 << 10, true), cuda.device().multiprocessors());
      assertEquals(12060, cuda.device().driver().number());
      assertEquals(new GpuProperties.Capability(9, 0), cuda.device().capability());
    }
  }

  @Test
  void memoryEnds() {
    EmulatedOptions options = EmulatedOptions.of(EmulatedPolicy.LATEST).withMemory(1000);
    try (EmulatedDriver cuda = new EmulatedDriver(options)) {
      long all = cuda.allocate(1000);
      assertEquals(0, cuda.freeMemory());
      String message = "cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory";
      assertFails(message, () -> cuda.allocate(1));
      cuda.free(all);
      assertEquals(1000, cuda.freeMemory());
      assertFails(message, () -> cuda.allocate(1001));
      assertFails(
          "cuMemAlloc failed: CUDA_ERROR_INVALID_VALUE (1): invalid argument",
          () -> cuda.allocate(0));
    }
  }

  @Test
  void allIsGivenBackOnce() {
    passes(
        cuda -> {
          cuda.free(cuda.allocate(8));
          cuda.freePinned(cuda.allocatePinned(8));
          cuda.destroyStream(cuda.createStream());
          cuda.destroyEvent(cuda.createEvent());
        });
    faults(
        cuda -> {
          long memory = cuda.allocate(8);
          cuda.free(memory);
          cuda.free(memory);
        },
        "cuMemFree",
        "no allocation starts at");
    faults(
        cuda -> {
          Pinned pinned = cuda.allocatePinned(8);
          cuda.freePinned(pinned);
          cuda.freePinned(pinned);
        },
        "cuMemFreeHost",
        "given back");
    faults(
        cuda -> {
          long stream = cuda.createStream();
          cuda.destroyStream(stream);
          cuda.destroyStream(stream);
        },
        "cuStreamDestroy",
        "given back");
    faults(
        cuda -> {
          long event = cuda.createEvent();
          cuda.destroyEvent(event);
          cuda.destroyEvent(event);
        },
        "cuEventDestroy",
        "given back");
    faults(
        cuda -> {
          cuda.close();
          cuda.close();
        },
        "after close");
  }

  /** The header of a cubin for sm_{@code architecture}, then a name of a section. */
  private static byte[] cubin(int architecture, String section) {
    byte[] name = ("\0" + section + "\0").getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(64 + name.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0, 0x464c457f)
        .putShort(18, (short) 190)
        .putInt(48, 0x55_0500 | architecture)
        .put(64, name)
        .array();
  }

  private static void loadAndUnload(CudaDriver cuda, Optional<byte[]> cubin) {
    cuda.unloadModule(
        cuda.loadModule(new ModuleImage("filling", cubin, () -> EmulatedKernels.FILL)));
  }

  @Test
  void machineCodeIsTheModulesAndTheDevices() {
    passes(
        cuda -> {
          loadAndUnload(cuda, Optional.of(cubin(90, ".text.fill")));
          loadAndUnload(cuda, Optional.empty());
          assertEquals(List.of("filling", "filling as PTX"), cuda.modules());
        });
    for (int other : new int[] {80, 91, 100}) {
      faults(
          cuda -> loadAndUnload(cuda, Optional.of(cubin(other, ".text.fill"))),
          "module filling: a cubin for sm_" + other,
          "compute capability 9.0");
    }
    faults(
        cuda -> loadAndUnload(cuda, Optional.of(cubin(90, ".text.filler"))),
        "lacks the entry fill");
    faults(cuda -> loadAndUnload(cuda, Optional.of(new byte[64])), "this is no cubin");
  }

  @Test
  void machineCodeIsRefusedWhereATestAsksForIt() {
    passes(
        cuda -> {
          cuda.refuseCubins(209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no image");
          byte[] cubin = cubin(90, ".text.fill");
          var e = assertThrows(CudaException.class, () -> loadAndUnload(cuda, Optional.of(cubin)));
          assertEquals(209, e.code());
          loadAndUnload(cuda, Optional.empty());
        });
  }

  @Test
  void handlesAreOfTheirKind() {
    faults(cuda -> cuda.synchronizeStream(1), "no handle");
    faults(cuda -> cuda.synchronizeStream(cuda.createEvent()), "event 1 is no Stream");
    faults(cuda -> cuda.free(cuda.allocate(8) + 4), "no allocation starts at");
    faults(cuda -> cuda.unloadModule(cuda.createStream()), "stream 1 is no Module");
    faults(cuda -> cuda.launchGraph(0, cuda.createStream()), "no handle");
    faults(cuda -> cuda.function(0, "f"), "no handle");
  }

  @Test
  void whatIsNotGivenBackIsNamed() {
    faults(
        cuda -> {
          long stream = cuda.createStream();
          cuda.createEvent();
          cuda.allocate(24);
          cuda.allocatePinned(48);
          cuda.openBlas(stream, Precision.FP32);
          cuda.beginCapture(stream);
          cuda.endCapture(stream);
        },
        "not given back: allocation 0x",
        "(24 bytes), pinned buffer 0x",
        "(48 bytes), stream 1, event 1, cuBLAS of stream 1, graph 1 (0 nodes)");
  }

  @Test
  void oneThreadCalls() {
    EmulatedDriver cuda = new EmulatedDriver(EmulatedPolicy.EAGER);
    CompletionException thrown =
        assertThrows(
            CompletionException.class, CompletableFuture.runAsync(cuda::createStream)::join);
    assertTrue(thrown.getCause() instanceof Fault, thrown::toString);
    assertTrue(thrown.getCause().getMessage().contains("called by thread"));
    // The other thread may have kept it to itself.
    assertThrows(Fault.class, cuda::close);
  }

  @Test
  void aFaultIsRepeatedByWhatComesAfter() {
    EmulatedDriver cuda = new EmulatedDriver(EmulatedPolicy.EAGER);
    String first = assertThrows(Fault.class, () -> cuda.free(1)).getMessage();
    assertEquals(first, assertThrows(Fault.class, () -> cuda.allocate(1)).getMessage());
    assertEquals(first, assertThrows(Fault.class, cuda::close).getMessage());
  }

  @Test
  void callsAreCounted() {
    passes(
        cuda -> {
          cuda.destroyStream(cuda.createStream());
          cuda.destroyStream(cuda.createStream());
          assertEquals(Map.of("cuStreamCreate", 2, "cuStreamDestroy", 2), cuda.calls());
        });
  }

  @Test
  void aCallFailsOnceWhereATestAsksForIt() {
    passes(
        cuda -> {
          cuda.failNext("cuMemAllocHost", 2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory");
          assertFails(
              "cuMemAllocHost failed: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory",
              () -> cuda.allocatePinned(8));
          cuda.freePinned(cuda.allocatePinned(8));
        });
    passes(
        cuda ->
            assertThrows(
                IllegalArgumentException.class, () -> cuda.failNext("cuMemAloc", 2, "", "")));
  }

  @Test
  void aLostContextFailsEveryCall() {
    EmulatedDriver cuda = new EmulatedDriver(EmulatedPolicy.LATEST);
    long stream = cuda.createStream();
    long memory = cuda.allocate(8);
    cuda.zero(memory, 8, stream);
    cuda.failNext("cuStreamSynchronize", 700, "CUDA_ERROR_ILLEGAL_ADDRESS", "illegal");
    String end = " failed: CUDA_ERROR_ILLEGAL_ADDRESS (700): illegal";
    assertFails("cuStreamSynchronize" + end, () -> cuda.synchronizeStream(stream));
    assertFails("cuMemFree" + end, () -> cuda.free(memory));
    assertFails("cuStreamDestroy" + end, () -> cuda.destroyStream(stream));
    assertFails("cuDevicePrimaryCtxRelease" + end, cuda::close);
  }
}
