package mlpcuda.compute.cuda.emulator;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import mlpcuda.compute.cuda.CudaException;
import mlpcuda.compute.cuda.ptx.Fault;

/**
 * The calls of the driver. They are counted, must be made by one thread, and fail where a test asks
 * for it. After a {@link Fault} all calls repeat it, so that no clean-up can hide it.
 */
final class EmulatedCalls {
  private static final Set<String> NAMES =
      Set.of(
          "cuMemGetInfo",
          "cuMemAlloc",
          "cuMemFree",
          "cuMemAllocHost",
          "cuMemFreeHost",
          "cuMemcpyHtoDAsync",
          "cuMemcpyDtoHAsync",
          "cuMemsetD8Async",
          "cuStreamCreate",
          "cuStreamDestroy",
          "cuStreamSynchronize",
          "cuEventCreate",
          "cuEventDestroy",
          "cuEventRecord",
          "cuStreamWaitEvent",
          "cuEventSynchronize",
          "cuModuleLoadDataEx",
          "cuModuleUnload",
          "cuModuleGetFunction",
          "cuLaunchKernel",
          "cuLaunchCooperativeKernel",
          "cuFuncSetAttribute",
          "cuOccupancyMaxActiveBlocksPerMultiprocessor",
          "cuStreamBeginCapture",
          "cuStreamEndCapture",
          "cuGraphInstantiate",
          "cuGraphGetNodes",
          "cuGraphLaunch",
          "cuGraphExecDestroy",
          "cuDevicePrimaryCtxRelease",
          "cublasCreate",
          "cublasGemmEx",
          "cublasSgemm",
          "cublasDestroy",
          "cudnnCreate",
          "cudnnAddTensor",
          "cudnnActivationForward",
          "cudnnActivationBackward",
          "cudnnSoftmaxForward",
          "cudnnDestroy");

  private final Thread owner = Thread.currentThread();
  private final Map<String, Integer> counts = new TreeMap<>();
  private final Map<String, Queue<EmulatedFailure>> injected = new HashMap<>();
  private String current;
  private EmulatedFailure broken;
  private volatile Fault fault;
  private boolean closed;

  /** Makes the next call of that name fail. */
  void failNext(String call, EmulatedFailure failure) {
    if (!NAMES.contains(call)) {
      throw new IllegalArgumentException("no call is named " + call);
    }
    injected.computeIfAbsent(call, name -> new ArrayDeque<>()).add(failure);
  }

  /** The number of calls of each function, the failing ones included. */
  Map<String, Integer> counts() {
    return Map.copyOf(counts);
  }

  /** Refuses all calls from now on. */
  void close() {
    closed = true;
  }

  /** Makes the current call fail, and returns the exception to throw. */
  CudaException failure(EmulatedFailure failure) {
    if (failure.lasting()) {
      broken = failure;
    }
    return failure.at(current);
  }

  /** Makes a call without a result. */
  void run(String name, Runnable body) {
    call(
        name,
        () -> {
          body.run();
          return null;
        });
  }

  /** Makes a call that {@code body} carries out. */
  <T> T call(String name, Supplier<T> body) {
    if (!NAMES.contains(name)) {
      throw new IllegalArgumentException("no call is named " + name);
    }
    if (fault != null) {
      throw caused(fault.getMessage(), fault);
    }
    try {
      check();
      current = name;
      counts.merge(name, 1, Integer::sum);
      if (broken != null) {
        throw broken.at(name);
      }
      Queue<EmulatedFailure> failures = injected.get(name);
      if (failures != null && !failures.isEmpty()) {
        throw failure(failures.remove());
      }
      return body.get();
    } catch (Fault thrown) {
      fault = caused(name + ": " + thrown.getMessage(), thrown);
      throw fault;
    }
  }

  private void check() {
    Thread thread = Thread.currentThread();
    if (thread != owner) {
      throw new Fault(
          "called by thread %s; the driver was opened by thread %s"
              .formatted(thread.getName(), owner.getName()));
    }
    if (closed) {
      throw new Fault("called after close");
    }
  }

  private static Fault caused(String message, Fault cause) {
    Fault made = new Fault(message);
    made.initCause(cause);
    return made;
  }
}
