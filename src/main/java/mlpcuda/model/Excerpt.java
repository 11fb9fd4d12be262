package mlpcuda.model;

import java.util.Set;
import java.util.stream.Collectors;
import mlpcuda.files.OneLine;

/** Shortens what a model file contains, so that a message of one line can quote it. */
final class Excerpt {
  private static final int NAME_LENGTH = 80;
  private static final int TEXT_LENGTH = 200;
  private static final int NAMES = 4;

  private Excerpt() {}

  /** Quotes a name, of which a message may contain several: at most 80 characters. */
  static String ofName(String name) {
    return OneLine.start(name, NAME_LENGTH);
  }

  /** Quotes the text of any object: at most 200 characters, "nothing" for an empty text. */
  static String of(Object found) {
    return OneLine.orNothing(OneLine.start(found.toString(), TEXT_LENGTH));
  }

  /** Lists at most four of the names, and says how many more there are; "none" without a name. */
  static String ofNames(Set<String> names) {
    if (names.isEmpty()) {
      return "none";
    }
    String first = names.stream().limit(NAMES).map(Excerpt::of).collect(Collectors.joining(", "));
    return names.size() <= NAMES ? first : first + " and %d more".formatted(names.size() - NAMES);
  }
}
