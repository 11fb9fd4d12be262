package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.Activator;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests whole runs on the interpreter, whose detectors fail them on what a GPU would get wrong. */
class EmulatedTrainingTest extends CudaTraining {
  @Override
  CudaDriver open() {
    return new EmulatedDriver(EmulatedPolicy.LATEST);
  }

  @Override
  @Test
  @Tag("long")
  void anyNumberOfStepsAtOnceMakesTheSameBits() {
    super.anyNumberOfStepsAtOnceMakesTheSameBits();
  }

  @Override
  @Test
  @Tag("long")
  void aFusedStepHasThreeNodesForAnyNetwork() {
    super.aFusedStepHasThreeNodesForAnyNetwork();
  }

  @Override
  @Test
  @Tag("long")
  void theDefaultNetworkTakesTheCpusStepsFused() {
    super.theDefaultNetworkTakesTheCpusStepsFused();
  }

  @Override
  @Test
  @Tag("long")
  void feedsAndGraphsMakeTheSameBitsOfEverything() {
    super.feedsAndGraphsMakeTheSameBitsOfEverything();
  }

  @Override
  @Test
  @Tag("long")
  void feedsAndGraphsMakeTheSameBitsOfAFusedStep() {
    super.feedsAndGraphsMakeTheSameBitsOfAFusedStep();
  }

  /** The device does its work late, at once, or in any order that is allowed. */
  @Test
  void theOrderOfStreamsDoesNotMatter() {
    Run expected = Run.easy(ops(pinnedGraph(Multiplier.PTX)), 75, 0.01, RAGGED);
    List<EmulatedPolicy> policies =
        Stream.concat(
                Stream.of(EmulatedPolicy.EAGER),
                IntStream.range(0, 5).mapToObj(EmulatedPolicy::random))
            .toList();
    for (EmulatedPolicy policy : policies) {
      var ops = new CudaOps(new EmulatedDriver(policy), pinnedGraph(Multiplier.PTX));
      assertSameBits(expected, Run.easy(ops, 75, 0.01, RAGGED), policy.toString());
    }
  }

  /** A validation set is fed between the epochs of the training set. */
  @Test
  void theOrderOfStreamsDoesNotMatterToEverythingAtOnce() {
    Run expected = Run.ofEverything(ops(pinnedGraph(Multiplier.PTX)));
    for (EmulatedPolicy policy : List.of(EmulatedPolicy.EAGER, EmulatedPolicy.random(7))) {
      var ops = new CudaOps(new EmulatedDriver(policy), pinnedGraph(Multiplier.PTX));
      assertSameBits(expected, Run.ofEverything(ops), policy.toString());
    }
  }

  /** Longer batches have products that are worth launches of their own. */
  @Test
  void stepsOfShortBatchesAreFusedWhereAllKernelsAreOurs() {
    assertEquals(3, nodesOf(512));
    // This has log_losses, for so many rows, and add_parts for both layers.
    assertEquals(14, nodesOf(513));
  }

  private int nodesOf(int B) {
    CudaOptions own = pinnedGraph(Multiplier.PTX).with(StepKind.AUTO);
    return Run.easy(ops(own), 2 * B, 0.01, Run.settings(2, B, true, 3, 4, 1)).nodes.orElseThrow();
  }

  @Test
  void cublasTrainsToo() {
    Run cpu = Run.easy(new CpuOps(1), 75, 0.01, RAGGED);
    Run gpu = Run.easy(ops(pinnedGraph(Multiplier.CUBLAS)), 75, 0.01, RAGGED);
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5);
    // The 14 nodes: position, gather, 2 products forward with bias, loss; 2 weight and 1 input
    // gradient, 2 bias gradients and 1 activation backward; Adam.
    assertEquals(14, gpu.nodes.orElseThrow(), "nodes of a step of two layers with cuBLAS");
  }

  @Test
  void cublasAndCudnnTrainTogether() {
    Run cpu = Run.easy(new CpuOps(1), 75, 0.01, RAGGED);
    CudaOptions both = pinnedGraph(Multiplier.CUBLAS).with(Activator.CUDNN);
    Run gpu = Run.easy(ops(both), 75, 0.01, RAGGED);
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5);
    // There is one more than with cuBLAS alone: the hidden layer's bias and its activation are
    // apart.
    assertEquals(15, gpu.nodes.orElseThrow(), "nodes of a step with cuBLAS and cuDNN");
    for (EmulatedPolicy policy : List.of(EmulatedPolicy.EAGER, EmulatedPolicy.random(7))) {
      var ops = new CudaOps(new EmulatedDriver(policy), both);
      assertSameBits(gpu, Run.easy(ops, 75, 0.01, RAGGED), policy.toString());
    }
  }

  /**
   * A batch has more rows than one block takes for the losses, and the last one so few that one
   * does.
   */
  @Test
  void largeBatchesSumTheirLossesInASecondLaunch() {
    var settings = Run.settings(3, 300, true, 3, Integer.MAX_VALUE, 1);
    Run cpu = Run.easy(new CpuOps(1), 350, 0.01, settings);
    Run gpu = Run.easy(ops(pinnedGraph(Multiplier.PTX)), 350, 0.01, settings);
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5);
    assertArrayEquals(cpu.answers.confusion(), gpu.answers.confusion());
  }
}
