package mlpcuda.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import mlpcuda.data.PublishedDataset.Progress;
import mlpcuda.data.PublishedDataset.RemoteFile;
import mlpcuda.error.BadFileException;
import mlpcuda.files.WholeFile;

/**
 * Fetches one file from the first mirror that gives it undamaged.
 *
 * @param limits the time and the bytes that a mirror may take
 * @param network the network as the download may use it
 */
record Download(Limits limits, HttpGet.Network network) {
  /**
   * What a mirror may take for one file.
   *
   * @param connectMillis time-out for a connection, in ms
   * @param readMillis time-out for the next bytes, in ms
   * @param totalMillis time-out for all of the file, redirects included, in ms
   * @param maxBytes the most bytes of a file; a longer one is refused
   */
  record Limits(int connectMillis, int readMillis, int totalMillis, int maxBytes) {
    /** For files of up to 26 MB, which arrive in time at 45 kB/s. */
    static final Limits STANDARD = new Limits(10_000, 30_000, 600_000, 64 * 1024 * 1024);
  }

  private static final int CHUNK = 64 * 1024;
  private static final int MAX_REDIRECTS = 5;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

  /** The download as users get it. */
  static Download standard() {
    return new Download(Limits.STANDARD, HttpGet.Network.standard());
  }

  /**
   * Returns the bytes of {@code file}, whose hashes are right. They come from {@code folder} if it
   * has them, else from a mirror, and then are kept in the folder, where they replace whatever has
   * the file's name; a symbolic link is replaced, not followed.
   *
   * @throws BadFileException if no mirror gives the file undamaged
   * @throws java.io.UncheckedIOException if the folder cannot be written
   */
  byte[] bytes(Path folder, RemoteFile file, List<URI> mirrors, Progress progress) {
    Path target = folder.resolve(file.name());
    byte[] cached = read(target);
    if (file.mismatch(cached).isEmpty()) {
      return cached;
    }
    StringJoiner reasons = new StringJoiner("; ");
    for (URI mirror : mirrors) {
      byte[] content;
      try {
        content = get(mirror.resolve(file.name()), file.name(), progress);
      } catch (IOException e) {
        reasons.add(mirror + " (" + reason(e) + ")");
        continue;
      }
      String mismatch = file.mismatch(content);
      if (!mismatch.isEmpty()) {
        reasons.add(mirror + " (" + mismatch + ")");
        continue;
      }
      WholeFile.write(target, out -> out.write(content));
      return content;
    }
    throw new BadFileException(
        "%s: no mirror gives it with SHA-256 %s: %s".formatted(file.name(), file.sha256(), reasons)
            + "; download it by other means, and name its folder as the data set");
  }

  /** The first bytes of a file, one more than allowed at most; none of one that is not there. */
  private byte[] read(Path file) {
    if (!Files.isRegularFile(file)) { // a pipe would keep its reader waiting
      return new byte[0];
    }
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(limits.maxBytes() + 1);
    } catch (IOException e) {
      // The file cannot be read, so it must be replaced; if it cannot be, the write tells why.
      return new byte[0];
    }
  }

  /**
   * Downloads the content at {@code address}. It is kept in memory, not in a file: it is short, and
   * so nothing that is unchecked ever lies on the disk.
   */
  private byte[] get(URI address, String name, Progress progress) throws IOException {
    long deadline = System.nanoTime() + limits.totalMillis() * 1_000_000L;
    try {
      URI at = address;
      for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
        try (HttpGet answer = new HttpGet(at, network, limits, deadline)) {
          if (answer.status() == 200) {
            return content(answer, name, progress);
          }
          at = next(at, answer.status(), answer.location());
        }
      }
    } catch (IOException e) {
      // The connection is closed at the deadline, which looks like any other broken connection.
      if (System.nanoTime() - deadline >= 0) {
        throw new IOException("not finished after %d s".formatted(limits.totalMillis() / 1000), e);
      }
      throw e;
    }
    throw new IOException("more than " + MAX_REDIRECTS + " redirects");
  }

  private byte[] content(HttpGet answer, String name, Progress progress) throws IOException {
    long total = answer.length();
    if (total > limits.maxBytes()) {
      throw tooLong(total);
    }
    ByteArrayOutputStream content = new ByteArrayOutputStream(CHUNK);
    byte[] chunk = new byte[CHUNK];
    progress.report(name, 0, total);
    for (int n = answer.read(chunk); n >= 0; n = answer.read(chunk)) {
      content.write(chunk, 0, n);
      if (content.size() > limits.maxBytes()) {
        throw tooLong(content.size());
      }
      progress.report(name, content.size(), total);
    }
    return content.toByteArray();
  }

  /**
   * The address to ask after an answer other than 200. What began with https does not go on with
   * http, where anybody on the way can read and change it.
   *
   * @param location the answer's Location, or null
   * @throws IOException if the answer is no redirect, or one that is not followed
   */
  static URI next(URI at, int status, String location) throws IOException {
    if (!REDIRECTS.contains(status) || location == null) {
      throw new IOException("status " + status);
    }
    URI to;
    try {
      to = URI.create(at.resolve(location).toASCIIString());
    } catch (IllegalArgumentException e) {
      throw new IOException("redirect to a bad address", e);
    }
    if (!"http".equals(to.getScheme()) && !"https".equals(to.getScheme())) {
      throw new IOException("redirect to " + to.getScheme());
    }
    if (to.getHost() == null || to.getPort() > 65535) {
      throw new IOException("redirect to a bad address");
    }
    if (at.getScheme().equals("https") && to.getScheme().equals("http")) {
      throw new IOException("redirect from https to http at " + to.getHost());
    }
    return to;
  }

  private IOException tooLong(long bytes) {
    return new IOException(bytes + " bytes, more than " + limits.maxBytes());
  }

  private static String reason(IOException e) {
    if (e instanceof UnknownHostException) {
      return "unknown host";
    }
    String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return message.lines().findFirst().orElse("no reason given");
  }

  /** A hash of {@code content} in lower-case hexadecimal. */
  static String hash(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has " + algorithm, e);
    }
  }
}
