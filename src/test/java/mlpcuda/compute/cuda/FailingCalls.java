package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import org.junit.jupiter.api.function.Executable;

/** Lets each call of the driver and of the libraries fail, and looks for the exception. */
final class FailingCalls {
  private final FakeCuda fake;
  private final JCudaDriver driver;
  private final long stream;
  private final Path natives;

  FailingCalls(OpenDriver open) {
    fake = open.fake();
    driver = open.driver();
    stream = open.stream();
    natives = open.natives();
  }

  private void expect(String... calls) {
    assertEquals(List.of(calls), fake.calls());
  }

  /** A code of the driver must arrive as an exception that names the call. */
  void fails() {
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
  void failsWhicheverCallItIs() {
    Pinned pinned = driver.allocatePinned(8);
    long memory = driver.allocate(8);
    long event = driver.createEvent();
    long module = driver.loadModule(ModuleImage.of("some.ptx", "text"));
    long function = driver.function(module, "entry");
    driver.beginCapture(stream);
    long graph = driver.endCapture(stream);
    var none = new Arguments();
    var one = new DeviceMatrix(0, 1, 1);
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
    failsInCublas();
    for (String call : List.of("cudnnSetStream", "cudnnCreateActivationDescriptor")) {
      failure(call, () -> driver.openDnn(stream));
    }
    Dnn dnn = driver.openDnn(stream);
    for (String call : List.of("cudnnCreateTensorDescriptor", "cudnnSetTensor4dDescriptor")) {
      failure(call, () -> dnn.logSoftmaxForward(one, one));
    }
    failure("cudnnAddTensor", () -> dnn.addTensor(one, 0));
    failure("cudnnActivationForward", () -> dnn.activationForward(one, one, Activation.SIGMOID));
    failure(
        "cudnnActivationBackward",
        () -> dnn.activationBackward(one, one, one, one, Activation.SIGMOID));
    failure("cudnnSoftmaxForward", () -> dnn.logSoftmaxForward(one, one));
    failure("cudnnDestroyTensorDescriptor", dnn::close);
    failure("cudnnDestroyActivationDescriptor", driver.openDnn(stream)::close);
    failure("cudnnDestroy", driver.openDnn(stream)::close);
    for (String call : List.of("cuMemFreeHost", "cuDevicePrimaryCtxRelease")) {
      failure(call, JCudaDriver.open(0, natives)::close);
    }
    fake.calls();
  }

  /** Every call of cuBLAS that fails must throw. */
  void failsInCublas() {
    for (String call :
        List.of(
            "cublasCreate",
            "cublasSetStream",
            "cublasSetMathMode",
            "cublasSetPointerMode",
            "cublasGetVersion",
            "cublasSetWorkspace")) {
      failure(call, () -> driver.openBlas(stream, Precision.FP32));
    }
    failure("cublasDestroy", driver.openBlas(stream, Precision.FP32)::close);
  }

  private void failure(String call, Executable action) {
    fake.control(call + " 1");
    var e = assertThrows(CudaException.class, action, call);
    assertTrue(e.getMessage().startsWith(call + " failed: "), e.getMessage());
    assertEquals(1, e.code());
    fake.control("");
  }
}
