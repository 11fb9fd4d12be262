package mlpcuda.serve;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Makes requests with random faults from good bodies. */
final class MalformedRequests {
  private final int port;
  private final List<byte[]> bodies;

  /** Requests to a server at {@code port}, which carry one of the bodies, whole or changed. */
  MalformedRequests(int port, List<byte[]> bodies) {
    this.port = port;
    this.bodies = bodies;
  }

  /** Makes the next request; the same random numbers make the same request. */
  byte[] next(Random random) {
    byte[] body = bodies.get(random.nextInt(bodies.size()));
    return switch (random.nextInt(10)) {
      case 0 -> noise(random, random.nextInt(3000));
      case 1 -> changed(whole(body, random), random);
      case 2 -> { // the head alone
        byte[] whole = whole(body, random);
        int head = whole.length - body.length;
        yield RawHttp.joined(
            changed(Arrays.copyOf(whole, Math.max(1, head)), random),
            Arrays.copyOfRange(whole, Math.max(1, head), whole.length));
      }
      case 3, 4 -> RawHttp.request(port, "POST /predict", changed(body, random));
      case 5 -> {
        byte[] whole = whole(body, random);
        yield Arrays.copyOf(whole, random.nextInt(whole.length)); // cut
      }
      case 6 -> { // a wrong length
        long[] lengths = {-1, 0, 1, body.length - 1, body.length + 1, 1 << 20, 1L << 40};
        long length = lengths[random.nextInt(lengths.length)];
        byte[] head = RawHttp.request(port, "POST /predict", null, "Content-Length: " + length);
        yield RawHttp.joined(head, body);
      }
      case 7 -> chunked(body, random);
      case 8 -> oddHead(body, random);
      default -> { // several requests at once
        byte[] whole = whole(body, random);
        yield RawHttp.joined(whole, changed(whole, random), whole);
      }
    };
  }

  private byte[] whole(byte[] body, Random random) {
    return switch (random.nextInt(20)) {
      case 0 -> RawHttp.request(port, "POST /predict", body, "Expect: more");
      case 1, 2, 3, 4 -> RawHttp.request(port, "GET /", null);
      case 5, 6, 7, 8 -> RawHttp.request(port, "GET /model", null, "Accept: */*");
      case 9, 10, 11, 12 -> RawHttp.request(port, "POST /predict?raw=true", body);
      default -> RawHttp.request(port, "POST /predict", body);
    };
  }

  private byte[] chunked(byte[] body, Random random) {
    String[] sizes = {"%x", "%x;a=b", "0%x", "%X ", "-%x", "ffffffff", "7fffffff", "%x0", "g", ""};
    var request = new ByteArrayOutputStream();
    String coding = random.nextInt(4) == 0 ? "gzip, chunked" : "chunked";
    request.writeBytes(
        RawHttp.request(port, "POST /predict", null, "Transfer-Encoding: " + coding));
    for (int at = 0; at < body.length; ) {
      int n = Math.min(body.length - at, 1 + random.nextInt(200));
      String size = random.nextInt(4) > 0 ? "%x" : sizes[random.nextInt(sizes.length)];
      request.writeBytes(RawHttp.bytes(size.formatted(n) + "\r\n"));
      request.write(body, at, n);
      request.writeBytes(RawHttp.bytes(random.nextInt(10) > 0 ? "\r\n" : "\n"));
      at += n;
    }
    request.writeBytes(RawHttp.bytes("0\r\n\r\n"));
    return request.toByteArray();
  }

  private byte[] oddHead(byte[] body, Random random) {
    String[] methods = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "", "get"};
    String[] targets = {
      "/",
      "/predict",
      "/model",
      "*",
      "http://127.0.0.1/",
      "//x",
      "/favicon.ico",
      "/model/",
      "/Predict",
      "/%00",
      "/%zz",
      "/../..",
      "/predict?raw=",
      "/predict?raw=true&raw=false",
      "mailto:x",
      "?",
      "#",
      "/a".repeat(9000),
      "/predict?" + "b".repeat(18_000)
    };
    String[] headers = {
      "Host: evil.example",
      "Origin: null",
      "Origin: http://127.0.0.1:1",
      "Connection: close",
      "Expect: 100-continue",
      "Transfer-Encoding: identity",
      "Content-Length: 3",
      "Content-Type: text/plain",
      "X: " + "y".repeat(20_000),
      "X: y\r\n".repeat(120) + "X: y",
      "no colon",
      ": no name",
      " folded",
      "Cookie: \u0000\u00ff"
    };
    String line =
        methods[random.nextInt(methods.length)] + " " + targets[random.nextInt(targets.length)];
    String[] some = new String[random.nextInt(3)];
    Arrays.setAll(some, i -> headers[random.nextInt(headers.length)]);
    return RawHttp.request(port, line, random.nextBoolean() ? body : null, some);
  }

  private static byte[] noise(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] changed(byte[] from, Random random) {
    byte[] bytes = from.clone();
    byte[] extremes = {0, -1, 127, -128, '\r', '\n', ' ', ':', '0', '9', '[', '{', '"', '-'};
    for (int i = 0; i <= random.nextInt(3); i++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = extremes[random.nextInt(extremes.length)];
        case 2 -> bytes = without(bytes, at, Math.min(bytes.length - at, random.nextInt(9)));
        case 3 -> { // a piece is repeated
          int n = Math.min(bytes.length - at, random.nextInt(60));
          byte[] before = Arrays.copyOf(bytes, at + n);
          bytes = RawHttp.joined(before, Arrays.copyOfRange(bytes, at, bytes.length));
        }
        default -> {
          byte[] rest = Arrays.copyOfRange(bytes, at, bytes.length);
          byte[] noise = noise(random, random.nextInt(9));
          bytes = RawHttp.joined(Arrays.copyOf(bytes, at), noise, rest);
        }
      }
      if (bytes.length == 0) {
        return from;
      }
    }
    return bytes;
  }

  private static byte[] without(byte[] bytes, int at, int n) {
    return RawHttp.joined(
        Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, at + n, bytes.length));
  }
}
