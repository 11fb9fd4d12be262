package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SummaryCommandTest {
  @TempDir Path tmp;

  @Test
  void theDefaultNetwork() {
    Program summary = Program.succeed("summary");
    assertEquals(
        List.of(
            "layer        inputs  outputs  activation   parameters",
            "layers.0        784      128  relu            100,480",
            "layers.1        128       64  relu              8,256",
            "layers.2         64       10  none                650",
            "network 784-128-64-10                         109,386"),
        summary.lines());
    assertEquals("", summary.err());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--preset 300x300|network 784-300-300-10|328,810",
        "--preset 128x64x32-relu-out|network 784-128-64-32-10|111,146",
        "--preset 128|network 784-128-10|101,770",
        "--hidden none|network 784-10|7,850",
        "--hidden none --inputs 35 --classes 3|network 35-3|108",
        "--hidden 1 --inputs 1 --classes 1|network 1-1-1|4"
      })
  void counts(String line, String network, String parameters) {
    String last = Program.succeed(Program.words("summary " + line)).lastLine();
    assertTrue(last.startsWith(network + " ") && last.endsWith(" " + parameters), last);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--hidden 2147483647",
        "--hidden none --inputs 2147483647 --classes 2",
        "--hidden none --classes 2147483647",
        "--hidden 2147483647,2147483647"
      })
  void refusesTooManyParameters(String line) {
    Program refused = Program.run(Program.words("summary " + line));
    assertEquals(2, refused.code());
    List<String> lines = refused.err().lines().toList();
    assertTrue(
        lines.get(0).startsWith("a network may have at most 2147483647 parameters, found "),
        refused.err());
    assertEquals("'mlp-cuda summary --help' lists the options.", lines.get(1));
    assertEquals(2, lines.size());
    assertEquals("", refused.out());
  }

  @Test
  void json() {
    Program summary =
        Program.succeed(
            Program.words(
                "summary --json --hidden 4 --inputs 6 --classes 3 --activation tanh"
                    + " --relu-output"));
    Map<String, Object> json = Program.json(summary.out());
    assertEquals(
        List.of(
            Map.of(
                "name",
                "layers.0",
                "inputs",
                6,
                "outputs",
                4,
                "activation",
                "tanh",
                "parameters",
                28),
            Map.of(
                "name",
                "layers.1",
                "inputs",
                4,
                "outputs",
                3,
                "activation",
                "relu",
                "parameters",
                15)),
        json.get("layers"));
    assertEquals(43, json.get("parameters"));
    assertEquals("", summary.err());
  }

  @Test
  void ofAFile() {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 4, 2);
    Path run = tmp.resolve("run");
    Program.succeed(
        Program.words(
            "--epochs 0 --hidden 9 --activation sigmoid --data " + data + " --out " + run));
    Program summary = Program.succeed("summary", "--model", run.resolve("model.safetensors"));
    assertEquals(
        List.of(
            "layer        inputs  outputs  activation   parameters",
            "layers.0         35        9  sigmoid             324",
            "layers.1          9        3  none                 30",
            "network 35-9-3                                    354"),
        summary.lines());
  }
}
