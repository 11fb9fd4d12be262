package mlpcuda.compute.cuda.emulator;

import static mlpcuda.compute.cuda.emulator.EmulatedScenario.faults;
import static mlpcuda.compute.cuda.emulator.EmulatedScenario.passes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.ByteBuffer;
import java.util.function.Consumer;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import org.junit.jupiter.api.Test;

/** Tests copies and events: how one stream, two streams and the host may disturb each other. */
class EmulatedStreamsTest {
  /** Two streams, an event, two pinned buffers and an allocation, with their release. */
  private static final class Things {
    final CudaDriver cuda;
    final long memory;
    final Pinned out;
    final Pinned in;
    final long one;
    final long two;
    final long event;

    Things(CudaDriver cuda) {
      this.cuda = cuda;
      memory = cuda.allocate(16);
      out = cuda.allocatePinned(32);
      in = cuda.allocatePinned(16);
      one = cuda.createStream();
      two = cuda.createStream();
      event = cuda.createEvent();
    }

    void synchronize() {
      cuda.synchronizeStream(one);
      cuda.synchronizeStream(two);
    }

    void giveBack() {
      cuda.free(memory);
      cuda.freePinned(out);
      cuda.freePinned(in);
      cuda.destroyStream(one);
      cuda.destroyStream(two);
      cuda.destroyEvent(event);
    }
  }

  private static Consumer<EmulatedDriver> with(Consumer<Things> scenario) {
    return driver -> {
      Things things = new Things(driver);
      scenario.accept(things);
      things.synchronize();
      things.giveBack();
    };
  }

  @Test
  void copiesThereAndBack() {
    passes(
        with(
            t -> {
              t.out.bytes().putInt(4, 42);
              t.out.bytes().position(32);
              t.cuda.copyToDevice(t.memory, t.out, 4, 4, t.one);
              t.cuda.copyToHost(t.in, t.memory, 4, t.one);
              t.cuda.synchronizeStream(t.one);
              assertEquals(42, t.in.bytes().getInt(0));
              t.cuda.zero(t.memory, 8, t.one);
              t.cuda.copyToHost(t.in, t.memory, 8, t.one);
              t.cuda.synchronizeStream(t.one);
              assertEquals(0, t.in.bytes().getLong(0));
            }));
  }

  @Test
  void bytesReadTooEarlyArePoison() {
    passes(
        with(
            t -> {
              t.in.bytes().putInt(0, 0);
              t.cuda.zero(t.memory, 4, t.one);
              t.cuda.copyToHost(t.in, t.memory, 4, t.one);
              assertEquals(0xA5A5A5A5, t.in.bytes().getInt(0));
              t.cuda.synchronizeStream(t.two);
              t.cuda.synchronizeEvent(t.event);
              assertEquals(0xA5A5A5A5, t.in.bytes().getInt(0));
              t.cuda.record(t.event, t.one);
              t.cuda.synchronizeEvent(t.event);
              assertEquals(0, t.in.bytes().getInt(0));
            }));
  }

  @Test
  void ofTwoCopiesToOnePlaceOnlyTheLastIsThere() {
    passes(
        with(
            t -> {
              t.out.bytes().putLong(0, 7);
              t.cuda.copyToDevice(t.memory, t.out, 0, 16, t.one);
              t.cuda.copyToHost(t.in, t.memory, 16, t.one);
              t.cuda.record(t.event, t.one);
              t.cuda.copyToHost(t.in, t.memory, 8, t.one);
              t.cuda.synchronizeEvent(t.event);
              assertEquals(0xA5A5A5A5_A5A5A5A5L, t.in.bytes().getLong(0));
              assertEquals(t.out.bytes().getLong(8), t.in.bytes().getLong(8));
              t.cuda.synchronizeStream(t.one);
              assertEquals(7, t.in.bytes().getLong(0));
            }));
  }

  @Test
  void aPinnedBufferIsNotChangedBeforeItsCopyIsKnownToBeDone() {
    Consumer<Things> copy =
        t -> {
          t.out.bytes().putInt(0, 1);
          t.cuda.copyToDevice(t.memory, t.out, 0, 16, t.one);
        };
    Consumer<Things> change = t -> t.out.bytes().putInt(4, 2);
    Consumer<Things> wait = Things::synchronize;
    passes(with(copy.andThen(wait).andThen(change)));
    faults(
        with(copy.andThen(change)), "byte 4 of pinned buffer", "changed by the host", "stream 1");
    faults(with(copy.andThen(change).andThen(copy)), "cuMemcpyHtoDAsync", "changed by the host");
  }

  @Test
  void theTargetOfACopyIsNotWrittenMeanwhile() {
    faults(
        with(
            t -> {
              t.cuda.zero(t.memory, 16, t.one);
              t.cuda.copyToHost(t.in, t.memory, 16, t.one);
              t.in.bytes().putInt(0, 2);
            }),
        "changed by the host",
        "to pinned buffer");
  }

