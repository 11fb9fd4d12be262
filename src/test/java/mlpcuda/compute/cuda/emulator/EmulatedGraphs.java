package mlpcuda.compute.cuda.emulator;

import mlpcuda.compute.cuda.CudaException;
import mlpcuda.compute.cuda.ptx.Fault;

/** The calls of the driver that record and launch graphs. */
final class EmulatedGraphs {
  private final EmulatedCalls calls;
  private final EmulatedQueue queue;
  private final EmulatedHandles handles;
  private int made;

  EmulatedGraphs(EmulatedCalls calls, EmulatedQueue queue, EmulatedHandles handles) {
    this.calls = calls;
    this.queue = queue;
    this.handles = handles;
  }

  private EmulatedStream stream(long handle) {
    return handles.find(handle, EmulatedStream.class);
  }

  private EmulatedGraph graph(long handle) {
    return handles.find(handle, EmulatedGraph.class);
  }

  void beginCapture(long stream) {
    calls.run(
        "cuStreamBeginCapture",
        () -> stream(stream).notCapturing().capture(new EmulatedStream.Capture()));
  }

  long endCapture(long stream) {
    EmulatedStream.Capture captured;
    try {
      captured = calls.call("cuStreamEndCapture", () -> ended(stream(stream)));
    } catch (CudaException failed) {
      // The capture ends even if a test makes the call fail, as on a real device.
      stream(stream).capture(null);
      throw failed;
    }
    return calls.call(
        "cuGraphInstantiate", () -> handles.add(new EmulatedGraph(++made, captured.nodes)));
  }

  private EmulatedStream.Capture ended(EmulatedStream stream) {
    EmulatedStream.Capture capture = stream.capture();
    if (capture == null) {
      throw new Fault("%s does not capture".formatted(stream));
    }
    if (!capture.valid) {
      throw calls.failure(EmulatedFailure.CAPTURE_INVALIDATED);
    }
    stream.capture(null);
    return capture;
  }

  int nodes(long graph) {
    return calls.call("cuGraphGetNodes", () -> graph(graph).nodes());
  }

  void launch(long graph, long stream) {
    calls.run("cuGraphLaunch", () -> graph(graph).launch(stream(stream).notCapturing(), queue));
  }

  void destroy(long graph) {
    calls.run("cuGraphExecDestroy", () -> handles.release(graph(graph)));
  }
}
