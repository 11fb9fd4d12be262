package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import mlpcuda.Child;
import mlpcuda.compute.Activation;
import mlpcuda.data.PixelScaling;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests exit codes that surroundings cause, in processes of their own, and where they are written.
 */
class ExitCodeTest {
  private static final Pattern ROW = Pattern.compile("\\| (\\d+) \\| (.*) \\|");

  @TempDir private static Path shared;
  private static Path data;
  private static Path model;

  @BeforeAll
  static void train() {
    data = Program.writeData(shared.resolve("data"), 5, 7, 3, 50, 20);
    Program.succeed(
        Program.words(
            "--cpu --epochs 1 --hidden 4", "--data", data, "--out", shared.resolve("run")));
    model = shared.resolve("run/model.safetensors");
  }

  @Test
  void thePageListsThem() throws IOException {
    var rows = new LinkedHashMap<String, String>();
    for (String line : Files.readAllLines(Path.of("src/site/markdown/exit-codes.md"))) {
      var row = ROW.matcher(line);
      if (row.matches() && !rows.containsKey(row.group(1))) {
        rows.put(row.group(1), row.group(2));
      }
    }
    rows.keySet().retainAll(ExitCode.list().keySet());
    assertEquals(ExitCode.list(), rows);
  }

  @Test
  void theHelpListsThem() {
    String help = Program.succeed("--help").out().replaceAll("\\s+", " ");
    for (Map.Entry<String, String> code : ExitCode.list().entrySet()) {
      assertTrue(help.contains(code.getKey() + " " + code.getValue()), code + " in " + help);
    }
  }

  private static String[] words(String line) {
    return line.replace("MODEL", model.toString()).replace("DATA", data.toString()).split(" ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "--version",
        "train --dry-run --cpu --data DATA",
        "train --dry-run --json --cpu --data DATA",
        "evaluate --cpu --model MODEL --data DATA",
        "predict --cpu --raw --model MODEL DATA/t10k-images-idx3-ubyte",
        "summary",
        "devices",
      })
  void standardOutputThatIsFull(String line) throws IOException {
    File full = new File("/dev/full");
    assumeTrue(full.exists(), "Linux has /dev/full");
    List<String> command = Child.java(List.of(), Main.class, (Object[]) words(line));
    Path errors = Files.createTempFile(shared, "errors", "");
    var builder = new ProcessBuilder(command).redirectOutput(full).redirectError(errors.toFile());
    try (Child child = Child.start(builder)) {
      int code = child.exitCode();
      List<String> lines = Files.readAllLines(errors);
      assertEquals(
          "standard output cannot be written: No space left on device",
          lines.get(lines.size() - 1));
      assertEquals(ExitCode.UNWRITABLE.code, code);
    }
  }

  @Test
  void aReaderThatHasEnough() throws IOException {
    String java = String.join(" ", Child.java(List.of(), Main.class));
    List<String> command =
        List.of("bash", "-c", "(" + java + " --help; echo code $? >&2) | head -n 1 > /dev/null");
    try (Child child = Child.start(command)) {
      assertEquals("code 0\n", child.rest());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"train --cpu --epochs 1 --out OUT", "evaluate --cpu --model MODEL"})
  void aHeapThatIsTooSmall(String line) {
    Object[] words = words(line.replace("OUT", shared.resolve("small").toString()));
    if (line.startsWith("evaluate")) { // the network must fit MNIST, which does not fit the heap
      Path trained = shared.resolve("mnist.safetensors");
      mnistModel(trained);
      words = ("evaluate --cpu --model " + trained).split(" ");
    }
    try (Child child = Child.start(Child.java(List.of("-Xmx24m"), Main.class, words))) {
      List<String> lines = child.rest().lines().toList();
      String last = lines.get(lines.size() - 1);
      assertTrue(last.startsWith("The Java heap of 2"), String.join("\n", lines));
      assertTrue(last.contains("java -Xmx256m"), last);
      assertEquals(ExitCode.MEMORY.code, child.exitCode());
    }
  }

  private static void mnistModel(Path file) {
    var shape = new MlpShape(List.of(784, 10), Activation.RELU, Activation.NONE);
    var form =
        ImageForm.grey(28, 28, new PixelScaling("unit", 0, 1), Preparation.MNIST_FORM, false);
    new ModelFile(shape, form, List.of(new float[7840], new float[10])).write(file);
  }

  @Test
  void aFileNameThatTheLocaleCannotExpress() throws IOException {
    List<String> command = Child.java(List.of(), Main.class, "evaluate", "--cpu", "--model");
    String quoted = "'" + String.join("' '", command) + "' $'b\\xc3\\xbcro'";
    var builder = new ProcessBuilder("bash", "-c", quoted).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    try (Child child = Child.start(builder)) {
      String said = child.rest();
      assertTrue(said.contains("start the program with LC_ALL=C.UTF-8"), said);
      assertEquals(ExitCode.USAGE.code, child.exitCode());
    }
  }

  @Test
  void aHomeThatIsNotKnown() throws IOException {
    Path folder = Files.createDirectories(shared.resolve("elsewhere"));
    var builder =
        new ProcessBuilder(
                Child.java(
                    List.of("-Duser.home=?", "-Djava.io.tmpdir=" + folder),
                    Main.class,
                    (Object[]) words("evaluate --cpu --model MODEL --data DATA")))
            .directory(folder.toFile())
            .redirectErrorStream(true);
    builder.environment().remove("HOME");
    builder.environment().remove("XDG_CACHE_HOME");
    try (Child child = Child.start(builder)) {
      String said = child.rest();
      assertEquals(0, child.exitCode(), said);
      assertTrue(Files.notExists(folder.resolve("?")), said);
    }
  }
}
