package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mlpcuda.files.OneLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The points that a sweep visits: the values that some options of a command take. A point is a
 * value for each option, by the option's name.
 */
record Grid(List<GridAxis> axes) {
  /** The most points of a sweep; nobody would wait for more runs. */
  static final int MAX_POINTS = 10_000;

  private static final Pattern WORD = Pattern.compile("([^=]*)=(.*)", Pattern.DOTALL);

  /**
   * The draws for each point that is asked for. If they do not give enough different points, the
   * grid has too few; the chance that this is wrong is 1/e¹⁰⁰.
   */
  private static final int DRAWS = 100;

  /**
   * Reads words such as {@code lr=1e-3,3e-4}, {@code hidden=128,64;300,300}, {@code seed=1..3},
   * {@code no-graph=true,false} or {@code lr=1e-4~1e-2}, whose names are options of {@code
   * command}.
   *
   * @throws IllegalArgumentException if a word is wrong, which says how
   */
  static Grid parse(List<String> words, CommandSpec command) {
    var axes = new LinkedHashMap<String, GridAxis>();
    for (String word : words) {
      Matcher parts = WORD.matcher(word);
      if (!parts.matches()) {
        throw new IllegalArgumentException("--grid: must be NAME=VALUES, found " + word);
      }
      String name = parts.group(1).strip();
      OptionSpec option = command.optionsMap().get("--" + name);
      if (option == null) {
        throw new IllegalArgumentException(
            "--grid: NAME must be an option of %s without its dashes, one of %s; found %s%s"
                .formatted(
                    command.name(),
                    String.join(", ", names(command)),
                    OneLine.orNothing(name),
                    Suggestion.of(name, names(command))));
      }
      if (axes.put(name, GridAxis.parse(option, name, parts.group(2))) != null) {
        throw new IllegalArgumentException(
            "--grid: a NAME may come once, found %s twice".formatted(name));
      }
    }
    return new Grid(List.copyOf(axes.values()));
  }

  private static TreeSet<String> names(CommandSpec command) {
    var names = new TreeSet<String>();
    command.optionsMap().keySet().stream()
        .filter(name -> name.startsWith("--"))
        .forEach(name -> names.add(name.substring(2)));
    names.removeAll(List.of("help", "version"));
    return names;
  }

  /**
   * All points; the last option changes fastest.
   *
   * @throws IllegalArgumentException if there are too many points or a range has no end of them
   */
  List<Map<String, String>> all() {
    List<Map<String, String>> points = List.of(Map.of());
    for (GridAxis axis : axes) {
      if (axis.isRange()) {
        throw new IllegalArgumentException(
            "--grid %s: a range A~B needs --random, found none".formatted(axis.name()));
      }
      if ((long) points.size() * axis.values().size() > MAX_POINTS) {
        throw new IllegalArgumentException(
            "--grid: a grid must have at most %d points, found more; --random N visits some of them"
                .formatted(MAX_POINTS));
      }
      var longer = new ArrayList<Map<String, String>>();
      for (Map<String, String> point : points) {
        for (String value : axis.values()) {
          var next = new LinkedHashMap<>(point);
          next.put(axis.name(), value);
          longer.add(next);
        }
      }
      points = longer;
    }
    return points;
  }

  /**
   * Draws {@code count} different points. A seed gives the same points each time, and a larger
   * count begins with the points of a smaller one.
   *
   * @throws IllegalArgumentException if there are fewer points
   */
  List<Map<String, String>> random(int count, long seed) {
    if (count > MAX_POINTS) {
      throw new IllegalArgumentException(
          "--random: must be at most %d, found %d".formatted(MAX_POINTS, count));
    }
    var random = new SplittableRandom(seed);
    var points = new LinkedHashSet<Map<String, String>>();
    for (long draws = 0; points.size() < count; draws++) {
      if (draws > (long) DRAWS * count) {
        throw new IllegalArgumentException(
            "--random: the grid must have as many different points, %d; found %d"
                .formatted(count, points.size()));
      }
      var point = new LinkedHashMap<String, String>();
      axes.forEach(axis -> point.put(axis.name(), axis.draw(random)));
      points.add(point);
    }
    return List.copyOf(points);
  }

  /** The words of the command line that a point means. */
  List<String> words(Map<String, String> point) {
    return axes.stream().flatMap(axis -> axis.words(point.get(axis.name())).stream()).toList();
  }

  /** The options that have more than one value. */
  List<String> varying() {
    return axes.stream().filter(GridAxis::varies).map(GridAxis::name).toList();
  }
}
