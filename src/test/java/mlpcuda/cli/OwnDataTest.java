package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.IdxFolder;
import mlpcuda.data.LabelledData;
import mlpcuda.model.ModelFile;
import mlpcuda.report.Png;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests runs of the program on tables, arrays and folders of pictures. */
class OwnDataTest {
  private static final Path FILES = Path.of("src/test/resources/mlpcuda/input");

  @TempDir Path tmp;

  private Program train(String line, Path data, String run) {
    String epochs = line.contains("--epochs") ? "" : "--epochs 2 ";
    return Program.succeed(
        Program.words("--cpu " + epochs + line, "--data", data, "--out", tmp.resolve(run)));
  }

  private byte[] model(String run) throws IOException {
    return Files.readAllBytes(tmp.resolve(run).resolve("model.safetensors"));
  }

  private Path write(String name, String text) throws IOException {
    Path file = tmp.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  // ---- the same images in other formats ----

  /** Writes images as Kaggle's tables have them. */
  private void writeTables(LabelledData data) throws IOException {
    for (var set : Map.of("train", data.train(), "test", data.test()).entrySet()) {
      var text = new StringBuilder("label");
      for (int i = 0; i < 36; i++) {
        text.append(",pixel").append(i);
      }
      for (int example = 0; example < set.getValue().size(); example++) {
        text.append('\n').append(set.getValue().label(example));
        for (int i = 0; i < 36; i++) {
          text.append(',').append(set.getValue().features().array()[example * 36 + i] & 0xff);
        }
      }
      write("csv/" + set.getKey() + ".csv", text + "\n");
    }
  }

  private void writeArrays(LabelledData data) throws IOException {
    try (var zip = new ZipOutputStream(Files.newOutputStream(tmp.resolve("data.npz")))) {
      for (var set : Map.of("train", data.train(), "test", data.test()).entrySet()) {
        ExampleSet examples = set.getValue();
        zip.putNextEntry(new ZipEntry("x_" + set.getKey() + ".npy"));
        zip.write(npy("(%d, 6, 6)".formatted(examples.size()), examples.features().array()));
        zip.putNextEntry(new ZipEntry("y_" + set.getKey() + ".npy"));
        zip.write(npy("(%d,)".formatted(examples.size()), examples.labels()));
      }
    }
  }

  private static byte[] npy(String shape, byte[] elements) {
    byte[] header =
        "{'descr': '|u1', 'fortran_order': False, 'shape': %s, }\n".formatted(shape).getBytes();
    ByteBuffer file = ByteBuffer.allocate(10 + header.length + elements.length);
    file.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) header.length, 0});
    return file.put(header).put(elements).array();
  }

  private void writePictures(LabelledData data) throws IOException {
    for (var set : Map.of("train", data.train(), "test", data.test()).entrySet()) {
      for (int i = 0; i < set.getValue().size(); i++) {
        Path folder =
            tmp.resolve("png").resolve(set.getKey()).resolve("" + set.getValue().label(i));
        Files.createDirectories(folder);
        byte[] pixels = new byte[36];
        set.getValue().features().read(i, pixels, 0);
        Files.write(folder.resolve(i + ".png"), Png.encode(pixels, 6, 6));
      }
    }
  }

  @Test
  void theSameImagesMakeTheSameModelInEachFormat() throws IOException {
    Path idx = Program.writeData(tmp.resolve("idx"), 6, 6, 3, 90, 30);
    LabelledData data = IdxFolder.read(idx, OptionalInt.empty());
    writeTables(data);
    writeArrays(data);
    writePictures(data);
    Program wanted = train("", idx, "of-idx");
    for (String other : List.of("csv", "data.npz", "png")) {
      Program found = train("", tmp.resolve(other), "of-" + other);
      assertEquals(wanted.lastLine(), found.lastLine());
      assertArrayEquals(model("of-idx"), model("of-" + other), other);
    }
  }

  // ---- rows of numbers ----

  /** The classic 150 flowers: three species, which four measurements tell apart nearly always. */
  @Test
  void aTableIsLearnt() throws IOException {
    Path iris = FILES.resolve("iris.csv");
    Program run = train("--epochs 40 --batch-size 16 --hidden 16", iris, "iris");
    assertTrue(
        run.out()
            .contains("iris.csv: 127 training and 23 test rows, 4 columns, 3 classes, standard"),
        run.out());
    assertTrue(
        run.out().contains("The data set has no test set: 23 of its 150 examples"), run.out());
    Map<String, Object> metrics =
        Program.json(Files.readString(tmp.resolve("iris").resolve("metrics.json")));
    @SuppressWarnings("unchecked")
    var test = (Map<String, Object>) metrics.get("test");
    assertTrue((double) test.get("accuracy") >= 20 / 23.0, test.get("accuracy").toString());
    ModelFile model = ModelFile.read(tmp.resolve("iris").resolve("model.safetensors"));
    assertEquals(List.of("setosa", "versicolor", "virginica"), model.form().labels());
  }

  @Test
  void aTableIsLearntOnTheGpuAsOnTheCpu() {
    Path iris = FILES.resolve("iris.csv");
    String line = "--epochs 4 --batch-size 16 --hidden 16 ";
    Program cpu = train(line, iris, "cpu");
    Program gpu =
        Program.run(
            GpuCommandsTest.WITH_CUBLAS,
            Program.words("train --gpu 0 " + line, "--data", iris, "--out", tmp.resolve("gpu")));
    assertEquals(0, gpu.code(), gpu.out());
    // The devices round otherwise, and four epochs are too few for that to move an answer.
    assertEquals(accuracy(cpu), accuracy(gpu));
  }

  private static String accuracy(Program run) {
    return run.lastLine().substring(run.lastLine().indexOf("Accuracy"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"standard", "minmax", "none", "z-score"})
  void columnsHaveScalingsOfTheirOwn(String name) {
    Program run = train("--scaling " + name, FILES.resolve("iris.csv"), "run");
    String wanted = name.equals("z-score") ? "standard" : name;
    assertTrue(run.out().contains(wanted + " scaling"), run.out());
  }

  @Test
  void pixelsHaveNoScalingOfColumns() {
    Path idx = Program.writeData(tmp.resolve("idx"), 6, 6, 3, 30, 10);
    Program run = Program.run(Program.words("--cpu --epochs 1 --scaling minmax", "--data", idx));
    assertEquals(2, run.code());
    assertTrue(run.err().contains("Invalid value for option '--scaling'"), run.err());
  }

  /** A run that goes on reads the table as it began, and refuses another one. */
  @Test
  void aRunOnATableGoesOn() throws IOException {
    var text = new StringBuilder("kind;useless;a;b\n");
    for (int i = 0; i < 60; i++) {
      text.append(i % 2 == 0 ? "left" : "right")
          .append(";7;")
          .append(i % 2 == 0 ? "-1," : "1,")
          .append(i)
          .append(";")
          .append(i % 7)
          .append("\n");
    }
    Path table = write("own.csv", text.toString());
    String line = "--label kind --ignore useless --decimal , --validation 0.2 ";
    train(line + "--epochs 4", table, "whole");
    train(line + "--epochs 4 --max-steps 2", table, "halved");
    Program.succeed(
        Program.words("train --max-steps 1000 --resume", tmp.resolve("halved"), "--data", table));
    ModelFile whole = ModelFile.read(tmp.resolve("whole").resolve("model.safetensors"));
    ModelFile halved = ModelFile.read(tmp.resolve("halved").resolve("model.safetensors"));
    assertEquals(whole.form(), halved.form());
    Files.writeString(table, text.toString().replace("-1,0;0", "-1,0;1"));
    Program changed =
        Program.run(
            Program.words("train --epochs 5 --resume", tmp.resolve("halved"), "--data", table));
    assertEquals(4, changed.code());
    assertTrue(changed.err().contains("the training examples must be those"), changed.err());
  }

  @Test
  void weightsOfClassesChangeWhatIsLearnt() throws IOException {
    Path iris = FILES.resolve("iris.csv");
    train("", iris, "plain");
    Program weighted = train("--class-weights setosa:1,virginica:9", iris, "weighted");
    assertTrue(weighted.out().contains("The losses of training are weighted;"), weighted.out());
    assertFalse(Arrays.equals(model("plain"), model("weighted")));
    String metrics = Files.readString(tmp.resolve("weighted").resolve("metrics.json"));
    assertTrue(metrics.contains("\"class_weights\" : \"setosa:1.0,virginica:9.0\""), metrics);
    assertTrue(metrics.contains("\"weighted_loss\" : true"), metrics);
    // As many examples of each class: balanced weights are all 1 and change nothing.
    Path even = write("even.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n7,a\n8,b\n");
    train("--test-split 2", even, "even");
    train("--test-split 2 --class-weights balanced", even, "balanced");
    assertArrayEquals(model("even"), model("balanced"));
  }

  /** An example of weight 2 counts as twice the same example. */
  @Test
  void aColumnOfWeightsIsNoInput() throws IOException {
    Path weighted = write("weighted.csv", "x,w,y\n1,1,a\n2,1,b\n3,1,a\n4,1,b\n5,1,a\n6,1,b\n");
    Path plain = write("plain.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n");
    train("--test-split 2 --sample-weight w", weighted, "weighted");
    train("--test-split 2", plain, "plain");
    assertArrayEquals(model("plain"), model("weighted"));
  }

  @Test
  void anotherClassInTheWeightsIsRefused() {
    Program run =
        Program.run(
            Program.words(
                "--cpu --class-weights dog:2", "--data", FILES.resolve("iris.csv"), "--dry-run"));
    assertEquals(2, run.code());
    assertTrue(run.err().contains("'--class-weights': must name classes of the data"), run.err());
  }

  // ---- what is refused ----

  @Test
  void aTableWithoutLabelsAsksForTheirColumn() throws IOException {
    Path table = write("t.csv", "a,b\n1,2\n3,4\n");
    Program run = Program.run(Program.words("--cpu", "--data", table));
    assertEquals(4, run.code());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().contains("\"a\", \"b\""), run.err());
  }

  @Test
  void optionsOfReadingNeedFiles() {
    Program run = Program.run("--cpu", "--label", "y");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("need --data"), run.err());
  }
}
