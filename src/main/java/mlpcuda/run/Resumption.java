package mlpcuda.run;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.data.ExampleSet;
import mlpcuda.error.BadFileException;
import mlpcuda.error.SettingException;
import mlpcuda.model.Checkpoint;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.InkWidth;
import mlpcuda.report.Tables;
import mlpcuda.run.RunState.FormerArguments;
import mlpcuda.train.Course;
import mlpcuda.train.MemoryNeed;
import mlpcuda.train.Progress;

/**
 * A run that goes on from its checkpoint, perhaps with another plan than it began with.
 *
 * @param folder the folder of the run
 * @param checkpoint the checkpoint as it was read
 * @param former the plan as the checkpoint has it
 * @param state the position of the run, and the plan that it goes on with
 */
public record Resumption(Path folder, Checkpoint checkpoint, RunPlan former, RunState state) {
  /**
   * Reads the run of that folder, with nothing changed.
   *
   * @param arguments reads the command lines that checkpoints of version 0.1.0 have
   * @throws BadFileException if the folder has no checkpoint, or one that is malformed
   */
  public static Resumption read(Path folder, FormerArguments arguments) {
    Path file = folder.resolve(RunFolder.CHECKPOINT);
    Checkpoint checkpoint = Checkpoint.read(file);
    RunState state = RunState.parse(checkpoint.state(), checkpoint.best(), arguments, file);
    return new Resumption(folder, checkpoint, state.plan(), state);
  }

  /** The checkpoint's file. */
  public Path file() {
    return folder.resolve(RunFolder.CHECKPOINT);
  }

  /** Whether the run goes on with another plan than the checkpoint has. */
  public boolean changed() {
    return !former.equals(state.plan());
  }

  /** Whether the run goes on to another end than it had. */
  private boolean stretched() {
    Course before = former.settings().course();
    Course now = state.plan().settings().course();
    return before.epochs() != now.epochs() || before.maxSteps() != now.maxSteps();
  }

  /**
   * Goes on with another plan.
   *
   * @param options the words that ask for what is changed, for the record
   * @throws SettingException if the plan ends before the run's position
   */
  public Resumption with(RunPlan plan, List<String> options) {
    if (plan.equals(state.plan())) {
      return this;
    }
    Resumption changed = new Resumption(folder, checkpoint, former, state.with(plan, options));
    changed.checkEnd();
    return changed;
  }

  private void checkEnd() {
    Progress at = state.progress();
    Course before = former.settings().course();
    Course now = state.plan().settings().course();
    int least = at.batch() > 0 ? at.epoch() : at.epoch() - 1;
    if (now.epochs() != before.epochs() && now.epochs() < least) {
      throw new SettingException(
          "epochs",
          "must be at least %d, because the run in %s has %s already, found %d"
              .formatted(
                  least,
                  folder,
                  at.batch() > 0 ? "begun epoch " + least : "done " + Tables.count(least, "epoch"),
                  now.epochs()));
    }
    if (now.maxSteps() != before.maxSteps() && now.maxSteps() < at.steps()) {
      throw new SettingException(
          "max-steps",
          "must be at least %d, because the run in %s has done so many already, found %d"
              .formatted(at.steps(), folder, now.maxSteps()));
    }
  }

  /**
   * The data of the run, which must be those that it began with.
   *
   * @throws BadFileException if the checkpoint does not fit them
   */
  public RunData check(RunData found) {
    ExampleSet all = found.all();
    if (all.checksum() != state.examples() || !all.layout().equals(checkpoint.form().layout())) {
      throw bad("the training examples must be those that the run began with, found others");
    }
    MlpShape shape = found.shape();
    if (!shape.equals(checkpoint.shape())) {
      throw bad(
          "its network must be that of its settings and data, %s, found %s"
              .formatted(shape, checkpoint.shape()));
    }
    if (!inkWidth(found.form()).equals(inkWidth(checkpoint.form()))) {
      throw bad("its network must see images as its plan says, found another width of the ink");
    }
    checkPlace(found.train().size());
    return new RunData(
        found.dataset(),
        all,
        found.train(),
        found.validation(),
        found.test(),
        shape,
        checkpoint.form());
  }

