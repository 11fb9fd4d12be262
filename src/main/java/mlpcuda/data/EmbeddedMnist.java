package mlpcuda.data;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import mlpcuda.error.BadFileException;
import mlpcuda.files.Sha256;

/**
 * Reads the MNIST handwritten digits from the class path: 60,000 to learn from, 10,000 to test.
 * They are in the jar with the classifier {@code mnist} and in the one with the classifier {@code
 * all}.
 */
public final class EmbeddedMnist {
  private static final String FOLDER = "mlpcuda/data/mnist/";

  // SHA-256 of the uncompressed files.
  private static final String TRAIN_IMAGES =
      "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db";
  private static final String TRAIN_LABELS =
      "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5";
  private static final String TEST_IMAGES =
      "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7";
  private static final String TEST_LABELS =
      "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2";

  private EmbeddedMnist() {}

  /**
   * Reads and checks the four resources on two threads: one inflates the training images, the other
   * reads the test set and then hashes the training set as it arrives.
   *
   * @throws BadFileException if a resource is not, byte for byte, the published file
   * @throws IllegalStateException if the class path lacks MNIST; the message names the artefact
   */
  public static LabelledData load() {
    ExecutorService second = Executors.newSingleThreadExecutor();
    try {
      CompletableFuture<ExampleSet> test =
          CompletableFuture.supplyAsync(
              () -> split("t10k", TEST_IMAGES, TEST_LABELS, Runnable::run), second);
      ExampleSet train = split("train", TRAIN_IMAGES, TRAIN_LABELS, second);
      return LabelledData.numbered("MNIST", 10, train, test.join());
    } catch (CompletionException e) {
      throw e.getCause() instanceof BadFileException bad ? bad : e;
    } finally {
      second.shutdown();
    }
  }

  private static ExampleSet split(
      String split, String imageHash, String labelHash, Executor hasher) {
    String imageFile = split + "-images-idx3-ubyte.gz";
    String labelFile = split + "-labels-idx1-ubyte.gz";
    IdxFile.Images images =
        checked(imageFile, resource(imageFile), imageHash, hasher, IdxFile::images);
    byte[] labels = checked(labelFile, resource(labelFile), labelHash, hasher, IdxFile::labels);
    return ExampleSet.images(images.rows(), images.cols(), images.pixels(), labels);
  }

  /**
   * Parses a gzip file that must uncompress to bytes of the given SHA-256.
   *
   * @param file the name of the resource
   * @param gzip the bytes of the resource
   * @param expected the SHA-256 in lower-case hexadecimal
   * @param hasher runs the hashing, piece by piece in the order given
   */
  static <T> T checked(
      String file, byte[] gzip, String expected, Executor hasher, IdxFile.Parser<T> parser) {
    String name = place(file);
    try (HashingInput in = new HashingInput(new GzipInput(name, gzip), hasher)) {
      T parsed = parser.parse(new IdxFile.Source(name, in, gzip.length, true));
      String found = in.hash();
      if (!found.equals(expected)) {
        throw new BadFileException(
            "%s: SHA-256 must be %s, found %s".formatted(name, expected, found));
      }
      return parsed;
    } catch (IOException e) {
      throw new BadFileException(name + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Hashes on another thread the bytes that are read. The reader must not change a buffer after it
   * was filled, because the hasher may still read it; the parser of {@link IdxFile} fills each part
   * of its arrays once.
   */
  private static final class HashingInput extends FilterInputStream {
    private final MessageDigest digest = Sha256.begin();
    private final Executor hasher;

    HashingInput(InputStream in, Executor hasher) {
      super(in);
      this.hasher = hasher;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = super.read(buffer, offset, length);
      if (n > 0) {
        hasher.execute(() -> digest.update(buffer, offset, n));
      }
      return n;
    }

    /** Returns the SHA-256 of all bytes that were read, in lower-case hexadecimal. */
    String hash() {
      return HexFormat.of().formatHex(CompletableFuture.supplyAsync(digest::digest, hasher).join());
    }
  }

  private static byte[] resource(String file) {
    // The class itself would look into its own module alone, and the jar of MNIST is another one.
    ClassLoader loader = EmbeddedMnist.class.getClassLoader();
    try (InputStream in = loader.getResourceAsStream(FOLDER + file)) {
      if (in == null) {
        throw new IllegalStateException(
            "MNIST is not on the class path: add the artefact io.github.mlpcuda:mlp-cuda with the"
                + " classifier mnist, in the version of the library");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new BadFileException(place(file) + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static String place(String file) {
    return "classpath:" + FOLDER + file;
  }
}
