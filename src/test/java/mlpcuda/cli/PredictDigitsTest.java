package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.picture.Picture;
import mlpcuda.picture.PictureFile;
import mlpcuda.preparation.MnistForm;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests a network that has learnt MNIST with digits of other hands, and with MNIST's as pictures.
 */
class PredictDigitsTest {
  @TempDir static Path tmp;
  private static Path model;
  private static ExampleSet test;

  @BeforeAll
  static void train() {
    Path out = tmp.resolve("run");
    Program.succeed(Program.words("--cpu --threads 2 --epochs 2 --out", out));
    model = out.resolve("model.safetensors");
    test = EmbeddedMnist.load().test().first(1000);
  }

  private static List<Integer> classes(List<Path> files, String... options) {
    var args = new ArrayList<Object>(List.of("predict", "--cpu", "--json", "--model", model));
    args.addAll(List.of(options));
    args.addAll(files);
    Map<String, Object> answers = Program.json(Program.succeed(args.toArray()).out());
    var classes = new ArrayList<Integer>();
    for (Object image : (List<?>) answers.get("images")) {
      classes.add((Integer) ((Map<?, ?>) image).get("class"));
    }
    return classes;
  }

  private static Path write(BufferedImage image, String format, String name) throws IOException {
    Path file = tmp.resolve(name + "." + format);
    if (format.equals("pgm")) {
      byte[] grey = new byte[image.getWidth() * image.getHeight()];
      for (int i = 0; i < grey.length; i++) {
        int rgb = image.getRGB(i % image.getWidth(), i / image.getWidth());
        grey[i] = (byte) ((rgb >> 16 & 0xff) * 3 / 10 + (rgb >> 8 & 0xff) * 7 / 10);
      }
      var bytes = new ByteArrayOutputStream();
      bytes.writeBytes(
          "P5\n%d %d\n255\n".formatted(image.getWidth(), image.getHeight()).getBytes("US-ASCII"));
      bytes.writeBytes(grey);
      Files.write(file, bytes.toByteArray());
    } else {
      assertTrue(ImageIO.write(image, format, file.toFile()));
    }
    return file;
  }

  @Test
  void twentyDigitsOfOtherHands() throws IOException {
    var random = new Random(1);
    String[] formats = {"png", "jpeg", "pgm"};
    var files = new ArrayList<Path>();
    for (int i = 0; i < 20; i++) {
      BufferedImage image = Handwriting.draw(i % 10, i / 10, random);
      files.add(write(image, formats[i % 3], "hand" + i / 10 + "-" + i % 10));
    }
    List<Integer> answers = classes(files);
    assertTrue(right(answers, i -> i % 10) >= 18, answers.toString());
  }

  @Test
  void mnistStaysWhatItIs() throws IOException {
    var files = new ArrayList<Path>();
    int same = 0;
    for (int i = 0; i < test.size(); i++) {
      byte[] pixels = Arrays.copyOfRange(test.features().array(), i * 784, (i + 1) * 784);
      var image = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
      image.getRaster().setDataElements(0, 0, 28, 28, pixels);
      files.add(write(image, "png", "mnist" + i));
      Picture picture = PictureFile.read(files.get(i)).get(0);
      assertArrayEquals(pixels, picture.pixels(), "grey is read as it was written");
      same += Arrays.equals(pixels, MnistForm.of(picture, 28, 28).pixels()) ? 1 : 0;
    }
    assertEquals(1000, same);
    List<Integer> answers = classes(files);
    assertEquals(classes(files, "--raw"), answers);
    int right = right(answers, i -> test.labels()[i]);
    assertTrue(right > 950, right + " of 1000");
  }

  /** Photographs are dark on light, larger, in light that falls from one side, with noise. */
  @Tag("long")
  @Test
  void mnistPhotographed() throws IOException {
    var random = new Random(1);
    var files = new ArrayList<Path>();
    for (int i = 0; i < 100; i++) {
      var image = new BufferedImage(280, 250, BufferedImage.TYPE_INT_RGB);
      for (int y = 0; y < 250; y++) {
        for (int x = 0; x < 280; x++) {
          boolean inside = y >= 20 && y < 188 && x >= 70 && x < 238;
          int pixel = inside ? i * 784 + (y - 20) / 6 * 28 + (x - 70) / 6 : -1;
          int ink = inside ? test.features().array()[pixel] & 0xff : 0;
          int light = (int) (205 + x / 14 - 0.6 * ink + 4 * random.nextGaussian());
          image.setRGB(x, y, Math.max(0, Math.min(255, light)) * 0x10101);
        }
      }
      files.add(write(image, "jpeg", "photograph" + i));
    }
    int right = right(classes(files), i -> test.labels()[i]);
    assertTrue(right >= 92, right + " of 100");
  }

  private static int right(List<Integer> answers, IntUnaryOperator label) {
    return (int)
        IntStream.range(0, answers.size())
            .filter(i -> answers.get(i) == label.applyAsInt(i))
            .count();
  }
}
