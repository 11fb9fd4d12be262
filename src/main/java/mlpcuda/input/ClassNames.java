package mlpcuda.input;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.LabelledData;
import mlpcuda.error.BadFileException;
import mlpcuda.files.OneLine;

/**
 * The names of the classes of a data set, in the order of a network's outputs: numbers by their
 * value, other names by their characters.
 */
final class ClassNames {
  /** The most classes: a label is one byte on the device. */
  private static final int MOST = 256;

  /** The most names that a message lists. */
  private static final int SHOWN = 10;

  private final List<String> names;
  private final Map<String, Integer> numbers = new HashMap<>();

  private ClassNames(List<String> names) {
    this.names = List.copyOf(names);
    for (int i = 0; i < names.size(); i++) {
      numbers.put(names.get(i), i);
    }
  }

  /**
   * The classes of a training set.
   *
   * @param source the set, for the message
   * @throws BadFileException if there are too many, or only one
   */
  static ClassNames of(String source, List<String> labels) {
    if (labels.size() > MOST) {
      throw new BadFileException(
          "%s: the labels have %,d different values, such as %s, and a network has at most %d"
                  .formatted(source, labels.size(), OneLine.start(labels.get(0), 30), MOST)
              + " classes; another column may hold the labels");
    }
    var sorted = new ArrayList<>(labels);
    boolean numeric = labels.stream().allMatch(ClassNames::isNumber);
    sorted.sort(numeric ? Comparator.comparing(BigDecimal::new) : Comparator.naturalOrder());
    return new ClassNames(sorted);
  }

  /** The classes of a network, by their names. */
  static ClassNames known(List<String> names) {
    return new ClassNames(names);
  }

  /** The classes 0, 1, … without names. */
  static ClassNames numbered(int classes) {
    return new ClassNames(LabelledData.numbers(classes));
  }

  private static boolean isNumber(String text) {
    return text.matches("[-+]?[0-9]+(\\.[0-9]+)?");
  }

  /** The names. */
  List<String> names() {
    return names;
  }

  /**
   * Returns the classes of a set's examples.
   *
   * @param source the set, for the message
   * @throws BadFileException if a label is none of the names
   */
  byte[] codes(String source, LabelColumn labels) {
    int[] classes = new int[labels.names().size()];
    for (int i = 0; i < classes.length; i++) {
      String name = labels.names().get(i);
      Integer number = numbers.get(name);
      if (number == null) {
        throw new BadFileException(
            "%s: example %,d has the label %s, which the training set has not; its %d classes are %s"
                .formatted(
                    source, first(labels, i), OneLine.start(name, 30), names.size(), shown()));
      }
      classes[i] = number;
    }
    byte[] codes = new byte[labels.codes().length];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (byte) classes[labels.codes()[i]];
    }
    return codes;
  }

  /** The number, from 1 on, of the first example with that code. */
  private static int first(LabelColumn labels, int code) {
    int i = 0;
    while (i < labels.codes().length - 1 && labels.codes()[i] != code) {
      i++;
    }
    return i + 1;
  }

  private String shown() {
    String some =
        String.join(
            ", ", names.stream().limit(SHOWN).map(name -> OneLine.start(name, 30)).toList());
    return names.size() > SHOWN ? some + ", …" : some;
  }
}
