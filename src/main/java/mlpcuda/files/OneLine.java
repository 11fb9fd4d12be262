package mlpcuda.files;

import java.util.regex.Pattern;

/**
 * Puts foreign text into messages of one line. The text comes from a file, a request, a driver or a
 * decoder: it may be long, empty, or contain line breaks and other control characters, with which
 * it could forge lines of its own in a log.
 */
public final class OneLine {
  private static final Pattern CONTROL = Pattern.compile("[\\p{Cc}\\p{Zl}\\p{Zp}]");
  private static final Pattern BREAK = Pattern.compile("\\s*[\\p{Cc}\\p{Zl}\\p{Zp}]+\\s*");

  private OneLine() {}

  /** Replaces each control character, line separator and paragraph separator by a question mark. */
  public static String of(String text) {
    return CONTROL.matcher(text).replaceAll("?");
  }

  /**
   * Cuts a text to at most {@code max} characters and replaces control characters as {@link #of}
   * does; an ellipsis shows that the text was longer.
   */
  public static String start(String text, int max) {
    return of(text.length() <= max ? text : text.substring(0, max) + "…");
  }

  /**
   * Joins the lines of a text by single spaces; white space around line breaks, and at the text's
   * beginning and end, is dropped.
   */
  public static String joined(String text) {
    return BREAK.matcher(text).replaceAll(" ").strip();
  }

  /** Returns the text itself, or the word "nothing" in place of an empty text. */
  public static String orNothing(String text) {
    return text.isEmpty() ? "nothing" : text;
  }
}
