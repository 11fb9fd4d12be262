package mlpcuda.compute.cuda.emulator;

import static mlpcuda.compute.cuda.emulator.EmulatedScenario.faults;
import static mlpcuda.compute.cuda.emulator.EmulatedScenario.passes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.function.Consumer;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaException;
import mlpcuda.compute.cuda.ModuleImage;
import org.junit.jupiter.api.Test;

/** Tests graphs: what is recorded, which calls a capture allows, and what a launch does. */
class EmulatedGraphTest {
  /**
   * A stream, memory and pinned buffers; the graph copies to the device, and back to another
   * buffer.
   */
  private static final class Things {
    final CudaDriver cuda;
    final long memory;
    final Pinned out;
    final Pinned in;
    final long stream;
    final long other;
    final long event;

    Things(CudaDriver cuda) {
      this.cuda = cuda;
      memory = cuda.allocate(8);
      out = cuda.allocatePinned(8);
      in = cuda.allocatePinned(8);
      stream = cuda.createStream();
      other = cuda.createStream();
      event = cuda.createEvent();
    }

    long graph() {
      cuda.beginCapture(stream);
      cuda.zero(memory, 8, stream);
      cuda.copyToDevice(memory, out, 0, 4, stream);
      cuda.copyToHost(in, memory, 8, stream);
      return cuda.endCapture(stream);
    }

    void giveBack() {
      cuda.synchronizeStream(stream);
      cuda.synchronizeStream(other);
      cuda.free(memory);
      cuda.freePinned(out);
      cuda.freePinned(in);
      cuda.destroyStream(stream);
      cuda.destroyStream(other);
      cuda.destroyEvent(event);
    }
  }

  private static Consumer<EmulatedDriver> with(Consumer<Things> scenario) {
    return driver -> {
      Things things = new Things(driver);
      scenario.accept(things);
      things.giveBack();
    };
  }

  @Test
  void aGraphDoesEachTimeWhatWasRecorded() {
    passes(
        driver -> {
          Things t = new Things(driver);
          t.out.bytes().putLong(0, -1);
          long graph = t.graph();
          assertEquals(3, driver.nodes(graph));
          assertEquals(0, driver.operations());
          for (int i = 1; i <= 3; i++) {
            t.out.bytes().putInt(0, i);
            driver.launchGraph(graph, t.stream);
            driver.synchronizeStream(t.stream);
            assertEquals(i, t.in.bytes().getInt(0));
            assertEquals(0, t.in.bytes().getInt(4));
          }
          assertEquals(9, driver.operations());
          assertEquals(3, driver.calls().get("cuGraphLaunch"));
          driver.destroyGraph(graph);
          t.giveBack();
        });
  }

  @Test
  void nothingIsAGraphToo() {
    passes(
        with(
            t -> {
              t.cuda.beginCapture(t.stream);
              long graph = t.cuda.endCapture(t.stream);
              assertEquals(0, t.cuda.nodes(graph));
              t.cuda.launchGraph(graph, t.stream);
              t.cuda.destroyGraph(graph);
            }));
  }

  @Test
  void captureBeginsWhileWorkIsPending() {
    passes(
        with(
            t -> {
              t.cuda.zero(t.memory, 8, t.stream);
              long graph = t.graph();
              t.cuda.launchGraph(graph, t.stream);
              t.cuda.synchronizeStream(t.stream);
              t.cuda.destroyGraph(graph);
            }));
  }

  @Test
  void launchesOfOneGraphFollowEachOther() {
    passes(
        with(
            t -> {
              long graph = t.graph();
              t.cuda.launchGraph(graph, t.stream);
              t.cuda.synchronizeStream(t.stream);
              t.cuda.launchGraph(graph, t.other);
              t.cuda.synchronizeStream(t.other);
              t.cuda.destroyGraph(graph);
            }));
    passes(
        with(
            t -> {
              t.cuda.beginCapture(t.stream);
              t.cuda.zero(t.memory, 8, t.stream);
              long graph = t.cuda.endCapture(t.stream);
              t.cuda.launchGraph(graph, t.stream);
              t.cuda.launchGraph(graph, t.other);
              t.cuda.synchronizeStream(t.other);
              t.cuda.destroyGraph(graph);
            }));
    faults(
        with(
            t -> {
              t.cuda.beginCapture(t.stream);
              t.cuda.zero(t.memory, 8, t.stream);
              long graph = t.cuda.endCapture(t.stream);
              t.cuda.launchGraph(graph, t.stream);
              t.cuda.zero(t.memory, 8, t.other);
            }),
        "race on allocation");
  }

