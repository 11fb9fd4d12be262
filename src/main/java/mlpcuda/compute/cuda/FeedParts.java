package mlpcuda.compute.cuda;

import mlpcuda.compute.cuda.CudaOptions.FeedKind;

/**
 * What the feeds of a GPU are made of.
 *
 * @param stream the stream that steps run on
 * @param modules the device's modules of kernels
 * @param kind the kind of the feeds of training sets
 */
record FeedParts(
    CudaOps ops, CudaDriver driver, long stream, KernelModules modules, Choice<FeedKind> kind) {
  /** Whether training sets lie on the device as a whole. */
  boolean areResident() {
    return kind.kind() == FeedKind.RESIDENT;
  }

  /** Makes banks for a feed's stages of up to {@code maxB * atOnce} examples. */
  PinnedBanks banks(PinnedBanks.Size size, int maxB, int atOnce) {
    return new PinnedBanks(ops, driver, stream, size, maxB, atOnce);
  }

  /** Makes the kernels that distort images, on a stream of the caller's, which closes them. */
  DistortionKernels distortionsOn(long other) {
    return new DistortionKernels(driver, modules.module("distort", other).load());
  }
}
