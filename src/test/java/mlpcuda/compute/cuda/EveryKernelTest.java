package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Agreement;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.features.Features;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;
import mlpcuda.train.Update;
import org.junit.jupiter.api.Test;

/** Tests the PTX that ships: it must be made from these sources, and every entry must run. */
class EveryKernelTest {
  private static final Path SOURCES = Path.of("cuda");
  private static final Path PTX = SOURCES.resolve("ptx");
  private static final List<Precision> RATHER_THAN_FP32 =
      List.of(Precision.TF32, Precision.BF16, Precision.FP16);

  /** The modules that have single precision alone: layers and distort have no products. */
  private static final Set<String> SINGLE = Set.of("layers", "distort", "persistent");

  private static final Pattern SIZE = Pattern.compile("[BIOCn]=(\\d+)");
  private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+(\\w+)");

  private static List<Path> files(Path folder, String pattern) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.getFileName().toString().matches(pattern)).sorted().toList();
    }
  }

  private static String hash() throws IOException, NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (Path source : files(SOURCES, ".*\\.cuh?")) {
      digest.update(Files.readAllBytes(source));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  @Test
  void thePtxIsMadeFromTheseSources() throws IOException, NoSuchAlgorithmException {
    String expected = "// sources: sha256 " + hash() + " (scripts/build-ptx.sh)";
    List<Path> modules = files(PTX, ".*\\.ptx");
    Set<String> wanted = new TreeSet<>();
    for (Path source : files(SOURCES, ".*\\.cu")) {
      String family = source.getFileName().toString().replace(".cu", "");
      wanted.add(family);
      if (family.equals("large")) {
        wanted.add("large_async");
      } else if (!SINGLE.contains(family)) {
        RATHER_THAN_FP32.forEach(precision -> wanted.add(family + "_" + precision.label()));
      }
    }
    assertEquals(
        wanted,
        new TreeSet<>(modules.stream().map(EveryKernelTest::module).toList()),
        "a module for each .cu, with products one for each precision or way to copy, and none else");
    for (Path module : modules) {
      try (Stream<String> lines = Files.lines(module)) {
        assertEquals(
            expected, lines.findFirst().orElseThrow(), module + ": run scripts/build-ptx.sh");
      }
      String text = Files.readString(module);
      String target = module(module).contains("_") ? ".target sm_80" : ".target sm_75";
      assertEquals(1, text.lines().filter(".version 8.0"::equals).count(), module.toString());
      assertEquals(1, text.lines().filter(target::equals).count(), module.toString());
    }
  }

  private static String module(Path file) {
    return file.getFileName().toString().replace(".ptx", "");
  }

  private static Set<String> entries() throws IOException {
    var entries = new TreeSet<String>();
    for (Path module : files(PTX, ".*\\.ptx")) {
      Matcher matcher = ENTRY.matcher(Files.readString(module));
      while (matcher.find()) {
        entries.add(module(module) + "/" + matcher.group(1));
      }
    }
    return entries;
  }

  /**
   * Each entry that ships is launched from Java with the types of its parameters: the emulated
   * driver refuses a launch whose arguments have others.
   */
  @Test
  void everyEntryRuns() throws IOException {
    Map<String, Integer> before = EmulatedDriver.launches();
    var options = EmulatedOptions.of(EmulatedPolicy.LATEST);
    run(options, Precision.FP32, Cases.others(), EveryKernelTest::isSmall);
    run(options, Precision.FP32, EveryKernelTest::isSmall);
    run(options, Precision.BF16, EveryKernelTest::isSmall);
    for (Precision precision : Precision.values()) {
      var own = options.withoutCublas();
      var many = own.withMultiprocessors(1000);
      run(many, precision, EveryKernelTest::isSmall); // small tiles
      run(many, precision, is("linearForward B=17 I=260 O=7 TANH")); // thin
      run(many, precision, is("linearBackward B=257 I=12 O=260 below TANH")); // thin
      var one = own.withMultiprocessors(1);
      run(one, precision, is("linearForward B=103 I=31 O=1025 NONE")); // large
      run(one, precision, is("linearForward B=784 I=103 O=33 NONE")); // medium
      run(one, precision, is("linearBackward B=64 I=784 O=128 below NONE")); // large, medium
      run(one, precision, is("linearBackward B=784 I=103 O=33 below NONE")); // medium, large
      run(own, precision, is("linearBackward B=1025 I=33 O=103 below NONE")); // in parts
      run(one, precision, is("linearForward B=128 I=72 O=128 SIGMOID")); // large, from copies
      run(
          one,
          precision,
          is("linearBackward B=128 I=72 O=128 below SIGMOID")); // large, from copies
      var some = own.withMultiprocessors(12);
      run(some, precision, is("linearBackward B=776 I=40 O=56 below SIGMOID")); // in parts, too
      run(one, precision, is("linearForward B=44 I=52 O=36 SIGMOID")); // medium, from copies
      run(one, precision, is("linearBackward B=44 I=52 O=36 below SIGMOID")); // medium, from copies
      runFusedSteps(4, AdamSettings.DEFAULT, precision); // CudaTraining tests that these are right
      runFusedSteps(256, SgdSettings.DEFAULT, precision); // 256 inputs take thin tiles
    }
    var old = options.withoutCublas().withMultiprocessors(1).withMajor(7);
    run(old, Precision.FP32, is("linearForward B=128 I=72 O=128 SIGMOID")); // large
    run(old, Precision.FP32, is("linearBackward B=128 I=72 O=128 below SIGMOID")); // large
    for (OptimizerSettings moves : List.of(AdamSettings.DEFAULT, SgdSettings.DEFAULT)) {
      var step =
          CudaOptions.layered(Multiplier.AUTO, FeedKind.RESIDENT, Launching.GRAPH)
              .with(StepKind.PERSISTENT);
      runStep(4, moves, step); // PersistentTraining tests that these are right
    }
    Set<String> ran = new TreeSet<>();
    EmulatedDriver.launches()
        .forEach(
            (entry, count) -> {
              if (count > before.getOrDefault(entry, 0)) {
                ran.add(entry);
              }
            });
    assertEquals(entries(), ran);
  }

  private static void runFusedSteps(int I, OptimizerSettings optimizer, Precision precision) {
    runStep(I, optimizer, CudaOptions.DEFAULT.with(StepKind.FUSED).with(precision));
  }

  /** Trains a step on bytes, and one on floats. */
  private static void runStep(int I, OptimizerSettings optimizer, CudaOptions options) {
    var bytes = ExampleSet.images(2, I / 2, new byte[5 * I], new byte[5]);
    runStep(bytes, new PixelScaling("unit", 0, 1), optimizer, options);
    Features features = Features.of(new float[5 * I], I);
    var floats =
        new ExampleSet(Layout.Columns.numbered(I), features, new byte[5], Optional.empty());
    runStep(floats, Scaling.of("none", floats), optimizer, options);
  }

  private static void runStep(
      ExampleSet set, Scaling scaling, OptimizerSettings optimizer, CudaOptions options) {
    var training =
        new TrainingSetup(
            new MlpShape(List.of(set.inputs(), 3, 2), Activation.RELU, Activation.NONE),
            set,
            scaling,
            2,
            new Update(optimizer, 0, Regularisation.NONE),
            0.01,
            1);
    try (var ops =
            new CudaOps(new EmulatedDriver(EmulatedOptions.of(EmulatedPolicy.LATEST)), options);
        var learner = new Learner(ops, training)) {
      learner.run();
      assertEquals(Math.log(2), learner.loss(), 0.5);
    }
  }

  private static boolean isSmall(Case c) {
    int[] sizes =
        SIZE.matcher(c.name()).results().mapToInt(m -> Integer.parseInt(m.group(1))).toArray();
    return Arrays.stream(sizes).asLongStream().reduce(1, (a, b) -> a * b) <= 11_000;
  }

  private static Predicate<Case> is(String name) {
    return c -> c.name().equals(name);
  }

  private static void run(EmulatedOptions options, Precision precision, Predicate<Case> chosen) {
    run(options, precision, Cases.products(precision), chosen);
  }

  private static void run(
      EmulatedOptions options, Precision precision, List<Case> of, Predicate<Case> chosen) {
    List<Case> cases = of.stream().filter(chosen).toList();
    assertFalse(cases.isEmpty());
    var driver = new EmulatedDriver(options);
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT.with(precision))) {
      cases.forEach(c -> Agreement.check(ops, c));
    }
  }
}
