package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Trains the preset {@code record}, of twelve million weights, on the interpreter. {@code
 * -Dmlpcuda.recordSteps=200} takes so many steps: each takes seconds.
 */
@Tag("long")
class RecordOnTheInterpreterTest {
  private static final int STEPS = Integer.getInteger("mlpcuda.recordSteps", 2);
  private static final Pattern LOSS = Pattern.compile("Epoch .*, batch .*: loss ([0-9.]+)");

  private static final int IMAGES = 32;

  @TempDir private Path tmp;

  /** Writes a few images of MNIST as a data set: the interpreter is slow. */
  @BeforeEach
  void writeData() throws IOException {
    ExampleSet some = EmbeddedMnist.load().train().first(IMAGES);
    for (String part : List.of("train", "t10k")) {
      int count = part.equals("train") ? IMAGES : 8;
      ByteBuffer images = ByteBuffer.allocate(16 + count * some.inputs());
      images.putInt(0x803).putInt(count).putInt(28).putInt(28);
      ByteBuffer labels = ByteBuffer.allocate(8 + count).putInt(0x801).putInt(count);
      byte[] pixels = new byte[some.inputs()];
      for (int i = 0; i < count; i++) {
        some.features().read(i, pixels, 0);
        images.put(pixels);
        labels.put(some.labels()[i]);
      }
      Files.write(tmp.resolve(part + "-images-idx3-ubyte"), images.array());
      Files.write(tmp.resolve(part + "-labels-idx1-ubyte"), labels.array());
    }
  }

  /** The losses of the first steps. */
  private List<Double> losses(Gpus gpus, String device) {
    Program program =
        Program.run(
            gpus,
            Program.words(
                "train --preset record --batch-size 8 --test-batch-size 8 --log-interval 1 --test-at-end"
                    + " --lr 1e-4 --schedule constant --overwrite --epochs 1000 --max-steps "
                    + STEPS
                    + device,
                "--classes",
                10,
                "--data",
                tmp,
                "--out",
                tmp.resolve("run")));
    assertEquals(0, program.code(), program.err());
    return program.lines().stream()
        .map(LOSS::matcher)
        .filter(Matcher::matches)
        .map(line -> Double.valueOf(line.group(1)))
        .toList();
  }

  @Test
  void lossesAreThoseOfTheCpuAndFall() {
    List<Double> found = losses(GpuCommandsTest.DRIVER_ALONE, " --gpu 0");
    List<Double> expected = losses(Program.NO_GPUS, " --cpu");
    assertEquals(STEPS, found.size());
    for (int i = 0; i < Math.min(STEPS, 8); i++) { // rounding errors grow from step to step
      assertEquals(expected.get(i), found.get(i), 2e-3, "step " + (i + 1));
    }
    if (STEPS >= 40) {
      int some = STEPS / 4;
      double first = found.stream().limit(some).mapToDouble(x -> x).average().orElseThrow();
      double last = found.stream().skip(STEPS - some).mapToDouble(x -> x).average().orElseThrow();
      System.out.printf(
          "record, %d steps: the mean loss of the first quarter is %.4f, of the last %.4f%n",
          STEPS, first, last);
      assertTrue(last < 0.8 * first, first + " " + last);
    }
  }
}
