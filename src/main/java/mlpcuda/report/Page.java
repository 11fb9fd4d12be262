package mlpcuda.report;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import mlpcuda.data.WholeFile;

/**
 * A page that needs nothing beside itself: {@code report.html} with its styles, its script,
 * Chart.js and what the script draws put inside.
 */
public final class Page {
  private static final int POINTS = 2000;

  private final byte[] before; // what the script draws
  private final byte[] after;

  /** A page under that title. */
  public Page(String title) {
    String frame = resource("report.html");
    for (String name : new String[] {"page.css", "report.css", "report.js", "chart.umd.min.js"}) {
      frame = frame.replace(place(name), withoutSourceMap(resource(name)));
    }
    String data = place("data");
    int at = frame.indexOf(data);
    String shown = title.replace("&", "&amp;").replace("<", "&lt;");
    before = bytes(frame.substring(0, at).replace(place("title"), shown));
    after = bytes(frame.substring(at + data.length()).replace(place("title"), shown));
  }

  private static String place(String name) {
    return "{{" + name + "}}";
  }

  /** Browsers would look for the map. */
  private static String withoutSourceMap(String script) {
    int line = script.lastIndexOf("\n//# sourceMappingURL=");
    return line < 0 ? script : script.substring(0, line + 1);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
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
          out.write(before);
          // A file's name with "</script>" in it, say, must not end the script.
          out.write(bytes(JSON.std.asString(data).replace("<", "\\u003c")));
          out.write(after);
        });
  }
}
