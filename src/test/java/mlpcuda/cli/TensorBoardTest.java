package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import mlpcuda.cli.EventReader.Events;
import mlpcuda.cli.EventReader.Point;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that the events say the same as {@code metrics.json}, and that another reader understands
 * them.
 */
class TensorBoardTest {
  private static final int CLASSES = 3;

  @TempDir private Path tmp;
  private Path data;
  private Path events;
  private Path out;

  @BeforeEach
  void makeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, CLASSES, 50, 20);
    events = tmp.resolve("deep/events");
    out = tmp.resolve("out");
  }

  private Object[] words(String more) {
    String line = "--hidden 6 --batch-size 16 --epochs 3 --log-interval 2 " + more;
    return Program.words(
        line.strip(), "--data", data, "--out", out, "--tensorboard", events, "--seed", 3);
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  private Events only() throws IOException {
    List<Path> files = files(events);
    assertEquals(1, files.size());
    return EventReader.read(files.get(0));
  }

  private Map<String, Object> metrics() throws IOException {
    return Program.json(Files.readString(out.resolve("metrics.json")));
  }

  private static List<Map<?, ?>> rows(Map<String, Object> metrics, String name) {
    return ((List<?>) metrics.get(name)).stream().<Map<?, ?>>map(row -> (Map<?, ?>) row).toList();
  }

  private static float number(Map<?, ?> json, String name) {
    return ((Number) json.get(name)).floatValue();
  }

  private static List<Point> points(List<Map<?, ?>> rows, String name) {
    return rows.stream()
        .map(row -> new Point(((Number) row.get("step")).longValue(), number(row, name)))
        .toList();
  }

  @Test
  void hasWhatTheMetricsHave() throws IOException {
    double before = System.currentTimeMillis() / 1e3;
    Program program = Program.succeed(words("--validation 12 --schedule exponential:0.5"));
    assertEquals("", program.err());
    Events found = only();
    Map<String, Object> metrics = metrics();
    List<Map<?, ?>> epochs = rows(metrics, "epochs");
    List<Map<?, ?>> steps = rows(metrics, "steps");
    assertEquals(3, epochs.size());
    assertEquals(List.of(2, 5, 8), steps.stream().map(step -> step.get("step")).toList());
    assertEquals(
        Set.of(
            "loss/train",
            "loss/epoch",
            "accuracy/train",
            "learning_rate",
            "loss/validation",
            "accuracy/validation",
            "loss/test",
            "accuracy/test"),
        found.scalars().keySet());
    assertEquals(points(steps, "loss"), found.points("loss/train"));
    assertEquals(points(epochs, "loss"), found.points("loss/epoch"));
    assertEquals(points(epochs, "accuracy"), found.points("accuracy/train"));
    assertEquals(points(epochs, "learning_rate"), found.points("learning_rate"));
    assertEquals(points(epochs, "validation_loss"), found.points("loss/validation"));
    assertEquals(points(epochs, "validation_accuracy"), found.points("accuracy/validation"));
    assertEquals(points(epochs, "test_loss"), found.points("loss/test"));
    assertEquals(points(epochs, "test_accuracy"), found.points("accuracy/test"));
    assertEquals(1, found.start());
    assertTrue(before <= found.firstTime() && found.firstTime() <= found.lastTime());
    assertTrue(found.lastTime() <= System.currentTimeMillis() / 1e3);
  }

  @Test
  void hasOnePointOfATestAtTheEnd() throws IOException {
    Program.succeed(words("--test-at-end"));
    Map<?, ?> test = (Map<?, ?>) metrics().get("test");
    assertEquals(List.of(new Point(12, number(test, "loss"))), only().points("loss/test"));
    assertEquals(List.of(new Point(12, number(test, "accuracy"))), only().points("accuracy/test"));
  }

  /** A run with nothing more to do adds nothing, however often it is resumed. */
  @Test
  void aFinishedRunThatIsResumedWritesNothingTwice() throws IOException {
    for (String line : List.of("", "--test-at-end", "--validation 12 --save-best")) {
      events = tmp.resolve("events" + line);
      out = tmp.resolve("out" + line);
      Program.succeed(words(line));
      Events before = only();
      Program.succeed("--resume", out, "--data", data, "--tensorboard", events);
      Program.succeed("--resume", out, "--data", data, "--tensorboard", events);
      assertEquals(before.scalars(), only().scalars(), line);
      assertTrue(before.images().containsKey("confusion/test"), line);
    }
  }

  @Test
  void isNamedAndFramedAsTensorBoardWantsIt() throws IOException {
    Program.succeed(words(""));
    Path file = files(events).get(0);
    String name = file.getFileName().toString();
    assertTrue(name.matches("events\\.out\\.tfevents\\.\\d{10}\\.[^/]+\\.mlp-cuda"), name);
    // This is the first record of TensorFlow's own files: 24 bytes, and that length's masked CRC.
    byte[] expected = {0x18, 0, 0, 0, 0, 0, 0, 0, (byte) 0xA3, 0x7F, 0x4B, 0x22, 0x09};
    assertArrayEquals(expected, Arrays.copyOf(Files.readAllBytes(file), expected.length));
  }

  @Test
  void drawsTheConfusionMatrix() throws IOException {
    Program.succeed(words("--max-steps 3"));
    EventReader.Image image = only().images().get("confusion/test");
    assertEquals(3, image.step());
    assertEquals(3, image.colorspace());
    BufferedImage png = ImageIO.read(new ByteArrayInputStream(image.encoded()));
    int cell = 320 / CLASSES;
    assertEquals(CLASSES * cell, png.getWidth());
    assertEquals(CLASSES * cell, png.getHeight());
    assertEquals(image.width(), png.getWidth());
    assertEquals(image.height(), png.getHeight());
    List<?> confusion = (List<?>) ((Map<?, ?>) metrics().get("test")).get("confusion");
    boolean wrong = false;
    for (int y = 0; y < png.getHeight(); y++) {
      List<?> row = (List<?>) confusion.get(y / cell);
      int support = row.stream().mapToInt(count -> (Integer) count).sum();
      for (int x = 0; x < png.getWidth(); x++) {
        int count = (Integer) row.get(x / cell);
        long fade = Math.round(255 - 255 * Math.sqrt((double) count / support));
        boolean right = x / cell == y / cell;
        long rgb = right ? fade * 0x10100 + 0xFF : 0xFF0000 + fade * 0x101;
        assertEquals(rgb, png.getRGB(x, y) & 0xFFFFFF, "pixel " + x + ", " + y);
        wrong |= !right && count > 0;
      }
    }
    assertTrue(wrong, "three steps must leave errors to be drawn");
  }

  @Test
  void writesAfterEachEpochAndNoSooner() throws IOException {
    var asked = new AtomicInteger();
    var sizes = new int[3];
    Program program =
        Program.run(
            Program.NO_GPUS,
            () -> {
              int step = asked.getAndIncrement(); // the number of steps that were done
              if (step % 4 == 3) {
                sizes[step / 4] = loggedOrZero();
              }
              return false;
            },
            words(""));
    assertEquals(0, program.code(), program.err());
    // Before the last batches of the three epochs it has what the epochs before have logged.
    assertArrayEquals(new int[] {0, 2, 4}, sizes);
  }

  private int loggedOrZero() {
    try {
      return only().points("loss/train").size();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void resumedRunGoesOnInANewFile() throws IOException {
    var asked = new AtomicInteger();
    Program stopped =
        Program.run(Program.NO_GPUS, () -> asked.incrementAndGet() == 8, words("")); // in epoch 2
    assertEquals(130, stopped.code(), stopped.err());
    Program.succeed("--resume", out, "--data", data, "--tensorboard", events);
    List<Path> files = files(events);
    assertEquals(2, files.size(), "the option must be kept");
    Events first = EventReader.read(files.get(0));
    Events second = EventReader.read(files.get(1));
    assertEquals(8, second.start());
    for (String tag : List.of("loss/train", "loss/epoch", "accuracy/test")) {
      List<Point> whole =
          Stream.concat(first.points(tag).stream(), second.points(tag).stream()).toList();
      List<Long> steps = whole.stream().map(Point::step).toList();
      assertEquals(steps.stream().distinct().sorted().toList(), steps, tag);
    }
    assertEquals(
        List.of(2L, 4L, 6L), first.points("loss/train").stream().map(Point::step).toList());
    assertEquals(
        List.of(8L, 10L, 12L), second.points("loss/train").stream().map(Point::step).toList());
    assertEquals(
        points(rows(metrics(), "steps"), "loss"),
        Stream.concat(first.points("loss/train").stream(), second.points("loss/train").stream())
            .toList());
    assertEquals(List.of(4L), first.points("accuracy/test").stream().map(Point::step).toList());
    assertEquals(
        List.of(8L, 12L), second.points("accuracy/test").stream().map(Point::step).toList());
  }

  @Test
  void changesNothingElse() throws IOException {
    Program with = Program.succeed(words(""));
    byte[] model = Files.readAllBytes(out.resolve("model.safetensors"));
    Object[] words = words("");
    Object[] without =
        Stream.of(words)
            .map(w -> w.equals("--tensorboard") ? "--overwrite" : w)
            .filter(w -> w != events)
            .toArray();
    Program plain = Program.succeed(without);
    assertArrayEquals(model, Files.readAllBytes(out.resolve("model.safetensors")));
    assertEquals(plain.lastLine(), with.lastLine());
    List<String> lines =
        plain.lines().stream().filter(line -> !line.endsWith(" is replaced")).toList();
    assertEquals(lines.size(), with.lines().size());
  }

  @Test
  void dryRunWritesNothing() {
    Program.succeed(words("--dry-run"));
    assertFalse(Files.exists(events));
  }

  @Test
  void divergedRunKeepsItsPoints() throws IOException {
    Program program = Program.run(words("--optimizer sgd --lr 1e30"));
    assertEquals(5, program.code(), program.err());
    assertEquals(1, program.err().lines().count());
    only(); // fails unless the file is whole
  }

  @Test
  void aFolderThatCannotBeIsOneLineBeforeTheTraining() throws IOException {
    Files.createDirectories(events.getParent());
    Files.writeString(events, "a file");
    Program program = Program.run(words(""));
    assertEquals(7, program.code());
    assertEquals(
        List.of(
            events
                + ": must be a folder to write to, or a name for a new one, found: a file of that"
                + " name is there"),
        program.err().lines().toList());
    assertFalse(program.out().contains("Epoch"), program.out());
    assertEquals("a file", Files.readString(events));
  }

  @Test
  void aResumedRunWhoseFolderIsGoneBadLosesNothing() throws IOException {
    var asked = new AtomicInteger();
    Program.run(Program.NO_GPUS, () -> asked.incrementAndGet() == 8, words(""));
    byte[] checkpoint = Files.readAllBytes(out.resolve("checkpoint.safetensors"));
    Path aside = tmp.resolve("aside");
    Files.move(events, aside);
    Files.writeString(events, "a file");
    Program refused = Program.run("--resume", out, "--data", data, "--tensorboard", events);
    assertEquals(7, refused.code());
    assertEquals(1, refused.err().lines().count(), refused.err());
    assertArrayEquals(checkpoint, Files.readAllBytes(out.resolve("checkpoint.safetensors")));
    Files.delete(events);
    Files.move(aside, events);
    Program.succeed("--resume", out, "--data", data, "--tensorboard", events);
    assertEquals(2, files(events).size());
  }
}
