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
import java.util.Optional;
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
 * @param network the proxies, addresses and certificates that the download may use
 */
record Download(Limits limits, HttpGet.Network network) {
  /**
   * Limits of one mirror's transfer of one file.
   *
   * @param connectMillis time-out for a connection, in ms
   * @param readMillis time-out for the next bytes, in ms
   * @param totalMillis time-out for the whole file, redirects included, in ms
   * @param maxBytes the size above which a file is refused, in bytes
   */
  record Limits(int connectMillis, int readMillis, int totalMillis, int maxBytes) {
    /** Limits for the published files, of at most 26 MB, which arrive in time at 45 kB/s. */
    static final Limits STANDARD = new Limits(10_000, 30_000, 600_000, 64 * 1024 * 1024);
  }

  private static final int CHUNK = 64 * 1024;
  private static final int MAX_REDIRECTS = 5;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

  /** Returns a download with the limits and the network that users get. */
  static Download standard() {
    return new Download(Limits.STANDARD, HttpGet.Network.standard());
  }

  /**
   * Returns the bytes of {@code file}, after both of its hashes were checked. A file in {@code
   * folder} with the right bytes is used; otherwise the bytes are downloaded from a mirror and
   * written to the folder, over a damaged file of that name. A symbolic link of that name is
   * replaced, not followed.
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

  /**
   * Reads a cached file, at most one byte more than a download may have; a missing or unreadable
   * file gives an empty array.
   */
  private byte[] read(Path file) {
    if (!Files.isRegularFile(file)) { // reading a pipe would wait for a writer
      return new byte[0];
    }
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(limits.maxBytes() + 1);
    } catch (IOException e) {
      // An unreadable file must be replaced; if it cannot be replaced, the write fails with the
      // reason.
      return new byte[0];
    }
  }

  /**
   * Downloads the content at {@code address} into memory, so that unchecked bytes never lie on the
   * disk.
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
      // At the deadline the connection is closed, and the read fails as at any broken connection.
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
   * Returns the address that a redirect leads to. A redirect from https to http is refused, because
   * anybody on the way can read and change what is sent by http.
   *
   * @param location the answer's header Location
   * @throws IOException if the answer is not a redirect, or leads to an address that must not be
   *     followed
   */
  static URI next(URI at, int status, Optional<String> location) throws IOException {
    if (!REDIRECTS.contains(status) || location.isEmpty()) {
      throw new IOException("status " + status);
    }
    URI to;
    try {
      to = URI.create(at.resolve(location.get()).toASCIIString());
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

  /** Hashes {@code content}; returns lower-case hexadecimal. */
  static String hash(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has " + algorithm, e);
    }
  }
}
