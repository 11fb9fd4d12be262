package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests what comes out of a network that learnt from a table whose classes have names. */
class TablesOfDataTest {
  private static final Path IRIS = Path.of("src/test/resources/mlpcuda/input/iris.csv");
  private static final List<String> SPECIES = List.of("setosa", "versicolor", "virginica");

  @TempDir static Path shared;
  private static Path model;
  private static Program trained;

  @TempDir Path tmp;

  @BeforeAll
  static void train() {
    Path run = shared.resolve("run");
    trained =
        Program.succeed(
            Program.words(
                "--cpu --epochs 30 --batch-size 8 --hidden 16", "--data", IRIS, "--out", run));
    model = run.resolve("model.safetensors");
  }

  private static Program ask(String command, Object... more) {
    return Program.run(Program.words(command + " --model " + model, more));
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(tmp.resolve(name), text);
  }

  @Test
  void trainingNamesTheClasses() throws IOException {
    for (String name : SPECIES) {
      assertTrue(
          trained.lines().stream().filter(line -> line.startsWith(name + " ")).count() == 2,
          "a row of both tables: " + trained.out());
    }
    var metrics = Program.json(Files.readString(shared.resolve("run/metrics.json")));
    List<?> classes = (List<?>) ((Map<?, ?>) metrics.get("test")).get("classes");
    assertEquals(SPECIES, classes.stream().map(c -> ((Map<?, ?>) c).get("label")).toList());
    assertEquals(SPECIES, ((Map<?, ?>) metrics.get("settings")).get("labels"));
  }

  @Test
  void evaluatesAWholeTable() {
    Program all = ask("evaluate --cpu", "--data", IRIS);
    assertEquals(0, all.code(), all.err());
    assertTrue(all.out().contains(IRIS + " has no test set: all 150 examples are evaluated."));
    assertTrue(all.lastLine().contains("/150 ("), all.lastLine());
    Program json = ask("evaluate --cpu --json", "--data", IRIS);
    var classes = (List<?>) Program.json(json.out()).get("classes");
    assertEquals("virginica", ((Map<?, ?>) classes.get(2)).get("label"));
    assertEquals(50, ((Map<?, ?>) classes.get(2)).get("examples"));
  }

  @Test
  void evaluatesTheTestSetOfAFolder() throws IOException {
    List<String> lines = Files.readAllLines(IRIS);
    Files.write(tmp.resolve("train.csv"), lines);
    Files.write(tmp.resolve("test.csv"), lines.subList(0, 11));
    Program some = ask("evaluate --cpu", "--data", tmp);
    assertTrue(some.lastLine().contains("/10 ("), some.err() + some.lastLine());
    assertFalse(some.out().contains("has no test set"), some.out());
  }

  @Test
  void answersEachRow() throws IOException {
    Program all = ask("predict --cpu", "--data", IRIS);
    assertEquals(0, all.code(), all.err());
    assertEquals(150, all.lines().size());
    assertTrue(all.lines().get(0).matches("1: setosa \\(\\d+\\.\\d%\\)"), all.lines().get(0));
    assertTrue(all.lastLine().startsWith("150: virginica ("), all.lastLine());
    // Labels are not needed, and the order of the columns does not matter to the command.
    Path unlabelled =
        write("new.csv", "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n");
    assertEquals(all.lines().subList(0, 1), ask("predict --cpu", "--data", unlabelled).lines());
  }

  @Test
  void writesEveryProbability() throws IOException {
    Path csv = tmp.resolve("answers.csv");
    Program saved = ask("predict --cpu", "--data", IRIS, "--csv", csv);
    assertEquals("Saved " + csv + ": the answers to 150 rows\n", saved.out());
    List<String> lines = Files.readAllLines(csv);
    assertEquals("id,label,setosa,versicolor,virginica", lines.get(0));
    assertEquals(151, lines.size());
    Program json = ask("predict --cpu --json", "--data", IRIS);
    List<?> rows = (List<?>) Program.json(json.out()).get("rows");
    for (int i = 0; i < 150; i++) {
      String[] cells = lines.get(i + 1).split(",");
      var row = (Map<?, ?>) rows.get(i);
      assertEquals(i + 1, row.get("id"));
      assertEquals(cells[0], row.get("id").toString());
      assertEquals(cells[1], row.get("label"));
      assertEquals(cells[1], SPECIES.get((Integer) row.get("class")));
      var probabilities = (List<?>) row.get("probabilities");
      double sum = 0;
      for (int c = 0; c < 3; c++) {
        double probability = ((Number) probabilities.get(c)).doubleValue();
        assertEquals(probability, Double.parseDouble(cells[2 + c]), 1e-6);
        sum += probability;
      }
      assertEquals(1, sum, 1e-5);
      assertEquals(row.get("probability"), probabilities.get((Integer) row.get("class")));
    }
  }

