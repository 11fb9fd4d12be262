package mlpcuda.benchmark;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The shares of a batch's time by what it goes into. They may come to more than 1 where a device
 * does several things at once.
 *
 * @param arithmetic the share that its products take at the device's peak
 * @param memory the share that its bytes take at the device's bandwidth
 * @param launches the share that a batch takes with as many operations that have nothing to do
 */
public record Shares(double arithmetic, double memory, double launches) {
  /** The share that is left: batches made ready, threads waited for, small products. */
  public double host() {
    return Math.max(0, 1 - arithmetic - memory - launches);
  }

  /** All four shares, by name. */
  public Map<String, Double> all() {
    var all = new LinkedHashMap<String, Double>();
    all.put("arithmetic", arithmetic);
    all.put("memory", memory);
    all.put("launches", launches);
    all.put("host", host());
    return all;
  }

  /** The name of the largest share: what limits the batch. */
  public String limit() {
    return Collections.max(all().entrySet(), Map.Entry.comparingByValue()).getKey();
  }
}
