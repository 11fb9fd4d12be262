package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 10, unit = TimeUnit.MINUTES)
class WorkersTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void runsEveryPartOnceInEveryRound(int threads) {
    try (var workers = new Workers(threads)) {
      int[] runs = new int[threads];
      for (int round = 0; round < 20_000; round++) {
        int parts = 1 + round % threads;
        workers.run(
            parts,
            (part, of) -> {
              assertEquals(parts, of);
              runs[part]++; // not atomic: a part that ran twice at once would be lost
            });
      }
      int[] expected = new int[threads];
      for (int parts = 1; parts <= threads; parts++) {
        int rounds = (20_000 - parts) / threads + 1;
        for (int part = 0; part < parts; part++) {
          expected[part] += rounds;
        }
      }
      assertArrayEquals(expected, runs, Arrays.toString(runs));
    }
  }

  @Test
  void partsRunAtTheSameTime() {
    try (var workers = new Workers(3)) {
      var barrier = new CyclicBarrier(3); // passed only by three threads at once
      for (int round = 0; round < 100; round++) {
        workers.run(
            3,
            (part, parts) -> {
              try {
                barrier.await();
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
      }
    }
  }

  @Test
  void whatIsWrittenByOnePartIsReadByAnotherInTheNextRound() {
    try (var workers = new Workers(2)) {
      long[] cells = new long[2];
      for (int round = 0; round < 50_000; round++) {
        workers.run(2, (part, parts) -> cells[part]++);
        workers.run(
            2,
            (part, parts) -> {
              if (cells[0] != cells[1]) {
                throw new AssertionError("stale read");
              }
            });
      }
      assertEquals(50_000, cells[0]);
    }
  }

  /** The counter of rounds wraps after 2³¹ of them: half a day of training. */
  @Test
  void roundsMayWrap() {
    try (var workers = new Workers(2)) {
      workers.startAt(Integer.MAX_VALUE - 5);
      int[] runs = new int[2];
      for (int round = 0; round < 20; round++) {
        workers.run(2, (part, parts) -> runs[part]++);
      }
      assertArrayEquals(new int[] {20, 20}, runs);
    }
  }

  @Test
  void wakesAfterASleep() throws InterruptedException {
    try (var workers = new Workers(2)) {
      int[] runs = new int[2];
      for (int round = 0; round < 20; round++) {
        Thread.sleep(2); // far longer than a thread spins
        workers.run(2, (part, parts) -> runs[part]++);
      }
      assertArrayEquals(new int[] {20, 20}, runs);
    }
  }

  @ParameterizedTest
  @CsvSource({"true, false", "false, true", "true, true"})
  void aFailureReachesTheCallerAndTheNextRoundWorks(boolean first, boolean second) {
    try (var workers = new Workers(2)) {
      RuntimeException thrown =
          assertThrows(
              RuntimeException.class,
              () ->
                  workers.run(
                      2,
                      (part, parts) -> {
                        if (part == 0 ? first : second) {
                          throw new IllegalArgumentException("broken part");
                        }
                      }));
      assertTrue(thrown.toString().contains("broken part"), thrown.toString());
      int[] runs = new int[2];
      workers.run(2, (part, parts) -> runs[part]++);
      assertArrayEquals(new int[] {1, 1}, runs);
    }
  }
}
