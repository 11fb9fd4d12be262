package mlpcuda.model;

import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Formats the contents of files for one-line messages. */
final class Shown {
  /** The most characters of a text that stands beside others. */
  static final int SHORT = 80;

  private static final int LONG = 200;
  private static final int SOME = 4;
  private static final Pattern BREAKS_A_LINE = Pattern.compile("[\\p{Cc}\\p{Zl}\\p{Zp}]");

  private Shown() {}

  /** The beginning of a text, at most {@code max} characters, without line breaks. */
  static String of(String text, int max) {
    String start = text.length() <= max ? text : text.substring(0, max) + "…";
    return BREAKS_A_LINE.matcher(start).replaceAll("?");
  }

  /** The beginning of any object's text; an empty text is called nothing. */
  static String of(Object found) {
    String text = found.toString();
    return text.isEmpty() ? "nothing" : of(text, LONG);
  }

  /** A few of the names, and how many more there are. */
  static String some(Set<String> names) {
    if (names.isEmpty()) {
      return "none";
    }
    String first = names.stream().limit(SOME).map(Shown::of).collect(Collectors.joining(", "));
    return names.size() <= SOME ? first : first + " and %d more".formatted(names.size() - SOME);
  }
}
