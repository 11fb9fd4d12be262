package mlpcuda.report;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import mlpcuda.files.WholeFile;

/**
 * A page that needs no other file: {@code report.html} with its styles, its script, Chart.js and
 * the script's data inside.
 */
public final class Page {
  private static final int POINTS = 2000;
  private static final int LAST_LINE = 200; // bytes, more than the last line of a script has

  private final byte[] before; // the page before the script's data
  private final byte[] after;

  /** Creates a page with the given title. */
  public Page(String title) {
    String frame = new String(resource("report.html"), StandardCharsets.UTF_8);
    var page = new ByteArrayOutputStream();
    byte[] untilData = {};
    int at = 0;
    for (int place = frame.indexOf("{{"); place >= 0; place = frame.indexOf("{{", at)) {
      page.writeBytes(bytes(frame.substring(at, place)));
      at = frame.indexOf("}}", place) + 2;
      String name = frame.substring(place + 2, at - 2);
      switch (name) {
        case "title" -> page.writeBytes(bytes(title.replace("&", "&amp;").replace("<", "&lt;")));
        case "data" -> {
          untilData = page.toByteArray();
          page.reset();
        }
        default -> page.writeBytes(withoutSourceMap(resource(name)));
      }
    }
    page.writeBytes(bytes(frame.substring(at)));
    before = untilData;
    after = page.toByteArray();
  }

  /** Cuts off the last line of a script, which names a source map: browsers would look for it. */
  private static byte[] withoutSourceMap(byte[] script) {
    int end = Math.max(0, script.length - LAST_LINE);
    String last = new String(script, end, script.length - end, StandardCharsets.ISO_8859_1);
    int line = last.lastIndexOf("\n//# sourceMappingURL=");
    return line < 0 ? script : Arrays.copyOf(script, end + line + 1);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Thins a curve to every k-th point, counted backwards from the last, so that no more points are
   * left than can be seen.
   */
  public static <T> List<T> thinned(List<T> points) {
    int k = (points.size() - 1) / POINTS + 1;
    int first = (points.size() - 1) % k;
    return IntStream.iterate(first, i -> i < points.size(), i -> i + k)
        .mapToObj(points::get)
        .toList();
  }

  private static byte[] resource(String name) {
    try (InputStream in = Page.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the program has no " + name + ": it was not built whole");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes the page, over a former file.
   *
   * @param data the data that {@code report.js} draws, in maps, lists, texts, numbers and arrays of
   *     them; arrays of bytes become Base64
   * @throws UncheckedIOException if writing fails
   */
  public void write(Path file, Map<String, Object> data) {
    WholeFile.write(
        file,
        out -> {
          out.write(before);
          // A text that contains "</script>", such as a file's name, must not end the script.
          out.write(bytes(JSON.std.asString(data).replace("<", "\\u003c")));
          out.write(after);
        });
  }
}
