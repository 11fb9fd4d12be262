package mlpcuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import mlpcuda.compute.Ops;
import mlpcuda.data.LabelledData;
import mlpcuda.error.BadFileException;
import mlpcuda.error.SettingException;
import mlpcuda.files.WholeFile;
import mlpcuda.model.Committee;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.run.CommitteeFolder;
import mlpcuda.run.DataChoice;
import mlpcuda.run.FolderLock;
import mlpcuda.run.Resumption;
import mlpcuda.run.RunData;
import mlpcuda.run.RunFolder;
import mlpcuda.run.RunPlan;
import mlpcuda.run.RunSettings;
import mlpcuda.run.RunState;
import mlpcuda.run.Start;
import mlpcuda.run.TrainingRun;

/**
 * A {@link Training} with the data and the device that it was given. Its methods run in the
 * device's thread.
 *
 * @param network the network whose shape the data must have, and whose weights the training starts
 *     with if it has some; empty: the settings and the data decide the shape
 * @param folder the folder for the files; empty: none are written
 * @param overwrite whether a finished run in the folder is replaced
 * @param stop asked before each step whether to end the run
 */
record TrainingJob(
    RunSettings settings,
    Optional<Network> network,
    Optional<Path> folder,
    boolean overwrite,
    TrainingListener listener,
    CommitteeTraining committee,
    Dataset dataset,
    Device device,
    BooleanSupplier stop) {
  /** Reads the checkpoint of a folder. */
  static Resumption read(Path folder) {
    return Resumption.read(
        folder,
        (args, gpu, threads, file) -> {
          throw new BadFileException(
              file
                  + ": version 0.1.0 began this run with a command line, which the library does not"
                  + " read; the program mlp-cuda goes on with it");
        });
  }

  /** Begins a new run, in the folder if there is one. */
  TrainingResult begin() {
    if (committee.isGiven()) {
      network.ifPresent(this::checkMember);
      return inFolder(() -> committee.begin(settings, dataset, device, folder, listener, stop));
    }
    var choice = DataChoice.all(dataset.source());
    var plan = new RunPlan(settings, choice, device.choice(), Optional.empty());
    RunData data = RunData.of(settings, dataset.data(), choice);
    network.ifPresent(of -> checkShape(of, data.shape()));
    Ops ops = device.ops();
    RunState state = RunState.begin(plan, data, ops, List.of());
    var start =
        new Start.Fresh(state, network.filter(Network::isTrained).map(of -> of.single().weights()));
    return inFolder(
        () -> {
          folder.ifPresent(CommitteeFolder::forget);
          return run(ops, data, start);
        });
  }

  /** Goes on with the run of the folder, which there must be. */
  TrainingResult goOn() {
    Path of = folder.orElseThrow();
    try (FolderLock lock = FolderLock.take(of)) {
      warnOfNoLock(lock);
      if (committee.isGiven()) {
        return CommitteeTraining.goOn(settings, dataset, device, of, listener, stop);
      }
      Resumption former = read(of);
      RunPlan plan = former.state().plan().with(settings).with(device.choice());
      Resumption from = former.with(plan, List.of());
      Ops ops = device.ops();
      RunData data = from.check(RunData.of(settings, dataset.data(), plan.data()));
      from.check(ops, data);
      WholeFile.clear(of);
      return run(ops, data, new Start.Resumed(from));
    }
  }

  /** Begins in the folder, which is locked and refused if it holds a finished run. */
  private TrainingResult inFolder(Supplier<TrainingResult> work) {
    if (folder.isEmpty()) {
      return work.get();
    }
    makeFolder(folder.get());
    try (FolderLock lock = FolderLock.take(folder.get())) {
      warnOfNoLock(lock);
      if (!overwrite && RunFolder.holdsTheEnd(folder.get())) {
        throw new IllegalStateException(
            folder.get()
                + ": this folder holds a finished run; overwrite() replaces it, and"
                + " Training.resume goes on with it");
      }
      return work.get();
    }
  }

  /** Refuses a network that the members of a committee cannot begin as. */
  private void checkMember(Network member) {
    if (member.isTrained()) {
      throw new SettingException(
          "network", "must have no weights where a committee's members begin, found some");
    }
    LabelledData data = dataset.data();
    checkShape(member, settings.network().shape(data.train().inputs(), data.classes()));
  }

  /** Refuses a network of another shape than the data need. */
  static void checkShape(Network network, MlpShape ofData) {
    if (!network.shape().equals(ofData)) {
      throw new SettingException(
          "network",
          "must have %d inputs and %d classes as the data, found %d inputs and %d classes"
              .formatted(ofData.inputs(), ofData.classes(), network.inputs(), network.classes()));
    }
  }

  private static void warnOfNoLock(FolderLock lock) {
    lock.warning().ifPresent(text -> LibraryReporter.LOG.log(System.Logger.Level.WARNING, text));
  }

  private static void makeFolder(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw WholeFile.notAFolder(folder.toString(), e);
    }
  }

  private TrainingResult run(Ops ops, RunData data, Start start) {
    var reporter = new LibraryReporter(settings.course().epochs(), listener, folder);
    TrainingRun.Result result = new TrainingRun(ops, data, start, folder, reporter, stop).run();
    ModelFile trained = result.network();
    return new TrainingResult(
        Network.of(Committee.of(trained)),
        new Evaluation(result.test()),
        result.validation().map(Evaluation::new),
        reporter.epochs(),
        result.importance().map(ColumnImportance::of).orElse(List.of()));
  }
}
