package mlpcuda.cli;

import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import picocli.CommandLine.Option;

/** The option of {@code predict} and {@code serve} that overrides a model's preparation. */
final class PreparationOption {
  @Option(
      names = "--prepare",
      paramLabel = "HOW",
      converter = Converters.PreparationName.class,
      description =
          "How pictures are prepared: mnist-form, or as-is, resized alone. Default: what the model"
              + " says.")
  private Preparation prepare;

  /** Whether the option is given. */
  boolean isGiven() {
    return prepare != null;
  }

  /** The form of a model's images, with the option's preparation if it is given. */
  ImageForm of(ImageForm model) {
    return isGiven() ? model.with(prepare) : model;
  }
}
