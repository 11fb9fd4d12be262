package mlpcuda.compute.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.ptx.Fault;

/** Runs a scenario under every policy. */
final class EmulatedScenario {
  private EmulatedScenario() {}

  /** All policies, random ones with 20 seeds. */
  static List<EmulatedPolicy> policies() {
    return Stream.concat(
            Stream.of(EmulatedPolicy.LATEST, EmulatedPolicy.EAGER),
            LongStream.rangeClosed(1, 20).mapToObj(EmulatedPolicy::random))
        .toList();
  }

  /** Asserts that the scenario and closing the driver pass. */
  static void passes(Consumer<EmulatedDriver> scenario) {
    for (EmulatedPolicy policy : policies()) {
      try (EmulatedDriver driver = new EmulatedDriver(policy)) {
        scenario.accept(driver);
      } catch (Throwable thrown) {
        throw new AssertionError("under " + policy, thrown);
      }
    }
  }

  /** Asserts that the scenario or closing the driver is a fault whose message has these parts. */
  static void faults(Consumer<EmulatedDriver> scenario, String... parts) {
    for (EmulatedPolicy policy : policies()) {
      EmulatedDriver driver = new EmulatedDriver(policy);
      Fault fault =
          assertThrows(
              Fault.class,
              () -> {
                scenario.accept(driver);
                driver.close();
              },
              () -> "under " + policy);
      for (String part : parts) {
        assertTrue(
            fault.getMessage().contains(part),
            () -> "under %s, '%s' is not in: %s".formatted(policy, part, fault.getMessage()));
      }
    }
  }
}
