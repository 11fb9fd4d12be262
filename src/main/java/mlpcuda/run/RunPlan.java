package mlpcuda.run;

import java.nio.file.Path;
import java.util.Optional;
import mlpcuda.train.Course;

/**
 * All that a run is to do: how it trains, on which examples, on which device. A command line, a
 * program that calls the library, and a checkpoint each give one.
 *
 * @param settings the settings of training
 * @param data the examples
 * @param device the device
 * @param events the folder into which TensorBoard's events are written, too; empty for none
 */
public record RunPlan(
    RunSettings settings, DataChoice data, DeviceChoice device, Optional<Path> events) {
  /** A copy with other settings. */
  public RunPlan with(RunSettings other) {
    return new RunPlan(other, data, device, events);
  }

  /** A copy with other examples. */
  public RunPlan with(DataChoice other) {
    return new RunPlan(settings, other, device, events);
  }

  /** A copy for another device. */
  public RunPlan with(DeviceChoice other) {
    return new RunPlan(settings, data, other, events);
  }

  /** A copy that writes TensorBoard's events into that folder. */
  public RunPlan withEvents(Path folder) {
    return new RunPlan(settings, data, device, Optional.of(folder));
  }

  /** A copy that takes one step and then ends, and writes no events. */
  public RunPlan forOneStep() {
    Course one = settings.course().withEpochs(1).withMaxSteps(1);
    return new RunPlan(settings.with(one), data, device, Optional.empty());
  }
}
