package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.cli.Photograph.Fault;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.error.BadFileException;
import mlpcuda.model.ModelFile;
import mlpcuda.net.Weights;
import mlpcuda.picture.Picture;
import mlpcuda.preparation.MnistForm;
import mlpcuda.preparation.Prepared;
import mlpcuda.train.Predictor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests that a network that has learnt MNIST for six epochs recognises photographs of digits, and
 * that pictures of two digits get a warning.
 */
@Tag("long")
class PhotographTest {
  private static final int SMALL = 400;
  private static final int LARGE = 800;

  @TempDir static Path tmp;
  private static ModelFile model;
  private static ExampleSet test;

  @BeforeAll
  static void train() {
    Path out = tmp.resolve("run");
    Program.succeed(Program.words("--cpu --threads 2 --epochs 6 --quiet --out", out));
    model = ModelFile.read(out.resolve("model.safetensors"));
    test = EmbeddedMnist.load().test();
  }

  /** The results of a number of photographs. */
  private record Tally(int right, int warned) {}

  private static Tally read(int count, int largest, Fault... faults) {
    byte[] pixels = new byte[count * 784];
    byte[] labels = new byte[count];
    var warned = new AtomicInteger();
    int kind = Arrays.hashCode(Arrays.stream(faults).mapToInt(Fault::ordinal).toArray());
    IntStream.range(0, count)
        .parallel()
        .forEach(
            i -> {
              var random = new Random(31L * kind + i);
              // Every other digit is one of Handwriting's.
              int digit = 2 * random.nextInt(test.size() / 2) + i % 2;
              labels[i] = test.labels()[digit];
              Picture picture = Photograph.of(test, digit, largest, random, faults);
              Prepared prepared = MnistForm.of(picture, 28, 28);
              System.arraycopy(prepared.pixels(), 0, pixels, i * 784, 784);
              warned.addAndGet(prepared.warning().isPresent() ? 1 : 0);
            });
    int right = 0;
    try (var ops = new CpuOps(2);
        var predictor =
            new Predictor(
                ops,
                new Weights(model.shape(), model.weights()),
                model.form().scaling(),
                count,
                "a model")) {
      float[][] logs = predictor.logProbabilities(pixels);
      for (int i = 0; i < count; i++) {
        int best = 0;
        for (int c = 1; c < logs[i].length; c++) {
          best = logs[i][c] > logs[i][best] ? c : best;
        }
        right += best == labels[i] ? 1 : 0;
      }
    }
    return new Tally(right, warned.get());
  }

  /** Asserts that 9 of 10 are recognised, and that at most 1 of 20 gets a warning. */
  private static void nineOfTen(int count, int largest, Fault... faults) {
    Tally tally = read(count, largest, faults);
    assertTrue(10 * tally.right() >= 9 * count, tally + " of " + count);
    assertTrue(20 * tally.warned() <= count, tally + " of " + count);
  }

  @Test
  void cleanOnesAreRead() {
    nineOfTen(30, SMALL);
  }

  /** The commonest faults are tried; the profile 'long' tries all of them, on larger pictures. */
  @ParameterizedTest
  @EnumSource(names = {"SHADING", "SHADOW", "DESK", "RULED", "VIGNETTE", "SPECKS"})
  void faultyOnesAreRead(Fault fault) {
    nineOfTen(30, SMALL, fault);
  }

  @Tag("long")
  @ParameterizedTest
  @EnumSource
  void largeOnesAreRead(Fault fault) {
    nineOfTen(50, LARGE, fault);
  }

  static Stream<List<Fault>> pairs() {
    var pairs = new ArrayList<List<Fault>>();
    for (Fault lit : List.of(Fault.SHADING, Fault.SHADOW, Fault.VIGNETTE)) {
      for (Fault other : List.of(Fault.RULED, Fault.DESK, Fault.SPECKS, Fault.NOISE, Fault.JPEG)) {
        pairs.add(List.of(lit, other));
      }
    }
    return pairs.stream();
  }

  /** Two faults at once are harder, so four of five photographs must be right. */
  @Tag("long")
  @ParameterizedTest
  @MethodSource("pairs")
  void twoFaultsAtOnce(List<Fault> faults) {
    Tally tally = read(40, SMALL, faults.toArray(Fault[]::new));
    assertTrue(tally.right() >= 32, tally.toString());
  }

  private static long warnedOfTwo(int count, Fault... faults) {
    return IntStream.range(0, count)
        .parallel()
        .filter(
            i -> {
              var random = new Random(i);
              int left = random.nextInt(test.size());
              int right = random.nextInt(test.size());
              Picture picture = Photograph.ofTwo(test, left, right, SMALL, random, faults);
              return MnistForm.of(picture, 28, 28).warning().isPresent();
            })
        .count();
  }

  @Test
  void twoDigitsGetWarning() {
    long warned = warnedOfTwo(30);
    assertTrue(warned >= 27, warned + " of 30");
  }

  /** In a shadow one of two fine digits may be lost, so three of four must give a warning. */
  @Tag("long")
  @ParameterizedTest
  @EnumSource(names = {"SHADING", "SHADOW", "RULED", "VIGNETTE", "SPECKS", "CHALK"})
  void twoDigitsInPhotographsGetWarning(Fault fault) {
    long warned = warnedOfTwo(40, fault);
    assertTrue(warned >= 30, warned + " of 40");
  }

  @Test
  void mnistGetsNoWarning() {
    int warned = 0;
    for (int i = 0; i < test.size(); i++) {
      byte[] pixels = Arrays.copyOfRange(test.features().array(), i * 784, (i + 1) * 784);
      var picture = new Picture("digit", 28, 28, pixels);
      warned += MnistForm.of(picture, 28, 28).warning().isPresent() ? 1 : 0;
    }
    assertTrue(warned <= 30, warned + " of " + test.size());
  }

  private interface Light {
    int at(int y, int x);
  }

  private static Picture picture(Light light) {
    byte[] pixels = new byte[200 * 200];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) light.at(i / 200, i % 200);
    }
    return new Picture("picture", 200, 200, pixels);
  }

  @Test
  void blotGetsWarning() {
    Picture blot = picture((y, x) -> y > 15 && y < 185 && x > 20 && x < 180 ? 20 : 230);
    String warning = MnistForm.of(blot, 28, 28).warning().orElse("no warning");
    assertTrue(warning.startsWith("The picture is probably not one character: "), warning);
  }

  @Test
  void linesAloneGetWarning() {
    Picture lines = picture((y, x) -> y % 25 < 2 ? 120 : 230);
    assertEquals(
        "The picture shows lines, but probably no character.",
        MnistForm.of(lines, 28, 28).warning().orElse("no warning"));
  }

  @Test
  void shadedPaperIsBlank() {
    Picture paper = picture((y, x) -> 100 + x / 2);
    assertThrows(BadFileException.class, () -> MnistForm.of(paper, 28, 28));
  }
}
