package mlpcuda.cli;

import java.util.List;
import java.util.OptionalInt;
import mlpcuda.cli.ListConverters.InkWidths;
import mlpcuda.preparation.InkWidth;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of a committee: networks whose probabilities are averaged. */
final class CommitteeOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--members",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description =
          "Train a committee of N networks, from --seed on one seed each, whose probabilities are"
              + " averaged.")
  private Integer members;

  @Option(
      names = "--member-widths",
      paramLabel = "WIDTHS",
      converter = ListConverters.InkWidthList.class,
      description =
          "Widths in pixels to which the members have the ink of every image brought, in turn:"
              + " 10,12,14,16,18,20,as-is. Default: as-is for all.")
  private InkWidths widths;

  @Option(
      names = "--parallel",
      paramLabel = "K",
      converter = Converters.Positive.class,
      description =
          "Members trained at once. Default: on the CPU as many as there are threads, which they"
              + " share; on a GPU up to 4, as its memory allows.")
  private Integer parallel;

  /** Whether a committee is asked for. */
  boolean isGiven() {
    return members != null;
  }

  /** Refuses options that have no meaning without a committee. */
  void check() {
    if (members == null && (widths != null || parallel != null)) {
      throw new ParameterException(
          spec.commandLine(), "--member-widths and --parallel need --members, found none");
    }
  }

  int members() {
    return members;
  }

  List<InkWidth> widths() {
    return widths == null ? List.of() : widths.list();
  }

  /** The number of members that are trained at once; empty if no option says it. */
  OptionalInt parallel() {
    return parallel == null ? OptionalInt.empty() : OptionalInt.of(parallel);
  }
}
