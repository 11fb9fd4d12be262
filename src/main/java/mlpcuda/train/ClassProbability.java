package mlpcuda.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A class that a network takes an example for, with its probability.
 *
 * @param number the class
 * @param probability the probability that the network gives the class
 */
public record ClassProbability(int number, double probability) {
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

  /**
   * The JSON of an example's answers: the first one's class and probability, and all of them.
   *
   * @param labels the names of the classes; empty where they have none but their numbers
   */
  public static Map<String, Object> json(List<ClassProbability> likeliest, List<String> labels) {
    Map<String, Object> json = likeliest.get(0).json(labels);
    json.put("likeliest", likeliest.stream().map(answer -> answer.json(labels)).toList());
    return json;
  }

  private Map<String, Object> json(List<String> labels) {
    var json = new LinkedHashMap<String, Object>();
    json.put("class", number);
    if (!labels.isEmpty()) {
      json.put("label", labels.get(number));
    }
    json.put("probability", probability);
    return json;
  }
}
