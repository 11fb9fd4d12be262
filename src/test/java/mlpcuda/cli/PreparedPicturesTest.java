package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.imageio.ImageIO;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.LabelledData;
import mlpcuda.model.Checkpoint;
import mlpcuda.model.ModelFile;
import mlpcuda.picture.PictureFile;
import mlpcuda.preparation.Preparation;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests a network that learnt digits of 8x8 pixels: MNIST's without their border, reduced. They are
 * not in MNIST's form, so pictures must not be brought to it.
 */
class PreparedPicturesTest {
  private static final int SIDE = 8;
  private static final int CUT = 2; // pixels of MNIST's border that are left out

  @TempDir static Path tmp;
  private static Path data;
  private static Path model;
  private static ExampleSet test;
  private static Program trained;

  @BeforeAll
  static void train() throws IOException {
    LabelledData mnist = EmbeddedMnist.load();
    data = Files.createDirectories(tmp.resolve("data"));
    write("train", small(mnist.train().first(4000)));
    test = small(mnist.test().first(200));
    write("t10k", test);
    trained = train("run", "--epochs 8");
    model = tmp.resolve("run").resolve("model.safetensors");
  }

  private static Program train(String folder, String options) {
    return Program.succeed(
        Program.words(
            "--cpu --threads 1 " + options, "--data", data, "--out", tmp.resolve(folder)));
  }

  /** Reduces images: each pixel is the mean of 3 x 3. */
  private static ExampleSet small(ExampleSet set) {
    byte[] pixels = new byte[set.size() * SIDE * SIDE];
    for (int i = 0; i < pixels.length; i++) {
      int image = i / (SIDE * SIDE);
      int sum = 0;
      for (int k = 0; k < 9; k++) {
        int y = CUT + i / SIDE % SIDE * 3 + k / 3;
        int x = CUT + i % SIDE * 3 + k % 3;
        sum += set.features().array()[image * 784 + y * 28 + x] & 0xff;
      }
      pixels[i] = (byte) (sum / 9);
    }
    return ExampleSet.images(SIDE, SIDE, pixels, set.labels());
  }

  private static void write(String split, ExampleSet set) throws IOException {
    ByteBuffer images = ByteBuffer.allocate(16 + set.features().array().length);
    images.putInt(0x803).putInt(set.size()).putInt(SIDE).putInt(SIDE).put(set.features().array());
    ByteBuffer labels = ByteBuffer.allocate(8 + set.size());
    labels.putInt(0x801).putInt(set.size()).put(set.labels());
    Files.write(data.resolve(split + "-images-idx3-ubyte"), images.array());
    Files.write(data.resolve(split + "-labels-idx1-ubyte"), labels.array());
  }

  private static byte[] pixels(int image) {
    int size = SIDE * SIDE;
    return Arrays.copyOfRange(test.features().array(), image * size, (image + 1) * size);
  }

  /** Saves a test image as a PNG, each pixel {@code times} as high and wide. */
  private static Path png(int image, int times) throws IOException {
    var grey = new BufferedImage(SIDE * times, SIDE * times, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < SIDE * times * SIDE * times; i++) {
      int y = i / (SIDE * times);
      int x = i % (SIDE * times);
      grey.getRaster().setSample(x, y, 0, pixels(image)[y / times * SIDE + x / times] & 0xff);
    }
    Path file = tmp.resolve("digit" + image + "x" + times + ".png");
    assertTrue(ImageIO.write(grey, "png", file.toFile()));
    return file;
  }

  private static List<?> predict(String options, List<Path> files) {
    var args = new ArrayList<Object>(List.of(Program.words("predict --cpu --json " + options)));
    args.addAll(List.of("--model", model));
    args.addAll(files);
    return (List<?>) Program.json(Program.succeed(args.toArray()).out()).get("images");
  }

  private static List<Object> classes(List<?> images) {
    var classes = new ArrayList<Object>();
    images.forEach(image -> classes.add(((Map<?, ?>) image).get("class")));
    return classes;
  }

  private static int right(List<?> images) {
    List<Object> classes = classes(images);
    int right = 0;
    for (int i = 0; i < classes.size(); i++) {
      right += classes.get(i).equals((int) test.labels()[i]) ? 1 : 0;
    }
    return right;
  }

