package mlpcuda.input;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.input.ReadOptions.Format;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests what becomes of the parts that the readers of the formats find. */
class DataReaderTest {
  @TempDir Path tmp;
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void forgetNotes() {
    notes.clear();
  }

  private LabelledData read(Path path) {
    return DataReader.read(
        path, OptionalInt.empty(), ReadOptions.DEFAULT, ReadingProgress.NONE, notes::add);
  }

  private Path table(String name, String text) {
    return InputFiles.write(tmp.resolve(name), text);
  }

  @ParameterizedTest
  @CsvSource({
    "iris.csv, CSV",
    "keras.npz, NUMPY",
    "version1.npy, NUMPY",
    "one.libsvm, LIBSVM",
    "arrays, NUMPY",
    "pictures, PICTURES"
  })
  void filesOfOthersAreRecognised(String name, Format format) {
    assertEquals(format, Recognition.of(InputFiles.FOLDER.resolve(name)));
  }

  /** A name may say nothing or the wrong thing: the contents come first. */
  @Test
  void contentsComeBeforeNames() throws IOException {
    byte[] iris = Files.readAllBytes(InputFiles.FOLDER.resolve("iris.csv"));
    byte[] lines = Files.readAllBytes(InputFiles.FOLDER.resolve("one.libsvm"));
    var zipped = new ByteArrayOutputStream();
    try (var out = new GZIPOutputStream(zipped)) {
      out.write(lines);
    }
    assertEquals(Format.CSV, Recognition.of(InputFiles.write(tmp.resolve("a.data"), iris)));
    assertEquals(Format.LIBSVM, Recognition.of(InputFiles.write(tmp.resolve("b.csv"), lines)));
    assertEquals(
        Format.LIBSVM, Recognition.of(InputFiles.write(tmp.resolve("c"), zipped.toByteArray())));
  }

  @Test
  void aFileOfAnotherKindIsNamed() {
    byte[] pdf = {'%', 'P', 'D', 'F', '-', 0, 1, 2};
    Path file = InputFiles.write(tmp.resolve("train.csv"), pdf);
    InputFiles.assertBad(() -> read(file), file.toString(), "a PDF document");
  }

  @Test
  void namesOfClassesAreSorted() {
    LabelledData iris = read(InputFiles.FOLDER.resolve("iris.csv"));
    assertEquals(List.of("setosa", "versicolor", "virginica"), iris.labels());
    assertEquals(150, iris.train().size());
    assertTrue(iris.testSet().isEmpty());
    assertEquals(0, iris.train().label(0));
    assertEquals(2, iris.train().label(149));
    assertEquals(4, iris.train().inputs());
  }

  /** 10 comes after 9, and -1 before 0: numbers are sorted by their value. */
  @Test
  void numbersAreSortedByTheirValue() {
    LabelledData data = read(table("t.csv", "x,y\n1,10\n2,9\n3,-1\n4,2.5\n"));
    assertEquals(List.of("-1", "2.5", "9", "10"), data.labels());
    assertArrayEquals(new byte[] {3, 2, 0, 1}, data.train().labels());
  }

  @Test
  void filesOfAFolderAreToldApartByTheirNames() {
    table("d/mnist_test.csv", "y,x\n1,5\n");
    table("d/mnist_train.csv", "y,x\n0,1\n1,2\n0,3\n");
    table("d/mnist_val.tsv", "x\ty\n7\t0\n8\t1\n");
    LabelledData data = read(tmp.resolve("d"));
    assertEquals(3, data.train().size());
    assertEquals(1, data.test().size());
    assertEquals(2, data.validationSet().orElseThrow().size());
    assertArrayEquals(new byte[] {0, 1}, data.validationSet().get().labels());
  }

  @Test
  void tablesWhoseNamesSayNothingAreRefused() {
    table("d/a.csv", "x,y\n1,2\n");
    table("d/b.csv", "x,y\n1,2\n");
    InputFiles.assertBad(() -> read(tmp.resolve("d")), "a.csv", "train.csv");
    table("e/train-a.csv", "x,y\n1,2\n");
    table("e/train-b.csv", "x,y\n1,2\n");
    InputFiles.assertBad(() -> read(tmp.resolve("e")), "train-a.csv", "train-b.csv");
  }

  /** Kaggle's test.csv has no labels. */
  @Test
  void aTestFileWithoutLabelsIsNoTestSet() {
    table("d/train.csv", "label,x\n0,1\n1,2\n");
    table("d/test.csv", "x\n3\n");
    LabelledData data = read(tmp.resolve("d"));
    assertTrue(data.testSet().isEmpty());
    assertEquals(1, notes.size());
    assertTrue(notes.get(0).contains("test.csv: this file has no labels"), notes.get(0));
  }

  @Test
  void aLabelThatTheTrainingSetLacksIsRefused() {
    table("d/train.csv", "x,y\n1,cat\n2,dog\n");
    table("d/test.csv", "x,y\n1,cat\n2,cow\n");
    InputFiles.assertBad(
        () -> read(tmp.resolve("d")), "test.csv: example 2", "label cow", "cat, dog");
  }

  @Test
  void moreClassesThanANetworkHasAreRefused() {
    var text = new StringBuilder("x,y\n");
    for (int i = 0; i < 257; i++) {
      text.append("1,").append(i).append('\n');
    }
    InputFiles.assertBad(() -> read(table("t.csv", text.toString())), "257", "256");
  }

