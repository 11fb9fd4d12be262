package mlpcuda.compute.cuda.emulator;

import static mlpcuda.compute.cuda.emulator.EmulatedScenario.policies;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ModuleImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests batches through two slots: filled by the host, copied by one stream, summed by another. */
class EmulatedPipelineTest {
  private static final int SLOTS = 2;
  private static final int BATCHES = 7;
  private static final int FLOATS = 32;
  private static final int BYTES = 4 * FLOATS;

  /** One of the four waits that a pipeline must not forget, or none. */
  enum Forgotten {
    NOTHING,
    WAIT_BEFORE_REFILL,
    AWAIT_OF_COPY,
    AWAIT_OF_USE,
    LAST_SYNCHRONIZATION
  }

  private static float value(int batch, int i) {
    return batch * 10 + i;
  }

  // Sums all batches, element by element; the forgotten wait is left out.
  private static float[] sum(CudaDriver cuda, Forgotten forgotten) {
    long copying = cuda.createStream();
    long computing = cuda.createStream();
    long module = cuda.loadModule(ModuleImage.of("sum", EmulatedKernels.ADD));
    long add = cuda.function(module, "add");
    long sum = cuda.allocate(BYTES);
    Pinned result = cuda.allocatePinned(BYTES);
    Pinned[] filled = new Pinned[SLOTS];
    long[] slots = new long[SLOTS];
    long[] copied = new long[SLOTS];
    long[] used = new long[SLOTS];
    for (int s = 0; s < SLOTS; s++) {
      filled[s] = cuda.allocatePinned(BYTES);
      slots[s] = cuda.allocate(BYTES);
      copied[s] = cuda.createEvent();
      used[s] = cuda.createEvent();
    }
    cuda.zero(sum, BYTES, computing);
    for (int batch = 0; batch < BATCHES; batch++) {
      int s = batch % SLOTS;
      if (forgotten != Forgotten.WAIT_BEFORE_REFILL) {
        cuda.synchronizeEvent(copied[s]);
      }
      for (int i = 0; i < FLOATS; i++) {
        filled[s].bytes().putFloat(4 * i, value(batch, i));
      }
      if (forgotten != Forgotten.AWAIT_OF_USE) {
        cuda.await(copying, used[s]);
      }
      cuda.copyToDevice(slots[s], filled[s], 0, BYTES, copying);
      cuda.record(copied[s], copying);
      if (forgotten != Forgotten.AWAIT_OF_COPY) {
        cuda.await(computing, copied[s]);
      }
      Arguments arguments = new Arguments().address(sum).address(slots[s]).add(FLOATS);
      cuda.launch(add, new Shape(1, 1, 1, FLOATS, 1), arguments, computing);
      cuda.record(used[s], computing);
    }
    cuda.copyToHost(result, sum, BYTES, computing);
    if (forgotten != Forgotten.LAST_SYNCHRONIZATION) {
      cuda.synchronizeStream(computing);
    }
    float[] floats = new float[FLOATS];
    result.bytes().asFloatBuffer().get(floats);
    cuda.synchronizeStream(computing);
    cuda.synchronizeStream(copying);
    for (int s = 0; s < SLOTS; s++) {
      cuda.freePinned(filled[s]);
      cuda.free(slots[s]);
      cuda.destroyEvent(copied[s]);
      cuda.destroyEvent(used[s]);
    }
    cuda.freePinned(result);
    cuda.free(sum);
    cuda.unloadModule(module);
    cuda.destroyStream(copying);
    cuda.destroyStream(computing);
    return floats;
  }

  private static void run(EmulatedPolicy policy, Forgotten forgotten) {
    try (CudaDriver cuda = new EmulatedDriver(policy)) {
      float[] sum = sum(cuda, forgotten);
      for (int i = 0; i < FLOATS; i++) {
        float expected = 0;
        for (int batch = 0; batch < BATCHES; batch++) {
          expected += value(batch, i);
        }
        assertEquals(expected, sum[i], "element " + i);
      }
    }
  }

  @Test
  void sumsUnderAllPolicies() {
    for (EmulatedPolicy policy : policies()) {
      run(policy, Forgotten.NOTHING);
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NOTHING")
  void whatIsForgottenShowsUnderAllPolicies(Forgotten forgotten) {
    for (EmulatedPolicy policy : policies()) {
      Throwable thrown = assertThrows(Throwable.class, () -> run(policy, forgotten));
      String message = thrown.getMessage();
      switch (forgotten) {
        case WAIT_BEFORE_REFILL -> assertTrue(message.contains("changed by the host"), message);
        case AWAIT_OF_COPY ->
            // Before the copy the kernel finds bytes that were never written, after it a race.
            assertTrue(message.contains("race on") || message.contains("never"), message);
        case AWAIT_OF_USE -> assertTrue(message.contains("race on"), message);
        default -> assertTrue(message.contains("element 0"), message);
      }
    }
  }
}
