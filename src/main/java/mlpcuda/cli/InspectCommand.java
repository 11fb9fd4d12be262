package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.files.WholeFile;
import mlpcuda.input.DataReader;
import mlpcuda.input.DataReader.Found;
import mlpcuda.report.ContactSheet;
import mlpcuda.report.Tables;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code inspect}: shows what training would read from a file or folder. */
@Command(
    name = "inspect",
    description =
        "Shows what training would read from a file or folder: its format, sets, classes and"
            + " columns.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @CommandLine.Parameters(
      paramLabel = "PATH",
      description = "Examples in any format that --data of training takes.")
  private Path path;

  @Mixin private ReadingOptions reading = new ReadingOptions();

  @Option(
      names = "--png",
      paramLabel = "FILE",
      description = "Save a sheet of the first 100 training images, fewer if they are large.")
  private Path png;

  @Option(
      names = "--json",
      description = "Print the findings as JSON on standard output, all else on standard error.")
  private boolean json;

  @Override
  public Integer call() {
    if (png != null && ExportCommand.isSame(png, path)) {
      throw new ParameterException(
          spec.commandLine(), "--png must be another file than the data, found " + png);
    }
    PrintWriter out = spec.commandLine().getOut();
    Terminal terminal = Terminal.of(spec.commandLine(), json, false);
    Found found;
    try (var loading = terminal.loading()) {
      found = DataReader.find(path, reading.options(), loading);
    }
    found.parts().warnings().forEach(warning -> terminal.line("%s", warning));
    Part train = found.parts().train();
    if (png != null && !(train.layout() instanceof Layout.Images)) {
      throw new ParameterException(
          spec.commandLine(), "--png is of images, and %s has rows of numbers".formatted(path));
    }
    var findings = new Findings(path, found);
    out.println(json ? Tables.json(findings.json()) : findings.text());
    if (png != null) {
      byte[] sheet = ContactSheet.encode(train.features(), (Layout.Images) train.layout());
      WholeFile.write(png, file -> file.write(sheet));
      terminal.line("Saved %s", png);
    }
    return 0;
  }
}
