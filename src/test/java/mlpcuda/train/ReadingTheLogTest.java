package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.error.DivergedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that a read of the log in the middle of an epoch never leaves the device without work. */
class ReadingTheLogTest {
  private static final int BATCHES = 153; // batches of an epoch
  private static final int EVERY = 51; // steps between two reads, if each must be logged
  private static final int LOG_BYTES = 4 * 2 * mlpcuda.net.Step.LOG_ROWS;

  /** An emulated driver that is asked through this, which watches the reads of the log. */
  private static final class Watched {
    final EmulatedDriver driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    private final Map<Object, Integer> reads = new HashMap<>(); // launches before, by the event
    private boolean copying; // the latest call was a copy of the log to the host
    private int launches;
    int waits; // waits for a read of the log in the middle of an epoch
    int ends; // waits for one with nothing behind it
    int idle; // waits for one that left the device without work, though something was behind it

    CudaDriver open() {
      return (CudaDriver)
          Proxy.newProxyInstance(
              CudaDriver.class.getClassLoader(),
              new Class<?>[] {CudaDriver.class},
              (proxy, method, arguments) -> call(method, arguments));
    }

    private Object call(Method method, Object[] arguments) throws Throwable {
      String name = method.getName();
      if (name.equals("record") && copying) {
        reads.put(arguments[0], launches);
      }
      copying = name.equals("copyToHost") && arguments[2].equals(LOG_BYTES);
      if (name.equals("launchGraph") || name.equals("launch")) {
        launches++;
      }
      Object result;
      try {
        result = method.invoke(driver, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
      Integer before = name.equals("synchronizeEvent") ? reads.remove(arguments[0]) : null;
      if (before != null && before < launches) {
        waits++;
        idle += driver.pending() == 0 ? 1 : 0;
      } else if (before != null) {
        ends++;
      }
      return result;
    }
  }

  private static Run run(CudaDriver driver, CudaOptions options) {
    var settings = Run.settings(2, 1, true, 3, Integer.MAX_VALUE, EVERY);
    return Run.easy(new CudaOps(driver, options), BATCHES, 0.01, settings);
  }

  @ParameterizedTest
  @CsvSource({"FUSED,PINNED,8", "LAYERED,RESIDENT,3"})
  void stepsAreEnqueuedBeforeAnEarlierReadIsWaitedFor(StepKind step, FeedKind feed, int atOnce) {
    var watched = new Watched();
    CudaOptions options =
        CudaOptions.layered(Multiplier.PTX, feed, Launching.GRAPH)
            .with(step)
            .withStepsAtOnce(atOnce);
    Run run = run(watched.open(), options);
    assertArrayEquals(
        IntStream.rangeClosed(1, 2 * BATCHES).toArray(),
        run.steps.stream().mapToInt(Trainer.StepResult::step).toArray());
    assertEquals(2 * (BATCHES / EVERY - 1), watched.waits, "reads in the middle of two epochs");
    assertEquals(2, watched.ends, "the last read of each epoch");
    assertEquals(0, watched.idle, "reads that left the device without work");
  }

  /** The window in which a loss is not finite is reported after further steps were enqueued. */
  @Test
  void theStepThatDivergedIsNamedAllTheSame() {
    var settings = Run.settings(2, 1, true, 3, Integer.MAX_VALUE, EVERY);
    var cpu =
        assertThrows(
            DivergedException.class,
            () -> diverging().onEasyImages(new CpuOps(1), BATCHES, 1, settings));
    var options =
        CudaOptions.layered(Multiplier.PTX, FeedKind.RESIDENT, Launching.GRAPH)
            .with(StepKind.FUSED);
    var gpu =
        assertThrows(
            DivergedException.class,
            () ->
                diverging()
                    .onEasyImages(
                        new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), options),
                        BATCHES,
                        1,
                        settings));
    assertTrue(cpu.step() < EVERY, cpu.getMessage());
    assertEquals(cpu.getMessage(), gpu.getMessage());
  }

  /** A run whose first weights are so large that the losses of its first step are not finite. */
  private static Run diverging() {
    var run = new Run();
    run.firstWeights = List.of(filled(30, 1e30f), new float[5], filled(15, 1e30f), new float[3]);
    return run;
  }

  private static float[] filled(int n, float value) {
    float[] values = new float[n];
    Arrays.fill(values, value);
    return values;
  }
}
