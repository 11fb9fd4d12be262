package mlpcuda.input;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;

/**
 * The order of names in which numbers count by their value: {@code 2.png} precedes {@code 10.png}.
 */
final class NumericOrder {
  /** Compares digits by their value, and all else character by character. */
  static final Comparator<String> NAMES = NumericOrder::compare;

  private NumericOrder() {}

  private static int compare(String a, String b) {
    int i = 0;
    int j = 0;
    while (i < a.length() && j < b.length()) {
      int endOfA = endOfDigits(a, i);
      int endOfB = endOfDigits(b, j);
      int order;
      if (endOfA > i && endOfB > j) {
        order = compareNumbers(value(a.substring(i, endOfA)), value(b.substring(j, endOfB)));
      } else {
        endOfA = i + 1;
        endOfB = j + 1;
        order = Character.compare(a.charAt(i), b.charAt(j));
      }
      if (order != 0) {
        return order;
      }
      i = endOfA;
      j = endOfB;
    }
    int rest = Integer.compare(a.length() - i, b.length() - j);
    return rest != 0 ? rest : a.compareTo(b); // 2.png and 02.png
  }

  private static int compareNumbers(String a, String b) {
    return a.length() == b.length() ? a.compareTo(b) : Integer.compare(a.length(), b.length());
  }

  /** Returns digits without the zeros at their beginning. */
  private static String value(String digits) {
    int start = 0;
    while (start < digits.length() - 1 && digits.charAt(start) == '0') {
      start++;
    }
    return digits.substring(start);
  }

  private static int endOfDigits(String text, int from) {
    int end = from;
    while (end < text.length() && isDigit(text.charAt(end))) {
      end++;
    }
    return end;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  /** Whether the texts are whole numbers without a sign, each another one. */
  static boolean areDifferentNumbers(Collection<String> texts) {
    Set<String> numbers = new HashSet<>();
    for (String text : texts) {
      boolean number = !text.isEmpty() && endOfDigits(text, 0) == text.length();
      if (!number || !numbers.add(value(text))) {
        return false;
      }
    }
    return true;
  }
}