  @Test
  void itsOwnTestImagesAsPicturesAreAnsweredAsInEvaluate() throws IOException {
    Program evaluated =
        Program.succeed(Program.words("evaluate --cpu --json", "--model", model, "--data", data));
    int right = (Integer) Program.json(evaluated.out()).get("right");
    assertTrue(right >= 170, "it learnt: " + right);
    var same = new ArrayList<Path>();
    var larger = new ArrayList<Path>();
    for (int i = 0; i < 200; i++) {
      same.add(png(i, 1));
      larger.add(png(i, 5));
    }
    Path folder = tmp.resolve("seen");
    List<?> answers = predict("--show " + folder, same);
    assertEquals(right, right(answers));
    assertEquals(classes(predict("--raw", same)), classes(answers));
    assertEquals("as-is", ((Map<?, ?>) answers.get(0)).get("preparation"));
    assertEquals(classes(answers), classes(predict("", larger)), "the area of a pixel is averaged");
    assertArrayEquals(
        pixels(199), PictureFile.read(folder.resolve("0200-digit199x1.png")).get(0).pixels());

    List<?> formed = predict("--prepare mnist-form", same);
    assertEquals("mnist-form", ((Map<?, ?>) formed.get(0)).get("preparation"));
    assertTrue(right(formed) < right - 20, "it was never shown such images: " + right(formed));
  }

  @Test
  void serveObeysTheModelAndTheOption() throws IOException, InterruptedException {
    Path picture = png(3, 5);
    Map<?, ?> expected = (Map<?, ?>) predict("", List.of(picture)).get(0);
    for (String option : List.of("", " --prepare mnist-form")) {
      try (var serving = new Serving(Program.NO_GPUS, model, "--cpu" + option)) {
        Map<String, Object> answer = ask(serving, "predict", picture);
        byte[] seen = Base64.getDecoder().decode((String) answer.get("pixels"));
        String label = option.isEmpty() ? "as-is" : "mnist-form";
        assertEquals(label, answer.get("preparation"));
        assertEquals(option.isEmpty(), Arrays.equals(pixels(3), seen));
        assertEquals(option.isEmpty(), expected.get("likeliest").equals(answer.get("likeliest")));
        assertEquals("as-is", ask(serving, "predict?raw=true", png(3, 1)).get("preparation"));
        assertFalse(answer.containsKey("warning"), answer.toString());
      }
    }
  }

  private static Map<String, Object> ask(Serving serving, String path, Path picture)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(serving.url() + path))
            .POST(BodyPublishers.ofFile(picture))
            .build();
    return Program.json(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body());
  }

  @Test
  void warningsAreToldInTextAndJson() throws IOException, InterruptedException {
    Path blank = Files.writeString(tmp.resolve("blank.pgm"), "P2 2 2 255 7 7 7 7");
    String warning = "The picture is blank: all of it is about equally light.";
    assertEquals(warning, ((Map<?, ?>) predict("", List.of(blank)).get(0)).get("warning"));
    Program text = Program.succeed("predict", "--cpu", "--model", model, blank);
    assertTrue(text.lastLine().endsWith(". Warning: " + warning), text.out());
    try (var serving = new Serving(Program.NO_GPUS, model, "--cpu")) {
      assertEquals(warning, ask(serving, "predict", blank).get("warning"));
    }
  }

  @Test
  void theRunSaysWhatItMeasuredOrWasTold() throws IOException {
    assertEquals(Preparation.AS_IS, ModelFile.read(model).form().images(model).preparation());
    assertEquals("as-is", setting("run", "preparation"));
    assertEquals(false, setting("run", "transpose"));
    assertFalse(trained.out().contains("(preparation "), trained.out());
    Program told = train("told", "--epochs 1 --prepare mnist-form");
    assertTrue(
        told.lines()
            .contains(
                "The model will have pictures brought to MNIST's form (preparation mnist-form)"),
        told.out());
    assertEquals("mnist-form", setting("told", "preparation"));
    Path file = tmp.resolve("told").resolve("model.safetensors");
    assertEquals(Preparation.MNIST_FORM, ModelFile.read(file).form().images(file).preparation());
  }

  private static Object setting(String run, String name) throws IOException {
    String metrics = Files.readString(tmp.resolve(run).resolve("metrics.json"));
    return ((Map<?, ?>) Program.json(metrics).get("settings")).get(name);
  }

  @Test
  void aResumedRunKeepsIt() {
    Path run = tmp.resolve("resumed");
    var asked = new AtomicInteger();
    Object[] words =
        Program.words(
            "--cpu --threads 1 --epochs 2 --prepare mnist-form --transpose",
            "--data",
            data,
            "--out",
            run);
    assertEquals(
        130, Program.run(Program.NO_GPUS, () -> asked.incrementAndGet() > 3, words).code());
    Checkpoint checkpoint = Checkpoint.read(run.resolve("checkpoint.safetensors"));
    assertEquals(Preparation.MNIST_FORM, checkpoint.form().images("it").preparation());
    assertTrue(checkpoint.form().images("it").transposed());
    Program.succeed("--resume", run, "--data", data);
    assertEquals(checkpoint.form(), ModelFile.read(run.resolve("model.safetensors")).form());
  }
}
