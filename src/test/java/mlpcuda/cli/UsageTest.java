package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import mlpcuda.report.Build;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests what the program says before it does anything. */
class UsageTest {
  @TempDir Path tmp;

  @Test
  void helpListsTheCommands() {
    Program help = Program.succeed("--help");
    assertTrue(help.lines().get(0).startsWith("Usage: mlp-cuda"), help.out());
    for (String command :
        List.of(
            "train",
            "sweep",
            "lr-find",
            "benchmark",
            "evaluate",
            "predict",
            "serve",
            "inspect",
            "summary",
            "export",
            "import",
            "devices",
            "compare")) {
      assertTrue(help.out().contains("\n  " + command + " "), command);
    }
    assertEquals("", help.err());
    assertEquals(help, Program.run("-h"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"train --help", "--epochs 3 --help", "train -h"})
  void helpOfTheDefaultCommand(String line) {
    Program help = Program.succeed(Program.words(line));
    assertTrue(help.lines().get(0).startsWith("Usage: mlp-cuda train"), help.out());
    for (String option :
        List.of("--batch-size", "--test-batch-size", "--epochs", "--lr", "--seed", "--dry-run")) {
      assertTrue(help.out().contains(" " + option), option);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"train", "sweep", "import", "compare"})
  void helpOfACommand(String command) {
    assertEquals(Program.succeed(command, "--help"), Program.succeed("help", command));
  }

  @Test
  void helpAloneIsThatOfTheProgram() {
    assertEquals(Program.succeed("--help"), Program.succeed("help"));
    Program.run("help", "nonsense")
        .assertRefused(2, "no command is named nonsense", "'mlp-cuda --help' lists the options.");
    Program.run("help", "tarin")
        .assertRefused(
            2,
            "no command is named tarin; did you mean train?",
            "'mlp-cuda --help' lists the options.");
  }

  /** Help lines must not be cut where a sentence goes on in the next string of a description. */
  @Test
  void helpIsCutOffNowhere() {
    List<String> lines = Program.succeed("--help").lines();
    List<String> commands = lines.subList(lines.indexOf("Commands:") + 1, lines.size());
    var sentence = new StringBuilder();
    int described = 0;
    for (String line : commands) {
      if (line.matches("  [a-z].*|")) {
        if (!sentence.isEmpty()) {
          assertTrue(sentence.toString().endsWith("."), sentence.toString());
          described++;
        }
        sentence.setLength(0);
      }
      sentence.append(line);
      if (line.isEmpty()) {
        break;
      }
    }
    assertEquals(15, described);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "sweep",
        "lr-find",
        "benchmark",
        "evaluate",
        "predict",
        "serve",
        "summary",
        "export",
        "import",
        "devices",
        "compare",
        "help"
      })
  void helpFitsATerminal(String command) {
    Program help = Program.succeed(command, "--help");
    for (String line : help.lines()) {
      assertTrue(line.length() <= 80, command + ": " + line);
    }
  }

  /** Who only trains need not read past the heading. */
  @ParameterizedTest
  @ValueSource(
      strings = {"train", "lr-find", "benchmark", "evaluate", "predict", "serve", "compare"})
  void helpListsOptionsForMeasuringLast(String command) {
    List<String> lines = Program.succeed(command, "--help").lines();
    int heading = lines.indexOf("Measuring and debugging the GPU:");
    assertTrue(heading > 0, lines.toString());
    assertEquals("", lines.get(heading - 1));
    assertEquals(
        List.of("--gemm", "--kernels", "--no-graph", "--steps-per-launch", "--sync-check"),
        options(lines.subList(heading, lines.size())));
    List<String> others = options(lines.subList(0, heading));
    assertTrue(others.containsAll(List.of("--gpu", "--step", "--feed", "--help")), "" + others);
    assertEquals(List.of(), others.stream().filter("--gemm"::equals).toList());
  }

