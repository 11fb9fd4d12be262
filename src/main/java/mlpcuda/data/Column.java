package mlpcuda.data;

import java.io.Serializable;
import java.util.List;

/**
 * A column of a table: one number, or a word of a list, which becomes one input for each word (1
 * for the word that stands there, 0 for the others).
 *
 * @param name the column's name in the table's header, or its number from 1 on where there is none
 * @param words the words that the column may hold, in the order of their inputs; empty: the column
 *     holds numbers
 * @param missing the value that stands for a missing number; NaN: a missing one is refused
 */
public record Column(String name, List<String> words, float missing) implements Serializable {
  /** Copies the words. */
  public Column {
    words = List.copyOf(words);
  }

  /** A column of numbers, none of which may be missing. */
  public static Column numbers(String name) {
    return new Column(name, List.of(), Float.NaN);
  }

  /** The number of a network's inputs that the column becomes. */
  public int inputs() {
    return Math.max(1, words.size());
  }
}
