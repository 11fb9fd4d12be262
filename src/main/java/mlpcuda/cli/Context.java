package mlpcuda.cli;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import mlpcuda.compute.cuda.Gpus;
import picocli.CommandLine.Command;

/**
 * What the commands of one command line share: the machine's GPUs, the wish to stop, and the times
 * of the start. It is the program itself to picocli, whose commands {@link Main} adds.
 */
@Command(
    name = "mlp-cuda",
    description = "Trains multilayer perceptrons. Without a command: train.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "[COMMAND]",
    exitCodeListHeading = "%nExit codes:%n",
    footer = {"", "'mlp-cuda COMMAND --help' lists a command's options."})
final class Context {
  private final Gpus gpus;
  private final BooleanSupplier stopping;
  private final Path folder;
  private final StartUp startUp = new StartUp();

  Context(Gpus gpus, BooleanSupplier stopping) {
    this(gpus, stopping, Path.of(""));
  }

  /**
   * @param folder the folder that the relative names of files in command lines start from
   */
  Context(Gpus gpus, BooleanSupplier stopping, Path folder) {
    this.gpus = gpus;
    this.stopping = stopping;
    this.folder = folder;
  }

  /** The folder that the relative names of files in command lines start from. */
  Path folder() {
    return folder;
  }

  /** The GPUs of this machine. */
  Gpus gpus() {
    return gpus;
  }

  /** The times of the program's start. */
  StartUp startUp() {
    return startUp;
  }

  /** Whether the program was told to stop. */
  BooleanSupplier stopping() {
    return stopping;
  }
}