  @Test
  void theNumberOfClassesMayBeGiven() {
    LabelledData data =
        DataReader.read(
            table("t.csv", "x,y\n1,0\n2,2\n"),
            OptionalInt.of(5),
            ReadOptions.DEFAULT,
            ReadingProgress.NONE,
            notes::add);
    assertEquals(5, data.classes());
    assertArrayEquals(new byte[] {0, 2}, data.train().labels());
  }

  /** MNIST's picture folders and arrays hold the examples of the IDX files in the same order. */
  @Test
  void picturesAreImagesOfBytes() {
    LabelledData data = read(InputFiles.FOLDER.resolve("pictures"));
    assertTrue(data.train().layout() instanceof Layout.Images);
    assertTrue(data.train().isBytes());
    assertEquals(List.of("0", "1", "2"), data.labels());
    assertEquals(3, data.test().size());
  }

  // ---- the cache ----

  private ExampleSet cached(PartCache cache, Path path, ReadOptions options) throws IOException {
    Parts parts =
        cache.get(
            PartCache.key(path, options),
            () ->
                Parts.of(
                    CsvFile.read(path, options, Optional.empty(), true, ReadingProgress.NONE)));
    Optional<float[]> weights = parts.train().weights();
    return new ExampleSet(
        parts.train().layout(),
        parts.train().features(),
        new byte[parts.train().features().size()],
        weights);
  }

  @Test
  void whatWasKeptIsReadAgain() throws IOException {
    Path file =
        table("t.csv", "a,town,w,label\n1.5,Köln,1,x\n2.5,Rom,2,y\n-3.25,,0.5,x\n0,Rom,1,z\n");
    ReadOptions options =
        new ReadOptions(
            Optional.empty(),
            ReadOptions.DEFAULT.table().withWeight("w"),
            ReadOptions.DEFAULT.images(),
            ReadOptions.DEFAULT.arrays());
    var cache = new PartCache(tmp.resolve("cache"), 0);
    String key = PartCache.key(file, options);
    Parts read =
        cache.get(
            key,
            () ->
                Parts.of(
                    CsvFile.read(file, options, Optional.empty(), true, ReadingProgress.NONE)));
    Parts kept =
        cache.get(
            key,
            () -> {
              throw new AssertionError("the file is read again");
            });
    assertEquals(read.train().layout(), kept.train().layout());
    assertEquals(read.train().name(), kept.train().name());
    assertEquals(InputFiles.labels(read.train()), InputFiles.labels(kept.train()));
    assertArrayEquals(read.train().weights().get(), kept.train().weights().get());
    assertArrayEquals(
        InputFiles.values(read.train().features()), InputFiles.values(kept.train().features()));
    assertTrue(kept.test().isEmpty());
  }

  @Test
  void aChangedFileOrOtherOptionsAreReadAnew() throws IOException {
    Path file = table("t.csv", "a,b,label\n1,2,x\n3,4,y\n");
    var cache = new PartCache(tmp.resolve("cache"), 0);
    assertEquals(2, cached(cache, file, ReadOptions.DEFAULT).size());
    ReadOptions ignoring =
        new ReadOptions(
            Optional.empty(),
            ReadOptions.DEFAULT.table().withIgnored(Set.of("b")),
            ReadOptions.DEFAULT.images(),
            ReadOptions.DEFAULT.arrays());
    assertEquals(1, cached(cache, file, ignoring).inputs());
    InputFiles.write(file, "a,b,label\n1,2,x\n3,4,y\n5,6,x\n");
    assertEquals(3, cached(cache, file, ReadOptions.DEFAULT).size());
  }

  /** Each entry is cut at each of many places: none of them is taken for a whole one. */
  @Test
  void aDamagedEntryIsReadAnew() throws IOException {
    Path file = table("t.csv", "a,b,label\n1,2,x\n3,4,y\n");
    var cache = new PartCache(tmp.resolve("cache"), 0);
    ExampleSet good = cached(cache, file, ReadOptions.DEFAULT);
    Path entry = tmp.resolve("cache").resolve(PartCache.key(file, ReadOptions.DEFAULT) + "-train");
    byte[] whole = Files.readAllBytes(entry);
    assertTrue(whole.length > 50);
    for (int length = 0; length < whole.length; length += 3) {
      Files.write(entry, Arrays.copyOf(whole, length));
      ExampleSet again = cached(cache, file, ReadOptions.DEFAULT);
      assertArrayEquals(InputFiles.values(good.features()), InputFiles.values(again.features()));
      assertArrayEquals(whole, Files.readAllBytes(entry), "cut at " + length);
    }
  }

  @Test
  void fewBytesAreNotKept() throws IOException {
    Path file = table("t.csv", "a,label\n1,x\n3,y\n");
    cached(new PartCache(tmp.resolve("cache"), 9), file, ReadOptions.DEFAULT);
    assertFalse(Files.exists(tmp.resolve("cache")));
    cached(new PartCache(tmp.resolve("cache"), 8), file, ReadOptions.DEFAULT);
    assertTrue(Files.exists(tmp.resolve("cache")));
  }

  /** A folder that cannot be made costs the next start time, and this one nothing. */
  @Test
  void aCacheThatCannotBeWrittenIsNoError() throws IOException {
    Path file = table("t.csv", "a,label\n1,x\n3,y\n");
    Path occupied = table("occupied", "a file");
    assertEquals(
        2, cached(new PartCache(occupied.resolve("cache"), 0), file, ReadOptions.DEFAULT).size());
  }
}
