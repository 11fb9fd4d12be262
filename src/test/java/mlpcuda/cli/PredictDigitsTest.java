package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ImageSet;
import mlpcuda.data.MnistForm;
import mlpcuda.data.Picture;
import mlpcuda.data.PictureFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A network that has learnt MNIST, asked for digits of other hands, and for MNIST's as pictures.
 */
class PredictDigitsTest {
  @TempDir static Path tmp;
  private static Path model;
  private static ImageSet test;

  @BeforeAll
  static void train() {
    Path out = tmp.resolve("run");
    Program.succeed(Program.words("--cpu --epochs 2 --out", out));
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
    assertTrue(right(1, 1) >= 18);
  }

  /** How many of 20 · rounds drawings are taken for what they are. */
  private static int right(long seed, int rounds) throws IOException {
    var random = new Random(seed);
    String[] formats = {"png", "jpeg", "pgm"};
    var files = new ArrayList<Path>();
    for (int i = 0; i < 20 * rounds; i++) {
      BufferedImage image = Handwriting.draw(i % 10, i / 10 % 2, random);
      files.add(write(image, formats[i % 3], seed + "-" + i));
    }
    List<Integer> answers = classes(files);
    int right = 0;
    for (int i = 0; i < answers.size(); i++) {
      right += answers.get(i) == i % 10 ? 1 : 0;
    }
    if (System.getenv("LOOK") != null) {
      int[][] c = new int[20][10];
      for (int i = 0; i < answers.size(); i++) c[i % 20][answers.get(i)]++;
      for (int i = 0; i < 20; i++) System.out.println(i + ": " + java.util.Arrays.toString(c[i]));
      System.out.println(seed + ": " + right + " of " + 20 * rounds);
      montage(files, answers, seed);
    }
    return right;
  }

  private static void montage(List<Path> files, List<Integer> answers, long seed)
      throws IOException {
    int n = Math.min(40, files.size());
    var all = new BufferedImage(10 * 2 * 90, (n / 10) * 90, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < n; i++) {
      Picture p = PictureFile.read(files.get(i)).get(0);
      byte[] form = MnistForm.of(p, 28, 28);
      for (int y = 0; y < 84; y++)
        for (int x = 0; x < 84; x++) {
          int v = form[y / 3 * 28 + x / 3] & 0xff;
          int sy = y * Math.max(p.rows(), p.cols()) / 84,
              sx = x * Math.max(p.rows(), p.cols()) / 84;
          int w = sy < p.rows() && sx < p.cols() ? p.pixels()[sy * p.cols() + sx] & 0xff : 60;
          int ox = i % 10 * 180, oy = i / 10 * 90;
          all.setRGB(ox + x, oy + y, w * 0x10101);
          all.setRGB(ox + 88 + x, oy + y, answers.get(i) == i % 10 ? v * 0x10101 : v << 16 | 0x40);
        }
    }
    ImageIO.write(all, "png", new File("/tmp/predict-montage-" + seed + ".png"));
  }

  @Test
  void explore() throws IOException {
    if (System.getenv("LOOK") != null) right(2, 25);
  }

  @Test
  void mnistStaysWhatItIs() throws IOException {
    var files = new ArrayList<Path>();
    int same = 0;
    int near = 0;
    for (int i = 0; i < test.size(); i++) {
      var image = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
      byte[] pixels = new byte[784];
      System.arraycopy(test.pixels(), i * 784, pixels, 0, 784);
      image.getRaster().setDataElements(0, 0, 28, 28, pixels);
      files.add(write(image, "png", "mnist" + i));
      byte[] form = MnistForm.of(PictureFile.read(files.get(i)).get(0), 28, 28);
      assertEquals(
          true, java.util.Arrays.equals(pixels, PictureFile.read(files.get(i)).get(0).pixels()));
      int most = 0;
      for (int p = 0; p < 784; p++)
        most = Math.max(most, Math.abs((form[p] & 0xff) - (pixels[p] & 0xff)));
      same += most == 0 ? 1 : 0;
      near += most <= 5 ? 1 : 0;
    }
    int raw = count(classes(files, "--raw"));
    int formed = count(classes(files));
    System.out.println("raw " + raw + " formed " + formed + " same " + same + " near " + near);
    assertTrue(formed >= raw - 5, raw + " fell to " + formed);
  }

  private static int count(List<Integer> answers) {
    int right = 0;
    for (int i = 0; i < answers.size(); i++) {
      right += answers.get(i) == test.labels()[i] ? 1 : 0;
    }
    return right;
  }
}
