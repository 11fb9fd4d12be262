package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvaluateCommandTest {
  @TempDir Path tmp;

  private Path model() {
    return tmp.resolve("run/model.safetensors");
  }

  private Program train(Path data, String line) {
    return Program.succeed(Program.words(line, "--data", data, "--out", tmp.resolve("run")));
  }

  @ParameterizedTest
  @CsvSource({
    "--preset 128x64,                                64",
    "--preset 300x300,                               1000",
    "--preset 128,                                   1000",
    "--preset 128x64-centred,                        64",
    "--preset 128x64x32-relu-out,                    1000",
    "--hidden none --scaling unit,                   64",
    "--activation tanh --relu-output,                64",
    "--activation sigmoid --test-batch-size 7,       7"
  })
  void saysWhatTrainingSaid(String line, int testBatchSize) throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 70);
    Program trained = train(data, line + " --epochs 2 --threads 2");
    Program evaluated =
        Program.succeed(
            Program.words(
                "evaluate --threads 2 --test-batch-size " + testBatchSize,
                "--model",
                model(),
                "--data",
                data));
    assertTrue(evaluated.lastLine().startsWith("Test set: Average loss: "), evaluated.lastLine());
    assertEquals(trained.lastLine(), evaluated.lastLine());
    assertEquals("", evaluated.err());
    assertTrue(
        trained
            .out()
            .contains(
                evaluated
                    .out()
                    .substring(evaluated.out().indexOf("class "))
                    .lines()
                    .limit(9) // precision and recall of three classes, and the confusion matrix
                    .collect(Collectors.joining("\n"))),
        "the same table of classes");

    Program json =
        Program.succeed(
            Program.words(
                "evaluate --json --threads 2 --test-batch-size " + testBatchSize,
                "--model",
                model(),
                "--data",
                data));
    Map<String, Object> metrics = Program.json(Files.readString(tmp.resolve("run/metrics.json")));
    Map<String, Object> answers = Program.json(json.out());
    assertEquals(metrics.get("warnings"), answers.remove("warnings"));
    assertEquals(metrics.get("test"), answers);
    assertEquals(evaluated.out(), json.err());
  }

  @Test
  void theScalingIsTheModelsNotTheNewData() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    Program trained = train(data, "--epochs 2");
    // A training set of other brightness changes nothing, as only the test set is read.
    Path other = Program.writeData(tmp.resolve("other"), 5, 7, 3, 50, 20);
    Path images = other.resolve("train-images-idx3-ubyte");
    byte[] bytes = Files.readAllBytes(images);
    for (int i = 16; i < bytes.length; i++) {
      bytes[i] = (byte) (i % 9);
    }
    Files.write(images, bytes);
    assertEquals(
        trained.lastLine(),
        Program.succeed("evaluate", "--model", model(), "--data", other).lastLine());
  }

  @Test
  void refusesImagesOfAnotherSize() {
    train(Program.writeData(tmp.resolve("data"), 5, 7, 3, 10, 5), "--epochs 0");
    Path other = Program.writeData(tmp.resolve("other"), 7, 5, 3, 10, 5);
    Program.run("evaluate", "--model", model(), "--data", other)
        .assertRefused(
            4,
            model()
                + ": the images of "
                + other
                + " must be 5x7 as the network's inputs, found 7x5");
  }

  /** Floats from 0 to 1 would be scaled as if they were levels from 0 to 255. */
  @Test
  void refusesFloatsWhereItLearntBytes() throws IOException {
    train(Program.writeData(tmp.resolve("data"), 5, 7, 3, 10, 5), "--epochs 0");
    Path other = Program.writeData(tmp.resolve("other"), 5, 7, 3, 10, 5);
    for (String set : List.of("train", "t10k")) {
      Path file = other.resolve(set + "-images-idx3-ubyte");
      byte[] bytes = Files.readAllBytes(file);
      ByteBuffer floats = ByteBuffer.allocate(16 + 4 * (bytes.length - 16));
      floats.put(bytes, 0, 16).put(2, (byte) 0x0d); // the type of floats
      for (int i = 16; i < bytes.length; i++) {
        floats.putFloat(Byte.toUnsignedInt(bytes[i]) / 255f);
      }
      Files.write(file, floats.array());
    }
    Program.run("evaluate", "--model", model(), "--data", other)
        .assertRefused(
            4,
            other.resolve("t10k-images-idx3-ubyte")
                + ": the pixels must be bytes as those of the network's training images, found"
                + " floats");
  }

  @Test
  void refusesLabelsBeyondTheClasses() {
    train(Program.writeData(tmp.resolve("data"), 5, 7, 3, 10, 5), "--epochs 0");
    Path other = Program.writeData(tmp.resolve("other"), 5, 7, 4, 10, 5);
    Program.run("evaluate", "--model", model(), "--data", other)
        .assertRefused(
            4,
            model()
                + ": the test labels of "
                + other
                + " must be below the network's 3 classes, found 3");
  }

  @Test
  void fewerLabelsThanClassesWillDo() {
    train(Program.writeData(tmp.resolve("data"), 5, 7, 4, 10, 5), "--epochs 0");
    Path other = Program.writeData(tmp.resolve("other"), 5, 7, 2, 10, 5);
    String last = Program.succeed("evaluate", "--model", model(), "--data", other).lastLine();
    assertTrue(last.matches("Test set: .*/5 \\(.*"), last);
  }

  @Test
  void hugeBatchesTakeNoMoreThanTheSet() {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 10, 5);
    Program trained = train(data, "--epochs 0");
    Program evaluated =
        Program.succeed(
            Program.words(
                "evaluate --test-batch-size 2147483647", "--model", model(), "--data", data));
    assertEquals(trained.lastLine(), evaluated.lastLine());
  }

  /** The sheet has the images with a wrong answer, in their order, ten in a row. */
  @Test
  void mistakesAreDrawn() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 70);
    train(data, "--hidden 6 --epochs 1 --cpu");
    Path png = tmp.resolve("mistakes.png");
    Program program =
        Program.succeed(
            Program.words("evaluate --cpu", "--model", model(), "--data", data, "--mistakes", png));
    assertTrue(program.lines().contains("Saved " + png), program.out());
    Path csv = tmp.resolve("answers.csv");
    Program.succeed(
        Program.words("predict --cpu", "--model", model(), "--data", data, "--csv", csv));
    List<String> answers = Files.readAllLines(csv);
    byte[] labels = Files.readAllBytes(data.resolve("t10k-labels-idx1-ubyte"));
    byte[] images = Files.readAllBytes(data.resolve("t10k-images-idx3-ubyte"));
    BufferedImage sheet = ImageIO.read(png.toFile());
    int wrong = 0;
    for (int i = 0; i < 70; i++) {
      int answer = Integer.parseInt(answers.get(i + 1).split(",")[1]);
      if (answer != labels[8 + i]) {
        for (int p = 0; p < 35; p++) {
          int x = wrong % 10 * 9 + p % 7;
          int y = wrong / 10 * 7 + p / 7;
          assertEquals(images[16 + i * 35 + p] & 0xFF, sheet.getRaster().getSample(x, y, 0));
        }
        wrong++;
      }
    }
    assertTrue(wrong > 10, "the network has hardly learnt");
    assertEquals(10 * 9 - 2, sheet.getWidth());
    assertEquals((wrong + 9) / 10 * 7 - 2, sheet.getHeight());
  }
}
