package mlpcuda.serve;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/** HTTP over a socket, with any errors that a test wants. */
final class RawHttp {
  private RawHttp() {}

  /**
   * The reply of a server.
   *
   * @param status the status; 0: the connection was closed without an answer
   * @param headers the headers by their names in lower case
   */
  record Reply(int status, Map<String, String> headers, byte[] body) {
    String text() {
      return new String(body, StandardCharsets.UTF_8);
    }
  }

  /** Encodes characters as bytes of the same numbers. */
  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  static byte[] joined(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** Builds a request with the mandatory headers and the given ones. */
  static byte[] request(int port, String line, byte[] body, String... headers) {
    var text = new StringBuilder(line + " HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\n");
    for (String header : headers) {
      text.append(header).append("\r\n");
    }
    if (body != null) {
      text.append("Content-Length: ").append(body.length).append("\r\n");
    }
    return joined(bytes(text + "\r\n"), body == null ? new byte[0] : body);
  }

  /**
   * Sends the bytes and reads one answer.
   *
   * @param ends whether to close the sending side, so that the server sees the end
   * @throws SocketTimeoutException if there is neither an answer nor the end of the connection
   */
  static Reply send(int port, byte[] request, boolean ends, int millis) throws IOException {
    try (Socket socket = connect(port, millis)) {
      try {
        socket.getOutputStream().write(request);
        if (ends) {
          socket.shutdownOutput();
        }
      } catch (SocketException e) {
        // The server may have closed the connection early; its answer, if any, can still be read.
      }
      return read(socket.getInputStream());
    }
  }

  static Socket connect(int port, int millis) throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(millis);
    return socket;
  }

  /** Reads the next answer; interim ones are left out. */
  static Reply read(InputStream in) throws IOException {
    try {
      while (true) {
        String line = line(in);
        if (line == null) {
          return new Reply(0, Map.of(), new byte[0]);
        }
        int status = Integer.parseInt(line.split(" ", 3)[1]);
        var headers = new TreeMap<String, String>();
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
          int colon = header.indexOf(':');
          headers.put(
              header.substring(0, colon).toLowerCase(), header.substring(colon + 1).strip());
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        if (status != 100) {
          return new Reply(status, headers, in.readNBytes(length));
        }
      }
    } catch (SocketException e) { // reset
      return new Reply(0, Map.of(), new byte[0]);
    }
  }

  private static String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        return null;
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }
}
