package mlpcuda;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import mlpcuda.error.SettingException;
import mlpcuda.preparation.InkWidth;
import mlpcuda.run.CommitteePlan;
import mlpcuda.run.CommitteeRun;
import mlpcuda.run.DataChoice;
import mlpcuda.run.DeviceChoice;
import mlpcuda.run.Reporter;
import mlpcuda.run.RunPlan;
import mlpcuda.run.RunSettings;
import mlpcuda.run.TrainingRun;

/**
 * The committee that a training is of.
 *
 * @param members the number of members; 1: the training is of one network
 * @param widths the widths of the ink that the members see, in turn; empty: as it is
 */
record CommitteeTraining(int members, List<InkWidth> widths) {
  /** The training is of one network. */
  static final CommitteeTraining NONE = new CommitteeTraining(1, List.of());

  /** The committee in that folder; none if the folder holds a single run. */
  static CommitteeTraining in(Path folder) {
    if (!CommitteePlan.isIn(folder)) {
      return NONE;
    }
    CommitteePlan plan = CommitteePlan.read(folder);
    return new CommitteeTraining(plan.members(), plan.widths());
  }

  /** Whether the training is of several members, or asks for what only they have. */
  boolean isGiven() {
    return members != 1 || !widths.isEmpty();
  }

  CommitteeTraining withMembers(int count) {
    return new CommitteeTraining(count, widths);
  }

  CommitteeTraining withWidths(int... pixels) {
    return new CommitteeTraining(members, IntStream.of(pixels).mapToObj(InkWidth::new).toList());
  }

  /** Begins the committee, in the device's thread; the folder is locked. */
  TrainingResult begin(
      RunSettings settings,
      Dataset dataset,
      Device device,
      Optional<Path> folder,
      TrainingListener listener,
      BooleanSupplier stop) {
    var choice = DataChoice.all(dataset.source());
    var base = new RunPlan(settings, choice, choice(device), Optional.empty());
    var plan = new CommitteePlan(base, members, widths, List.of());
    var reporters = new Reporters(settings.course().epochs(), members, listener);
    return reporters.result(run(plan, dataset, device, folder, reporters, stop).begin());
  }

  /** Goes on with the committee of a folder, which is locked, in the device's thread. */
  static TrainingResult goOn(
      RunSettings settings,
      Dataset dataset,
      Device device,
      Path folder,
      TrainingListener listener,
      BooleanSupplier stop) {
    CommitteePlan former = CommitteePlan.read(folder);
    var own = new CommitteeTraining(former.members(), former.widths());
    CommitteePlan plan = former.with(former.base().with(settings).with(own.choice(device)));
    var reporters = new Reporters(settings.course().epochs(), plan.members(), listener);
    return reporters.result(
        own.run(plan, dataset, device, Optional.of(folder), reporters, stop).goOn());
  }

  private CommitteeRun run(
      CommitteePlan plan,
      Dataset dataset,
      Device device,
      Optional<Path> folder,
      Reporters reporters,
      BooleanSupplier stop) {
    OptionalInt parallel =
        device.choice() instanceof DeviceChoice.Cpu cpu
            ? OptionalInt.of(cpu.threads())
            : OptionalInt.empty();
    var devices =
        new CommitteeRun.Devices(
            device.ops(), device.toString(), () -> device.another(plan.base().device()), parallel);
    return new CommitteeRun(plan, dataset.data(), devices, folder, reporters, stop);
  }

  /** The device of each member, which on the CPU has its share of the threads. */
  private DeviceChoice choice(Device device) {
    if (members < 1) {
      throw new SettingException("members", "must be at least 2, found " + members);
    }
    return device.choice() instanceof DeviceChoice.Cpu cpu
        ? new DeviceChoice.Cpu(
            CommitteeRun.threads(cpu.threads(), members, OptionalInt.empty()), cpu.options())
        : device.choice();
  }

  /** Logs what the members' runs tell, and passes the results of their epochs on, one by one. */
  private static final class Reporters implements CommitteeRun.Reporters {
    private final int epochs;
    private final TrainingListener listener;
    private final List<List<EpochResult>> results = new ArrayList<>(); // one list for each member

    Reporters(int epochs, int members, TrainingListener listener) {
      this.epochs = epochs;
      this.listener = listener;
      for (int i = 0; i < members; i++) {
        results.add(List.of());
      }
    }

    @Override
    public CommitteeRun.MemberReporter member(int member, RunPlan plan, Optional<Path> folder) {
      return new OfMember(member, folder);
    }

    @Override
    public Reporter committee() {
      return new LibraryReporter(epochs, listener, Optional.empty());
    }

    private synchronized void tell(EpochResult epoch) {
      listener.onEpoch().accept(epoch);
    }

    private synchronized void keep(int member, List<EpochResult> all) {
      results.set(member, all);
    }

    private synchronized TrainingResult result(CommitteeRun.Result done) {
      return new TrainingResult(
          Network.of(done.committee()),
          new Evaluation(done.test()),
          done.validation().map(Evaluation::new),
          results.stream().flatMap(List::stream).toList(),
          List.of());
    }

    /** The reporter of a member. */
    private final class OfMember extends LibraryReporter implements CommitteeRun.MemberReporter {
      private final int member;

      OfMember(int member, Optional<Path> folder) {
        super(epochs, listener.onEpoch(Reporters.this::tell), folder);
        this.member = member;
      }

      @Override
      public void done(TrainingRun.Result result) {}

      @Override
      public void close() {
        keep(member, epochs());
      }
    }
  }
}
