package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.error.BadFileException;
import mlpcuda.error.DeviceException;
import mlpcuda.error.SettingException;
import mlpcuda.error.StoppedException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests the library as a program calls it, on the CPU and on an emulated GPU. */
class LibraryTest {
  private static final int ROWS = 5;
  private static final int COLS = 7;
  private static final int CLASSES = 3;

  /** What the library logs; the tests' networks learn too little not to be warned of. */
  private static final Logger LOG = Logger.getLogger("mlpcuda");

  @TempDir private Path tmp;

  @BeforeAll
  static void printNoLog() {
    LOG.setUseParentHandlers(false);
  }

  /** A device that the tests run on. */
  enum Kind {
    CPU {
      @Override
      Device open() {
        return Device.cpu(1);
      }
    },
    EMULATED_GPU {
      @Override
      Device open() {
        return Device.gpu(0, new OneEmulatedGpu());
      }
    };

    abstract Device open();
  }

  /** One emulated GPU, whose close finds whatever was not released. */
  private static final class OneEmulatedGpu implements Gpus {
    private final EmulatedOptions options = EmulatedOptions.of(EmulatedPolicy.LATEST);

    @Override
    public List<GpuProperties> list() {
      try (var driver = new EmulatedDriver(options)) {
        return List.of(driver.device());
      }
    }

    @Override
    public CudaDriver open(int index) {
      return new EmulatedDriver(options);
    }
  }

  /** Images that are bright where the pixel's number is the label modulo the classes. */
  private static Examples examples(int count, int seed) {
    var random = new Random(seed);
    byte[] pixels = new byte[count * ROWS * COLS];
    byte[] labels = new byte[count];
    for (int i = 0; i < count; i++) {
      labels[i] = (byte) (i % CLASSES);
      for (int p = 0; p < ROWS * COLS; p++) {
        int light = p % CLASSES == i % CLASSES ? 100 : 0;
        pixels[i * ROWS * COLS + p] = (byte) (light + random.nextInt(120));
      }
    }
    return Examples.images(ROWS, COLS, pixels, labels);
  }

  private static Dataset dataset() {
    return Dataset.of(examples(60, 1), examples(30, 2));
  }

  private static Training training() {
    return Training.of(Network.relu(ROWS * COLS, 8, CLASSES))
        .epochs(4)
        .batchSize(8)
        .optimizer(Adam.rate(1e-2))
        .seed(3);
  }

  @ParameterizedTest
  @EnumSource
  void trainsSavesLoadsPredictsAndEvaluates(Kind kind) throws IOException {
    PrintStream before = System.out;
    PrintStream errorsBefore = System.err;
    var printed = new ByteArrayOutputStream();
    var epochs = new ArrayList<EpochResult>();
    try (Device device = kind.open()) {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      System.setErr(System.out);
      TrainingResult run =
          training()
              .validation(0.2)
              .folder(tmp.resolve("run"))
              .onEpoch(epochs::add)
              .fit(dataset(), device);
      System.setOut(before);
      System.setErr(errorsBefore);
      assertEquals("", printed.toString(StandardCharsets.UTF_8), "nothing is printed");
      assertEquals(epochs, run.epochs());
      assertEquals(List.of(1, 2, 3, 4), epochs.stream().map(EpochResult::epoch).toList());
      assertTrue(epochs.get(3).toString().startsWith("Epoch 4/4: mean loss "));
      assertTrue(run.test().accuracy() > 0.9, run.test().toString());
      assertEquals(12, run.validation().orElseThrow().size());
      Path file = tmp.resolve("network.safetensors");
      run.network().save(file);
      assertArrayEquals(
          Files.readAllBytes(tmp.resolve("run/model.safetensors")), Files.readAllBytes(file));
      Network loaded = Network.load(file);
      assertEquals(List.of(ROWS * COLS, 8, CLASSES), loaded.sizes());
      assertEquals(List.of("0", "1", "2"), loaded.labels());
      Examples test = dataset().test();
      try (Model model = loaded.on(device)) {
        Evaluation evaluation = model.evaluate(test);
        assertArrayEquals(run.test().confusion(), evaluation.confusion());
        assertEquals(run.test().loss(), evaluation.loss());
        List<Prediction> all = model.predictAll(test);
        long right =
            IntStream.range(0, test.size())
                .filter(i -> all.get(i).index() == test.label(i))
                .count();
        assertEquals(evaluation.right(), right);
        assertSame(all.get(4), model.predict(test.pixels(4)), 1e-6);
        assertSame(all.get(4), model.predict(lights(test.pixels(4))), 1e-6);
      }
    } finally {
      System.setOut(before);
      System.setErr(errorsBefore);
    }
  }

