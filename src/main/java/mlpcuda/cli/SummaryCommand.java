package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code summary}: the layers and the parameter count, without training. */
@Command(
    name = "summary",
    description = "Prints the layers of a network and the number of its parameters.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
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
    network.check();
    MlpShape shape = model != null ? ModelFile.read(model).shape() : network.shape(inputs, classes);
    PrintWriter out = spec.commandLine().getOut();
    out.println(json ? Tables.json(describe(shape)) : Tables.layers(shape));
    return 0;
  }

  private static Map<String, Object> describe(MlpShape shape) {
    var layers = new ArrayList<Map<String, Object>>();
    for (int l = 0; l < shape.layers(); l++) {
      var layer = new LinkedHashMap<String, Object>();
      layer.put("name", "layers." + l);
      layer.put("inputs", shape.inputs(l));
      layer.put("outputs", shape.outputs(l));
      layer.put("activation", shape.activation(l).label());
      layer.put("parameters", shape.parameters(l));
      layers.add(layer);
    }
    var json = new LinkedHashMap<String, Object>();
    json.put("layers", layers);
    json.put("parameters", shape.parameters());
    return json;
  }
}
