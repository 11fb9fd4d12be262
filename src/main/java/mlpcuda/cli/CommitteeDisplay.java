package mlpcuda.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.Optional;
import mlpcuda.files.WholeFile;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import mlpcuda.run.CommitteePlan;
import mlpcuda.run.CommitteeRun;
import mlpcuda.run.Reporter;
import mlpcuda.run.RunPlan;
import mlpcuda.run.TrainingRun;
import mlpcuda.train.Trainer;

/**
 * Shows the training of a committee: a line for each epoch of each member. All that a member's run
 * prints goes into a log in its folder.
 */
record CommitteeDisplay(TrainingTask task, CommitteePlan plan) implements CommitteeRun.Reporters {
  @Override
  public Reporter committee() {
    return new TrainingDisplay(task.terminal(), plan.base(), task.verbose(), task.startUp());
  }

  @Override
  public CommitteeRun.MemberReporter member(int member, RunPlan own, Optional<Path> folder) {
    PrintWriter log =
        folder
            .map(CommitteeDisplay::log)
            .orElseGet(() -> new PrintWriter(Writer.nullWriter())); // a try writes nothing
    return new OfMember(task, own, CommitteePlan.name(member), log);
  }

  private static PrintWriter log(Path folder) {
    try {
      return RunLog.open(folder);
    } catch (IOException e) {
      throw WholeFile.cannotBeWritten(folder, e);
    }
  }

  /** Shows the run of a member. */
  private static final class OfMember extends TrainingDisplay
      implements CommitteeRun.MemberReporter {
    private final Terminal terminal; // all members print there
    private final RunPlan plan;
    private final String name;
    private final PrintWriter log;

    OfMember(TrainingTask task, RunPlan plan, String name, PrintWriter log) {
      super(new Terminal(Printable.safe(log), false), plan, task.verbose(), task.startUp());
      this.terminal = task.terminal();
      this.plan = plan;
      this.name = name;
      this.log = log;
    }

    /** The times of the start are the program's, and not those of a member. */
    @Override
    public void trainingBegins() {}

    @Override
    public void epochDone(Trainer.EpochResult result) {
      super.epochDone(result);
      say(line(result, plan.settings().course().epochs()));
    }

    @Override
    public void done(TrainingRun.Result result) {
      say("done. " + Tables.result("Test", result.test()));
    }

    private void say(String text) {
      synchronized (terminal) { // members print at the same time
        terminal.line(name + ": " + text);
      }
    }

    @Override
    public void close() {
      super.close();
      log.close();
    }
  }
}
