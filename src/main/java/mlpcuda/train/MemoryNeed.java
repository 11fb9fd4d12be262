package mlpcuda.train;

import mlpcuda.compute.HostExamples;
import mlpcuda.compute.Ops;
import mlpcuda.compute.StepNeeds;
import mlpcuda.data.ExampleSet;
import mlpcuda.error.BadFileException;
import mlpcuda.files.HeapMemory;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;

/**
 * The memory that a network needs, computed from its shape before any of it is allocated: a model
 * of some KB can ask for more than a machine has.
 *
 * @param deviceBytes bytes of the device's buffers, weights and activations, and of the copies that
 *     it keeps of them
 * @param largest elements of the largest of these buffers
 * @param heapBytes bytes of the Java heap: weights on their way to the device, and answers
 */
public record MemoryNeed(long deviceBytes, long largest, long heapBytes) {
  /**
   * The need of a {@link Predictor}.
   *
   * @param N the number of images of the largest call
   */
  public static MemoryNeed ofPrediction(Ops ops, MlpShape shape, int N) {
    long B = Math.min(N, Predictor.batch(shape));
    long C = shape.classes();
    long images = (long) N * shape.inputs();
    return ofInference(ops, shape, B, B * C, images + bytes(N * C + B * C));
  }

  /**
   * The need of an {@link Evaluator}, whose confusion matrix has C² counts.
   *
   * @param N the number of images
   * @param maxB the number of images of a batch, at most
   */
  public static MemoryNeed ofEvaluation(Ops ops, MlpShape shape, int N, int maxB) {
    long B = Math.min(N, maxB);
    long C = shape.classes();
    return ofInference(ops, shape, B, 0, bytes(B * C) + Long.BYTES * C * C);
  }

  /** The need of a {@link Trainer}, but for a set that lies on the device as a whole. */
  public static MemoryNeed ofTraining(Ops ops, TrainingSetup training) {
    StepNeeds needs = training.needs();
    MemoryNeed step = ofSteps(ops, training.shape(), needs);
    ExampleSet set = training.set();
    long feed =
        ops.feedBytes(
            new HostExamples(set.features(), set.labels(), set.weights()),
            training.augmentation().isPresent(),
            training.B(),
            ops.stepsAtOnce(needs));
    // The average is as long as the weights, evaluations multiply by it, and it is read back, too.
    long average = needs.averages() ? Parameters.length(training.shape()) : 0;
    return new MemoryNeed(
        step.deviceBytes + feed + ops.bytesOfOperand() * average,
        step.largest,
        step.heapBytes + bytes(average));
  }

  private static MemoryNeed ofSteps(Ops ops, MlpShape shape, StepNeeds needs) {
    int maxB = needs.maxB();
    long weights = Parameters.length(shape);
    long outputs = shape.sizes().stream().skip(1).mapToLong(Integer::longValue).sum();
    if (ops.fusesSteps(needs)) {
      // The weights have the optimizer's two moments; each layer's outputs have gradients.
      long arena = 2 * maxB * outputs;
      long largest = Math.max(weights, arena);
      return new MemoryNeed(bytes(3 * weights + arena), largest, 3 * bytes(weights));
    }
    MemoryNeed forward = ofInference(ops, shape, maxB, 0, 0);
    // Gradients and the optimizer's two moments are as long as the weights; each layer's outputs
    // have gradients as well, which products read.
    long backward = 3 * bytes(weights) + ops.bytesOfOperand() * maxB * outputs;
    return new MemoryNeed(
        forward.deviceBytes + backward, forward.largest, 3 * bytes(weights)); // read back together
  }

  private static MemoryNeed ofInference(
      Ops ops, MlpShape shape, long B, long moreFloats, long answerBytes) {
    long weights = Parameters.length(shape);
    long activations = 0;
    long largest = weights;
    for (int width : shape.sizes()) {
      activations += B * width;
      largest = Math.max(largest, B * width);
    }
    long logits = B * shape.classes(); // the only ones that no product reads
    long operands = weights + activations - logits;
    return new MemoryNeed(
        ops.bytesOfOperand() * operands + bytes(logits + moreFloats),
        largest,
        bytes(weights) + answerBytes);
  }

  private static long bytes(long floats) {
    return Float.BYTES * floats;
  }

  /**
   * Checks that enough memory is free on the device and in the Java heap.
   *
   * @param what the network and its file, for the message
   * @param remedy what makes the need smaller, as the end of a sentence; empty if nothing does
   * @throws BadFileException if they have not, with the bytes that are needed and those that are
   *     free
   */
  public void check(Ops ops, String what, String remedy) {
    if (largest > ops.longestBuffer()) {
      throw new BadFileException(
          "%s needs a buffer of %,d values on the device, and one may have %,d%s"
              .formatted(what, largest, ops.longestBuffer(), remedy));
    }
    long free = ops.freeBytes();
    if (deviceBytes > free) {
      throw new BadFileException(
          "%s needs %,d MiB on the device, and %,d MiB are free%s"
              .formatted(what, deviceBytes >> 20, free >> 20, remedy));
    }
    HeapMemory.require(what, heapBytes);
  }
}
