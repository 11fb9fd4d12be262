package mlpcuda.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import mlpcuda.compute.Ops;
import mlpcuda.data.LabelledData;
import mlpcuda.error.BadFileException;
import mlpcuda.error.StoppedException;
import mlpcuda.files.WholeFile;
import mlpcuda.model.Committee;
import mlpcuda.model.ModelFile;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.report.Metrics;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import mlpcuda.train.MemoryNeed;
import mlpcuda.train.Score;
import mlpcuda.train.TrainingSetup;

/**
 * Trains the members of a committee, several at once, each as a run of its own, and evaluates and
 * saves the committee.
 *
 * @param plan what is to be done
 * @param dataset the examples as they were read
 * @param devices what computes
 * @param folder the folder for the files; empty if none are written
 * @param reporters hear what is done
 * @param stop asked before each step whether to end the runs
 */
public record CommitteeRun(
    CommitteePlan plan,
    LabelledData dataset,
    Devices devices,
    Optional<Path> folder,
    Reporters reporters,
    BooleanSupplier stop) {
  /** The most members that a GPU trains at once unless a user says otherwise. */
  private static final int MOST_ON_GPU = 4;

  /** The share of a GPU's free memory that members take: other programs need some, too. */
  private static final int SHARE = 2;

  /**
   * What computes.
   *
   * @param ops the device of the calling thread, which evaluates the committee
   * @param line the line that names the device
   * @param another opens the plan's device once more, for the thread that calls it
   * @param parallel the number of members that are trained at once; empty if the device decides
   */
  public record Devices(Ops ops, String line, Supplier<Ops> another, OptionalInt parallel) {}

  /** Hears what a member's run does; it is called by that run's thread, which closes it. */
  public interface MemberReporter extends Reporter, AutoCloseable {
    /** The member is done. */
    void done(TrainingRun.Result result);

    @Override
    void close();
  }

  /** Makes the reporters of the committee and its members. */
  public interface Reporters {
    /**
     * Makes the reporter of a member's run, in that run's thread.
     *
     * @param member the member's number, from 0
     * @param folder the folder of its files; empty if none are written
     */
    MemberReporter member(int member, RunPlan plan, Optional<Path> folder);

    /** Hears what is done with the committee. */
    Reporter committee();
  }

  /**
   * The result of a committee that is done.
   *
   * @param metrics all that was measured
   * @param committee the networks as the model's file has them
   * @param test the result of the test set
   * @param validation the result of the held-back examples; empty if there are none
   */
  public record Result(
      Metrics metrics, Committee committee, Score test, Optional<Score> validation) {}

  /** The threads of each member on a CPU whose members share {@code all} threads. */
  public static int threads(int all, int members, OptionalInt parallel) {
    return Math.max(1, all / Math.min(members, parallel.orElse(all)));
  }

  /**
   * Begins the committee, over what the folder holds.
   *
   * @throws StoppedException if told to stop; members that were begun have a checkpoint then
   */
  public Result begin() {
    RunData data = data();
    if (folder.filter(of -> CommitteePlan.isIn(of) || RunFolder.holdsARun(of)).isPresent()) {
      reporters
          .committee()
          .line(Printable.oneLine(folder.get() + ": the run that it holds is replaced"));
    }
    folder.ifPresent(CommitteeFolder::clear);
    return run(data);
  }

  /** Goes on with the committee of the folder: see {@link #begin}. */
  public Result goOn() {
    return run(data());
  }

  /** The examples as no member sees them, after a check that every member can. */
  private RunData data() {
    plan.widths().forEach(width -> width.check(dataset.layout(), dataset.train().isBytes()));
    return RunData.of(plan.base().settings(), dataset, plan.base().data());
  }

  private Result run(RunData data) {
    folder.ifPresent(plan::write);
    Reporter reporter = reporters.committee();
    reporter.line(Printable.oneLine(devices.line));
    reporter.line(Printable.oneLine(RunDescription.examples(data)));
    data.ofTest().ifPresent(reporter::line);
    reporter.line(Tables.layers(data.shape()));
    int parallel = parallel(data);
    reporter.line(
        "A committee of %d such networks, %s".formatted(plan.members(), atOnce(parallel)));
    List<ModelFile> members = members(data, parallel);
    return new CommitteeResults(this, data).of(new Committee(members));
  }

  private static String atOnce(int parallel) {
    return parallel == 1 ? "one after another" : "up to %d at once".formatted(parallel);
  }

  private int parallel(RunData data) {
    if (devices.parallel.isPresent()) {
      return Math.min(plan.members(), devices.parallel.getAsInt());
    }
    if (plan.base().device() instanceof DeviceChoice.Cpu cpu) {
      int processors = Runtime.getRuntime().availableProcessors();
      return Math.max(1, Math.min(plan.members(), processors / cpu.threads()));
    }
    TrainingSetup training = data.training(plan.base().settings());
    MemoryNeed need = MemoryNeed.ofTraining(devices.ops, training);
    long each = need.deviceBytes() + data.all().features().bytes(); // a resident set may be there
    long room = devices.ops.freeBytes() / (SHARE * each);
    return (int) Math.max(1, Math.min(Math.min(plan.members(), MOST_ON_GPU), room));
  }

  /** Trains all members, several at once, and returns their networks in order. */
  private List<ModelFile> members(RunData data, int parallel) {
    var networks = new AtomicReferenceArray<ModelFile>(plan.members());
    var failures = new ConcurrentLinkedQueue<Throwable>();
    // One member that fails ends the others after their steps, each with a checkpoint.
    BooleanSupplier ending = () -> !failures.isEmpty() || stop.getAsBoolean();
    SideBySide.run(
        "mlp-cuda-member",
        plan.members(),
        parallel,
        ending,
        (thread, i) -> {
          try {
            networks.set(i, member(i, data, ending));
          } catch (RuntimeException | Error e) {
            failures.add(e);
          }
        });
    for (Throwable failure : failures) {
      if (failure instanceof Error error) {
        throw error;
      }
      if (!(failure instanceof StoppedException)) {
        throw (RuntimeException) failure;
      }
    }
    var done = new ArrayList<ModelFile>();
    for (int i = 0; i < plan.members(); i++) {
      Optional.ofNullable(networks.get(i)).ifPresent(done::add);
    }
    if (done.size() < plan.members()) {
      var stopped =
          new StoppedException(
              "stopped with %d of %d members done".formatted(done.size(), plan.members()));
      throw folder
          .map(of -> stopped.resumable(reporters.committee().howToResume(of)))
          .orElse(stopped);
    }
    return done;
  }

  private ModelFile member(int i, RunData data, BooleanSupplier ending) {
    RunPlan own = plan.member(i);
    ModelFile network;
    if (folder.isEmpty()) {
      network = fresh(i, own, Optional.empty(), ending);
    } else {
      Path of = made(folder.get().resolve(CommitteePlan.name(i)));
      try (FolderLock lock = FolderLock.take(of)) {
        lock.warning().map(Printable::oneLine).ifPresent(reporters.committee()::warning);
        network =
            RunFolder.holdsARun(of)
                ? goOn(i, own, of, ending)
                : fresh(i, own, Optional.of(of), ending);
      }
    }
    if (!network.shape().equals(data.shape())) {
      throw new BadFileException(
          "%s: %s must be a network %s, found %s"
              .formatted(
                  folder.map(Path::toString).orElse(""),
                  CommitteePlan.name(i),
                  data.shape(),
                  network.shape()));
    }
    ExampleForm form =
        data.form() instanceof ImageForm images ? images.with(plan.width(i)) : data.form();
    return new ModelFile(data.shape(), form, network.weights());
  }

  private static Path made(Path folder) {
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw WholeFile.notAFolder(folder.toString(), e);
    }
  }

  private ModelFile fresh(int i, RunPlan own, Optional<Path> of, BooleanSupplier ending) {
    RunData data = RunData.of(own.settings(), dataset, own.data());
    try (Ops ops = devices.another.get()) {
      RunState state = RunState.begin(own, data, ops, List.of());
      return train(i, ops, data, new Start.Fresh(state, Optional.empty()), of, ending);
    }
  }

  private ModelFile goOn(int i, RunPlan own, Path of, BooleanSupplier ending) {
    Resumption from =
        Resumption.read(
                of,
                (args, gpu, threads, file) -> {
                  throw new BadFileException(
                      file + ": version 0.1.0 began this run, and it trained no committees");
                })
            .with(own, List.of());
    if (own.settings().trainer().ended(from.state().progress()) && RunFolder.holdsTheEnd(of)) {
      return ModelFile.read(of.resolve(RunFolder.MODEL));
    }
    RunData data = from.check(RunData.of(own.settings(), dataset, own.data()));
    try (Ops ops = devices.another.get()) {
      from.check(ops, data);
      WholeFile.clear(of);
      return train(i, ops, data, new Start.Resumed(from), Optional.of(of), ending);
    }
  }

  private ModelFile train(
      int i, Ops ops, RunData data, Start start, Optional<Path> of, BooleanSupplier ending) {
    RunPlan own = start.state().plan();
    try (MemberReporter reporter = reporters.member(i, own, of)) {
      String device = RunDescription.device(ops, data, own.settings());
      reporter.line(Printable.oneLine(device));
      if (start instanceof Start.Resumed resumed) {
        resumed
            .from()
            .differences(device, data.train().size())
            .forEach(difference -> reporter.line(Printable.oneLine(difference)));
      }
      TrainingRun.Result result = new TrainingRun(ops, data, start, of, reporter, ending).run();
      reporter.done(result);
      return result.network();
    }
  }

  /** The name of the folder for the report; without a folder nothing shows it. */
  String name() {
    return folder
        .map(of -> Objects.toString(of.toAbsolutePath().normalize().getFileName(), "/"))
        .orElse("committee");
  }
}
