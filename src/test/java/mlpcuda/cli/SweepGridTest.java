package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Tests which points the words of {@code --grid} mean. */
class SweepGridTest {
  private static Grid grid(String... words) {
    return Grid.parse(List.of(words), new CommandLine(new TrainCommand()).getCommandSpec());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lr=1e-3|--lr=1e-3",
        "lr=1e-3,3e-4|--lr=1e-3 / --lr=3e-4",
        "lr = 1e-3 , 3e-4|--lr=1e-3 / --lr=3e-4",
        "hidden=128,64;300,300|--hidden=128,64 / --hidden=300,300",
        "hidden=128,64|--hidden=128 / --hidden=64",
        "seed=1..3|--seed=1 / --seed=2 / --seed=3",
        "seed=-1..0,7|--seed=-1 / --seed=0 / --seed=7",
        "seed=5..5|--seed=5",
        "data=../a,b..c|--data=../a / --data=b..c",
        "data=a=b,~/x~y|--data=a=b / --data=~/x~y",
        "no-graph=true,false|--no-graph /",
        "relu-output=true,false|--relu-output / --no-relu-output",
      })
  void valuesOfAnOption(String word, String expected) {
    Grid grid = grid(word);
    assertEquals(
        expected,
        grid.all().stream()
            .map(point -> String.join(" ", grid.words(point)))
            .collect(Collectors.joining(" / "))
            .strip());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "lr|--grid: must be NAME=VALUES, found lr",
        "lr=|--grid lr: values must not be empty, found nothing",
        "lr=1,,2|--grid lr: values must not be empty, found 1,,2",
        "hidden=1;|--grid hidden: values must not be empty, found 1;",
        "lr=1,2,1|--grid lr: values must differ, found 1 twice",
        "seed=1..3,2|--grid seed: values must differ, found 2 twice",
        "seed=3..1|--grid seed: a range A..B must have from 1 to 10000 numbers, found 3..1",
        "seed=1..10001|--grid seed: a range A..B must have from 1 to 10000 numbers, found 1..10001",
        "seed=1..99999999999999999999|--grid seed: a range A..B must have from 1 to 10000 numbers,"
            + " found 1..99999999999999999999",
        "seed=-9223372036854775808..9223372036854775807|--grid seed: a range A..B must have from 1"
            + " to 10000 numbers, found -9223372036854775808..9223372036854775807",
        "no-graph=1|--grid no-graph: values of an option that takes none must be true or false,"
            + " found 1",
        "lr=1e-2~1e-4|--grid lr: a range A~B must stand alone and have 0 < A < B, found 1e-2~1e-4",
        "lr=0~1|--grid lr: a range A~B must stand alone and have 0 < A < B, found 0~1",
        "lr=1e-4~|--grid lr: a range A~B must stand alone and have 0 < A < B, found 1e-4~",
        "lr=1~2~3|--grid lr: a range A~B must stand alone and have 0 < A < B, found 1~2~3",
        "lr=1~2,3|--grid lr: a range A~B must stand alone and have 0 < A < B, found 1~2,3",
        "lr=1~Infinity|--grid lr: a range A~B must stand alone and have 0 < A < B, found"
            + " 1~Infinity",
        "lr=1~2|--grid lr: a range A~B needs --random, found none",
      })
  void refuses(String word, String message) {
    var refused = assertThrows(IllegalArgumentException.class, () -> grid(word).all());
    assertEquals(message, refused.getMessage());
  }

  @Test
  void refusesNamesThatAreNoOptions() {
    for (String word : List.of("nope=1", "--lr=1", "=1", "h=true")) {
      String message = assertThrows(IllegalArgumentException.class, () -> grid(word)).getMessage();
      String start =
          "--grid: NAME must be an option of train without its dashes, one of activation, ";
      assertTrue(message.startsWith(start), message);
      String name = word.substring(0, word.lastIndexOf('='));
      assertTrue(message.endsWith("; found " + (name.isEmpty() ? "nothing" : name)), message);
    }
    var twice = assertThrows(IllegalArgumentException.class, () -> grid("lr=1", "lr=2"));
    assertEquals("--grid: a NAME may come once, found lr twice", twice.getMessage());
  }

  @Test
  void theLastOptionChangesFastest() {
    Grid grid = grid("lr=1,2", "hidden=none", "seed=1..3");
    assertEquals(
        List.of("1 1", "1 2", "1 3", "2 1", "2 2", "2 3"),
        grid.all().stream().map(point -> point.get("lr") + " " + point.get("seed")).toList());
    assertEquals(List.of("lr", "seed"), grid.varying());
    assertEquals(List.of("lr", "hidden", "seed"), List.copyOf(grid.all().get(0).keySet()));
  }

  @Test
  void aGridHasALimit() {
    assertEquals(10_000, grid("seed=1..100", "batch-size=1..100").all().size());
    Grid large = grid("seed=1..101", "batch-size=1..100", "epochs=1..10000");
    assertEquals(
        "--grid: a grid must have at most 10000 points, found more; --random N visits some of them",
        assertThrows(IllegalArgumentException.class, large::all).getMessage());
    assertEquals(5, large.random(5, 1).size());
  }

  @Test
  void drawsAreDistinctAndOfTheSeed() {
    Grid grid = grid("lr=1e-4~1e-2", "hidden=4;8", "seed=1..3");
    List<Map<String, String>> points = grid.random(200, 7);
    assertEquals(200, new HashSet<>(points).size());
    assertEquals(points, grid.random(200, 7));
    assertEquals(points.subList(0, 20), grid.random(20, 7));
    assertNotEquals(points, grid.random(200, 8));
    long low = 0;
    for (Map<String, String> point : points) {
      double rate = Double.parseDouble(point.get("lr"));
      assertTrue(1e-4 <= rate && rate <= 1e-2, point.toString());
      low += rate < 1e-3 ? 1 : 0;
    }
    assertTrue(70 < low && low < 130, "half of them below the middle of the exponents: " + low);
    assertEquals(List.of("lr", "hidden", "seed"), grid.varying());
    // The points are written down, because another Java must draw the same, or could not resume a
    // sweep.
    assertEquals("{lr=6.021e-04, hidden=4, seed=3}", points.get(0).toString());
  }

  @Test
  void drawsVisitAWholeGrid() {
    Grid grid = grid("hidden=4;8", "seed=1..50");
    assertEquals(new HashSet<>(grid.all()), new HashSet<>(grid.random(100, 3)));
    assertEquals(
        "--random: the grid must have as many different points, 101; found 100",
        assertThrows(IllegalArgumentException.class, () -> grid.random(101, 3)).getMessage());
    assertEquals(
        "--random: must be at most 10000, found 10001",
        assertThrows(IllegalArgumentException.class, () -> grid.random(10_001, 3)).getMessage());
  }
}
