package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.compute.cuda.ModuleImage;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CompareCommandTest {
  @TempDir private Path tmp;
  private Path data;

  @BeforeEach
  void writeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
  }

  private Program compare(Gpus gpus, String line) {
    return Program.run(
        gpus, Program.words("compare --hidden 8,6 --batch-size 16 --data " + data + " " + line));
  }

  @Tag("long")
  @Test
  void theCpuAgreesInEveryCase() {
    Program run = compare(Program.NO_GPUS, "--threads 2 --steps 12");
    assertEquals(0, run.code(), run.out());
    assertTrue(run.lines().get(0).endsWith(" (--threads 2)"), run.lines().get(0));
    List<String> names = Cases.all().stream().map(Case::operation).distinct().toList();
    for (int i = 0; i < names.size(); i++) {
      String row = run.lines().get(2 + i);
      assertTrue(row.matches(names.get(i) + " +\\d+ +\\S+ +\\S+  ok( .*)?"), row);
    }
    List<String> steps =
        run.lines().stream()
            .filter(line -> line.matches("\\d+ .*  ok.*"))
            .map(line -> line.split(" ")[0])
            .toList();
    assertEquals(List.of("1", "2", "5", "10", "12"), steps);
    assertEquals(
        1, run.lines().stream().filter(line -> line.endsWith("x  the whole step")).count());
    assertTrue(run.lastLine().matches("CPU, 2 threads, .* agrees with the reference"));
    assertEquals("", run.err());
  }

  @Test
  void jsonHasAllOfIt() {
    Program run = compare(Program.NO_GPUS, "--cpu --steps 3 --operations advance,adamStep --json");
    assertEquals(0, run.code(), run.err());
    Map<String, Object> json = Program.json(run.out());
    assertEquals(true, json.get("agrees"));
    assertEquals(List.of(), json.get("wrong"));
    assertEquals("35-8-6-3", json.get("network"));
    var operations = (List<?>) json.get("operations");
    assertEquals(List.of("adamStep", "advance"), each(operations, "operation"));
    assertEquals(List.of(17, 9), each(operations, "cases")); // adamStep at the step's size too
    assertEquals(List.of(0, 0), each(operations, "failed"));
    var steps = (List<?>) json.get("steps");
    assertEquals(List.of(1, 2, 3), each(steps, "step"));
    for (Object error : each(steps, "weights_error")) {
      assertTrue((Double) error < (Double) json.get("weights_limit"), steps.toString());
    }
    List<Object> losses = each(steps, "loss");
    assertEquals(3, losses.stream().distinct().count(), "other batches: " + losses);
    assertEquals(3, json.get("steps_judged"));
    assertEquals(2, each((List<?>) json.get("times"), "ratio").size());
    assertTrue(run.err().endsWith(" agrees with the reference\n"), run.err());
  }

  /** The set has 50 images: 128 are 32 of them, four times. */
  @Test
  void aBatchLargerThanTheSetRepeatsExamples() {
    for (Gpus gpus : List.of(Program.NO_GPUS, GpuCommandsTest.DRIVER_ALONE)) {
      String device = gpus == Program.NO_GPUS ? "--cpu" : "--gpu 0";
      String line = "compare --hidden 8,6 --batch-size 128 --steps 4 --operations advance --json ";
      Program run = Program.run(gpus, Program.words(line + device + " --data " + data));
      assertEquals(0, run.code(), run.err());
      assertTrue(
          run.err().contains("batches of 128, seed 1, on both\nThe device's batches repeat 32 ex"),
          run.err());
      Map<String, Object> json = Program.json(run.out());
      assertEquals(128, json.get("batch_size"));
      assertEquals(32, json.get("reference_batch_size"));
      assertEquals(4, ((List<?>) json.get("steps")).size());
    }
  }

  @Tag("long")
  @Test
  void aLargeNetworkIsComparedInFewerExamples() {
    String line = "compare --cpu --hidden 3000,3000 --batch-size 4096 --operations advance --json";
    Program run = Program.run(Program.words(line + " --steps 1 --data " + data));
    Map<String, Object> json = Program.json(run.out());
    assertEquals(0, run.code(), run.err());
    assertEquals(4096, json.get("batch_size"));
    assertEquals(8, json.get("reference_batch_size"));
  }

  @Test
  void batchesHaveALimit() {
    Program.run(Program.words("compare --cpu --batch-size 65537 --data " + data))
        .assertRefused(
            2,
            "Invalid value for option '--batch-size': must be at most 65536, found 65537",
            "'mlp-cuda compare --help' lists the options.");
  }

  /**
   * The published network's first step has a ReLU at 0 with this seed, and so it can judge nothing.
   */
  @Test
  void whereNoWeightsWereJudgedNothingAgrees() {
    String line = "compare --cpu --preset 300x300 --seed 1 --operations advance --json --steps ";
    Program none = Program.run(Program.words(line + 1));
    assertEquals(1, none.code(), none.err());
    Map<String, Object> json = Program.json(none.out());
    assertEquals(false, json.get("agrees"));
    assertEquals(List.of(), json.get("wrong"));
    assertEquals(0, json.get("steps_judged"));
    List<String> lines = none.err().lines().toList();
    assertTrue(
        lines.contains(
            "Weights and moments were judged in 0 of 1 step: in the others a ReLU was at 0, but"
                + " for rounding, and the loss alone was"),
        none.err());
    assertTrue(
        lines
            .get(lines.size() - 1)
            .endsWith(
                ": the weights of no step could be judged; more --steps or a smaller --batch-size"
                    + " have steps without a ReLU at 0"),
        none.err());
    Program some = Program.run(Program.words(line + 3));
    assertEquals(0, some.code(), some.err());
    json = Program.json(some.out());
    assertEquals(true, json.get("agrees"));
    assertEquals(2, json.get("steps_judged"));
  }

  private static List<Object> each(List<?> maps, String key) {
    var values = new ArrayList<Object>();
    maps.forEach(map -> values.add(((Map<?, ?>) map).get(key)));
    return values;
  }

  @Test
  void theGpuAgrees() {
    for (String way : List.of("", "--no-graph --feed resident", "--step persistent")) {
      Program run =
          compare(
              GpuCommandsTest.DRIVER_ALONE,
              "--gpu 0 --steps 5 --operations advance,dropoutForward,crossEntropyForward " + way);
      assertEquals(0, run.code(), run.out());
      assertTrue(run.lastLine().startsWith("GPU 0: Emulated GPU, "), run.lastLine());
      String steps =
          way.contains("persistent")
              ? ", persistent steps, resident feed, up to 100 a launch"
              : ", fused steps (auto: own GEMM";
      assertTrue(run.lastLine().contains(steps), run.lastLine());
      assertTrue(run.lastLine().endsWith(" agrees with the reference"), run.lastLine());
    }
  }

  /** The operands of the whole step are rounded as the reference's are, whatever multiplies. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FP32")
  void theGpuAgreesInEachPrecision(Precision precision) {
    for (String way : List.of("--step fused", "--step layered", "--gemm cublas")) {
      Program run =
          compare(
              GpuCommandsTest.WITH_CUBLAS,
              "--gpu 0 --steps 5 --operations advance --precision %s %s"
                  .formatted(precision.label(), way));
      assertEquals(0, run.code(), run.out());
      assertTrue(run.lastLine().contains(" of " + precision.label() + ", "), run.lastLine());
      assertTrue(run.lastLine().endsWith(" agrees with the reference"), run.lastLine());
    }
  }

  @Test
  void cudnnIsComparedWhereItIsAskedFor() {
    Program run =
        compare(
            GpuCommandsTest.WITH_CUBLAS,
            "--gpu 0 --kernels cudnn --steps 3 --operations activationBackward,logSoftmaxForward");
    assertEquals(0, run.code(), run.out());
    assertTrue(run.lastLine().contains(", cuDNN, emulated, "), run.lastLine());
    assertTrue(run.lastLine().endsWith(" agrees with the reference"), run.lastLine());
  }

  /** An emulated GPU some of whose calls are changed. */
  record Tampered(UnaryOperator<Call> tamper) implements Gpus {
    /** A call of the driver; one whose method is null is not made, and returns null. */
    record Call(Method method, Object[] arguments) {}

    @Override
    public List<GpuProperties> list() {
      return GpuCommandsTest.DRIVER_ALONE.list();
    }

    @Override
    public CudaDriver open(int index) {
      CudaDriver driver = GpuCommandsTest.DRIVER_ALONE.open(index);
      return (CudaDriver)
          Proxy.newProxyInstance(
              CudaDriver.class.getClassLoader(),
              new Class<?>[] {CudaDriver.class},
              (proxy, method, arguments) -> {
                Call call = tamper.apply(new Call(method, arguments));
                try {
                  return call.method == null ? null : call.method.invoke(driver, call.arguments);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
    }

    /** A GPU on which Adam forgets the root of its second moment. */
    static Tampered wrongAdam() {
      return new Tampered(
          call -> {
            if (call.method.getName().equals("loadModule")
                && call.arguments[0] instanceof ModuleImage image
                && image.name().equals("layers")) {
              String ptx = image.ptx().get();
              String wrong = ptx.replace("sqrt.rn.f32", "mov.f32");
              assertNotEquals(ptx, wrong);
              return new Call(call.method, new Object[] {ModuleImage.of("layers", wrong)});
            }
            return call;
          });
    }

    /** A GPU on which the third launch of a graph is left out. */
    static Tampered missingLaunch() {
      int[] launches = {0};
      return new Tampered(
          call ->
              call.method.getName().equals("launchGraph") && ++launches[0] == 3
                  ? new Call(null, null)
                  : call);
    }
  }

  @Test
  void aWrongKernelIsFoundInItsOperationAndInTraining() {
    Program run =
        compare(
            Tampered.wrongAdam(), "--gpu 0 --step layered --steps 3 --operations adamStep,advance");
    assertEquals(1, run.code(), run.out());
    assertTrue(run.lines().get(2).matches("adamStep .*  WRONG .*"), run.out());
    assertTrue(run.lines().get(3).matches("advance .*  ok *"), run.out());
    assertTrue(run.out().contains("  WRONG\n2 "), "the first step: " + run.out());
    assertTrue(
        run.lastLine()
            .endsWith(
                " is WRONG, further from the reference than the limit: adamStep, the weights in"
                    + " training"),
        run.lastLine());
  }

  @Test
  void aWrongKernelIsFoundInTrainingAlone() {
    Program run =
        compare(
            Tampered.wrongAdam(), "--gpu 0 --step layered --steps 2 --operations advance --json");
    assertEquals(1, run.code(), run.err());
    Map<String, Object> json = Program.json(run.out());
    assertEquals(false, json.get("agrees"));
    assertEquals(List.of("the weights in training"), json.get("wrong"));
  }

  /** A single wrong step of many is shown, whatever its number. */
  @Test
  void aStepThatIsNotDoneIsFound() {
    Program run = compare(Tampered.missingLaunch(), "--gpu 0 --steps 6 --operations advance");
    assertEquals(1, run.code(), run.out());
    List<String> wrong = run.lines().stream().filter(line -> line.endsWith("  WRONG")).toList();
    assertTrue(wrong.get(0).startsWith("3 ") || wrong.get(0).startsWith("4 "), run.out());
    assertTrue(run.lastLine().contains("the loss in training"), run.lastLine());
  }
}
