package mlpcuda.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Sends thousands of malformed requests to a server in a JVM of its own, with a heap as small as
 * the documents say that it may be. Failures name the round; the rounds are always the same.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Tag("long")
class HttpFuzzTest {
  private static final int ROUNDS = 6000;

  /** Another number gives other rounds. */
  private static final long RUN = Long.getLong("mlpcuda.fuzz", 0);

  private static final int CLIENTS = 4;

  /** The documented statuses, without 503: there are fewer clients than may wait. */
  private static final Set<Integer> DOCUMENTED =
      Set.of(200, 400, 403, 404, 405, 413, 414, 417, 422, 431, 501, 505);

  /** A time-out that is far longer than any answer takes. */
  private static final int MILLIS = 5 * 60_000;

  /** The threads that speak HTTP, and those that a JVM has by itself. */
  private static final int MOST_THREADS = PredictionServer.THREADS + 24;

  private static ServerProcess server;

  private static int port;

  private static byte[] good;

  private static byte[] answer;

  private final ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);

  @BeforeAll
  static void start() throws IOException {
    server = new ServerProcess(300);
    port = server.port();
    good = RawHttp.request(port, "POST /predict", picture("png", 24));
    answer = RawHttp.send(port, good, false, MILLIS).body();
    assertTrue(new String(answer).contains("\"probabilities\""), new String(answer));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** After any requests the server must be in the state from before. */
  @AfterEach
  void asBefore() throws IOException, InterruptedException {
    clients.shutdownNow();
    assertArrayEquals(answer, RawHttp.send(port, good, false, MILLIS).body());
    ServerProcess.State state = server.awaitConnections(0);
    assertEquals(0, state.connections(), "open connections");
    assertTrue(state.threads() <= MOST_THREADS, state.threads() + " threads");
    assertEquals(0, state.failures(), "failures");
    // If a request had left its connection counted, these would no longer fit.
    var sockets = new ArrayList<Socket>();
    try {
      for (int i = 0; i < Clients.CONNECTIONS_OF_ADDRESS; i++) {
        sockets.add(RawHttp.connect(port, MILLIS));
      }
      for (Socket socket : sockets) {
        socket.getOutputStream().write(good);
        assertArrayEquals(answer, RawHttp.read(socket.getInputStream()).body());
      }
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  private static byte[] picture(String format, int size) throws IOException {
    var image = new BufferedImage(size, size, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < size; i++) {
      image.getRaster().setSample(i, size / 2, 0, 255);
    }
    var bytes = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(image, format, bytes));
    return bytes.toByteArray();
  }

  private static byte[] webp(String file) throws IOException {
    try (InputStream in =
        HttpFuzzTest.class.getResourceAsStream("/mlpcuda/picture/" + file + ".webp")) {
      return in.readAllBytes();
    }
  }

  /**
   * A lossless WebP in which three bits make the decoder change all pixels, and the next three
   * again.
   */
  private static byte[] transformations(int length) {
    byte[] webp = new byte[length];
    ByteBuffer view = ByteBuffer.wrap(webp).order(ByteOrder.LITTLE_ENDIAN);
    view.putInt(0x46464952).putInt(length - 8).putInt(0x50424557); // RIFF, WEBP
    view.putInt(0x4c385056).putInt(length - 20).put((byte) 0x2f).putInt(1999 << 14 | 1999); // VP8L
    for (int bit = 0; bit < 8 * (length - 25); bit++) {
      webp[25 + bit / 8] |= (byte) ((bit % 3 == 1 ? 0 : 1) << bit % 8);
    }
    return webp;
  }

  private static List<byte[]> bodies() throws IOException {
    return List.of(
        picture("png", 24),
        picture("jpeg", 24),
        picture("gif", 24),
        picture("bmp", 24),
        picture("tiff", 24),
        webp("stroke-lossy"),
        webp("ink-lossy-alpha"),
        RawHttp.bytes("P2 3 3 9\n0 9 0 0 9 0 0 9 0"),
        RawHttp.bytes("{\"image\": [[0, 255, 0], [0, 255, 0], [0, 200, 10]]}"));
  }

  @Test
  void malformedRequests() throws Exception {
    var malformed = new MalformedRequests(port, bodies());
    var rounds = new ArrayList<Future<Integer>>();
    for (int i = 0; i < ROUNDS; i++) {
      int round = i;
      rounds.add(
          clients.submit(
              () -> {
                byte[] request = malformed.next(new Random(round + ROUNDS * RUN));
                return RawHttp.send(port, request, true, MILLIS).status();
              }));
    }
    var counts = new TreeMap<Integer, Integer>();
    for (int i = 0; i < ROUNDS; i++) {
      int status = get(rounds.get(i), i);
      assertTrue(status == 0 || DOCUMENTED.contains(status), "status " + status + " in round " + i);
      counts.merge(status, 1, Integer::sum);
    }
    // Each sort of error must have been met, and often: otherwise the requests are not as intended.
    for (int status : DOCUMENTED) {
      assertTrue(counts.getOrDefault(status, 0) >= 20, "found " + counts);
    }
    assertTrue(counts.getOrDefault(0, 0) < ROUNDS / 5, "found " + counts);
  }

  private static <T> T get(Future<T> future, int round) throws InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      throw new AssertionError("round " + round, e.getCause());
    }
  }

  /** Sends data that unfolds, each from several clients at once: all of it must fit the heap. */
  @Test
  void bombs() throws Exception {
    var wide = new ByteArrayOutputStream();
    assertTrue(
        ImageIO.write(new BufferedImage(2000, 2000, BufferedImage.TYPE_BYTE_INDEXED), "png", wide));
    var deep = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(sixteenBits(2000), "png", deep));
    byte[] claims = wide.toByteArray();
    ByteBuffer header = ByteBuffer.wrap(claims);
    header.putInt(16, 65_535).putInt(20, 65_535);
    var sum = new CRC32();
    sum.update(claims, 12, 17);
    header.putInt(29, (int) sum.getValue());
    int most = PredictionServer.MAX_BODY;
    List<Bomb> bombs =
        List.of(
            new Bomb(
                422, wide.toByteArray()), // the picture is blank, which shows only after decoding
            new Bomb(422, deep.toByteArray()),
            new Bomb(400, claims),
            new Bomb(422, picture("png", 2000)),
            new Bomb(413, picture("bmp", 2000)),
            new Bomb(400, transformations(most)),
            new Bomb(422, scans(2000, 100)),
            new Bomb(400, scans(2000, 101)),
            new Bomb(400, "P5 2001 2000 255\n"),
            new Bomb(422, "P2 500 1000 255\n" + "1 ".repeat(500_000)),
            new Bomb(400, "[".repeat(most)),
            new Bomb(400, "{\"image\":" + "[".repeat(most - 9)),
            new Bomb(422, "{\"image\":[[" + "0,".repeat(most / 2 - 10) + "9]]}"),
            new Bomb(422, "{\"image\":[[9]" + ",[0]".repeat(most / 4 - 10) + "]}"),
            new Bomb(400, "{\"image\":[[" + "1".repeat(most - 20) + "]]}"),
            new Bomb(400, "{\"" + "x".repeat(most - 20) + "\":1}"),
            new Bomb(400, "{\"image\":\"" + "x".repeat(most - 20) + "\"}"),
            new Bomb(400, new byte[most]),
            new Bomb(413, new byte[most + 1]),
            new Bomb(413, new byte[8 * most]));
    var rounds = new ArrayList<Future<RawHttp.Reply>>();
    for (int i = 0; i < 3 * bombs.size(); i++) {
      byte[] request = RawHttp.request(port, "POST /predict", bombs.get(i / 3).body());
      Callable<RawHttp.Reply> send = () -> RawHttp.send(port, request, false, MILLIS);
      rounds.add(clients.submit(send));
    }
    for (int i = 0; i < rounds.size(); i++) {
      RawHttp.Reply reply = get(rounds.get(i), i / 3);
      assertEquals(
          bombs.get(i / 3).status(), reply.status(), "bomb " + i / 3 + ": " + reply.text());
    }
  }

  private record Bomb(int status, byte[] body) {
    Bomb(int status, String body) {
      this(status, RawHttp.bytes(body));
    }
  }

  private static BufferedImage sixteenBits(int size) {
    var colours =
        new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_sRGB),
            true,
            false,
            Transparency.TRANSLUCENT,
            DataBuffer.TYPE_USHORT);
    return new BufferedImage(
        colours, colours.createCompatibleWritableRaster(size, size), false, null);
  }

  /** A progressive JPEG whose last scan is repeated: each one is a pass over all pixels. */
  private static byte[] scans(int size, int count) throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    var bytes = new ByteArrayOutputStream();
    try (var out = new MemoryCacheImageOutputStream(bytes)) {
      writer.setOutput(out);
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
      var image = ImageIO.read(new ByteArrayInputStream(picture("png", size)));
      writer.write(null, new IIOImage(image, null, null), param);
    } finally {
      writer.dispose();
    }
    byte[] jpeg = bytes.toByteArray();
    var starts = new ArrayList<Integer>();
    for (int i = 1; i < jpeg.length; i++) {
      if (jpeg[i] == (byte) 0xda && jpeg[i - 1] == -1) {
        starts.add(i - 1);
      }
    }
    int last = starts.get(starts.size() - 1);
    byte[] scan = Arrays.copyOfRange(jpeg, last, jpeg.length - 2);
    var all = new ByteArrayOutputStream();
    all.write(jpeg, 0, jpeg.length - 2);
    for (int i = starts.size(); i < count; i++) {
      all.writeBytes(scan);
    }
    all.write(jpeg, jpeg.length - 2, 2);
    return all.toByteArray();
  }
}
