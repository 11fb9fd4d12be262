package mlpcuda.report;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import mlpcuda.data.WholeFile;

/**
 * A page that needs nothing beside itself: {@code report.html} with its styles, its script,
 * Chart.js and what the script draws put inside.
 */
public final class Page {
  private static final int POINTS = 2000;
  private static final Pattern PLACE = Pattern.compile("\\{\\{([a-z.]+)}}");
  private static final Pattern SOURCE_MAP = Pattern.compile("\n//# sourceMappingURL=.*");

  private final String frame = resource("report.html");
  private final Map<String, String> parts = new HashMap<>();

  /** A page under that title. */
  public Page(String title) {
    parts.put("title", title.replace("&", "&amp;").replace("<", "&lt;"));
    for (String name : new String[] {"page.css", "report.css", "report.js", "chart.umd.min.js"}) {
      parts.put(
          name, SOURCE_MAP.matcher(resource(name)).replaceAll("")); // else browsers look for it
    }
  }

  /** Every k-th point of a curve, from the last one backwards: as many as can be seen. */
  public static <T> List<T> thinned(List<T> points) {
    int k = (points.size() - 1) / POINTS + 1;
    int first = (points.size() - 1) % k;
    return IntStream.iterate(first, i -> i < points.size(), i -> i + k)
        .mapToObj(points::get)
        .toList();
  }

  private static String resource(String name) {
    try (InputStream in = Page.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the program has no " + name + ": it was not built whole");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes the page over a former one.
   *
   * @param data what {@code report.js} draws, in maps, lists, texts, numbers and arrays of them;
   *     arrays of bytes become Base64
   * @throws UncheckedIOException if writing fails
   */
  public void write(Path file, Map<String, Object> data) {
    WholeFile.write(
        file,
        out -> {
          // A file's name with "</script>" in it, say, must not end the script.
          parts.put("data", JSON.std.asString(data).replace("<", "\\u003c"));
          Matcher place = PLACE.matcher(frame);
          String page = place.replaceAll(m -> Matcher.quoteReplacement(parts.get(m.group(1))));
          out.write(page.getBytes(StandardCharsets.UTF_8));
        });
  }
}
