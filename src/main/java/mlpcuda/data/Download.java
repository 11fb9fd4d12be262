package mlpcuda.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLConnection;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import mlpcuda.data.PublishedDataset.Progress;
import mlpcuda.data.PublishedDataset.RemoteFile;

/**
 * Fetches one file from the first mirror that gives it undamaged.
 *
 * @param connectMillis time-out for a connection, in ms
 * @param readMillis time-out for the next bytes, in ms
 * @param maxBytes the most bytes of a file; a longer one is refused
 * @param environment the environment, which may name proxies
 */
record Download(int connectMillis, int readMillis, int maxBytes, Map<String, String> environment) {
  static final Download DEFAULT = new Download(10_000, 30_000, 64 * 1024 * 1024, System.getenv());

  private static final int CHUNK = 64 * 1024;
  private static final int MAX_REDIRECTS = 5;

  /** Says what is wrong with a mirror, in few words. */
  private static final class MirrorException extends IOException {
    private static final long serialVersionUID = 1L;

    MirrorException(String message) {
      super(message);
    }
  }

  /**
   * Puts {@code file} into {@code folder}, unless it lies there with the right MD5.
   *
   * @throws BadFileException if no mirror gives the file undamaged
   * @throws java.io.UncheckedIOException if the folder cannot be written
   */
  void into(Path folder, RemoteFile file, List<URI> mirrors, Progress progress) {
    Path target = folder.resolve(file.name());
    if (isThere(target, file.md5())) {
      return;
    }
    StringJoiner reasons = new StringJoiner("; ");
    for (URI mirror : mirrors) {
      byte[] content;
      try {
        content = get(mirror.resolve(file.name()), file.name(), progress);
        String found = md5(content);
        if (!found.equals(file.md5())) {
          throw new MirrorException("MD5 " + found);
        }
      } catch (IOException e) {
        reasons.add(mirror + " (" + reason(e) + ")");
        continue;
      }
      WholeFile.write(target, out -> out.write(content));
      return;
    }
    throw new BadFileException(
        "%s: no mirror gives it with MD5 %s: %s; fetch it by other means and use --data DIR"
            .formatted(file.name(), file.md5(), reasons));
  }

  private boolean isThere(Path target, String md5) {
    try {
      return Files.isRegularFile(target)
          && Files.size(target) <= maxBytes
          && md5(Files.readAllBytes(target)).equals(md5);
    } catch (IOException e) {
      // The file cannot be read, so it must be replaced; if it cannot be, the write tells why.
      return false;
    }
  }

  /**
   * Downloads the content at {@code address}. It is kept in memory, not in a file: it is short, and
   * so nothing that is unchecked ever lies on the disk.
   */
  private byte[] get(URI address, String name, Progress progress) throws IOException {
    HttpURLConnection connection = open(address);
    try (InputStream in = connection.getInputStream()) {
      long total = connection.getContentLengthLong();
      if (total > maxBytes) {
        throw tooLong(total);
      }
      ByteArrayOutputStream content = new ByteArrayOutputStream(CHUNK);
      byte[] chunk = new byte[CHUNK];
      progress.report(name, 0, total);
      for (int n = read(in, chunk); n >= 0; n = read(in, chunk)) {
        content.write(chunk, 0, n);
        if (content.size() > maxBytes) {
          throw tooLong(content.size());
        }
        progress.report(name, content.size(), total);
      }
      if (total >= 0 && content.size() != total) {
        throw new MirrorException("ended after %d of %d bytes".formatted(content.size(), total));
      }
      return content.toByteArray();
    } finally {
      // Closing alone would read the rest of a long answer, to use the connection again.
      connection.disconnect();
    }
  }

  /**
   * Reads the next bytes; −1 at the end, also where the connection ends before its announced
   * length.
   */
  private static int read(InputStream in, byte[] chunk) throws IOException {
    try {
      return in.read(chunk);
    } catch (IOException e) {
      // Whether the JDK says so, or takes it for the end, depends on how the connection ended.
      if ("Premature EOF".equals(e.getMessage())) {
        return -1;
      }
      throw e;
    }
  }

  /** Opens a connection that has answered with status 200, after redirects. */
  private HttpURLConnection open(URI address) throws IOException {
    URI at = address;
    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      URLConnection opened = at.toURL().openConnection(HttpProxy.of(at, environment));
      if (!(opened instanceof HttpURLConnection connection)) {
        throw new MirrorException("redirect to " + at.getScheme());
      }
      connection.setConnectTimeout(connectMillis);
      connection.setReadTimeout(readMillis);
      connection.setUseCaches(false);
      // Redirects are followed by hand, because the JDK does not go from http to https.
      connection.setInstanceFollowRedirects(false);
      int status = connection.getResponseCode();
      if (status == 200) {
        return connection;
      }
      String location = connection.getHeaderField("Location");
      connection.disconnect();
      if (status < 301 || status > 308 || location == null) {
        throw new MirrorException("status " + status);
      }
      try {
        at = at.resolve(location);
      } catch (IllegalArgumentException e) {
        throw new MirrorException("redirect to a bad address");
      }
    }
    throw new MirrorException("more than " + MAX_REDIRECTS + " redirects");
  }

  private MirrorException tooLong(long bytes) {
    return new MirrorException(bytes + " bytes, more than " + maxBytes);
  }

  private static String reason(IOException e) {
    if (e instanceof UnknownHostException) {
      return "unknown host";
    }
    String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return message.lines().findFirst().orElse("no reason given");
  }

  private static String md5(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has MD5", e);
    }
  }
}
