package mlpcuda.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import mlpcuda.compute.Ops;
import mlpcuda.run.CommitteePlan;
import mlpcuda.run.CommitteeRun;
import mlpcuda.run.DeviceChoice;
import mlpcuda.run.FolderLock;
import mlpcuda.run.RunPlan;

/**
 * The training of a committee that a command line asks for: it opens device and data, takes the
 * committee's folder, and trains the members.
 *
 * @param task the task that a single run of the command line would be
 */
record CommitteeTask(TrainingTask task) {
  /** Begins a committee: see {@link TrainingTask#begin}. */
  CommitteeRun.Result begin(List<String> command) {
    try (Opened opened = opened()) {
      CommitteePlan plan = plan(opened.device(), command, UnaryOperator.identity());
      Path folder = task.folder(); // made when nothing is left to refuse
      try (FolderLock lock = FolderLock.take(folder)) {
        task.warnOfNoLock(lock);
        task.refuseFinished(folder);
        return run(
            opened, plan, Optional.of(folder), parallel(opened.device()), CommitteeRun::begin);
      }
    }
  }

  /** Takes one step with each member and evaluates the committee; nothing is written. */
  CommitteeRun.Result tryOut(List<String> command) {
    try (Opened opened = opened()) {
      CommitteePlan plan = plan(opened.device(), command, RunPlan::forOneStep);
      return run(opened, plan, Optional.empty(), parallel(opened.device()), CommitteeRun::begin);
    }
  }

  /** Goes on with a committee, whose folder the caller has locked. */
  CommitteeRun.Result resume(CommitteePlan plan, Path folder) {
    RunPlan base = plan.base();
    try (Opened opened =
        Opened.of(
            () -> task.options().device().open(base.device()),
            () -> DataOptions.load(base.data(), task.terminal()),
            task.startUp())) {
      OptionalInt parallel = task.options().committee().parallel();
      return run(opened, plan, Optional.of(folder), parallel, CommitteeRun::goOn);
    }
  }

  private Opened opened() {
    return Opened.of(task.options().device(), task.options().data(), task.terminal());
  }

  private CommitteePlan plan(
      OpenDevice device, List<String> command, UnaryOperator<RunPlan> changed) {
    CommitteeOptions asked = task.options().committee();
    DeviceChoice choice = device.choice();
    if (choice instanceof DeviceChoice.Cpu cpu) {
      int each = CommitteeRun.threads(cpu.threads(), asked.members(), asked.parallel());
      choice = new DeviceChoice.Cpu(each, cpu.options());
    }
    RunPlan base = changed.apply(task.options().plan(choice));
    return new CommitteePlan(base, asked.members(), asked.widths(), command);
  }

  /** The members at once: on the CPU one for each thread, unless an option says otherwise. */
  private OptionalInt parallel(OpenDevice device) {
    OptionalInt asked = task.options().committee().parallel();
    return asked.isEmpty() && device.choice() instanceof DeviceChoice.Cpu cpu
        ? OptionalInt.of(cpu.threads())
        : asked;
  }

  /** Trains on the device of the plan, which on the CPU has fewer threads than all members. */
  private CommitteeRun.Result run(
      Opened opened,
      CommitteePlan plan,
      Optional<Path> folder,
      OptionalInt parallel,
      Function<CommitteeRun, CommitteeRun.Result> training) {
    if (plan.base().device().equals(opened.device().choice())) {
      return training.apply(run(opened, opened.ops(), plan, folder, parallel));
    }
    try (Ops ops = another(plan)) {
      return training.apply(run(opened, ops, plan, folder, parallel));
    }
  }

  private CommitteeRun run(
      Opened opened, Ops ops, CommitteePlan plan, Optional<Path> folder, OptionalInt parallel) {
    String line = opened.device().line(ops.description());
    var devices = new CommitteeRun.Devices(ops, line, () -> another(plan), parallel);
    return new CommitteeRun(
        plan, opened.dataset(), devices, folder, new CommitteeDisplay(task, plan), task.stop());
  }

  /** Opens the device of a member; one at a time, because the times of a start are noted. */
  private Ops another(CommitteePlan plan) {
    synchronized (task.startUp()) {
      return task.options().device().open(plan.base().device()).ops();
    }
  }
}