  private static InkWidth inkWidth(ExampleForm form) {
    return form instanceof ImageForm images ? images.inkWidth() : InkWidth.AS_IS;
  }

  /**
   * Refuses a position that the run cannot have: where the limit of steps ended the run, an epoch
   * may have been cut short.
   */
  private void checkPlace(int examples) {
    Progress at = state.progress();
    Course course = state.plan().settings().course();
    int batches = course.batches(examples);
    boolean mayBeCut = course.maxSteps() < Course.NO_LIMIT && at.steps() <= course.maxSteps();
    long missing = missing(batches);
    if (at.batch() >= batches || missing != 0 && !(mayBeCut && missing > 0)) {
      throw bad(
          "its place must be one of the run's, of %d batches an epoch, found epoch %d, batch %d, step %d"
              .formatted(batches, at.epoch(), at.batch(), at.steps()));
    }
  }

  /**
   * Checks that the device can go on with the run.
   *
   * @throws BadFileException if the device lacks memory, or computes in a precision that does not
   *     fit the checkpoint
   */
  public void check(Ops ops, RunData data) {
    checkLossScale(ops.precision());
    checkAverage();
    MemoryNeed.ofTraining(ops, data.training(state.plan().settings()))
        .check(ops, "%s: training %s".formatted(file(), data.shape()), "");
  }

  /** Refuses to go on without the average that the settings ask for, or with a needless one. */
  private void checkAverage() {
    boolean has = !checkpoint.raw().isEmpty();
    if (has != state.plan().settings().ema() > 0) {
      throw bad(
          "its weights must %s an average, as its settings say, found %s"
              .formatted(has ? "not be" : "be", has ? "one" : "none"));
    }
  }

  /** Refuses to go on without the loss scale that the precision needs, or with a needless one. */
  private void checkLossScale(Precision precision) {
    boolean has = state.progress().lossScale().length > 0;
    if (has != precision.needsLossScale()) {
      throw bad(
          "its loss scale must be %s, found %s"
              .formatted(
                  has ? "of fp16 alone" : "there, as " + precision.label() + " needs one",
                  has ? "one with " + precision.label() : "none"));
    }
  }

  /**
   * Sentences on why the run may end otherwise than one that was never ended.
   *
   * @param device the device that the run goes on with, in words
   * @param examples the number of examples to learn from
   */
  public List<String> differences(String device, int examples) {
    var differences = new ArrayList<String>();
    if (!device.equals(state.origin().device())) { // for example another GPU, or cuBLAS is gone
      differences.add(
          "The run began on another device, so its numbers and the bytes of its model may differ: "
              + state.origin().device());
    }
    RunSettings settings = state.plan().settings();
    if (!stretched() || settings.trainer().ended(state.progress())) {
      return differences;
    }
    if (settings.rate().schedule().spansTheRun()) {
      differences.add(
          "The schedule %s spans the whole run: from here on it is stretched to the new length, and a"
                  .formatted(settings.rate().schedule())
              + " run that begins with this length ends with another model");
    }
    long missing = missing(settings.course().batches(examples));
    if (missing > 0) {
      differences.add(
          "The limit of steps ended an epoch early, by %s: the run goes on with the next epoch"
              .formatted(Tables.count(missing, "step")));
    }
    return differences;
  }

  /** The number of steps by which the epochs before this one were cut short. */
  private long missing(int batches) {
    Progress at = state.progress();
    return (at.epoch() - 1L) * batches + at.batch() - at.steps();
  }

  private BadFileException bad(String message) {
    return new BadFileException(file() + ": " + message);
  }
}