  /** The names of the options that lines of a help describe, in their order. */
  private static List<String> options(List<String> help) {
    return help.stream()
        .filter(line -> line.matches(" +(-\\w, )?--[a-z].*"))
        .map(line -> line.replaceAll(" +(-\\w, )?(--[a-z-]+).*", "$2"))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"sweep", "summary", "export", "import", "devices"})
  void helpOfOtherCommandsHasNoSuchHeading(String command) {
    assertFalse(Program.succeed(command, "--help").out().contains("Measuring and debugging"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--version", "-V", "train --version", "evaluate -V", "summary --version"})
  void version(String line) {
    Program version = Program.succeed(Program.words(line));
    assertEquals(List.of(Build.describe()), version.lines());
    assertEquals("", version.err());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--hidden 128,,64|Invalid value for option '--hidden': must be whole numbers from"
            + " 1 to 2147483647 joined by commas, or none; found 128,,64",
        "--hidden 0|Invalid value for option '--hidden': must be whole numbers from"
            + " 1 to 2147483647 joined by commas, or none; found 0",
        "--hidden=|Invalid value for option '--hidden': must be whole numbers from"
            + " 1 to 2147483647 joined by commas, or none; found nothing",
        "--hidden 128,none|Invalid value for option '--hidden': must be whole numbers from"
            + " 1 to 2147483647 joined by commas, or none; found 128,none",
        "--hidden 3 --hidden 4|option '--hidden' (WIDTHS) should be specified only once",
        "--epochs -1|Invalid value for option '--epochs': must be a whole number from 0 to"
            + " 2147483647, found -1",
        "--epochs 1.5|Invalid value for option '--epochs': must be a whole number from 0 to"
            + " 2147483647, found 1.5",
        "--epochs 2147483648|Invalid value for option '--epochs': must be a whole number from 0"
            + " to 2147483647, found 2147483648",
        "--batch-size 0|Invalid value for option '--batch-size': must be a whole number from 1 to"
            + " 2147483647, found 0",
        "--test-batch-size 0|Invalid value for option '--test-batch-size': must be a whole number"
            + " from 1 to 2147483647, found 0",
        "--max-steps 0|Invalid value for option '--max-steps': must be a whole number from 1 to"
            + " 2147483647, found 0",
        "--log-interval 0|Invalid value for option '--log-interval': must be a whole number from 1"
            + " to 2147483647, found 0",
        "--subset 0|Invalid value for option '--subset': must be a whole number from 1 to"
            + " 2147483647, found 0",
        "--lr 0|Invalid value for option '--lr': must be a number above 0 that a float can hold,"
            + " found 0",
        "--lr -0.0|Invalid value for option '--lr': must be a number above 0 that a float can"
            + " hold, found -0.0",
        "--lr nan|Invalid value for option '--lr': must be a number above 0 that a float can hold,"
            + " found nan",
        "--lr NaN|Invalid value for option '--lr': must be a number above 0 that a float can hold,"
            + " found NaN",
        "--lr 1e-50|Invalid value for option '--lr': must be a number above 0 that a float can"
            + " hold, found 1e-50",
        "--lr 1e39|Invalid value for option '--lr': must be a number above 0 that a float can"
            + " hold, found 1e39",
        "--lr 5%s|Invalid value for option '--lr': must be a number above 0 that a float can hold,"
            + " found 5%s",
        "--seed x|Invalid value for option '--seed': must be a whole number from"
            + " -9223372036854775808 to 9223372036854775807, found x",
        "--preset nope|Invalid value for option '--preset': must be one of 128x64, 300x300, 128,"
            + " 128x64-centred, 128x64x32-relu-out, tuned, distorted, record, found nope",
        "--activation nope|Invalid value for option '--activation': must be one of relu,"
            + " sigmoid, tanh, lecun-tanh, found nope",
        "--scaling nope|Invalid value for option '--scaling': must be one of unit, centred,"
            + " z-score, standard, minmax, none, found nope; did you mean none?",
        "--threads 0|Invalid value for option '--threads': must be a whole number from 1 to"
            + " 2147483647, found 0",
        "--threads 1025|Invalid value for option '--threads': must be at most 1024, found 1025",
        "--gpu -1|Invalid value for option '--gpu': must be a whole number from 0 to 2147483647,"
            + " found -1",
        "--gpu 0 --cpu|--gpu and --cpu exclude each other, found both",
        "--gpu 0 --threads 2|--threads is of the CPU and excludes --gpu, found both",
        "--cpu --no-graph|--gemm, --kernels, --step, --feed, --no-graph,"
            + " --steps-per-launch and --sync-check are of the GPU, found one with --cpu or --threads",
        "--cpu --kernels cudnn|--gemm, --kernels, --step, --feed, --no-graph,"
            + " --steps-per-launch and --sync-check are of the GPU, found one with --cpu or --threads",
        "--kernels nope|Invalid value for option '--kernels': expected one of [ptx, cudnn]"
            + " (case-sensitive) but was 'nope'",
        "--cpu --step fused|--gemm, --kernels, --step, --feed, --no-graph,"
            + " --steps-per-launch and --sync-check are of the GPU, found one with --cpu or --threads",
        "--gpu 0 --no-graph --steps-per-launch 2|--steps-per-launch is of a CUDA graph, found"
            + " --no-graph or --sync-check too",
        "--steps-per-launch 101|Invalid value for option '--steps-per-launch': must be at most 100,"
            + " found 101",
        "--step nope|Invalid value for option '--step': expected one of [auto, layered, fused,"
            + " persistent]"
            + " (case-sensitive) but was 'nope'",
        "--step persistent --feed pinned|--step persistent needs the whole set on the GPU, found"
            + " --feed pinned",
        "--step persistent --precision bf16|--step persistent computes in fp32, found --precision"
            + " bf16",
        "--gemm nope|Invalid value for option '--gemm': expected one of [cublas, ptx]"
            + " (case-sensitive) but was 'nope'",
        "--precision nope|Invalid value for option '--precision': expected one of [fp32, tf32, bf16,"
            + " fp16] (case-sensitive) but was 'nope'",
        "--precision FP16|Invalid value for option '--precision': expected one of [fp32, tf32, bf16,"
            + " fp16] (case-sensitive) but was 'FP16'",
        "--no-graph --gemm ptx --no-graph|option '--no-graph' should be specified only once",
        "--feed nope|Invalid value for option '--feed': expected one of [auto, pinned, resident]"
            + " (case-sensitive) but was 'nope'",
        "--dataset mnist|--data and --dataset exclude each other, found both",
        "--classes 0|Invalid value for option '--classes': must be a whole number from 1 to"
            + " 2147483647, found 0",
        "--classes 257|Invalid value for option '--classes': must be at most 256, as labels are"
            + " bytes; found 257",
        "--subset 51|Invalid value for option '--subset': must be at most the 50 training"
            + " examples, found 51",
        "--optimizer nope|Invalid value for option '--optimizer': expected one of [adam,"
            + " adamw, sgd] (case-sensitive) but was 'nope'",
        "--optimizer sgd --momentum 1|Invalid value for option '--momentum': must be a number"
            + " from 0 on, below 1, found 1",
        "--optimizer sgd --momentum -0.1|Invalid value for option '--momentum': must be a"
            + " number from 0 on, below 1, found -0.1",
        "--optimizer sgd --momentum NaN|Invalid value for option '--momentum': must be a"
            + " number from 0 on, below 1, found NaN",
        "--momentum 0.9|--momentum and --nesterov are of --optimizer sgd, found adam",
        "--optimizer adamw --nesterov|--momentum and --nesterov are of --optimizer sgd, found"
            + " adamw",
        "--optimizer sgd --nesterov|--nesterov needs --momentum above 0, found none",
        "--optimizer sgd --nesterov --momentum 0|--nesterov needs --momentum above 0, found"
            + " none",
        "--weight-decay -1e-3|Invalid value for option '--weight-decay': must be a number from"
            + " 0 on that a float can hold, found -1e-3",
        "--weight-decay NaN|Invalid value for option '--weight-decay': must be a number from 0"
            + " on that a float can hold, found NaN",
        "--weight-decay 1e39|Invalid value for option '--weight-decay': must be a number from"
            + " 0 on that a float can hold, found 1e39",
        "--weight-decay x|Invalid value for option '--weight-decay': must be a number from 0"
            + " on that a float can hold, found x",
        "--dropout 1|Invalid value for option '--dropout': must be rates from 0 on, below 1,"
            + " joined by commas, found 1",
        "--dropout -0.5|Invalid value for option '--dropout': must be rates from 0 on, below"
            + " 1, joined by commas, found -0.5",
        "--dropout 0.2,|Invalid value for option '--dropout': must be rates from 0 on, below"
            + " 1, joined by commas, found nothing",
        "--dropout 0.2,x|Invalid value for option '--dropout': must be rates from 0 on, below"
            + " 1, joined by commas, found x",
        "--dropout 0.1,0.2,0.3|--dropout must be one rate or one for each hidden layer,"
            + " here 2, found 3",
        "--hidden 5 --dropout 0.1,0.2|--dropout must be one rate or one for each hidden"
            + " layer, here 1, found 2",
        "--hidden none --dropout 0.1|--dropout needs a hidden layer, found none",
        "--dropout 0.1 --dropout 0.2|option '--dropout' (P) should be specified only once",
        "--label-smoothing 1|Invalid value for option '--label-smoothing': must be a number"
            + " from 0 on, below 1, found 1",
        "--label-smoothing -0.1|Invalid value for option '--label-smoothing': must be a number"
            + " from 0 on, below 1, found -0.1",
        "--ema 1|Invalid value for option '--ema': must be a number from 0 on, below 1, found 1",
        "--ema -0.5|Invalid value for option '--ema': must be a number from 0 on, below 1, found"
            + " -0.5",
        "--ema NaN|Invalid value for option '--ema': must be a number from 0 on, below 1, found NaN",
        "--ema much|Invalid value for option '--ema': must be a number from 0 on, below 1, found"
            + " much",
        "--clip-grad-norm 0|Invalid value for option '--clip-grad-norm': must be a number"
            + " above 0 that a float can hold, found 0",
        "--clip-grad-norm -1|Invalid value for option '--clip-grad-norm': must be a number"
            + " above 0 that a float can hold, found -1",
        "--clip-grad-norm 1e-50|Invalid value for option '--clip-grad-norm': must be a number"
            + " above 0 that a float can hold, found 1e-50",
        "--clip-grad-norm inf|Invalid value for option '--clip-grad-norm': must be a number"
            + " above 0 that a float can hold, found inf",
        "--schedule nope|Invalid value for option '--schedule': must be constant,"
            + " step:EPOCHS:GAMMA, exponential:GAMMA, cosine, one-cycle or plateau:FACTOR:PATIENCE,"
            + " found nope",
        "--schedule step:2|Invalid value for option '--schedule': must be constant,"
            + " step:EPOCHS:GAMMA, exponential:GAMMA, cosine, one-cycle or plateau:FACTOR:PATIENCE,"
            + " found step:2",
        "--schedule cosine:1|Invalid value for option '--schedule': must be constant,"
            + " step:EPOCHS:GAMMA, exponential:GAMMA, cosine, one-cycle or plateau:FACTOR:PATIENCE,"
            + " found cosine:1",
        "--schedule step:0:0.5|Invalid value for option '--schedule': EPOCHS must be a whole"
            + " number from 1 to 2147483647, found 0",
        "--schedule exponential:2|Invalid value for option '--schedule': GAMMA must be a"
            + " number above 0 and at most 1, found 2",
        "--schedule plateau:0.5:-1|Invalid value for option '--schedule': PATIENCE must be a"
            + " whole number from 0 to 2147483647, found -1",
        "--warmup -1|Invalid value for option '--warmup': must be a whole number from 0 to"
            + " 2147483647, found -1",
        "--validation 0|Invalid value for option '--validation': must be a number of examples"
            + " from 1 on, or a fraction of them above 0 and below 1, found 0",
        "--validation 1.5|Invalid value for option '--validation': must be a number of"
            + " examples from 1 on, or a fraction of them above 0 and below 1, found 1.5",
        "--validation -3|Invalid value for option '--validation': must be a number of examples"
            + " from 1 on, or a fraction of them above 0 and below 1, found -3",
        "--validation x|Invalid value for option '--validation': must be a number of examples"
            + " from 1 on, or a fraction of them above 0 and below 1, found x",
        "--validation 50|Invalid value for option '--validation': the validation set must have"
            + " at least 1 example and fewer than the training set's 50, found 50",
        "--validation 0.001|Invalid value for option '--validation': the validation set must"
            + " have at least 1 example and fewer than the training set's 50, found 0",
        "--subset 7 --validation 7|Invalid value for option '--validation': the validation set"
            + " must have at least 1 example and fewer than the training set's 7, found 7",
        "--validation 10 --early-stopping 0|Invalid value for option '--early-stopping': must"
            + " be a whole number from 1 to 2147483647, found 0",
        "--early-stopping 3|--early-stopping and --save-best need --validation, found none",
        "--save-best|--early-stopping and --save-best need --validation, found none",
        "--monitor accuracy|--monitor needs --early-stopping or --save-best, found neither",
        "--validation 10 --monitor loss|--monitor needs --early-stopping or --save-best, found"
            + " neither",
        "--validation 10 --save-best --monitor nope|Invalid value for option '--monitor':"
            + " expected one of [loss, accuracy] (case-sensitive) but was 'nope'",
        "--bogus|Unknown option: '--bogus'",
        "nope|the command must be one of train, sweep, lr-find, benchmark, evaluate, predict, serve, distort, inspect, summary, export, import, devices, compare and come first, and options"
            + " begin with --; found nope",
        "evaluate|the command must be one of train, sweep, lr-find, benchmark, evaluate, predict, serve, distort, inspect, summary, export, import, devices, compare and come first, and options"
            + " begin with --; found evaluate"
      })
  void refusesOptionsOfTraining(String line, String message) {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    Path out = tmp.resolve("run");
    Program.run(Program.words("--data " + data + " --out " + out + " " + line))
        .assertRefused(2, message, "'mlp-cuda train --help' lists the options.");
    assertFalse(Files.exists(out));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "trian|train|the command must be one of train, sweep, lr-find, benchmark, evaluate, predict, serve, distort, inspect, summary, export, import, devices, compare and come first, and"
            + " options begin with --; found trian; did you mean train?",
        "train foo bar|train|the command must be one of train, sweep, lr-find, benchmark, evaluate, predict, serve, distort, inspect, summary, export, import, devices, compare and come first,"
            + " and options begin with --; found foo bar",
        "--classes 3|train|--classes needs --data, found --classes 3 alone",
        "--dataset nope|train|Invalid value for option '--dataset': data set must be one of mnist,"
            + " fashion-mnist, kmnist, found nope",
        "evaluate|evaluate|Missing required option: '--model=FILE'",
        "evaluate --model|evaluate|Missing required parameter for option '--model' (FILE)",
        "evaluate --model m --lr 3|evaluate|Unknown options: '--lr', '3'",
        "evaluate --model m --gpu 0 --cpu|evaluate|--gpu and --cpu exclude each other, found both",
        "evaluate --model m --classes 3|evaluate|--classes needs --data, found --classes 3 alone",
        "compare --steps 0|compare|Invalid value for option '--steps': must be a whole number from 1"
            + " to 2147483647, found 0",
        "compare --batch-size 0|compare|Invalid value for option '--batch-size': must be a whole"
            + " number from 1 to 2147483647, found 0",
        "compare --seed x|compare|Invalid value for option '--seed': must be a whole number from"
            + " -9223372036854775808 to 9223372036854775807, found x",
        "compare --gpu 0 --cpu|compare|--gpu and --cpu exclude each other, found both",
        "compare --cpu --no-graph|compare|--gemm, --kernels, --step, --feed, --no-graph,"
            + " --steps-per-launch and --sync-check"
            + " are of the GPU, found one with --cpu or --threads",
        "compare --classes 3|compare|--classes needs --data, found --classes 3 alone",
        "compare --scaling nope|compare|Invalid value for option '--scaling': must be one of unit,"
            + " centred, z-score, standard, minmax, none, found nope; did you mean none?",
        "compare --lr 1|compare|Unknown options: '--lr', '1'",
        "compare --operations advance,nope|compare|Invalid value for option '--operations': must be one"
            + " of gatherForward, activationBackward, dropoutForward, logSoftmaxForward,"
            + " crossEntropyForward, adamStep, sgdStep, averageStep, clipNorm, distortForward, advance, linearForward,"
            + " linearBackward, found nope",
        "benchmark --presets 128,nope|benchmark|Invalid value for option '--presets': must be one of"
            + " 128x64, 300x300, 128, 128x64-centred, 128x64x32-relu-out, tuned, distorted, record, found nope",
        "benchmark --presets 128,|benchmark|Invalid value for option '--presets': must be one of"
            + " 128x64, 300x300, 128, 128x64-centred, 128x64x32-relu-out, tuned, distorted, record, found nothing",
        "benchmark --presets 128 --presets tuned|benchmark|option '--presets' (NAMES) should be"
            + " specified only once",
        "benchmark --batch-sizes 64,0|benchmark|Invalid value for option '--batch-sizes': must be a"
            + " whole number from 1 to 2147483647, found 0",
        "benchmark --batch-sizes 64, |benchmark|Invalid value for option '--batch-sizes': must be a"
            + " whole number from 1 to 2147483647, found nothing",
        "benchmark --repeats 0|benchmark|Invalid value for option '--repeats': must be a whole"
            + " number from 1 to 2147483647, found 0",
        "benchmark --seconds 0|benchmark|Invalid value for option '--seconds': must be a number"
            + " above 0 that a float can hold, found 0",
        "benchmark --cpu --feed pinned|benchmark|--gemm, --kernels, --step, --feed, --no-graph,"
            + " --steps-per-launch and"
            + " --sync-check are of the GPU, found one with --cpu or --threads",
        "evaluate --model m --precision nope|evaluate|Invalid value for option '--precision': expected"
            + " one of [fp32, tf32, bf16, fp16] (case-sensitive) but was 'nope'",
        "benchmark --classes 3|benchmark|--classes needs --data, found --classes 3 alone",
        "benchmark --preset tunde|benchmark|Invalid value for option '--presets': must be one of"
            + " 128x64, 300x300, 128, 128x64-centred, 128x64x32-relu-out, tuned, distorted, record, found tunde; did"
            + " you mean tuned?",
        "summary --inputs 0|summary|Invalid value for option '--inputs': must be a whole number"
            + " from 1 to 2147483647, found 0",
        "summary --scaling nope|summary|Invalid value for option '--scaling': must be one of unit,"
            + " centred, z-score, standard, minmax, none, found nope; did you mean none?",
      })
  void refusesBeforeAnyFileIsRead(String line, String command, String message) {
    Program.run(Program.words(line))
        .assertRefused(2, message, "'mlp-cuda " + command + " --help' lists the options.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--epoch 3|Unknown options: '--epoch', '3'; did you mean --epochs?",
        "--btach-size=64|Unknown option: '--btach-size=64'; did you mean --batch-size?",
        "--no-relu-ouput|Unknown option: '--no-relu-ouput'; did you mean --no-relu-output?",
        "--preset tunde|Invalid value for option '--preset': must be one of 128x64, 300x300, 128,"
            + " 128x64-centred, 128x64x32-relu-out, tuned, distorted, record, found tunde; did you mean tuned?",
        "--scaling zscore|Invalid value for option '--scaling': must be one of unit, centred,"
            + " z-score, standard, minmax, none, found zscore; did you mean z-score?",
        "--dataset fashon-mnist|Invalid value for option '--dataset': data set must be one of"
            + " mnist, fashion-mnist, kmnist, found fashon-mnist; did you mean fashion-mnist?",
        "--optimizer adma|Invalid value for option '--optimizer': expected one of [adam, adamw,"
            + " sgd] (case-sensitive) but was 'adma'; did you mean adam?",
      })
  void suggestsWhatWasMeant(String line, String message) {
    Program.run(Program.words(line))
        .assertRefused(2, message, "'mlp-cuda train --help' lists the options.");
  }

  @Test
  void suggestsTheCommandThatWasMeant() {
    Program refused = Program.run(Program.words("evalute --model m"));
    assertEquals(2, refused.code());
    assertTrue(
        refused.err().contains("; found evalute --model m; did you mean evaluate?"), refused.err());
    Program sweep = Program.run(Program.words("sweep --out r --grid epoch=1,2"));
    assertEquals(2, sweep.code());
    assertTrue(sweep.err().contains("; found epoch; did you mean epochs?"), sweep.err());
    sweep = Program.run(Program.words("sweep --out r --grid seed=1,2 --epoch 3"));
    assertTrue(sweep.err().contains("did you mean --epochs?"), sweep.err());
  }

  @Test
  void compareAndBenchmarkTakeBothPresetAndPresets() {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    for (String option : List.of("--preset", "--presets")) {
      Program compared =
          Program.run(
              Program.words(
                  "compare --cpu --operations advance --steps 1 --batch-size 2 "
                      + option
                      + " tuned",
                  "--data",
                  data));
      assertTrue(compared.out().contains("Training 35-512-256-3, "), compared.err());
      Program measured =
          Program.run(
              Program.words(
                  "benchmark --cpu --repeats 1 --seconds 1e-3 --batch-sizes 2 " + option + " tuned",
                  "--data",
                  data));
      assertTrue(measured.out().contains("\ntuned "), measured.err());
    }
    Program.run(Program.words("compare --presets 128,tuned"))
        .assertRefused(
            2,
            "Invalid value for option '--presets': one preset alone can be taken here, found"
                + " 128,tuned",
            "'mlp-cuda compare --help' lists the options.");
  }

  @Test
  void aLineBreakInAnArgumentBreaksNoLine() {
    Program.run("--bog\nus")
        .assertRefused(
            2, "Unknown option: '--bog\\u000aus'", "'mlp-cuda train --help' lists the options.");
  }

  @Test
  void refusesTooManyParametersForTheData() {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    Path out = tmp.resolve("run");
    Program refused = Program.run("--data", data, "--out", out, "--hidden", Integer.MAX_VALUE);
    assertEquals(2, refused.code());
    assertTrue(
        refused
            .err()
            .startsWith(
                "Invalid value for option '--hidden': a network may have at most 2147483647 parameters, found "),
        refused.err());
    assertEquals("", refused.out());
    assertFalse(Files.exists(out));
  }

  /** Runs the program with an output that throws {@code failure}. */
  private static Program failing(Throwable failure) {
    var err = new StringWriter();
    var out =
        new PrintWriter(Writer.nullWriter()) {
          @Override
          public void write(char[] text, int offset, int length) {
            if (failure instanceof Error error) {
              throw error;
            }
            throw (RuntimeException) failure;
          }
        };
    String[] args = {"summary"};
    int code = Main.run(args, out, new PrintWriter(err), Program.NO_GPUS, () -> false);
    return new Program(code, "", err.toString());
  }

  @Test
  void internalFailureShowsItsStack() {
    Program failed = failing(new IllegalStateException("a broken promise"));
    assertEquals(1, failed.code());
    List<String> lines = failed.err().lines().toList();
    assertEquals("Internal failure of " + Build.describe() + ":", lines.get(0));
    assertEquals("java.lang.IllegalStateException: a broken promise", lines.get(1));
    assertTrue(lines.get(2).startsWith("\tat "), lines.get(2));
  }

  @Test
  void lackOfMemoryIsOneLine() {
    failing(new OutOfMemoryError("Java heap space"))
        .assertRefused(
            9,
            "The Java heap of %d MiB is too small for the data, the network and its batches (Java heap"
                    .formatted(Runtime.getRuntime().maxMemory() >> 20)
                + " space): start the program with a larger one, such as java -Xmx%dm, or take narrower"
                    .formatted(Math.max(256, Runtime.getRuntime().maxMemory() >> 19))
                + " layers or smaller batches");
  }
}