  @Test
  void writesTheColumnsThatAreAskedFor() throws IOException {
    Path csv = tmp.resolve("submission.csv");
    ask("predict --cpu --columns Label=label,ImageId=id,p=probability,setosa", "--data", IRIS)
        .assertRefused(2, "--columns needs --csv", "'mlp-cuda predict --help' lists the options.");
    Program saved =
        ask(
            "predict --cpu --columns Label=label,ImageId=id,p=probability,setosa",
            "--data",
            IRIS,
            "--csv",
            csv);
    assertEquals(0, saved.code(), saved.err());
    List<String> lines = Files.readAllLines(csv);
    assertEquals("Label,ImageId,p,setosa", lines.get(0));
    String[] first = lines.get(1).split(",");
    assertEquals("setosa", first[0]);
    assertEquals("1", first[1]);
    assertEquals(first[2], first[3]);
  }

  @Test
  void refusesATableOfOtherColumns() throws IOException {
    Path other = write("other.csv", "height,width\n1,2\n");
    Program refused = ask("predict --cpu", "--data", other);
    assertEquals(4, refused.code());
    assertTrue(refused.err().startsWith(other.toString()), refused.err());
    assertTrue(refused.err().contains("sepal_length"), refused.err());
    assertTrue(refused.err().contains("height"), refused.err());
  }

  @Test
  void aFileThatIsNotWrittenWholeIsNotThere() throws IOException {
    Path bad = write("bad.csv", "sepal_length,sepal_width,petal_length,petal_width\n1,2,x,4\n");
    Path csv = tmp.resolve("answers.csv");
    Program refused = ask("predict --cpu", "--data", bad, "--csv", csv);
    assertEquals(4, refused.code(), refused.err());
    assertFalse(Files.exists(csv));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--data d picture.png|pictures and --data exclude each other, found both",
        "--data d --raw|--index, --raw, --show and --prepare are of pictures, found one with --data",
        "--data d --index 1|--index, --raw, --show and --prepare are of pictures, found one with"
            + " --data",
        "--csv f p.png|--csv, --columns and the options of reading, such as --format, need --data",
        "--label x p.png|--csv, --columns and the options of reading, such as --format, need --data",
        "--data d --csv d|--csv must be another file than --data and --model, found d",
      })
  void refusesOptionsThatContradict(String line, String message) {
    ask("predict --cpu " + line)
        .assertRefused(2, message, "'mlp-cuda predict --help' lists the options.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nope|a column must be id, label, probability or the name of a class, found nope",
        "id,|a column must be id, label, probability or the name of a class, found nothing",
        "id,id|columns must have names of their own, found id in id,id",
        "=id|columns must have names of their own, found =id in =id",
      })
  void refusesColumnsThatThereAreNot(String columns, String message) {
    ask("predict --cpu --csv f.csv --columns " + columns, "--data", IRIS)
        .assertRefused(
            2,
            "Invalid value for option '--columns': " + message,
            "'mlp-cuda predict --help' lists the options.");
  }

  @Test
  void picturesAreRefused() {
    String refusal = model + ": this network takes rows of 4 numbers and no pictures";
    ask("predict --cpu x.png").assertRefused(4, refusal);
    ask("serve --cpu --port 0 --prepare as-is")
        .assertRefused(
            2,
            "--prepare is for networks of pictures, and this one takes numbers",
            "'mlp-cuda serve --help' lists the options.");
  }
}
