package mlpcuda.cli;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** The times of the phases from the start of the Java runtime to the first training step. */
final class StartUp {
  private final Map<String, Double> phases = new LinkedHashMap<>(); // seconds of each phase
  // seconds of work in a thread of its own
  private final Map<String, Double> beside = new LinkedHashMap<>();
  private final long began = System.currentTimeMillis();
  private long since = System.nanoTime();

  /** Ends a phase, which began where the last one ended. */
  void ended(String phase) {
    long now = System.nanoTime();
    phases.merge(phase, (now - since) / 1e9, Double::sum);
    since = now;
  }

  /** Notes work that was done beside the phases. */
  void ended(String work, long startNanos) {
    beside.put(work, (System.nanoTime() - startNanos) / 1e9);
  }

  @Override
  public String toString() {
    var all = new LinkedHashMap<String, Double>();
    // The JVM's start is asked for last: to load the class that knows it takes as long as a phase.
    all.put("JVM", (began - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3);
    all.putAll(phases);
    double sum = all.values().stream().mapToDouble(Double::doubleValue).sum();
    return "Training begins after %.2f s: %s; meanwhile: %s"
        .formatted(sum, list(all), list(beside));
  }

  private static String list(Map<String, Double> times) {
    return times.entrySet().stream()
        .map(time -> "%s %.2f".formatted(time.getKey(), time.getValue()))
        .collect(Collectors.joining(", "));
  }
}
