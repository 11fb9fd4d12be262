package mlpcuda.train;

/**
 * The two numbers by which a set of answers is judged.
 *
 * @param loss the mean cross-entropy of the examples
 * @param accuracy the fraction of the examples that are answered right
 */
public record Averages(double loss, double accuracy) {}
