package mlpcuda.compute.cuda.emulator;

import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.CudaException;

/** The calls of the driver that launch kernels, and that tell how many blocks are resident. */
final class EmulatedLaunches {
  private static final long SEEDS_OF_A_POLICY = 1_000_003;

  private final EmulatedOptions options;
  private final EmulatedCalls calls;
  private final EmulatedQueue queue;
  private final EmulatedMemory memory;
  private final EmulatedHandles handles;
  private final EmulatedOccupancy occupancy;
  private long cooperative;

  EmulatedLaunches(
      EmulatedOptions options,
      EmulatedCalls calls,
      EmulatedQueue queue,
      EmulatedMemory memory,
      EmulatedHandles handles) {
    this.options = options;
    this.calls = calls;
    this.queue = queue;
    this.memory = memory;
    this.handles = handles;
    this.occupancy = EmulatedOccupancy.of(options.major());
  }

  private EmulatedStream stream(long handle) {
    return handles.find(handle, EmulatedStream.class);
  }

  private EmulatedLaunch.Function function(long handle) {
    return handles.find(handle, EmulatedLaunch.Function.class);
  }

  void launch(long function, Shape shape, Arguments arguments, long stream) {
    calls.run(
        "cuLaunchKernel",
        () -> {
          EmulatedLaunch.Function found = function(function);
          queue.ask(stream(stream), EmulatedLaunch.of(memory, found, shape, arguments, null));
        });
  }

  int residentBlocks(long function, int threads, int sharedBytes) {
    allow(function, sharedBytes);
    return calls.call(
        "cuOccupancyMaxActiveBlocksPerMultiprocessor",
        () -> {
          int each = occupancy.blocks(function(function).resources(), threads, sharedBytes);
          return options.multiprocessors() * each;
        });
  }

  void launchCooperative(
      long function, Shape shape, int sharedBytes, Arguments arguments, long stream) {
    allow(function, sharedBytes);
    calls.run(
        "cuLaunchCooperativeKernel",
        () -> {
          EmulatedLaunch.Function found = function(function);
          var together = new EmulatedLaunch.Together(sharedBytes, this::nextSeed);
          var launch = EmulatedLaunch.of(memory, found, shape, arguments, together);
          int each = occupancy.blocks(found.resources(), shape.threads(), sharedBytes);
          long blocks = (long) shape.gridX() * shape.gridY() * shape.gridZ();
          if (blocks > (long) each * options.multiprocessors()) {
            throw CudaException.tooLargeCooperatively(shape, sharedBytes, each);
          }
          // A stream that captures records it in its graph, as CUDA does.
          queue.ask(stream(stream), launch);
        });
  }

  /** Allows a function that much dynamic shared memory, if it was not allowed before. */
  private void allow(long function, int sharedBytes) {
    if (sharedBytes <= 0) {
      return;
    }
    calls.run(
        "cuFuncSetAttribute",
        () -> {
          if (function(function).resources().staticShared() + sharedBytes
              > occupancy.blockShared()) {
            throw calls.failure(EmulatedFailure.INVALID_VALUE);
          }
        });
  }

  private long nextSeed() {
    return options.policy().seed() * SEEDS_OF_A_POLICY + ++cooperative;
  }
}
