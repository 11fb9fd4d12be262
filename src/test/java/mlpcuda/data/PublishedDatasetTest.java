package mlpcuda.data;

import static mlpcuda.data.MirrorServer.IMAGES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import mlpcuda.data.PublishedDataset.Progress;
import mlpcuda.data.PublishedDataset.RemoteFile;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PublishedDatasetTest {
  private static final Progress SILENT = (file, bytes, total) -> {};

  /** A download that accepts small files only, and waits long enough for mirrors that answer. */
  private static final Download SMALL = download(300_000, Map.of());

  /** A download that waits for an answer only a moment, for a mirror that never gives one. */
  private static final Download HASTY = download(200, Map.of());

  private static Download download(int readMillis, Map<String, String> environment) {
    return new Download(
        new Download.Limits(60_000, readMillis, 600_000, 1000), MirrorServer.network(environment));
  }

  @TempDir Path cache;

  private MirrorServer server;

  @BeforeEach
  void serve() throws IOException {
    server = new MirrorServer();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  /** A mirror on a port at which nobody listens. */
  private static String dead() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return "http://127.0.0.1:" + socket.getLocalPort() + "/";
    }
  }

  /** The test's server is the proxy: it is asked for an address of a host that does not exist. */
  @Test
  void asksTheProxyThatTheEnvironmentNames() throws IOException {
    String proxy = "127.0.0.1:" + server.port();
    Download through = download(300_000, Map.of("http_proxy", proxy, "no_proxy", ".example"));
    PublishedDataset far = server.dataset("http://mirror.invalid/good/");
    assertSmall(far.load(cache, SILENT, through));
    assertEquals(4, server.requests.size());
  }

  @Test
  void proxiesByTheConventionOfCurl() throws IOException {
    URI address = URI.create("https://data.example.org/x");
    Proxy proxy = HttpProxy.of(address, Map.of("HTTPS_PROXY", "http://proxy.example:3128"));
    assertEquals("proxy.example", ((InetSocketAddress) proxy.address()).getHostString());
    assertEquals(3128, ((InetSocketAddress) proxy.address()).getPort());
    for (String none : List.of("*", "data.example.org", "x.org, .example.org", "example.org")) {
      Map<String, String> environment = Map.of("https_proxy", "proxy:1", "no_proxy", none);
      assertEquals(Proxy.NO_PROXY, HttpProxy.of(address, environment), none);
    }
    assertEquals(Proxy.NO_PROXY, HttpProxy.of(address, Map.of("http_proxy", "proxy:1")));
    for (String bad :
        List.of("socks5://proxy:1", "http://name:secret@proxy:1", "http://", "proxy:65536")) {
      String message =
          assertThrows(IOException.class, () -> HttpProxy.of(address, Map.of("https_proxy", bad)))
              .getMessage();
      assertTrue(message.startsWith("https_proxy "), message);
      assertFalse(message.contains("secret"), message);
    }
  }

  private List<String> cached() throws IOException {
    try (Stream<Path> files = Files.list(cache.resolve("small"))) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  /** Checks that these are the images and labels that the mirrors publish. */
  private static void assertSmall(LabelledData data) {
    assertEquals("Small", data.name());
    assertEquals(3, data.classes());
    byte[] file = IdxBytes.images(5, 7, 5);
    assertArrayEquals(Arrays.copyOfRange(file, 16, file.length), data.train().features().array());
    assertArrayEquals(new byte[] {0, 1, 2, 1, 0}, data.train().labels());
    assertEquals(Layout.Images.grey(7, 5), data.test().layout());
    assertArrayEquals(new byte[] {2, 0, 1}, data.test().labels());
  }

  /** A good image file of the shape that is published, with other pixels. */
  private static byte[] otherImages() {
    byte[] file = IdxBytes.images(5, 7, 5);
    file[100] ^= 1;
    return file;
  }

  @Test
  void goesOnToTheThirdMirror() throws IOException {
    PublishedDataset small =
        server.dataset(dead(), server.address("damaged"), server.address("good"));
    List<String> heard = new ArrayList<>();
    Progress progress = (file, bytes, total) -> heard.add(file + " " + bytes + "/" + total);
    assertSmall(small.load(cache, progress, SMALL));
    assertEquals(List.copyOf(server.published.keySet()), cached());
    for (String name : cached()) {
      assertArrayEquals(
          server.published.get(name), Files.readAllBytes(cache.resolve("small").resolve(name)));
    }
    assertEquals(8, server.requests.size());
    int size = server.published.get(IMAGES).length;
    assertTrue(heard.contains(IMAGES + " " + size + "/" + size), heard::toString);

    server.requests.clear();
    assertSmall(small.load(cache, SILENT, SMALL));
    assertEquals(List.of(), server.requests);
  }

  @ParameterizedTest
  @ValueSource(strings = {"moved", "chunked"})
  void readsTheOtherAnswersOfGoodMirrors(String mirror) throws IOException {
    assertSmall(server.dataset(server.address(mirror)).load(cache, SILENT, SMALL));
    assertEquals(List.copyOf(server.published.keySet()), cached());
  }

  @Test
  void replacesADamagedFile() throws IOException {
    PublishedDataset small = server.dataset(server.address("good"));
    small.load(cache, SILENT, SMALL);
    Path file = cache.resolve("small").resolve(IMAGES);
    for (byte[] damaged : List.of(new byte[3], IdxBytes.gzip(otherImages()), new byte[2000])) {
      server.requests.clear();
      Files.write(file, damaged);
      assertSmall(small.load(cache, SILENT, SMALL));
      assertArrayEquals(server.published.get(IMAGES), Files.readAllBytes(file));
      assertEquals(List.of("good/" + IMAGES), server.requests);
      assertEquals(4, cached().size());
    }
  }

  /** {@link IdxFolder} would read the first of these files that exists. */
  @Test
  void readsNothingThatLiesBesideTheVerifiedFiles() throws IOException {
    PublishedDataset small = server.dataset(server.address("good"));
    small.load(cache, SILENT, SMALL);
    Path folder = cache.resolve("small");
    String name = "train-images-idx3-ubyte";
    IdxBytes.write(folder.resolve(name), otherImages());
    IdxBytes.write(folder.resolve("train-images.idx3-ubyte"), otherImages());
    IdxBytes.write(folder.resolve("t10k-labels-idx1-ubyte"), IdxBytes.labels(0, 0, 0));
    Path secret = IdxBytes.write(cache.resolve("secret"), IdxBytes.labels(0, 0, 0, 0, 0));
    Files.createSymbolicLink(folder.resolve("train-labels-idx1-ubyte"), secret);
    assertEquals(
        otherImages()[100],
        IdxFolder.read(folder, OptionalInt.of(3)).train().features().array()[84],
        "the planted file must be one that would be read");
    server.requests.clear();
    assertSmall(small.load(cache, SILENT, SMALL));
    assertEquals(List.of(), server.requests);
  }

  /** The images are replaced when they have been checked, and the labels are not yet there. */
  @Test
  void parsesTheBytesThatWereChecked() {
    Path images = cache.resolve("small").resolve(IMAGES);
    Progress planting =
        (file, bytes, total) -> {
          if (!file.equals(IMAGES)) {
            IdxBytes.write(images, IdxBytes.gzip(otherImages()));
          }
        };
    assertSmall(server.dataset(server.address("good")).load(cache, planting, SMALL));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void replacesALinkAndLeavesItsTarget(boolean dangling) throws IOException {
    Path target = cache.resolve("target");
    byte[] precious = {1, 2, 3};
    if (!dangling) {
      Files.write(target, precious);
    }
    Path file = Files.createDirectories(cache.resolve("small")).resolve(IMAGES);
    Files.createSymbolicLink(file, target);
    assertSmall(server.dataset(server.address("good")).load(cache, SILENT, SMALL));
    assertTrue(Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS));
    if (dangling) {
      assertFalse(Files.exists(target));
    } else {
      assertArrayEquals(precious, Files.readAllBytes(target));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"MD5", "SHA-256"})
  void bothHashesMustBeRight(String wrong) {
    RemoteFile good = server.file(IMAGES);
    boolean md5 = wrong.equals("MD5");
    RemoteFile other =
        new RemoteFile(
            IMAGES, md5 ? "0".repeat(32) : good.md5(), md5 ? good.sha256() : "0".repeat(64));
    PublishedDataset small = server.dataset(server.address("good"));
    PublishedDataset changed =
        new PublishedDataset("small", "Small", 3, small.mirrors(), List.of(other));
    for (boolean inCache : new boolean[] {false, true}) {
      String message =
          assertThrows(BadFileException.class, () -> changed.load(cache, SILENT, SMALL))
              .getMessage();
      String found = wrong + " " + (md5 ? good.md5() : good.sha256());
      assertTrue(message.contains("/good/ (" + found + "); download it"), message);
      if (!inCache) {
        small.load(cache, SILENT, SMALL);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "missing | status 404",
        "long | 1001 bytes, more than 1000",
        "endless | * bytes, more than 1000",
        "cut | the answer is cut short or malformed",
        "silent | timed out",
        "circle | more than 5 redirects",
        "damaged | SHA-256 *"
      })
  void saysWhyAMirrorFails(String mirror, String reason) throws IOException {
    PublishedDataset small = server.dataset(server.address(mirror));
    RemoteFile first = small.files().get(0);
    Download download = mirror.equals("silent") ? HASTY : SMALL;
    String message =
        assertThrows(BadFileException.class, () -> small.load(cache, SILENT, download))
            .getMessage();
    String expected =
        "%s: no mirror gives it with SHA-256 %s: %s (%s); download it by other means, and name its folder as the data set"
            .formatted(
                first.name(), first.sha256(), server.address(mirror), reason.replace("*", "\\w+"));
    assertTrue(message.matches(expected.replaceAll("[().]", "\\\\$0")), message + "\n" + expected);
    assertEquals(List.of(), cached());
  }

  @Test
  void namesEveryMirror() throws IOException {
    String dead = dead();
    PublishedDataset small =
        server.dataset(dead, server.address("missing"), "http://no-such-host.invalid/");
    RemoteFile first = small.files().get(0);
    String message =
        assertThrows(BadFileException.class, () -> small.load(cache, SILENT, SMALL)).getMessage();
    assertEquals(1, message.lines().count());
    assertTrue(
        message.startsWith(
            first.name()
                + ": no mirror gives it with SHA-256 "
                + first.sha256()
                + ": "
                + dead
                + " (Connection refused"),
        message);
    assertTrue(message.contains("; " + server.address("missing") + " (status 404); "), message);
    assertTrue(message.contains("; http://no-such-host.invalid/ ("), message);
    assertTrue(
        message.endsWith("; download it by other means, and name its folder as the data set"),
        message);
  }

  @Test
  void refusesAFolderThatCannotBeMade() throws IOException {
    Files.write(cache.resolve("small"), new byte[1]);
    PublishedDataset small = server.dataset(server.address("good"));
    String message =
        assertThrows(BadFileException.class, () -> small.load(cache, SILENT, SMALL)).getMessage();
    assertTrue(message.startsWith(cache.resolve("small") + ": cannot be made: "), message);
  }

  @Test
  void knowsThreeDataSets() {
    for (PublishedDataset dataset : PublishedDataset.ALL) {
      assertEquals(dataset, PublishedDataset.named(dataset.name()));
      assertEquals(4, dataset.files().size());
      assertEquals(10, dataset.classes());
      List<String> schemes = dataset.mirrors().stream().map(URI::getScheme).toList();
      assertEquals(schemes.stream().sorted(Comparator.reverseOrder()).toList(), schemes);
      assertEquals("https", schemes.get(0));
      for (URI mirror : dataset.mirrors()) {
        assertTrue(mirror.toString().endsWith("/"), mirror::toString);
      }
      for (RemoteFile file : dataset.files()) {
        assertTrue(file.md5().matches("[0-9a-f]{32}"), file::toString);
        assertTrue(file.sha256().matches("[0-9a-f]{64}"), file::toString);
      }
    }
    assertEquals(
        "data set must be one of mnist, fashion-mnist, kmnist, found cifar",
        assertThrows(IllegalArgumentException.class, () -> PublishedDataset.named("cifar"))
            .getMessage());
  }
}