  private static float[] lights(byte[] pixels) {
    float[] lights = new float[pixels.length];
    for (int i = 0; i < lights.length; i++) {
      lights[i] = Byte.toUnsignedInt(pixels[i]) / 255f;
    }
    return lights;
  }

  private static void assertSame(Prediction expected, Prediction found, double tolerance) {
    assertEquals(expected.label(), found.label());
    assertArrayEquals(expected.probabilities(), found.probabilities(), tolerance);
    double sum = 0;
    for (double probability : found.probabilities()) {
      sum += probability;
    }
    assertEquals(1, sum, 1e-5);
    assertEquals(found.probabilities()[found.index()], found.probability());
  }

  /** A table is learnt, and its network is saved, loaded and asked by the names of its classes. */
  @ParameterizedTest
  @EnumSource
  void aTableIsLearntAndAsked(Kind kind) {
    Dataset iris = Dataset.read(Path.of("src/test/resources/mlpcuda/input/iris.csv"));
    Examples train = iris.train();
    assertEquals(150, train.size());
    assertThrows(IllegalStateException.class, iris::test);
    assertThrows(IllegalStateException.class, () -> train.pixels(0));
    try (Device device = kind.open()) {
      TrainingResult run =
          Training.of(Network.relu(4, 8, 3))
              .epochs(12)
              .batchSize(8)
              .optimizer(Adam.rate(0.02))
              .fit(iris, device);
      assertEquals(23, run.test().size());
      assertTrue(run.test().accuracy() > 0.8, run.test().toString());
      Path file = tmp.resolve("flowers.safetensors");
      run.network().save(file);
      assertEquals(List.of("setosa", "versicolor", "virginica"), Network.load(file).labels());
      try (Model model = Network.load(file).on(device)) {
        List<Prediction> all = model.predictAll(train);
        assertEquals("setosa", all.get(0).label());
        for (int i = 0; i < train.size(); i += 10) {
          assertSame(all.get(i), model.predict(train.values(i)), 1e-6);
        }
        assertThrows(BadFileException.class, () -> model.predict(tmp.resolve("picture.png")));
        // Rows of a program have no names, and the order of their numbers is that of the columns.
        float[] values = train.values(60);
        Examples row = Examples.rows(4, values, new byte[] {1});
        assertEquals(all.get(60).label(), model.predictAll(row).get(0).label());
        assertEquals(1, model.evaluate(row).size());
        Examples wide = Examples.rows(5, new float[5], new byte[1]);
        assertEquals(
            "examples must be of 4 columns as the network's, found 5 columns",
            assertThrows(IllegalArgumentException.class, () -> model.predictAll(wide))
                .getMessage());
      }
    }
  }

  /** Rows that a program has in memory are learnt as the same rows of a file are. */
  @Test
  void rowsInMemoryAreThoseOfAFile() throws IOException {
    var text = new StringBuilder("1,2,label\n");
    float[] values = new float[60];
    byte[] labels = new byte[30];
    for (int i = 0; i < 30; i++) {
      labels[i] = (byte) (i % 2);
      values[2 * i] = i + 0.25f;
      values[2 * i + 1] = labels[i] - 0.5f;
      text.append(values[2 * i])
          .append(',')
          .append(values[2 * i + 1])
          .append(',')
          .append(labels[i]);
      text.append('\n');
    }
    Path folder = Files.createDirectories(tmp.resolve("table"));
    Files.writeString(folder.resolve("train.csv"), text);
    Files.writeString(folder.resolve("test.csv"), text);
    Examples rows = Examples.rows(2, values, labels);
    assertArrayEquals(new float[] {3.25f, 0.5f}, rows.values(3));
    try (Device device = Device.cpu(2)) {
      Training training = Training.of(Network.relu(2, 4, 2)).epochs(2).batchSize(8);
      TrainingResult ofFile = training.fit(Dataset.read(folder), device);
      TrainingResult ofMemory = training.fit(Dataset.of(rows, rows), device);
      for (int t = 0; t < 4; t++) {
        assertArrayEquals(
            ofFile.network().weights().get(t), ofMemory.network().weights().get(t), "tensor " + t);
      }
    }
    values[5] = Float.NaN;
    assertThrows(IllegalArgumentException.class, () -> Examples.rows(2, values, labels));
    assertThrows(IllegalArgumentException.class, () -> Examples.rows(3, values, labels));
  }

