package mlpcuda.benchmark;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where a batch's time goes: shares of it, which may come to more than 1 where a device does
 * several things at once.
 *
 * @param arithmetic that its products take at the device's peak
 * @param memory that its bytes take at the device's bandwidth
 * @param launches that a batch takes which asks for as many operations with nothing to do
 */
public record Shares(double arithmetic, double memory, double launches) {
  /** What none of the others explains: batches made ready, threads waited for, small products. */
  public double host() {
    return Math.max(0, 1 - arithmetic - memory - launches);
  }

  /** All four, by name. */
  public Map<String, Double> all() {
    var all = new LinkedHashMap<String, Double>();
    all.put("arithmetic", arithmetic);
    all.put("memory", memory);
    all.put("launches", launches);
    all.put("host", host());
    return all;
  }

  /** The name of the largest: what limits the batch. */
  public String limit() {
    return Collections.max(all().entrySet(), Map.Entry.comparingByValue()).getKey();
  }
}
