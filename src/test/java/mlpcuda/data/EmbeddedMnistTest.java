package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;

class EmbeddedMnistTest {
  private static final Executor HERE = Runnable::run;
  private static final String PLACE = "classpath:mlpcuda/data/mnist/";

  @Test
  void loadsTheWholeSet() {
    LabelledData mnist = EmbeddedMnist.load();
    assertEquals("MNIST", mnist.name());
    assertEquals(10, mnist.classes());
    assertEquals(60_000, mnist.train().size());
    assertEquals(10_000, mnist.test().size());
    assertEquals(Layout.Images.grey(28, 28), mnist.train().layout());
    assertEquals(Layout.Images.grey(28, 28), mnist.test().layout());
    assertEquals(60_000 * 784, mnist.train().features().array().length);
    assertArrayEquals(new byte[] {5, 0, 4, 1, 9}, Arrays.copyOf(mnist.train().labels(), 5));
    assertArrayEquals(new byte[] {7, 2, 1, 0, 4}, Arrays.copyOf(mnist.test().labels(), 5));
    // The expected numbers are the published constants.
    Scaling scaling = PixelScaling.of("z-score", mnist.train());
    assertEquals(new PixelScaling("z-score", 0.1307, 0.3081), scaling);
  }

  @Test
  void detectsOtherContent() {
    byte[] file = IdxBytes.gzip(IdxBytes.labels(1, 2, 3));
    String hash = "0".repeat(64);
    IdxBytes.assertBad(
        PLACE
            + "f.gz: SHA-256 must be "
            + hash
            + ", found 398a8a7fbd9531f1d9aa2ae368533e137cb53c202c3665f25affcf1ca88844ab",
        Path.of("TMP"),
        () -> EmbeddedMnist.checked("f.gz", file, hash, HERE, IdxFile::labels));
  }

  @Test
  void detectsDamage() {
    byte[] file = IdxBytes.gzip(IdxBytes.labels(1, 2, 3));
    IdxBytes.assertBad(
        PLACE + "f.gz: gzip stream truncated: the file ends at byte 20, inside the stream",
        Path.of("TMP"),
        () -> EmbeddedMnist.checked("f.gz", Arrays.copyOf(file, 20), "", HERE, IdxFile::labels));
  }
}