  @Test
  void aRunningGraphIsNotDestroyed() {
    faults(
        with(
            t -> {
              long graph = t.graph();
              t.cuda.launchGraph(graph, t.stream);
              t.cuda.destroyGraph(graph);
            }),
        "graph 1 (3 nodes) is given back",
        "stream 1",
        "the host has not waited for that");
    faults(
        with(
            t -> {
              long graph = t.graph();
              t.cuda.destroyGraph(graph);
              t.cuda.destroyGraph(graph);
            }),
        "cuGraphExecDestroy",
        "given back");
  }

  @Test
  void whatAGraphUsesStays() {
    faults(
        with(
            t -> {
              long memory = t.cuda.allocate(8);
              t.cuda.beginCapture(t.stream);
              t.cuda.zero(memory, 8, t.stream);
              long graph = t.cuda.endCapture(t.stream);
              t.cuda.free(memory);
              t.cuda.allocate(8);
              t.cuda.launchGraph(graph, t.stream);
            }),
        "graph 1 (1 nodes) uses allocation",
        "which was given back");
  }

  @Test
  void pinnedBuffersOfAGraphStayWhileItRuns() {
    faults(
        with(
            t -> {
              t.cuda.launchGraph(t.graph(), t.stream);
              t.out.bytes().putInt(0, 3);
              t.cuda.synchronizeStream(t.stream);
            }),
        "changed by the host");
  }

  @Test
  void whatCannotBeCapturedEndsTheCapture() {
    for (Consumer<Things> asked :
        List.<Consumer<Things>>of(
            t -> t.cuda.allocate(8),
            t -> t.cuda.free(t.memory),
            t -> t.cuda.allocatePinned(8),
            t -> t.cuda.freePinned(t.in),
            t -> t.cuda.synchronizeStream(t.stream),
            t -> t.cuda.synchronizeStream(t.other),
            t -> t.cuda.synchronizeEvent(t.event),
            t -> t.cuda.loadModule(ModuleImage.of("fill", EmulatedKernels.FILL)),
            t -> t.cuda.openBlas(t.stream, Precision.FP32))) {
      passes(
          with(
              t -> {
                t.cuda.beginCapture(t.stream);
                assertEquals(900, assertThrows(CudaException.class, () -> asked.accept(t)).code());
                CudaException end =
                    assertThrows(CudaException.class, () -> t.cuda.endCapture(t.stream));
                assertEquals(901, end.code());
                t.cuda.destroyGraph(t.graph());
              }));
    }
  }

  @Test
  void aFailedEndEndsTheCapture() {
    passes(
        driver -> {
          Things t = new Things(driver);
          for (String call : List.of("cuStreamEndCapture", "cuGraphInstantiate")) {
            driver.failNext(call, 2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory");
            assertThrows(CudaException.class, t::graph);
            driver.synchronizeStream(t.stream);
          }
          t.giveBack();
        });
  }

  @Test
  void otherStreamsGoOnMeanwhile() {
    passes(
        with(
            t -> {
              t.cuda.beginCapture(t.stream);
              t.cuda.zero(t.memory, 8, t.other);
              t.cuda.record(t.event, t.other);
              t.cuda.destroyGraph(t.cuda.endCapture(t.stream));
            }));
  }

  @Test
  void whatIsNotEmulatedSaysSo() {
    Consumer<Things> begin = t -> t.cuda.beginCapture(t.stream);
    String captures = "stream 1 captures";
    faults(with(begin.andThen(begin)), captures);
    faults(with(begin.andThen(t -> t.cuda.record(t.event, t.stream))), captures);
    faults(with(begin.andThen(t -> t.cuda.await(t.stream, t.event))), captures);
    faults(with(begin.andThen(t -> t.cuda.destroyStream(t.stream))), captures);
    faults(
        with(
            t -> {
              long graph = t.graph();
              t.cuda.beginCapture(t.stream);
              t.cuda.launchGraph(graph, t.stream);
            }),
        captures);
    faults(with(t -> t.cuda.endCapture(t.stream)), "stream 1 does not capture");
  }
}
