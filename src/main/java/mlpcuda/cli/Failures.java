package mlpcuda.cli;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.Collection;
import mlpcuda.error.BadFileException;
import mlpcuda.error.DeviceException;
import mlpcuda.error.DivergedException;
import mlpcuda.error.FolderInUseException;
import mlpcuda.error.SettingException;
import mlpcuda.error.StoppedException;
import mlpcuda.report.Build;
import mlpcuda.report.Printable;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What the program prints for each failure, and the exit code that it ends with. */
final class Failures {
  /** The MiB of heap that suffice for MNIST and the default network. */
  private static final long LEAST_HEAP = 256;

  private Failures() {}

  /**
   * Reports a command line that is wrong.
   *
   * @param known the names of all commands
   */
  static int usage(ParameterException e, Collection<String> known, PrintWriter err) {
    err.println(Printable.oneLine(usageMessage(e, known)));
    err.println(
        "'%s --help' lists the options."
            .formatted(e.getCommandLine().getCommandSpec().qualifiedName()));
    return ExitCode.USAGE.code;
  }

  /** Says what is wrong with a command line, and what was probably meant. */
  static String usageMessage(ParameterException e, Collection<String> known) {
    if (e instanceof UnmatchedArgumentException unmatched) {
      String word = unmatched.getUnmatched().get(0);
      return unmatched.isUnknownOption()
          ? e.getMessage() + Suggestion.ofOption(word, e.getCommandLine().getCommandSpec())
          : "the command must be one of %s and come first, and options begin with --; found %s"
                  .formatted(String.join(", ", known), String.join(" ", unmatched.getUnmatched()))
              + Suggestion.of(word, known);
    }
    if (e.getValue() == null) {
      return e.getMessage();
    }
    if (e.getArgSpec() == null) { // from "help WORD"
      return "no command is named " + e.getValue() + Suggestion.of(e.getValue(), known);
    }
    return e.getMessage() + Suggestion.ofValue(e.getValue(), e.getArgSpec());
  }

  /** Says that the heap is too small; the place at which it ran out says little. */
  static int outOfMemory(Throwable e, PrintWriter err) {
    err.println(
        "The Java heap of %d MiB is too small for the data, the network and its batches (%s): start the"
                .formatted(Runtime.getRuntime().maxMemory() >> 20, e.getMessage())
            + " program with a larger one, such as java -Xmx%dm, or take narrower layers or smaller batches"
                .formatted(Math.max(LEAST_HEAP, Runtime.getRuntime().maxMemory() >> 19)));
    return ExitCode.MEMORY.code;
  }

  /** Reports a failure that is no error of the command line, and returns the exit code. */
  static int report(Throwable e, PrintWriter err) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof OutOfMemoryError) { // for example from a thread that reads the data
        return outOfMemory(cause, err);
      }
    }
    if (e instanceof DeviceException) {
      err.println(e.getMessage()); // a line of cause and one of remedy
      return ExitCode.DEVICE.code;
    }
    // A run of a sweep may end so; train reports the same as an error of its command line.
    if (e instanceof SettingException setting) {
      err.println(Printable.oneLine(message(setting)));
      return ExitCode.USAGE.code;
    }
    ExitCode code = code(e);
    if (code != ExitCode.INTERNAL) {
      err.println(Printable.oneLine(e.getMessage()));
      return code.code;
    }
    err.println("Internal failure of " + Build.describe() + ":");
    e.printStackTrace(err);
    return ExitCode.INTERNAL.code;
  }

  /** Says which option has a value that does not fit, and why. */
  static String message(SettingException e) {
    return "Invalid value for option '--%s': %s".formatted(e.setting(), e.rule());
  }

  private static ExitCode code(Throwable e) {
    if (e instanceof BadFileException) {
      return ExitCode.FILE;
    }
    if (e instanceof DivergedException) {
      return ExitCode.DIVERGED;
    }
    if (e instanceof StoppedException) {
      return ExitCode.STOPPED;
    }
    if (e instanceof UncheckedIOException) { // for example a full disk
      return ExitCode.UNWRITABLE;
    }
    if (e instanceof FolderInUseException) {
      return ExitCode.IN_USE;
    }
    return e instanceof RefusedException refused ? refused.code() : ExitCode.INTERNAL;
  }
}
