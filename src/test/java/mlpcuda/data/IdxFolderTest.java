package mlpcuda.data;

import static mlpcuda.data.IdxBytes.assertBad;
import static mlpcuda.data.IdxBytes.gzip;
import static mlpcuda.data.IdxBytes.images;
import static mlpcuda.data.IdxBytes.labels;
import static mlpcuda.data.IdxBytes.qmnistLabels;
import static mlpcuda.data.IdxBytes.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdxFolderTest {
  private static final OptionalInt UNKNOWN = OptionalInt.empty();

  @TempDir Path tmp;

  private void writeAll(String place, String from, String to, boolean compressed) {
    IdxBytes.small()
        .forEach(
            (name, content) ->
                write(
                    tmp.resolve(place).resolve(name.replace(from, to) + (compressed ? ".gz" : "")),
                    compressed ? gzip(content) : content));
  }

  private Path put(String name, byte[] content) {
    return write(tmp.resolve(name), content);
  }

  @ParameterizedTest
  @CsvSource({
    "'', -idx, false",
    "'', -idx, true",
    "'', .idx, false",
    "'', .idx, true",
    "raw, -idx, true",
    "MNIST/raw, -idx, false",
    "FashionMNIST/raw, -idx, true",
    "KMNIST/raw, -idx, false",
    "archive/MNIST/raw, -idx, true"
  })
  void readsEveryLayout(String place, String dash, boolean compressed) {
    writeAll(place, "-idx", dash, compressed);
    LabelledData data = IdxFolder.read(tmp, UNKNOWN);
    assertEquals(tmp.toString(), data.name());
    assertSmall(data);
  }

  /** Asserts that a data set is the one that {@link IdxBytes#small} wrote. */
  private static void assertSmall(LabelledData data) {
    assertEquals(3, data.classes());
    assertEquals(5, data.train().size());
    assertEquals(3, data.test().size());
    assertEquals(Layout.Images.grey(7, 5), data.train().layout());
    assertArrayEquals(new byte[] {0, 1, 2, 1, 0}, data.train().labels());
    assertArrayEquals(new byte[] {2, 0, 1}, data.test().labels());
  }

  @Test
  void prefersPlainFiles() {
    writeAll("", "", "", false);
    put("t10k-labels-idx1-ubyte.gz", new byte[] {1, 2, 3});
    assertEquals(3, IdxFolder.read(tmp, UNKNOWN).test().size());
  }

  @Test
  void classesMayBeMoreThanTheLabels() {
    writeAll("", "", "", false);
    assertEquals(12, IdxFolder.read(tmp, OptionalInt.of(12)).classes());
  }

  @Test
  void readsTheTestSetAlone() throws IOException {
    writeAll("raw", "", "", true);
    Files.delete(tmp.resolve("raw/train-images-idx3-ubyte.gz"));
    assertEquals(3, IdxFolder.readTest(tmp, 3).size());
    assertBad(
        "TMP/raw/t10k-labels-idx1-ubyte.gz: labels must be below 2, found 2 at index 0",
        tmp,
        () -> IdxFolder.readTest(tmp, 2));
  }

  @ParameterizedTest
  @CsvSource({
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte"
  })
  void namesTheMissingFile(String name) throws IOException {
    writeAll("MNIST/raw", "", "", false);
    Files.delete(tmp.resolve("MNIST/raw").resolve(name));
    assertBad(
        "TMP/MNIST/raw: "
            + name
            + " is missing, plain and .gz, beside the other files of the data set",
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));
  }

  private void writeAs(String place, String prefix, String test, String trainLabels) {
    IdxBytes.small()
        .forEach(
            (name, content) ->
                put(
                    place + prefix + name.replace("t10k", test).replace("idx1-ubyte", trainLabels),
                    content));
  }

  @ParameterizedTest
  @CsvSource({
    "emnist-balanced-",
    "emnist-byclass-",
    "emnist-bymerge-",
    "emnist-digits-",
    "emnist-letters-",
    "emnist-mnist-"
  })
  void readsEmnistsNames(String prefix) {
    writeAs("gzip/", prefix, "test", "idx1-ubyte");
    assertSmall(IdxFolder.read(tmp, UNKNOWN));
    assertTrue(IdxFolder.isEmnist(tmp));
  }

  @Test
  void readsQmnistsNames() {
    put("qmnist-train-images-idx3-ubyte", images(5, 7, 5));
    put("qmnist-train-labels-idx2-int", qmnistLabels(0, 1, 2, 1, 0));
    put("qmnist-test-images-idx3-ubyte.gz", gzip(images(3, 7, 5)));
    put("qmnist-test-labels-idx2-int.gz", gzip(qmnistLabels(2, 0, 1)));
    assertSmall(IdxFolder.read(tmp, UNKNOWN));
    assertFalse(IdxFolder.isEmnist(tmp));
  }

  /** Some archives, and the programs that unpack them, give each file a folder of its name. */
  @ParameterizedTest
  @CsvSource({"'', -idx", "'', .idx", "archive/, -idx", "archive/, .idx"})
  void readsFilesInFoldersOfTheirOwnNames(String place, String dash) {
    IdxBytes.small()
        .forEach((name, content) -> put(place + name + "/" + name.replace("-idx", dash), content));
    assertSmall(IdxFolder.read(tmp, UNKNOWN));
  }

  /** EMNIST is published as an archive of six data sets in one folder. */
  @Test
  void oneOfSeveralDataSetsIsNamedByTheStartOfItsFiles() {
    writeAs("gzip/", "emnist-digits-", "test", "idx1-ubyte");
    writeAs("gzip/", "emnist-letters-", "test", "idx1-ubyte");
    put("gzip/emnist-letters-train-labels-idx1-ubyte", labels(1, 1, 1, 1, 1));
    assertBad(
        "TMP: 2 data sets are here, name one of them: TMP/gzip/emnist-digits,"
            + " TMP/gzip/emnist-letters",
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));
    Path letters = tmp.resolve("gzip/emnist-letters");
    assertArrayEquals(
        new byte[] {1, 1, 1, 1, 1}, IdxFolder.read(letters, OptionalInt.of(3)).train().labels());
    assertTrue(IdxFolder.isEmnist(letters));
    assertSmall(IdxFolder.read(tmp.resolve("gzip/emnist-digits"), UNKNOWN));
    assertBad(
        "TMP/gzip/emnist-balanced: no data set here, but IDX files of other names"
            + " (emnist-digits-test-images-idx3-ubyte); "
            + READ
            + "; name the folder that holds all four, or rename the files so",
        tmp,
        () -> IdxFolder.read(tmp.resolve("gzip/emnist-balanced"), UNKNOWN));
  }

  @Test
  void aFoldersOwnNameMeansTheFilesWithoutAPrefix() {
    writeAll("", "", "", false);
    writeAs("", "emnist-digits-", "test", "idx1-ubyte");
    put("emnist-digits-train-labels-idx1-ubyte", labels(1, 1, 1, 1, 1));
    assertSmall(IdxFolder.read(tmp, UNKNOWN));
    assertFalse(IdxFolder.isEmnist(tmp));
    assertTrue(IdxFolder.isEmnist(tmp.resolve("emnist-digits")));
  }

  /** Images of one data set are never read with the labels of another. */
  @Test
  void filesOfTwoDataSetsAreNotMixed() throws IOException {
    writeAll("", "", "", false);
    writeAs("", "emnist-digits-", "test", "idx1-ubyte");
    Files.delete(tmp.resolve("train-labels-idx1-ubyte"));
    Files.delete(tmp.resolve("emnist-digits-train-images-idx3-ubyte"));
    writeAll("raw", "", "", false);
    Files.delete(tmp.resolve("raw/t10k-images-idx3-ubyte"));
    assertBad(
        "TMP: train-labels-idx1-ubyte is missing, plain and .gz, beside the other files of the"
            + " data set",
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));
  }

  private static final String READ =
      "examples are tables (.csv, .tsv), NumPy's arrays (.npz, .npy), lines in LIBSVM's format, a"
          + " folder of pictures for each class, or the four IDX files train-images-idx3-ubyte,"
          + " train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz";
  private static final String CONVERT =
      READ + "; Python saves other arrays as numpy.savez('data.npz', x_train=x, y_train=y)";

  @ParameterizedTest
  @CsvSource({
    "train.csv,                     CSV files (train.csv)",
    "data/train-00000.arrow,        Arrow files (data/train-00000.arrow)",
    "mnist.npz,                     NumPy files (mnist.npz)",
    "matlab/emnist-digits.mat,      MATLAB files (matlab/emnist-digits.mat)",
    "usps.h5,                       HDF5 files (usps.h5)",
    "train/0/1.png,                 pictures (train/0/1.png)",
    "7/seven.JPG,                   pictures (7/seven.JPG)",
  })
  void saysWhatElseIsThereAndHowToConvertIt(String name, String found) {
    put(name, new byte[] {1});
    put("README.txt", new byte[] {1});
    assertBad(
        "TMP: no data set here, but " + found + "; " + CONVERT,
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));
  }

  /** A name that a shell would take for more than a name is not put into a command. */
  @Test
  void saysHowAParquetFileIsConverted() {
    String command =
        "; a CSV file is made of one by python3 -c \"import pandas;"
            + " pandas.read_parquet('%s.parquet').to_csv('%s.csv', index=False)\"";
    Path file = put("a/b-1.parquet", "PAR1".getBytes(StandardCharsets.US_ASCII));
    assertBad(
        "TMP/a/b-1.parquet: this is a Parquet file; " + READ + command.formatted("b-1", "b-1"),
        tmp,
        () -> IdxFolder.read(file, UNKNOWN));
    assertBad(
        "TMP: no data set here, but Parquet files (a/b-1.parquet); "
            + READ
            + command.formatted("b-1", "b-1"),
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));
    Path hostile = put("$(x)'.parquet", new byte[] {1});
    assertBad(
        "TMP/$(x)'.parquet: this is a file of another kind; "
            + READ
            + command.formatted("FILE", "FILE"),
        tmp,
        () -> IdxFolder.read(hostile, UNKNOWN));
  }

  @Test
  void saysThatAnArchiveIsToBeUnpacked() {
    put("emnist.zip", new byte[] {1});
    assertBad(
        "TMP: no data set here, but archives (emnist.zip); " + READ + "; unpack the archive first",
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "train.csv|label,pixel0|a CSV file|convert",
        "mnist.npz|PK\\3\\4|a NumPy archive|convert",
        "emnist.zip|PK\\3\\4|a zip archive|unpack",
        "mnist.tar.gz|\\37\\213|a tar archive|unpack",
        "notes|hello|a text|",
        "train-images-idx3-ubyte|\\0\\0\\10\\3|an IDX file of images|all",
      })
  void saysWhatAFileIsThatIsNoFolder(String name, String start, String kind, String advice) {
    Path file = put(name, start.translateEscapes().getBytes(StandardCharsets.ISO_8859_1));
    String what =
        advice == null
            ? READ
            : switch (advice) {
              case "convert" -> CONVERT;
              case "unpack" -> READ + "; unpack the archive first";
              default -> READ + "; name the folder that holds all four, or rename the files so";
            };
    assertBad(
        "TMP/" + name + ": this is " + kind + "; " + what,
        tmp,
        () -> IdxFolder.read(file, UNKNOWN));
  }

  @Test
  void refusesAFolderWithoutData() {
    assertBad("TMP: no data set here; " + READ, tmp, () -> IdxFolder.read(tmp, UNKNOWN));
    assertBad("TMP/no: no such folder", tmp, () -> IdxFolder.read(tmp.resolve("no"), UNKNOWN));
  }

  @Test
  void refusesTwoDataSets() {
    writeAll("MNIST/raw", "", "", false);
    writeAll("KMNIST/raw", "", "", false);
    assertBad(
        "TMP: 2 data sets are here, name one of them: TMP/KMNIST/raw, TMP/MNIST/raw",
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));
  }

  @Test
  void refusesFilesThatDoNotFit() {
    writeAll("", "", "", false);
    put("train-labels-idx1-ubyte", labels(0, 1, 2, 1));
    assertBad(
        "TMP/train-labels-idx1-ubyte: must hold one label for each of the 5 images of"
            + " train-images-idx3-ubyte, found 4",
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));

    writeAll("", "", "", false);
    put("t10k-images-idx3-ubyte", images(3, 5, 7));
    assertBad(
        "TMP/t10k-images-idx3-ubyte: images must be 7x5 as in train-images-idx3-ubyte, found 5x7",
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));
  }

  @Test
  void refusesLabelsBeyondTheClasses() {
    writeAll("", "", "", false);
    assertBad(
        "TMP/train-labels-idx1-ubyte: labels must be below 2, found 2 at index 2",
        tmp,
        () -> IdxFolder.read(tmp, OptionalInt.of(2)));
    // If no number of classes is given, the training labels say it.
    put("t10k-labels-idx1-ubyte", labels(0, 200, 3));
    assertBad(
        "TMP/t10k-labels-idx1-ubyte: labels must be below 3, found 200 at index 1",
        tmp,
        () -> IdxFolder.read(tmp, UNKNOWN));
  }

  /** Whatever happens to the bytes, the result is a valid data set or a BadFileException. */
  @Test
  void survivesDamage() {
    Random random = new Random(7);
    Map<String, byte[]> small = IdxBytes.small();
    List<String> names = new ArrayList<>(small.keySet());
    names.sort(null);
    writeAll("", "", "", false);
    int refused = 0;
    for (int round = 0; round < 1000; round++) {
      String victim = names.get(random.nextInt(names.size()));
      byte[] content = small.get(victim);
      put(victim, damage(random.nextBoolean() ? gzip(content) : content, random));
      try {
        assertValid(IdxFolder.read(tmp, UNKNOWN));
      } catch (BadFileException e) {
        refused++;
        if (e.getMessage().lines().count() != 1) {
          fail("more than one line: " + e.getMessage());
        }
      }
      put(victim, content);
    }
    // A flipped pixel, or a label within the classes, cannot be seen.
    if (refused < 500 || refused == 1000) {
      fail("refused " + refused + " of 1000");
    }
  }

  private static byte[] damage(byte[] content, Random random) {
    byte[] damaged = content.clone();
    switch (random.nextInt(3)) {
      case 0 -> damaged = Arrays.copyOf(damaged, random.nextInt(damaged.length));
      case 1 -> {
        damaged = Arrays.copyOf(damaged, damaged.length + 1 + random.nextInt(20));
        damaged[damaged.length - 1] = (byte) random.nextInt();
      }
      default -> {
        for (int i = random.nextInt(3); i >= 0; i--) {
          // Most changes are in the header, where they matter.
          int limit = random.nextBoolean() ? Math.min(20, damaged.length) : damaged.length;
          damaged[random.nextInt(limit)] ^= (byte) (1 << random.nextInt(8));
        }
      }
    }
    return damaged;
  }

  private static void assertValid(LabelledData data) {
    for (ExampleSet set : List.of(data.train(), data.test())) {
      assertEquals(data.layout(), set.layout());
      assertEquals(set.size() * set.inputs(), set.features().array().length);
      for (byte label : set.labels()) {
        if ((label & 0xff) >= data.classes()) {
          fail("label " + (label & 0xff) + " of " + data.classes() + " classes");
        }
      }
    }
  }
}