  /** Each option says what the files do not. */
  @Test
  void theOptionsOfReadingAreTaken() throws IOException {
    Path file = tmp.resolve("t.txt");
    Files.writeString(file, "id;kind;w;a;b\n1;x;1;0,5;\n2;y;2;1,5;4\n3;x;1;2,5;8\n");
    Reading options =
        Reading.DEFAULT.label("kind").ignore("id").sampleWeight("w").decimalComma().missingAsMean();
    Examples train = Dataset.read(file, options).train();
    assertArrayEquals(new float[] {0.5f, 6}, train.values(0));
    assertArrayEquals(
        new float[] {0.5f, 0}, Dataset.read(file, options.missingAsZero()).train().values(0));
    assertEquals(1, train.label(1));
    assertThrows(BadFileException.class, () -> Dataset.read(file, Reading.DEFAULT.label("none")));
  }

  @ParameterizedTest
  @EnumSource
  void severalThreadsAskOneModel(Kind kind) {
    try (Device device = kind.open();
        Model model = training().epochs(1).fit(dataset(), device).network().on(device)) {
      Examples test = dataset().test();
      List<Prediction> expected =
          IntStream.range(0, test.size()).mapToObj(i -> model.predict(test.pixels(i))).toList();
      ExecutorService threads = Executors.newFixedThreadPool(4);
      try {
        var asked = new ArrayList<CompletableFuture<Prediction>>();
        for (int i = 0; i < test.size(); i++) {
          byte[] pixels = test.pixels(i);
          asked.add(CompletableFuture.supplyAsync(() -> model.predict(pixels), threads));
        }
        for (int i = 0; i < test.size(); i++) {
          assertSame(expected.get(i), asked.get(i).join(), 0);
        }
      } finally {
        threads.shutdown();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aStoppedTrainingGoesOnToTheSameBytes(Kind kind) throws IOException {
    Path whole = tmp.resolve("whole");
    Path stopped = tmp.resolve("stopped");
    try (Device device = kind.open()) {
      training().folder(whole).fit(dataset(), device);
      Thread waiting = Thread.currentThread();
      Training interrupted =
          training()
              .folder(stopped)
              .onEpoch(
                  epoch -> {
                    if (epoch.epoch() == 2) {
                      waiting.interrupt();
                      awaitWaitingAgain(waiting);
                    }
                  });
      StoppedException e =
          assertThrows(StoppedException.class, () -> interrupted.fit(dataset(), device));
      assertTrue(Thread.interrupted(), "the interrupt is kept");
      assertTrue(e.getMessage().contains("Training.resume of " + stopped), e.getMessage());
      assertThrows(IllegalStateException.class, () -> Training.resume(stopped).batchSize(4));
      TrainingResult resumed = Training.resume(stopped).fit(dataset(), device);
      assertTrue(resumed.epochs().size() < 4, "only what was missing is trained");
      assertArrayEquals(
          Files.readAllBytes(whole.resolve("model.safetensors")),
          Files.readAllBytes(stopped.resolve("model.safetensors")));
      Dataset others = Dataset.of(examples(60, 5), examples(30, 2));
      Training again = Training.resume(stopped).epochs(6);
      String refused =
          assertThrows(BadFileException.class, () -> again.fit(others, device)).getMessage();
      assertTrue(refused.contains("must be those that the run began with"), refused);
      assertEquals(2, again.fit(dataset(), device).epochs().size());
    }
  }

  @Test
  void aCancelledTrainingEndsInTheMidstOfAnEpoch() {
    var asked = new AtomicInteger();
    Training cancelled = training().cancelWhen(() -> asked.incrementAndGet() > 3);
    try (Device device = Device.cpu(1)) {
      StoppedException e =
          assertThrows(StoppedException.class, () -> cancelled.fit(dataset(), device));
      assertEquals("stopped in epoch 1, after step 3", e.getMessage());
    }
  }

  /**
   * Waits until the thread has taken the interrupt, asked the training to stop, and waits for it to
   * end.
   */
  private static void awaitWaitingAgain(Thread thread) {
    while (thread.isInterrupted() || thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
  }

  @Test
  void warningsAreLogged() {
    var logged = new ArrayList<String>();
    var handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            logged.add(record.getLevel() + ": " + record.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    LOG.addHandler(handler);
    try (Device device = Device.cpu(1)) {
      Examples train = examples(3, 1);
      byte[] pixels = new byte[2 * ROWS * COLS];
      pixels[3] = 100; // pixels that are all equal have no z-score
      Examples lacking = Examples.images(ROWS, COLS, pixels, new byte[] {0, (byte) train.label(2)});
      Training.of(Network.relu(ROWS * COLS, 4, CLASSES))
          .epochs(0)
          .optimizer(Sgd.rate(0.1))
          .fit(Dataset.of(lacking, train), device);
      assertTrue(
          logged.contains("WARNING: Class 1 has no training example: the network cannot learn it."),
          logged.toString());
    } finally {
      LOG.removeHandler(handler);
    }
  }

  @Test
  void aFinishedFolderIsNotReplacedUnlessAsked() {
    Training once = training().epochs(1).folder(tmp.resolve("run"));
    try (Device device = Device.cpu(1)) {
      once.fit(dataset(), device);
      String refused =
          assertThrows(IllegalStateException.class, () -> once.fit(dataset(), device)).getMessage();
      assertTrue(refused.contains("holds a finished run"), refused);
      once.overwrite().fit(dataset(), device);
    }
  }

  @Test
  void aTrainedNetworkIsTrainedOn() {
    try (Device device = Device.cpu(1)) {
      Network once = training().epochs(1).fit(dataset(), device).network();
      TrainingResult twice = Training.of(once).epochs(1).batchSize(8).fit(dataset(), device);
      TrainingResult fresh =
          Training.of(Network.relu(ROWS * COLS, 8, CLASSES))
              .epochs(1)
              .batchSize(8)
              .fit(dataset(), device);
      assertTrue(twice.epochs().get(0).loss() < fresh.epochs().get(0).loss());
      assertFalse(Network.relu(2, 2).isTrained());
      assertTrue(once.isTrained());
      assertEquals(4, once.weights().size());
    }
  }

  @Test
  void predictsAPicture() throws IOException {
    Path picture = tmp.resolve("picture.pgm");
    byte[] pixels = dataset().test().pixels(1);
    byte[] header = "P5 %d %d 255\n".formatted(COLS, ROWS).getBytes(StandardCharsets.US_ASCII);
    var whole = new ByteArrayOutputStream();
    whole.write(header);
    whole.write(pixels);
    Files.write(picture, whole.toByteArray());
    try (Device device = Device.cpu(1);
        Model model = training().fit(dataset(), device).network().on(device)) {
      assertEquals("1", model.predict(picture).label());
      assertThrows(BadFileException.class, () -> model.predict(tmp.resolve("missing.png")));
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (Device device = Device.cpu(1)) {
      assertThrows(IllegalStateException.class, () -> Network.relu(4, 2).on(device));
      assertThrows(
          IllegalStateException.class, () -> Network.relu(4, 2).save(tmp.resolve("x.safetensors")));
      assertThrows(IllegalArgumentException.class, () -> Network.relu(4));
      assertThrows(IllegalArgumentException.class, () -> Training.preset("129x64"));
      assertThrows(IllegalArgumentException.class, () -> training().epochs(-1));
      assertThrows(IllegalArgumentException.class, () -> training().batchSize(0));
      assertThrows(IllegalArgumentException.class, () -> training().schedule("nonsense"));
      assertThrows(IllegalArgumentException.class, () -> training().validation(0));
      assertThrows(IllegalArgumentException.class, () -> training().dropout(1.5));
      assertThrows(IllegalArgumentException.class, () -> training().optimizer(Adam.rate(-1)));
      assertThrows(
          IllegalArgumentException.class, () -> Examples.images(2, 2, new byte[7], new byte[2]));
      for (double decay : new double[] {0, 1, Double.NaN}) {
        SettingException wrong = assertThrows(SettingException.class, () -> training().ema(decay));
        assertEquals("ema: must be a number above 0, below 1, found " + decay, wrong.getMessage());
      }
      SettingException early =
          assertThrows(
              SettingException.class, () -> training().earlyStopping(2).fit(dataset(), device));
      assertEquals("validation", early.setting());
      SettingException size =
          assertThrows(
              SettingException.class,
              () -> Training.of(Network.relu(4, CLASSES)).fit(dataset(), device));
      assertTrue(size.getMessage().contains("must have 35 inputs and 3 classes"));
      try (Model model = training().epochs(0).fit(dataset(), device).network().on(device)) {
        assertThrows(IllegalArgumentException.class, () -> model.predict(new byte[3]));
        assertThrows(IllegalArgumentException.class, () -> model.predict(new float[3]));
        Runnable closing = model::close;
        closing.run();
        assertThrows(IllegalStateException.class, () -> model.predict(new byte[ROWS * COLS]));
      }
      Training asks = training().onEpoch(epoch -> device.call(() -> null));
      String busy =
          assertThrows(IllegalStateException.class, () -> asks.fit(dataset(), device)).getMessage();
      assertTrue(busy.startsWith("the device is at work"), busy);
      Runnable closing = device::close;
      closing.run();
      assertThrows(IllegalStateException.class, () -> training().fit(dataset(), device));
    }
    assertThrows(IllegalArgumentException.class, () -> Device.cpu(0));
  }

  /** A message of the library names a setting, and no option of the command line. */
  @Test
  void noGpuIsADeviceExceptionWithARemedy() {
    Gpus none =
        new Gpus() {
          @Override
          public List<GpuProperties> list() {
            throw new DeviceException("no GPU here", "Look elsewhere.");
          }

          @Override
          public CudaDriver open(int index) {
            throw new DeviceException("no GPU here", "Look elsewhere.");
          }
        };
    DeviceException e = assertThrows(DeviceException.class, () -> Device.gpu(0, none));
    assertEquals("no GPU here", e.why());
  }

  /** A network that is an average answers otherwise, and its training resumes like any other. */
  @ParameterizedTest
  @EnumSource
  void averagesTheWeights(Kind kind) throws IOException {
    Path file = tmp.resolve("averaged/model.safetensors");
    try (Device device = kind.open()) {
      Training training = Training.of(Network.lecunTanh(ROWS * COLS, 8, CLASSES)).batchSize(8);
      training.epochs(4).fit(dataset(), device).network().save(tmp.resolve("raw"));
      Training averaged = training.ema(0.9).folder(tmp.resolve("averaged"));
      averaged.epochs(4).fit(dataset(), device);
      byte[] whole = Files.readAllBytes(file);
      assertFalse(Arrays.equals(Files.readAllBytes(tmp.resolve("raw")), whole));
      averaged.overwrite().epochs(2).fit(dataset(), device);
      assertFalse(Arrays.equals(whole, Files.readAllBytes(file)));
      Training.resume(tmp.resolve("averaged")).epochs(4).fit(dataset(), device);
      assertArrayEquals(whole, Files.readAllBytes(file));
    }
  }

  /** The importance of columns is measured where it is asked for, and for tables alone. */
  @ParameterizedTest
  @EnumSource
  void tellsTheImportanceOfColumns(Kind kind) throws IOException {
    var text = new StringBuilder("noise,sign,label\n");
    for (int i = 0; i < 60; i++) {
      text.append("%d,%d,%s%n".formatted(i * 37 % 11, i % 2, i % 2 == 0 ? "no" : "yes"));
    }
    Dataset table = Dataset.read(Files.writeString(tmp.resolve("table.csv"), text));
    Training training =
        Training.of(Network.relu(2, 8, 2)).epochs(10).batchSize(8).optimizer(Adam.rate(1e-2));
    try (Device device = kind.open()) {
      assertEquals(List.of(), training.fit(table, device).importance());
      List<ColumnImportance> found = training.importance().fit(table, device).importance();
      assertEquals(List.of("sign", "noise"), found.stream().map(ColumnImportance::column).toList());
      assertTrue(found.get(0).accuracyDrop() > 0.1, found.toString());
      assertTrue(found.get(0).lossRise() > found.get(1).lossRise(), found.toString());
      String refused =
          assertThrows(SettingException.class, () -> training().importance().fit(dataset(), device))
              .getMessage();
      assertTrue(refused.contains("rows of a table, found images of 5x7"), refused);
    }
  }
}
