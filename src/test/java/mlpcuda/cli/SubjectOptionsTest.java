package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import mlpcuda.benchmark.Shares;
import mlpcuda.benchmark.Throughput.Result;
import mlpcuda.benchmark.Throughput.Speed;
import mlpcuda.benchmark.Throughput.Work;
import mlpcuda.benchmark.Timing;
import mlpcuda.cli.Measurements.Subject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Tests which networks are measured, in which batches, without measuring them. */
class SubjectOptionsTest {
  private static final List<Integer> TO_65536 =
      IntStream.rangeClosed(5, 16).map(i -> 1 << i).boxed().toList();

  @TempDir private Path tmp;

  @Command
  private static final class Some {
    @Mixin SubjectOptions networks = new SubjectOptions();
    @Mixin DataOptions data = new DataOptions();
  }

  /** The subjects for 100 images of 5 by 7 pixels in 3 classes. */
  private List<Subject> subjects(String... words) {
    var some = new Some();
    var all = new ArrayList<>(List.of(words));
    all.add("--data");
    all.add(Program.writeData(tmp.resolve("data"), 5, 7, 3, 100, 20).toString());
    new CommandLine(some).parseArgs(all.toArray(String[]::new));
    var terminal = new Terminal(new PrintWriter(new StringWriter()), false);
    return some.networks.subjects(some.data.load(terminal));
  }

  private static List<String> described(List<Subject> subjects) {
    var all = new ArrayList<String>();
    for (Subject one : subjects) {
      all.add(
          "%s as %s: %s, %s"
              .formatted(
                  one.name(),
                  one.preset().preset(),
                  one.throughput().training().shape(),
                  one.sizes()));
    }
    return all;
  }

  @Test
  void allPresetsAndTwoLargeNetworksWithoutOptions() {
    assertEquals(
        List.of(
            "128x64 as 128x64: 35-128-64-3, " + TO_65536,
            "300x300 as 300x300: 35-300-300-3, [32]",
            "128 as 128: 35-128-3, [64]",
            "128x64-centred as 128x64-centred: 35-128-64-3, [64]",
            "128x64x32-relu-out as 128x64x32-relu-out: 35-128-64-32-3, [64]",
            "tuned as tuned: 35-512-256-3, [100]",
            "distorted as distorted: 35-1000-500-3, [100]",
            "record as record: 35-2500-2000-1500-1000-500-3, [100]",
            "1000x500 as 128x64: 35-1000-500-3, [256, 1024, 4096, 16384]",
            "2500x2000x1500x1000x500 as 128x64: 35-2500-2000-1500-1000-500-3,"
                + " [256, 1024, 4096, 16384]"),
        described(subjects()));
  }

  @Test
  void whatIsAskedForAlone() {
    assertEquals(
        List.of("tuned as tuned: 35-512-256-3, " + TO_65536),
        described(subjects("--presets", "tuned")));
    assertEquals(
        List.of("1000x500 as 128x64: 35-1000-500-3, " + TO_65536),
        described(subjects("--hidden", "1000,500")));
    assertEquals(
        List.of("none as tuned: 35-3, [7, 65536]"),
        described(subjects("--hidden", "none", "--preset", "tuned", "--batch-sizes", "7,65536")));
  }

  /** A step of 24 seconds is repeated once, and its row stays readable. */
  @Test
  void aSlowRowSaysHowOftenItWasRepeated() {
    Subject largest = subjects("--hidden", "2500,2000,1500,1000,500").get(0);
    var speed = new Speed(new Timing(24, 24, 24, 1), 4.7e12, new Shares(0.9, 0.05, 0));
    var result =
        new Result(Work.TRAINING, 65536, 1e-12, false, Optional.of(speed), Optional.empty());
    assertEquals(
        "2500x2000x1500x10… training  65536      2,731    0.04 24,000,000 24,000,000 24,000,000    "
            + " 196  90% arithmetic 90%  1.0e-12, 1 repeat",
        BenchmarkTable.row(largest, result, 5));
    assertEquals(1, BenchmarkTable.json(largest, result).get("repeats"));
  }
}
