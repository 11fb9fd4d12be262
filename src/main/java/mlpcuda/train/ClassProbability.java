package mlpcuda.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A class that a network takes an image for, with its probability.
 *
 * @param label the class
 * @param probability the probability that the network gives the class
 */
public record ClassProbability(int label, double probability) {
  private static final int LIKELIEST = 3;

  /**
   * The three classes of the largest probabilities, or all there are, the largest first.
   *
   * @param logs (C), logarithms of the probabilities
   */
  public static List<ClassProbability> likeliest(float[] logs) {
    return IntStream.range(0, logs.length)
        .boxed()
        .sorted((a, b) -> Float.compare(logs[b], logs[a])) // stable: the first of equals
        .limit(LIKELIEST)
        .map(c -> new ClassProbability(c, Math.exp(logs[c])))
        .toList();
  }

  /** The JSON of an image's answers: the first one's class and probability, and all of them. */
  public static Map<String, Object> json(List<ClassProbability> likeliest) {
    Map<String, Object> json = likeliest.get(0).json();
    json.put("likeliest", likeliest.stream().map(ClassProbability::json).toList());
    return json;
  }

  private Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("class", label);
    json.put("probability", probability);
    return json;
  }
}
