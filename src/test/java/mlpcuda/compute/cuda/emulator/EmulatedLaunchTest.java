package mlpcuda.compute.cuda.emulator;

import static mlpcuda.compute.cuda.emulator.EmulatedScenario.faults;
import static mlpcuda.compute.cuda.emulator.EmulatedScenario.passes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.CudaException;
import mlpcuda.compute.cuda.ModuleImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Tests modules and launches of kernels. */
class EmulatedLaunchTest {
  private static final int FLOATS = 8;
  private static final Shape SHAPE = new Shape(1, 1, 1, FLOATS, 1);

  /** A module that fills memory with a float, a stream and an allocation. */
  private static final class Things {
    final EmulatedDriver cuda;
    final long module;
    final long fill;
    final long stream;
    final long memory;
    final Pinned pinned;

    Things(EmulatedDriver cuda) {
      this.cuda = cuda;
      module = cuda.loadModule(ModuleImage.of("filling", EmulatedKernels.FILL));
      fill = cuda.function(module, "fill");
      stream = cuda.createStream();
      memory = cuda.allocate(4 * FLOATS);
      pinned = cuda.allocatePinned(4 * FLOATS);
    }

    void fill(float value) {
      cuda.launch(fill, SHAPE, new Arguments().address(memory).add(value), stream);
    }

    float last() {
      cuda.copyToHost(pinned, memory, 4 * FLOATS, stream);
      cuda.synchronizeStream(stream);
      return pinned.bytes().getFloat(4 * (FLOATS - 1));
    }

    void giveBack() {
      cuda.unloadModule(module);
      cuda.destroyStream(stream);
      cuda.free(memory);
      cuda.freePinned(pinned);
    }
  }

  private static Consumer<EmulatedDriver> with(Consumer<Things> scenario) {
    return driver -> {
      Things things = new Things(driver);
      scenario.accept(things);
      driver.synchronizeStream(things.stream);
      things.giveBack();
    };
  }

  private static Consumer<EmulatedDriver> launch(Shape shape, Arguments arguments) {
    return with(t -> t.cuda.launch(t.fill, shape, arguments, t.stream));
  }

  @Test
  void runsWithTheArgumentsOfTheCall() {
    passes(
        with(
            t -> {
              Arguments arguments = new Arguments().address(t.memory).add(1.5f);
              t.cuda.launch(t.fill, SHAPE, arguments, t.stream);
              arguments.add(7);
              assertEquals(1.5f, t.last());
            }));
  }

  @Test
  void countsWhatRan() {
    int before = EmulatedDriver.launches().getOrDefault("filling/fill", 0);
    try (EmulatedDriver cuda = new EmulatedDriver(EmulatedPolicy.LATEST)) {
      with(t -> t.fill(1)).accept(cuda);
      with(t -> {
            t.cuda.beginCapture(t.stream);
            t.fill(2);
            long graph = t.cuda.endCapture(t.stream);
            t.cuda.launchGraph(graph, t.stream);
            t.cuda.launchGraph(graph, t.stream);
            assertEquals(2, t.last());
            t.cuda.destroyGraph(graph);
          })
          .accept(cuda);
      assertEquals(2, cuda.calls().get("cuLaunchKernel"));
    }
    assertEquals(before + 3, EmulatedDriver.launches().get("filling/fill"));
  }

  @Test
  void policiesSayWhenSomethingRuns() {
    assertEquals(0, ranBeforeWaiting(EmulatedPolicy.LATEST));
    assertEquals(1, ranBeforeWaiting(EmulatedPolicy.EAGER));
    assertEquals(
        Set.of(0, 1),
        LongStream.range(0, 20)
            .mapToObj(seed -> ranBeforeWaiting(EmulatedPolicy.random(seed)))
            .collect(Collectors.toSet()));
  }

  private static int ranBeforeWaiting(EmulatedPolicy policy) {
    int[] ran = new int[1];
    try (EmulatedDriver cuda = new EmulatedDriver(policy)) {
      with(t -> {
            int before = EmulatedDriver.launches().getOrDefault("filling/fill", 0);
            t.fill(1);
            long other = cuda.createStream();
            cuda.synchronizeStream(other);
            cuda.destroyStream(other);
            ran[0] = EmulatedDriver.launches().getOrDefault("filling/fill", 0) - before;
          })
          .accept(cuda);
    }
    return ran[0];
  }

  @Test
  void checksTypesOfArguments() {
    String message = "function fill of module filling has parameters pf, but was given ";
    faults(launch(SHAPE, new Arguments().address(0).add(1)), message + "pi");
    faults(launch(SHAPE, new Arguments().address(0)), message + "p");
    faults(launch(SHAPE, new Arguments().address(0).add(1f).add(1)), message + "pfi");
  }

