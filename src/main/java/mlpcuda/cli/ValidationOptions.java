package mlpcuda.cli;

import java.util.OptionalDouble;
import mlpcuda.run.RunSettings.Validation;
import mlpcuda.train.EarlyStopping.Monitor;
import mlpcuda.train.Selection;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the examples held back from training, and of what they decide. */
final class ValidationOptions {
  /** The measure that early stopping watches, as the option names it. */
  enum MonitorName {
    loss,
    accuracy
  }

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--validation",
      paramLabel = "N",
      converter = Converters.SplitAmount.class,
      description =
          "Hold N training examples, or a fraction of them, back by the seed, and evaluate them"
              + " after each epoch.")
  private Double validation;

  @Option(
      names = "--early-stopping",
      paramLabel = "PATIENCE",
      converter = Converters.Positive.class,
      description = "End after PATIENCE epochs without a better one on the validation set.")
  private Integer patience;

  @Option(
      names = "--monitor",
      paramLabel = "loss|accuracy",
      description = "What tells that an epoch is better. Default: loss.")
  private MonitorName monitor;

  @Option(
      names = "--save-best",
      description = "Evaluate and save the weights of the best epoch instead of the last.")
  private boolean saveBest;

  /** Refuses options that can be refused before any file is read. */
  void check() {
    boolean judged = patience != null || saveBest;
    if (monitor != null && !judged) { // the option would have no effect
      throw new ParameterException(
          spec.commandLine(), "--monitor needs --early-stopping or --save-best, found neither");
    }
    if (validation == null && judged) {
      throw needsValidation();
    }
  }

  /** The examples that are held back, and what they decide. */
  Validation validation() {
    return new Validation(
        validation == null ? OptionalDouble.empty() : OptionalDouble.of(validation),
        new Selection(
            monitor == MonitorName.accuracy ? Monitor.ACCURACY : Monitor.LOSS,
            patience == null ? Selection.FOR_EVER : patience,
            saveBest));
  }

  /** The patience of a command line that resumes a run with those examples held back. */
  Validation changed(Validation former) {
    if (patience == null) {
      return former;
    }
    if (former.amount().isEmpty()) {
      throw needsValidation();
    }
    Selection selection = former.selection();
    return new Validation(
        former.amount(), new Selection(selection.monitor(), patience, selection.keepBest()));
  }

  private ParameterException needsValidation() {
    return new ParameterException(
        spec.commandLine(), "--early-stopping and --save-best need --validation, found none");
  }
}
