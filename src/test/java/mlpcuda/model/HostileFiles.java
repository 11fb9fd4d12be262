package mlpcuda.model;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Files that cost a reader as much memory as their maker could think of. */
final class HostileFiles {
  private static final int HEADER = Safetensors.MAX_HEADER_BYTES;
  private static final int STRING = Safetensors.MAX_STRING - 10;

  private HostileFiles() {}

  /** Writes files of a header alone, none longer than the limit. */
  static void writeHeaders(Path folder) throws IOException {
    for (Map.Entry<String, String> header : headers().entrySet()) {
      write(folder.resolve(header.getKey()), header.getValue(), new byte[0]);
    }
  }

  private static Map<String, String> headers() {
    var headers = new LinkedHashMap<String, String>();
    headers.put("a text beyond the limit", metadata(text("k", "t".repeat(HEADER - 50))));
    headers.put("a name beyond the limit", "{\"" + "n".repeat(HEADER - 30) + "\":3}");
    headers.put("long texts", metadata(list(i -> text(name(i), "t".repeat(STRING)))));
    headers.put("long names", metadata(list(i -> text("n".repeat(STRING) + name(i), ""))));
    headers.put(
        "long texts with a wide character",
        metadata(list(i -> text(name(i), "t".repeat(STRING) + "\u4e00"))));
    headers.put(
        "long texts of escapes", metadata(list(i -> text(name(i), "\\u4e00".repeat(STRING / 6)))));
    headers.put("tiny texts", metadata(list(i -> text(name(i), ""))));
    headers.put("as many texts as allowed", metadata(texts(i -> text(name(i), "t".repeat(1000)))));
    headers.put("tiny empty tensors", "{" + list(i -> tensor(name(i), "[0]", 0, 0)) + "}");
    headers.put(
        "as many empty tensors as allowed",
        "{" + tensors(i -> tensor("a long name " + i, "[0,0,0,0,0,0,0,0]", 0, 0)) + "}");
    headers.put(
        "long names of tensors",
        "{" + list(i -> tensor("n".repeat(STRING) + name(i), "[0]", 0, 0)) + "}");
    headers.put("dimensions", "{\"a\":{\"shape\":[" + "1,".repeat(HEADER / 2 - 50));
    headers.put("digits", "{\"a\":{\"shape\":[" + "1".repeat(HEADER - 50));
    headers.put("arrays in arrays", "{\"a\":" + "[".repeat(HEADER - 50));
    headers.put("objects in objects", "{\"a\":" + "{\"b\":".repeat(HEADER / 5 - 50));
    headers.put("spaces", "{" + " ".repeat(HEADER - 1));
    headers.put("layers", metadata(network("6-" + "1-".repeat(STRING / 2 - 9) + "2")));
    headers.put("as many layers as allowed", metadata(network("6-" + "1-".repeat(4095) + "2")));
    headers.put("wide layers", metadata(network("6-" + "2147483647-".repeat(4095) + "2")));
    return headers;
  }

  /** Writes files of at least {@code bytes} bytes, of which most are values or texts. */
  static void writeValues(Path folder, int bytes) throws IOException {
    String one = tensor("a", "[" + bytes / 4 + "]", 0, bytes);
    write(folder.resolve("one tensor"), "{" + one + "}", new byte[bytes]);
    write(folder.resolve("a tensor that is cut"), "{" + one + "}", new byte[bytes - 1]);
    int each = bytes / Safetensors.MAX_TENSORS / 4 + 1;
    String many =
        tensors(i -> tensor("t" + i, "[" + each + "]", 4L * each * i, 4L * each * (i + 1)));
    write(
        folder.resolve("many tensors"),
        "{" + many + "}",
        new byte[4 * each * Safetensors.MAX_TENSORS]);
    byte[] text = new byte[bytes];
    Arrays.fill(text, (byte) 't');
    write(folder.resolve("a text"), state("U8", bytes, bytes), text);
    write(folder.resolve("a text of wide characters"), state("U16", bytes / 2, bytes), text);
    write(folder.resolve("a text that is cut"), state("U8", 1 << 26, 1 << 26), text);
  }

  private static String state(String dtype, int count, int bytes) {
    return "{" + tensor("state", "[" + count + "]", 0, bytes).replace("F32", dtype) + "}";
  }

  private static String network(String layers) {
    return Map.of(
            "format", "mlp-cuda-checkpoint",
            "version", "1",
            "architecture", "mlp",
            "layers", layers,
            "activation", "relu",
            "output_activation", "none",
            "rows", "2",
            "cols", "3",
            "classes", "2")
        .entrySet()
        .stream()
        .map(entry -> text(entry.getKey(), entry.getValue()))
        .collect(Collectors.joining(",", "", "," + text("scaling", "unit")))
        .concat("," + text("mean", "0") + "," + text("std", "1"));
  }

  private static String metadata(String entries) {
    return "{\"__metadata__\":{" + entries + "}}";
  }

  private static String text(String name, String text) {
    return "\"" + name + "\":\"" + text + "\"";
  }

  private static String tensor(String name, String shape, long begin, long end) {
    return "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
        .formatted(name, shape, begin, end);
  }

  /** A short name. */
  private static String name(int i) {
    return Integer.toString(i, Character.MAX_RADIX);
  }

  private static String texts(IntFunction<String> item) {
    return IntStream.range(0, Safetensors.MAX_METADATA)
        .mapToObj(item)
        .collect(Collectors.joining(","));
  }

  private static String tensors(IntFunction<String> item) {
    return IntStream.range(0, Safetensors.MAX_TENSORS)
        .mapToObj(item)
        .collect(Collectors.joining(","));
  }

  /** A list of as many items as a header has room for. */
  private static String list(IntFunction<String> item) {
    var list = new StringBuilder(item.apply(0));
    int bytes = 100 + list.length();
    for (int i = 1; ; i++) {
      String next = "," + item.apply(i);
      bytes += next.getBytes(StandardCharsets.UTF_8).length;
      if (bytes > HEADER) {
        return list.toString();
      }
      list.append(next);
    }
  }

  private static void write(Path file, String header, byte[] buffer) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    byte[] length = new byte[Safetensors.LENGTH_BYTES];
    ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length);
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      out.write(length);
      out.write(json);
      out.write(buffer);
    }
  }
}
