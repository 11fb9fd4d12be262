package mlpcuda.run;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The fields of a JSON object in a checkpoint. Each is checked when it is asked for: a checkpoint
 * may come from anybody.
 */
record Fields(Map<?, ?> values) {
  /** The text of that name, or IllegalArgumentException. */
  String text(String name) {
    return typed(name, String.class);
  }

  /** The text of that name; empty where the value is null. */
  Optional<String> optionalText(String name) {
    return values.get(name) == null ? Optional.empty() : Optional.of(text(name));
  }

  /** The whole number of that name, at least {@code least}, or IllegalArgumentException. */
  int whole(String name, int least) {
    int number = typed(name, Integer.class);
    if (number < least) {
      throw wrong(name);
    }
    return number;
  }

  /** The whole number of that name, which may be a long one. */
  long longWhole(String name) {
    Number number = typed(name, Number.class);
    if (number instanceof Integer || number instanceof Long) {
      return number.longValue();
    }
    throw wrong(name);
  }

  /** The number of that name. */
  double real(String name) {
    return typed(name, Number.class).doubleValue();
  }

  /** The number of that name that is written as a text, because it may be infinite. */
  double realText(String name) {
    return Double.parseDouble(text(name));
  }

  /** The truth value of that name. */
  boolean flag(String name) {
    return typed(name, Boolean.class);
  }

  /** The list of that name, whose elements must all be of {@code type}. */
  <T> List<T> list(String name, Class<T> type) {
    for (Object element : typed(name, List.class)) {
      if (!type.isInstance(element)) {
        throw wrong(name);
      }
    }
    @SuppressWarnings("unchecked")
    List<T> list = (List<T>) values.get(name);
    return list;
  }

  /** The object of that name. */
  Fields fields(String name) {
    return new Fields(typed(name, Map.class));
  }

  /** The object of that name as it is. */
  @SuppressWarnings("unchecked")
  Map<String, Object> map(String name) {
    return typed(name, Map.class);
  }

  /** The constant of an enum whose name is the text of that name in upper case. */
  <E extends Enum<E>> E constant(String name, Class<E> type) {
    return Enum.valueOf(type, text(name).toUpperCase(Locale.ROOT));
  }

  private <T> T typed(String name, Class<T> type) {
    Object value = values.get(name);
    if (!type.isInstance(value)) {
      throw wrong(name);
    }
    return type.cast(value);
  }

  private static IllegalArgumentException wrong(String name) {
    return new IllegalArgumentException(name + " is missing or malformed");
  }
}
