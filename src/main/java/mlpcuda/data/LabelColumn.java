package mlpcuda.data;

import java.util.List;

/**
 * The labels of a set as a reader found them.
 *
 * @param names the labels that occur, each once, in any order
 * @param codes (N), the index in {@code names} of each example's label
 */
public record LabelColumn(List<String> names, int[] codes) {}
