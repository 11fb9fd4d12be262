package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.Child;
import mlpcuda.compute.Activation;
import mlpcuda.data.PixelScaling;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that a small file cannot make the program allocate more memory than there is. */
class LargeModelsTest {
  @TempDir private Path tmp;
  private Path data;

  @BeforeEach
  void writeData() {
    data = Program.writeData(tmp.resolve("data"), 1, 1, 2, 3000, 3000);
  }

  private Path model(String name, int... sizes) {
    var shape =
        new MlpShape(IntStream.of(sizes).boxed().toList(), Activation.RELU, Activation.NONE);
    List<float[]> weights =
        Parameters.tensors(shape).stream().map(tensor -> new float[tensor.length()]).toList();
    var form = ImageForm.grey(1, 1, PixelScaling.of("unit", null), Preparation.AS_IS, false);
    Path file = tmp.resolve(name);
    new ModelFile(shape, form, weights).write(file);
    return file;
  }

  private static String refused(Program program) {
    assertEquals(4, program.code(), program.err());
    assertEquals(1, program.err().lines().count(), program.err());
    return program.err().strip();
  }

  /** The confusion matrix of these classes would take the tera byte that few heaps have. */
  @Test
  void manyClasses() throws IOException {
    Path file = model("classes", 1, 400_000);
    assertTrue(Files.size(file) < 4 << 20);
    String line = refused(Program.run("evaluate", "--cpu", "--data", data, "--model", file));
    assertTrue(
        line.matches(
            "\\Q"
                + file
                + "\\E: the evaluation of a network 1-400000 needs 1,2[\\d,]+ MiB of the Java"
                + " heap, and [\\d,]+ MiB are free; java -Xmx\\d+m gives it more"),
        line);
  }

  @Test
  void aWideLayer() throws IOException {
    Path file = model("wide", 1, 2_200_000, 2);
    String line = refused(Program.run("evaluate", "--cpu", "--data", data, "--model", file));
    assertEquals(
        file
            + ": the evaluation of a network 1-2200000-2 needs a buffer of 2,200,000,000 values on the"
            + " device, and one may have 536,870,879; lower --test-batch-size",
        line);
    // Few images at a time take no more memory than the file.
    Path few = Program.writeData(tmp.resolve("few"), 1, 1, 2, 5, 40);
    Program.succeed(
        "evaluate", "--cpu", "--quiet", "--test-batch-size", 20, "--data", few, "--model", file);
    Path images = data.resolve("t10k-images-idx3-ubyte");
    Program.succeed("predict", "--cpu", "--index", "0..9", "--model", file, images);
  }

  /** A step of that size would have more values than an array or buffer can have. */
  @Test
  void aTrainingThatIsTooWide() {
    Program program =
        Program.run(
            Program.words(
                "--cpu --hidden 2200000 --batch-size 1000 --test-batch-size 1000", "--data", data));
    assertEquals(3, program.code(), program.err());
    assertTrue(program.err().startsWith("Out of memory for "), program.err());
    assertEquals(2, program.err().lines().count(), program.err());
  }

  /** The JVM of a server in a small container has a small heap. */
  @Test
  void aSmallHeap() {
    Path file = model("file", 1, 20_000_000);
    for (List<Object> command :
        List.<List<Object>>of(
            List.of("summary", "--model", file),
            List.of("predict", "--cpu", "--model", file, data.resolve("t10k-images-idx3-ubyte")),
            List.of("serve", "--cpu", "--port", 0, "--model", file),
            List.of("export", "--model", file, "--onnx", tmp.resolve("x.onnx")))) {
      try (Child child =
          Child.start(Child.java(List.of("-Xmx128m"), Main.class, command.toArray()))) {
        String output = child.rest();
        assertEquals(4, child.exitCode(), output);
        assertTrue(
            output.matches(
                "\\Q"
                    + file
                    + "\\E: reading it needs 153 MiB of the Java heap, and \\d+ MiB are free;"
                    + " java -Xmx\\d+m gives it more\\n"),
            output);
      }
    }
    try (Stream<Path> files = Files.list(tmp)) {
      assertEquals(2, files.count(), "the data and the model");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
