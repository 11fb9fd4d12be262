package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import mlpcuda.model.ModelFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests a data set with EMNIST's names, whose images are stored transposed, and the same upright.
 */
class DataOptionsTest {
  private static final String HINT =
      "EMNIST's images are stored transposed; --transpose turns them upright.";

  @TempDir Path tmp;
  private Path upright;
  private Path emnist;

  @BeforeEach
  void makeData() throws IOException {
    upright = Program.writeData(tmp.resolve("upright"), 5, 7, 3, 60, 30);
    emnist = Files.createDirectories(tmp.resolve("emnist"));
    for (String split : new String[] {"train", "t10k"}) {
      String to = "emnist-digits-" + split.replace("t10k", "test");
      Files.copy(
          upright.resolve(split + "-labels-idx1-ubyte"), emnist.resolve(to + "-labels-idx1-ubyte"));
      Files.write(
          emnist.resolve(to + "-images-idx3-ubyte"),
          transposed(Files.readAllBytes(upright.resolve(split + "-images-idx3-ubyte"))));
    }
  }

  /** An image file whose images are those of {@code file}, transposed. */
  private static byte[] transposed(byte[] file) {
    ByteBuffer from = ByteBuffer.wrap(file);
    int count = from.getInt(4);
    int rows = from.getInt(8);
    int cols = from.getInt(12);
    ByteBuffer to = ByteBuffer.allocate(file.length);
    to.putInt(from.getInt(0)).putInt(count).putInt(cols).putInt(rows);
    for (int i = 0; i < count * rows * cols; i++) {
      int image = i / (rows * cols);
      int col = i % (rows * cols) / rows;
      int row = i % rows;
      to.put(file[16 + (image * rows + row) * cols + col]);
    }
    return to.array();
  }

  private Program train(String line, Path data) {
    Path out = tmp.resolve("run" + line.replace(" ", "") + data.getFileName());
    return Program.succeed(Program.words(line + " --cpu --epochs 2", "--data", data, "--out", out));
  }

  @Test
  void transposeTurnsTheImagesOfBothSetsUpright() {
    Program wanted = train("", upright);
    Program turned = train("--transpose", emnist);
    assertEquals(wanted.lastLine(), turned.lastLine());
    assertTrue(turned.out().contains(", 5x7, "), turned.out());
    assertFalse(turned.out().contains(HINT), turned.out());

    String evaluate = "evaluate --cpu --model " + tmp.resolve("runupright/model.safetensors");
    assertEquals(
        4,
        Program.run(Program.words(evaluate, "--data", emnist)).code(),
        "without it the images have 7x5 pixels");
    assertEquals(
        wanted.lastLine(),
        Program.succeed(Program.words(evaluate + " --transpose", "--data", emnist)).lastLine());
  }

  /** The model says that its images were transposed; a picture is upright by itself. */
  @Test
  void whatWasLearntTransposedIsTestedTransposed() throws IOException {
    Program wanted = train("", upright);
    train("--transpose", emnist);
    Path model = tmp.resolve("run--transposeemnist/model.safetensors");
    assertTrue(ModelFile.read(model).form().images(model).transposed());
    Object[] evaluate = Program.words("evaluate --cpu", "--model", model, "--data", emnist);
    Program evaluated = Program.succeed(evaluate);
    assertEquals(wanted.lastLine(), evaluated.lastLine());
    String said =
        "The images are transposed, as the model says; --no-transpose reads them as they are.";
    assertEquals(said, evaluated.lines().get(0));
    Program other =
        Program.succeed(
            Program.words("evaluate --cpu --no-transpose", "--model", model, "--data", upright));
    assertEquals(wanted.lastLine(), other.lastLine());
    assertFalse(other.out().contains(said), other.out());

    Path images = upright.resolve("t10k-images-idx3-ubyte");
    Path stored = emnist.resolve("emnist-digits-test-images-idx3-ubyte");
    Program upright = predict(model, "--no-transpose", images);
    Program turned = predict(model, "", stored);
    assertEquals(
        upright.out().replace(images.toString(), ""), turned.out().replace(stored.toString(), ""));
    assertTrue(turned.err().contains("--no-transpose"), turned.err());
    byte[] file = Files.readAllBytes(images);
    var pgm = new StringBuilder("P2 7 5 255");
    for (int i = 0; i < 35; i++) {
      pgm.append(' ').append(file[16 + i] & 0xff);
    }
    Path picture = Files.writeString(tmp.resolve("first.pgm"), pgm);
    assertEquals(
        upright.lines().get(0).substring((images + "[0]").length()),
        predict(model, "", picture).lines().get(0).substring(picture.toString().length()));
  }

  private static Program predict(Path model, String options, Path file) {
    return Program.succeed(Program.words("predict --cpu --raw " + options, "--model", model, file));
  }

  @Test
  void emnistsNamesGiveAHint() {
    Program trained = train("", emnist);
    assertEquals(1, trained.lines().stream().filter(HINT::equals).count(), trained.out());
    assertFalse(train("", upright).out().contains(HINT));
    Program json = train("--json", emnist);
    assertTrue(json.err().contains(HINT), json.err());
    Program.json(json.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"train", "evaluate", "lr-find", "compare", "benchmark"})
  void everyCommandThatReadsADataSetCanTransposeIt(String command) {
    assertTrue(Program.succeed(command, "--help").out().contains("--[no-]transpose"), command);
  }
}
