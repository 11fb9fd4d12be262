package mlpcuda.compute.cuda;

import java.nio.file.Path;

/**
 * A driver that is open on {@link FakeCuda}, for the classes that check its calls.
 *
 * @param natives the folder that JCuda's libraries are unpacked below
 * @param stream a stream of the driver
 */
record OpenDriver(FakeCuda fake, Path natives, JCudaDriver driver, long stream) {}
