package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import mlpcuda.model.Committee;
import mlpcuda.net.MlpShape;
import mlpcuda.report.Report;
import mlpcuda.report.Tables;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code summary}: prints the layers and the number of parameters, without training. */
@Command(
    name = "summary",
    description = "Prints the layers of a network and the number of its parameters.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class SummaryCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private NetworkOptions network = new NetworkOptions();

  @Option(
      names = "--inputs",
      paramLabel = "I",
      converter = Converters.Positive.class,
      description = "Pixels of an image. Default: 784, MNIST's.")
  private int inputs = 784;

  @Option(
      names = "--classes",
      paramLabel = "C",
      converter = Converters.Positive.class,
      description = "Number of classes. Default: 10.")
  private int classes = 10;

  @Option(
      names = "--model",
      paramLabel = "FILE",
      description = "Summarise the network of this file, whatever the other options say.")
  private Path model;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() {
    Optional<Committee> saved = Optional.ofNullable(model).map(Committee::read);
    MlpShape shape = saved.map(Committee::shape).orElseGet(() -> network.shape(inputs, classes));
    int members = saved.map(Committee::size).orElse(1);
    PrintWriter out = spec.commandLine().getOut();
    out.println(json ? Tables.json(describe(shape, members)) : Tables.layers(shape));
    if (!json && members > 1) {
      out.println("a committee of %d such networks".formatted(members));
    }
    return 0;
  }

  private static Map<String, Object> describe(MlpShape shape, int members) {
    var json = new LinkedHashMap<String, Object>();
    if (members > 1) {
      json.put("members", members);
    }
    json.put("layers", Report.layers(shape));
    json.put("parameters", shape.parameters());
    return json;
  }
}
