package mlpcuda.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.stream.Stream;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

/** Guesses which of the known words a misspelt one was meant to be. */
final class Suggestion {
  private Suggestion() {}

  /** "; did you mean X?" for the known word that is nearest, or nothing if none is near. */
  static String of(String word, Collection<String> known) {
    String nearest = null;
    int least = Integer.MAX_VALUE;
    for (String each : known) {
      int edits = edits(word, each);
      if (edits < least) {
        least = edits;
        nearest = each;
      }
    }
    boolean near = nearest != null && least <= Math.max(1, nearest.length() / 4);
    return near && least > 0 ? "; did you mean " + nearest + "?" : "";
  }

  /** A suggestion for a word that is none of the options of a command. */
  static String ofOption(String word, CommandSpec command) {
    var known = new ArrayList<>(command.optionsMap().keySet());
    known.addAll(command.negatedOptionsMap().keySet());
    known.removeIf(name -> !name.startsWith("--"));
    return of(word.replaceFirst("=.*", ""), known);
  }

  /** A suggestion for a value that is none of those of an option's enumeration. */
  static String ofValue(String value, ArgSpec option) {
    return option.type().isEnum()
        ? of(value, Stream.of(option.type().getEnumConstants()).map(Object::toString).toList())
        : "";
  }

  /**
   * The number of letters that must be inserted, deleted, replaced or exchanged with their
   * neighbour to make {@code b} of {@code a}: the optimal string alignment distance.
   */
  private static int edits(String a, String b) {
    int[][] edits = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          edits[i][j] = i + j;
          continue;
        }
        boolean same = a.charAt(i - 1) == b.charAt(j - 1);
        int best = edits[i - 1][j - 1] + (same ? 0 : 1);
        best = Math.min(best, 1 + Math.min(edits[i - 1][j], edits[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          best = Math.min(best, 1 + edits[i - 2][j - 2]);
        }
        edits[i][j] = best;
      }
    }
    return edits[a.length()][b.length()];
  }
}