  @Test
  void aPinnedBufferGoesOneWayAtATime() {
    faults(
        with(
            t -> {
              t.cuda.copyToDevice(t.memory, t.out, 0, 16, t.one);
              t.cuda.copyToHost(t.out, t.memory, 16, t.one);
            }),
        "not emulated");
    faults(
        with(
            t -> {
              t.cuda.zero(t.memory, 16, t.one);
              t.cuda.copyToHost(t.in, t.memory, 16, t.one);
              t.cuda.copyToDevice(t.memory, t.in, 0, 16, t.one);
            }),
        "not emulated");
  }

  @Test
  void whatTwoStreamsShareAnEventPutsInOrder() {
    Consumer<Things> write = t -> t.cuda.zero(t.memory, 16, t.one);
    Consumer<Things> record = t -> t.cuda.record(t.event, t.one);
    Consumer<Things> await = t -> t.cuda.await(t.two, t.event);
    Consumer<Things> read = t -> t.cuda.copyToHost(t.in, t.memory, 16, t.two);
    Consumer<Things> overwrite = t -> t.cuda.zero(t.memory, 16, t.two);
    Consumer<Things> wait = t -> t.cuda.synchronizeStream(t.one);
    passes(with(write.andThen(record).andThen(await).andThen(read)));
    passes(with(write.andThen(wait).andThen(read)));
    faults(with(write.andThen(overwrite)), "race on allocation", "stream 1", "stream 2", "writes");
    faults(with(write.andThen(await).andThen(record).andThen(overwrite)), "race on allocation");
    faults(with(record.andThen(write).andThen(await).andThen(overwrite)), "race on allocation");
    // The first write makes the bytes defined; the second one races.
    faults(
        with(write.andThen(record).andThen(await).andThen(write).andThen(read)),
        "race on allocation",
        "reads");
  }

  @Test
  void twoReadersAreNoRace() {
    passes(
        with(
            t -> {
              t.cuda.zero(t.memory, 16, t.one);
              t.cuda.synchronizeStream(t.one);
              t.cuda.copyToHost(t.in, t.memory, 16, t.one);
              t.cuda.copyToHost(t.out, t.memory, 16, t.two);
            }));
  }

  @Test
  void anEventStandsForItsLastRecordBeforeTheWait() {
    passes(
        with(
            t -> {
              t.cuda.zero(t.memory, 16, t.one);
              t.cuda.record(t.event, t.one);
              t.cuda.await(t.two, t.event);
              t.cuda.record(t.event, t.two);
              t.cuda.copyToHost(t.in, t.memory, 16, t.two);
              t.cuda.synchronizeEvent(t.event);
              assertNotEquals(0, t.in.bytes().getInt(0));
              t.cuda.synchronizeStream(t.two);
              assertEquals(0, t.in.bytes().getInt(0));
            }));
  }

  @Test
  void whatIsPendingIsNotGivenBack() {
    Consumer<Things> pending =
        t -> {
          t.cuda.zero(t.memory, 16, t.one);
          t.cuda.copyToHost(t.in, t.memory, 16, t.one);
          t.cuda.record(t.event, t.one);
        };
    String why = "the host has not waited for that";
    faults(with(pending.andThen(t -> t.cuda.free(t.memory))), "allocation", why, "stream 1");
    faults(with(pending.andThen(t -> t.cuda.freePinned(t.in))), "pinned buffer", why);
    faults(with(pending.andThen(t -> t.cuda.destroyEvent(t.event))), "event 1", why);
    faults(with(pending.andThen(t -> t.cuda.destroyStream(t.one))), "stream 1", why);
    passes(with(pending));
  }

  @Test
  void copiesStayInTheirMemory() {
    faults(with(t -> t.cuda.zero(t.memory, 17, t.one)), "17 bytes", "are not in allocation");
    faults(with(t -> t.cuda.zero(t.memory - 4, 4, t.one)), "are not in any allocation");
    faults(with(t -> t.cuda.zero(t.memory, -1, t.one)), "are not in");
    faults(with(t -> t.cuda.copyToHost(t.in, t.memory + 8, 9, t.one)), "are not in allocation");
    faults(with(t -> t.cuda.copyToHost(t.in, t.memory, 17, t.one)), "are not in pinned buffer");
    faults(
        with(t -> t.cuda.copyToDevice(t.memory, t.out, 24, 9, t.one)), "are not in pinned buffer");
    faults(
        with(
            t ->
                t.cuda.copyToDevice(
                    t.memory, new Pinned(16, ByteBuffer.allocate(16)), 0, 16, t.one)),
        "is no pinned buffer");
  }

  @Test
  void uninitializedMemoryIsNotCopied() {
    faults(with(t -> t.cuda.copyToHost(t.in, t.memory, 16, t.one)), "copy of 16 bytes");
  }
}