  @Test
  void checksShapes() {
    Arguments arguments = new Arguments().address(0).add(1f);
    for (Shape block : new Shape[] {shape(1, 1, 1, 1025, 1), shape(1, 1, 1, 32, 33)}) {
      faults(launch(block, arguments), "blocks of 1 to 1024 threads only");
    }
    faults(launch(shape(1, 1, 1, 0, 1), arguments), "blocks of 1 to 1024 threads only");
    for (Shape grid :
        new Shape[] {
          shape(0, 1, 1, 32, 1),
          shape(1, 0, 1, 32, 1),
          shape(1, 1, -1, 32, 1),
          shape(1, 65536, 1, 32, 1),
          shape(1, 1, 65536, 32, 1)
        }) {
      faults(launch(grid, arguments), "a grid of at least 1");
    }
  }

  private static Shape shape(int gridX, int gridY, int gridZ, int blockX, int blockY) {
    return new Shape(gridX, gridY, gridZ, blockX, blockY);
  }

  @Test
  void kernelsStayInTheirMemory() {
    faults(
        with(
            t -> {
              Arguments arguments = new Arguments().address(t.memory).add(1f);
              t.cuda.launch(t.fill, shape(1, 1, 1, FLOATS + 1, 1), arguments, t.stream);
            }),
        "launch of fill on stream 1");
  }

  @Test
  void kernelsRace() {
    faults(
        with(
            t -> {
              t.fill(1);
              long other = t.cuda.createStream();
              t.cuda.zero(t.memory, 4, other);
              t.cuda.synchronizeStream(t.stream);
              t.cuda.synchronizeStream(other);
            }),
        "race on allocation",
        "launch of fill on stream 1",
        "zero fill of 4 bytes",
        "on stream 2");
  }

  @Test
  void whatALaunchNeedsStays() {
    String why = "launch of fill on stream 1 needs it and the host has not waited for that";
    faults(
        with(
            t -> {
              t.fill(1);
              t.cuda.unloadModule(t.module);
            }),
        "module filling is given back",
        why);
    faults(
        with(
            t -> {
              t.fill(1);
              t.cuda.free(t.memory);
            }),
        "allocation",
        why);
    faults(
        with(
            t -> {
              t.cuda.unloadModule(t.module);
              t.fill(1);
            }),
        "cuLaunchKernel",
        "no handle");
    faults(
        with(
            t -> {
              t.cuda.beginCapture(t.stream);
              t.fill(1);
              long graph = t.cuda.endCapture(t.stream);
              t.cuda.unloadModule(t.module);
              t.cuda.launchGraph(graph, t.stream);
            }),
        "uses module filling, which was given back");
  }

  @Test
  void unknownEntriesAreNotFound() {
    passes(
        with(
            t ->
                assertEquals(
                    "cuModuleGetFunction failed: CUDA_ERROR_NOT_FOUND (500): named symbol not"
                        + " found",
                    assertThrows(CudaException.class, () -> t.cuda.function(t.module, "none"))
                        .why())));
  }

  @Test
  void modulesLeakToo() {
    faults(
        cuda -> cuda.loadModule(ModuleImage.of("filling", EmulatedKernels.FILL)),
        "not given back: module filling");
  }

  @Test
  void aFailureOfALaunchShowsAtTheNextSynchronization() {
    for (EmulatedPolicy policy : EmulatedScenario.policies()) {
      EmulatedDriver cuda = new EmulatedDriver(policy);
      Things t = new Things(cuda);
      cuda.failNextLaunchLater(700, "CUDA_ERROR_ILLEGAL_ADDRESS", "illegal access");
      t.fill(1);
      t.fill(2);
      String end = " failed: CUDA_ERROR_ILLEGAL_ADDRESS (700): illegal access";
      assertFails("cuStreamSynchronize" + end, () -> cuda.synchronizeStream(t.stream));
      assertFails("cuMemcpyDtoHAsync" + end, t::last);
      assertFails("cuModuleUnload" + end, t::giveBack);
      assertFails("cuDevicePrimaryCtxRelease" + end, cuda::close);
    }
  }

  @Test
  void aFailureThatNobodyWaitedForShowsWhenClosing() {
    for (EmulatedPolicy policy : EmulatedScenario.policies()) {
      EmulatedDriver cuda = new EmulatedDriver(policy);
      Things t = new Things(cuda);
      cuda.failNextLaunchLater(700, "CUDA_ERROR_ILLEGAL_ADDRESS", "illegal access");
      t.fill(1);
      assertThrows(CudaException.class, cuda::close);
    }
  }

  private static void assertFails(String message, Executable call) {
    assertEquals(message, assertThrows(CudaException.class, call).why());
  }

  @Test
  void aPassingFailureShowsOnce() {
    passes(
        with(
            t -> {
              t.cuda.failNextLaunchLater(1, "CUDA_ERROR_INVALID_VALUE", "invalid");
              t.fill(1);
              assertThrows(CudaException.class, () -> t.cuda.synchronizeStream(t.stream));
              t.fill(3);
              assertEquals(3, t.last());
            }));
  }
}
