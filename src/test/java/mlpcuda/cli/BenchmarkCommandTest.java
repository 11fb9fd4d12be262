package mlpcuda.cli;

import static mlpcuda.compute.cuda.emulator.EmulatedPolicy.LATEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.error.DeviceException;
import mlpcuda.report.Build;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests what is measured and told, never how fast anything is. */
class BenchmarkCommandTest {
  private static final int WIDTH = 120;

  @TempDir private Path tmp;
  private Path data;

  @BeforeEach
  void writeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
  }

  private Program benchmark(Gpus gpus, String line) {
    return Program.run(
        gpus, Program.words("benchmark --seconds 0.001 --repeats 1 --data " + data + " " + line));
  }

  @Test
  void aRowForEachPresetSizeAndWork() {
    Program run =
        benchmark(Program.NO_GPUS, "--threads 2 --presets 128,128x64-centred --batch-sizes 16,50");
    assertEquals(0, run.code(), run.err());
    assertEquals("", run.err());
    List<String> lines = run.lines();
    assertTrue(lines.get(0).endsWith(" (--threads 2)"), lines.get(0));
    assertTrue(
        lines
            .get(1)
            .matches("At most [\\d,]+ GFLOP/s were seen in products, and [\\d,.]+ GB/s in Adam"),
        lines.get(1));
    assertEquals(
        List.of(
            "network batch images/s steps/s µs/step min max GFLOP/s peak limit error".split(" ")),
        List.of(lines.get(2).split(" +")));
    var rows = new ArrayList<String>();
    for (String row : lines.subList(3, lines.size() - 1)) {
      assertTrue(
          row.matches(
              "\\S+ +\\S+ +\\d+ +[\\d,]+ +[\\d,.]+( +[\\d,]+\\.\\d){3} +[\\d,]+ +\\d+%"
                  + " (arithmetic|memory|launches|host) \\d+% +\\d\\.\\de-\\d\\d"),
          row);
      rows.add(String.join(" ", List.of(row.split(" +")).subList(0, 3)));
    }
    assertEquals(
        List.of(
            "128 training 16",
            "128 inference 16",
            "128 training 50",
            "128 inference 50",
            "128x64-centred training 16",
            "128x64-centred inference 16",
            "128x64-centred training 50",
            "128x64-centred inference 50"),
        rows);
    for (String line : lines.subList(1, lines.size())) {
      assertTrue(line.length() <= WIDTH, line.length() + " columns: " + line);
    }
    assertTrue(run.lastLine().contains("at most 1e-09"), run.lastLine());
  }

  /** A network of other widths learns as the preset does; larger batches repeat the 50 images. */
  @Test
  void aNetworkOfOtherWidthsInBatchesLargerThanTheSet() {
    Program run =
        benchmark(
            Program.NO_GPUS,
            "--cpu --presets tuned --hidden 40,30,20,10,9,8,7 --batch-sizes 64,53 --json");
    assertEquals(0, run.code(), run.err());
    assertTrue(
        run.err().lines().anyMatch(row -> row.startsWith("40x30x20x10x9x8x7  training     64 ")),
        run.err());
    List<Map<?, ?>> rows = rows(ways(Program.json(run.out())).get(0));
    assertEquals(List.of(64, 64, 53, 53), rows.stream().map(row -> row.get("batch_size")).toList());
    for (Map<?, ?> row : rows) {
      assertEquals("tuned", row.get("preset"));
      assertEquals(List.of(35, 40, 30, 20, 10, 9, 8, 7, 3), row.get("layers"));
      assertEquals(true, row.get("right"), row.toString());
      assertEquals(1, row.get("repeats"));
    }
  }

  @Test
  void theGpuTakesBatchesLargerThanTheSet() {
    Program run =
        benchmark(
            GpuCommandsTest.WITH_CUBLAS,
            "--gpu 0 --kernels ptx --step layered --feed resident --no-graph --precision fp32"
                + " --hidden 20,10 --batch-sizes 64 --json");
    assertEquals(0, run.code(), run.err());
    List<Map<?, ?>> ways = ways(Program.json(run.out()));
    assertEquals(2, ways.size());
    for (Map<?, ?> way : ways) {
      assertEquals(2, rows(way).size());
      assertTrue(rows(way).stream().allMatch(row -> row.get("right").equals(true)), way.toString());
    }
  }

  @Test
  void severalPresetsHaveNoCommonWidths() {
    benchmark(Program.NO_GPUS, "--cpu --presets 128,tuned --hidden 8")
        .assertRefused(
            2,
            "Invalid value for option '--hidden': goes with one preset, found 2",
            "'mlp-cuda benchmark --help' lists the options.");
  }

  @Test
  void jsonHasAllOfIt() throws IOException {
    Path out = tmp.resolve("benchmark.json");
    String line = "--cpu --presets tuned --batch-sizes 20 --json --out " + out;
    Program run = benchmark(Program.NO_GPUS, line);
    assertEquals(0, run.code(), run.err());
    Map<String, Object> json = Program.json(run.out());
    assertEquals(json, Program.json(Files.readString(out)));
    assertEquals(
        List.of(
            "device",
            "driver",
            "versions",
            "command",
            "commit",
            "date",
            "java",
            "system",
            "processors",
            "repeats",
            "repeat_seconds",
            "error_limit",
            "peak_flops_per_second",
            "peak_bytes_per_second",
            "measured"),
        List.copyOf(json.keySet()));
    assertTrue(run.err().startsWith(json.get("device") + " (--cpu)\n"), run.err());
    assertEquals("none", json.get("driver"));
    assertEquals(Set.of("OpenBLAS", "mlp-cuda"), ((Map<?, ?>) json.get("versions")).keySet());
    List<?> command = (List<?>) json.get("command");
    assertEquals("benchmark", command.get(0));
    assertEquals(out.toString(), command.get(command.size() - 1));
    assertEquals(Build.commit().orElse("unknown"), json.get("commit"));
    assertTrue(
        json.get("commit").toString().matches("[0-9a-f]{12,40}(-dirty)?|unknown"),
        json.get("commit").toString());
    List<Map<?, ?>> rows = rows(ways(json).get(0));
    assertEquals(2, rows.size());
    for (Map<?, ?> row : rows) {
      assertEquals(List.of(35, 512, 256, 3), row.get("layers"));
      assertEquals(true, row.get("right"));
      double seconds = number(row, "seconds");
      assertTrue(number(row, "seconds_min") <= seconds, row.toString());
      assertTrue(number(row, "seconds_max") >= seconds, row.toString());
      assertEquals(20 / seconds, number(row, "images_per_second"), 1e-6 / seconds);
      assertEquals(1 / seconds, number(row, "steps_per_second"), 1e-6 / seconds);
      double products = 2 * 20 * (35 * 512 + 512 * 256 + 256 * 3);
      double backward = 2 * 20 * (35 * 512 + 2 * (512 * 256 + 256 * 3));
      double flops = row.get("work").equals("training") ? products + backward : products;
      assertEquals(flops / seconds, number(row, "flops_per_second"), 1e-6 * flops / seconds);
      Map<?, ?> shares = (Map<?, ?>) row.get("shares");
      assertEquals(
          flops / seconds / number(json, "peak_flops_per_second"),
          number(shares, "arithmetic"),
          1e-6);
      assertTrue(shares.containsKey(row.get("limit")), row.toString());
      assertTrue(number(row, "error") <= number(json, "error_limit"), row.toString());
    }
  }

  private static double number(Map<?, ?> json, String key) {
    return ((Number) json.get(key)).doubleValue();
  }

  private static List<Map<?, ?>> ways(Map<String, Object> json) {
    return maps(json.get("measured"));
  }

  private static List<Map<?, ?>> rows(Map<?, ?> way) {
    return maps(way.get("rows"));
  }

  private static List<Map<?, ?>> maps(Object list) {
    var maps = new ArrayList<Map<?, ?>>();
    ((List<?>) list).forEach(map -> maps.add((Map<?, ?>) map));
    return maps;
  }

  @Tag("long")
  @Test
  void everyWayOfAGpuIsMeasured() {
    Program run =
        benchmark(
            GpuCommandsTest.WITH_CUBLAS,
            "--gpu 0 --presets 128,128x64 --batch-sizes 4 --precision fp32 --step auto --feed auto --json");
    assertEquals(0, run.code(), run.err());
    Map<String, Object> json = Program.json(run.out());
    assertEquals("CUDA 12.6", json.get("driver"));
    assertEquals(
        Set.of("JCuda", "cuBLAS", "cuDNN", "mlp-cuda"),
        ((Map<?, ?>) json.get("versions")).keySet());
    var names = new ArrayList<String>();
    for (String gemm : List.of("cublas", "ptx")) {
      for (String feed : List.of("pinned", "resident")) {
        names.add(gemm + ", " + feed + " feed, CUDA graph");
        names.add(gemm + ", " + feed + " feed, no graph");
      }
    }
    names.add("cublas with cudnn, pinned feed, CUDA graph");
    names.add("ptx with cudnn, pinned feed, CUDA graph");
    names.add("ptx, pinned feed, CUDA graph, fused step");
    names.add("ptx, resident feed, persistent step");
    List<Map<?, ?>> ways = ways(json);
    assertEquals(names, ways.stream().map(way -> way.get("way")).toList());
    for (Map<?, ?> way : ways) {
      List<String> presets = way == ways.get(0) ? List.of("128", "128x64") : List.of("128");
      assertEquals(presets, rows(way).stream().map(row -> row.get("preset")).distinct().toList());
      assertEquals(2 * presets.size(), rows(way).size());
      assertTrue(rows(way).stream().allMatch(row -> row.get("right").equals(true)));
    }
    assertTrue(run.err().lines().toList().contains(names.get(7)), run.err());
  }

  /** GPUs that fail to open from some call on, like one that is asked for what it does not have. */
  private record Refusing(int after, AtomicInteger opened) implements Gpus {
    @Override
    public List<GpuProperties> list() {
      return GpuCommandsTest.WITH_CUBLAS.list();
    }

    @Override
    public CudaDriver open(int index) {
      if (opened.incrementAndGet() > after) {
        throw new DeviceException("GPU 0 rounds nothing", "Take another.");
      }
      return GpuCommandsTest.WITH_CUBLAS.open(index);
    }
  }

  private static final String ONE_WAY =
      "--gpu 0 --kernels ptx --step layered --feed pinned --no-graph --presets 128 --batch-sizes 4"
          + " --json ";

  @Test
  void eachPrecisionIsAWayWithEachGemm() {
    Program run = benchmark(GpuCommandsTest.WITH_CUBLAS, ONE_WAY);
    assertEquals(0, run.code(), run.err());
    List<Map<?, ?>> ways = ways(Program.json(run.out()));
    var names = new ArrayList<String>();
    for (String precision : List.of("", ", tf32", ", bf16", ", fp16")) {
      for (String gemm : List.of("cublas", "ptx")) {
        names.add(gemm + ", pinned feed, no graph" + precision);
      }
    }
    assertEquals(names, ways.stream().map(way -> way.get("way")).toList());
    assertEquals(
        List.of("fp32", "fp32", "tf32", "tf32", "bf16", "bf16", "fp16", "fp16"),
        ways.stream().map(way -> way.get("precision")).toList());
    assertEquals(
        List.of(1e-9, 1e-9, 1e-7, 1e-7, 1e-6, 1e-6, 1e-7, 1e-7),
        ways.stream().map(way -> way.get("error_limit")).toList());
    assertTrue(
        run.err().contains(" at most 1e-09, in tf32 1e-07, in bf16 1e-06, in fp16 1e-07; limit: "),
        run.err());
  }

  @Test
  void aPrecisionThatIsAskedForIsTheOnlyOne() {
    Program run = benchmark(GpuCommandsTest.DRIVER_ALONE, ONE_WAY + "--gemm ptx --precision bf16");
    assertEquals(0, run.code(), run.err());
    List<Map<?, ?>> ways = ways(Program.json(run.out()));
    assertEquals(
        List.of("ptx, pinned feed, no graph, bf16"),
        ways.stream().map(way -> way.get("way")).toList());
    assertEquals(1e-6, Program.json(run.out()).get("error_limit"));
    assertTrue(run.err().contains(" at most 1e-06; limit: "), run.err());
  }

  /** The CPU has no ways: it is measured in the precision that is asked for. */
  @Test
  void theCpuInAPrecision() {
    Program run =
        benchmark(
            Program.NO_GPUS, "--cpu --presets 128 --batch-sizes 16,50 --precision fp16 --json");
    assertEquals(0, run.code(), run.err());
    List<Map<?, ?>> ways = ways(Program.json(run.out()));
    assertEquals(1, ways.size());
    assertEquals("fp16", ways.get(0).get("precision"));
    assertTrue(rows(ways.get(0)).stream().allMatch(row -> row.get("right").equals(true)));
  }

  /** A refused precision is like a missing library: it gets a line, and the rest is measured. */
  @Test
  void aPrecisionThatTheGpuRefusesIsALine() {
    var refusing = new Refusing(3, new AtomicInteger()); // the device itself, then both GEMMs
    Program run = benchmark(refusing, ONE_WAY);
    assertEquals(0, run.code(), run.err());
    List<Map<?, ?>> ways = ways(Program.json(run.out()));
    assertEquals(
        List.of(
            "cublas, pinned feed, no graph", "ptx, pinned feed, no graph", "tf32", "bf16", "fp16"),
        ways.stream().map(way -> way.get("way")).toList());
    for (String precision : List.of("tf32", "bf16", "fp16")) {
      String line = precision + ": not measured: GPU 0 rounds nothing";
      assertTrue(run.err().lines().toList().contains(line), run.err());
    }
    assertEquals("GPU 0 rounds nothing", ways.get(2).get("not_measured"));
  }

  @Test
  void missingCublasIsALine() {
    String line = "--presets 128 --batch-sizes 8 --feed resident --no-graph --precision fp32";
    Program run = benchmark(GpuCommandsTest.DRIVER_ALONE, line);
    assertEquals(0, run.code(), run.err());
    assertEquals(
        "cublas: not measured: cuBLAS 12 was not found: this device is emulated without it",
        run.lines().get(1));
    assertEquals("ptx, resident feed, no graph", run.lines().get(2));
    int fused = 1 + 1 + 2;
    int persistent = 1 + 1 + 2;
    assertEquals(2 + 1 + 1 + 1 + 2 + 1 + fused + persistent + 1, run.lines().size(), run.out());
    benchmark(GpuCommandsTest.DRIVER_ALONE, line + " --gemm cublas")
        .assertRefused(
            3,
            "cuBLAS 12 was not found: this device is emulated without it",
            "Emulate it with cuBLAS, or use the program's own products");
  }

  @Test
  void whatIsWrongIsNotTimed() {
    String line =
        "--gpu 0 --presets 128 --batch-sizes 8 --gemm ptx --feed pinned --no-graph --json";
    Program run = benchmark(CompareCommandTest.Tampered.wrongAdam(), line);
    assertEquals(1, run.code(), run.err());
    assertTrue(
        run.err()
            .lines()
            .anyMatch(
                row ->
                    row.matches(
                        "128 +training +8 WRONG, and not timed: error \\d\\.\\de[+-]\\d\\d")),
        run.err());
    List<Map<?, ?>> rows = rows(ways(Program.json(run.out())).get(0));
    assertEquals(false, rows.get(0).get("right"));
    assertTrue(number(rows.get(0), "error") > 1e-9);
    assertFalse(rows.get(0).containsKey("seconds"));
    assertEquals("inference", rows.get(1).get("work"));
    assertEquals(true, rows.get(1).get("right"));
  }

  /** A batch that does not fit costs its own rows alone. */
  @Test
  void whatDoesNotFitIsARow() {
    Path many = Program.writeData(tmp.resolve("many"), 5, 7, 3, 300, 20);
    var small = GpuCommandsTest.OneGpu.with(EmulatedOptions.of(LATEST).withMemory(190_000));
    String line =
        "benchmark --seconds 0.001 --repeats 1 --gpu 0 --presets 128 --batch-sizes 300,30 --gemm"
            + " ptx --kernels ptx --step layered --feed pinned --no-graph --precision fp32 --json --data ";
    Program run = Program.run(small, Program.words(line + many));
    assertEquals(0, run.code(), run.err());
    List<String> lines = run.err().lines().toList();
    String why = "out of memory on GPU 0 for \\w+( \\d)?: asked for .* are free";
    assertEquals(
        2,
        lines.stream()
            .filter(row -> row.matches("128 +(training|inference) +300 not measured: " + why))
            .count(),
        run.err());
    List<Map<?, ?>> rows = rows(ways(Program.json(run.out())).get(0));
    assertEquals(
        List.of(300, 300, 30, 30), rows.stream().map(row -> row.get("batch_size")).toList());
    for (Map<?, ?> row : rows) {
      boolean fits = row.get("batch_size").equals(30);
      assertEquals(fits, row.containsKey("seconds"), row.toString());
      assertEquals(!fits, row.containsKey("not_measured"), row.toString());
    }
  }

  @Test
  void whereNothingFitsTheDeviceHasFailed() {
    var tiny = GpuCommandsTest.OneGpu.with(EmulatedOptions.of(LATEST).withMemory(10_000));
    Program run =
        benchmark(tiny, "--gpu 0 --presets 128 --batch-sizes 4 --gemm ptx --no-graph --json");
    assertEquals(3, run.code(), run.err());
    List<Map<?, ?>> ways = ways(Program.json(run.out()));
    assertTrue(ways.size() > 1, ways.toString());
    assertTrue(ways.stream().allMatch(way -> way.containsKey("not_measured")), ways.toString());
    assertTrue(run.err().endsWith("or the widths of the hidden layers.\n"), run.err());
  }

  @Test
  void aFileThatCannotBeWrittenIsToldBeforeAnythingIsMeasured() {
    Path out = tmp.resolve("no/such/folder.json");
    Program run = benchmark(Program.NO_GPUS, "--cpu --out " + out);
    assertEquals(7, run.code());
    assertEquals("", run.out());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(
        run.err().startsWith(out + ": cannot be written: its folder does not exist"), run.err());
    benchmark(Program.NO_GPUS, "--cpu --out " + tmp)
        .assertRefused(7, tmp + ": cannot be written: a folder of that name is there");
  }

  @Test
  void batchesHaveALimit() {
    benchmark(Program.NO_GPUS, "--cpu --batch-sizes 50,65537")
        .assertRefused(
            2,
            "Invalid value for option '--batch-sizes': must be at most 65536, found 65537",
            "'mlp-cuda benchmark --help' lists the options.");
  }
}
