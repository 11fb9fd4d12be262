package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.Child;
import mlpcuda.picture.Picture;
import mlpcuda.picture.PictureFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PredictCommandTest {
  @TempDir static Path tmp;
  private static Path model;
  private static Path images;

  @BeforeAll
  static void train() {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 4, 60, 20);
    Path run = tmp.resolve("run");
    Program.succeed(
        Program.words(
            "--cpu --epochs 20 --batch-size 8 --prepare mnist-form", "--data", data, "--out", run));
    model = run.resolve("model.safetensors");
    images = data.resolve("t10k-images-idx3-ubyte");
  }

  private static Program predict(String line, Object... files) {
    return ask(model, line, files);
  }

  private static Program ask(Path model, String line, Object... files) {
    Object[] words = Program.words("predict --cpu " + line, files);
    var all = new ArrayList<Object>(List.of(words));
    all.addAll(List.of("--model", model));
    return Program.run(all.toArray());
  }

  private Path pgm(String name, String text) throws IOException {
    return Files.write(tmp.resolve(name), text.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void aLineForEachImage() {
    Program all = predict("--raw", images);
    assertEquals(0, all.code(), all.err());
    assertEquals(1, all.err().lines().count(), all.err());
    assertTrue(all.err().strip().endsWith("(--cpu)"), all.err());
    assertEquals(20, all.lines().size());
    for (int i = 0; i < 20; i++) {
      String line = all.lines().get(i);
      assertTrue(line.startsWith(images + "[" + i + "]: " + i % 4 + " ("), line);
      String answer = "\\d [01]\\.\\d{4}";
      assertTrue(line.matches(".*: \\d \\([\\d.]+%; then " + answer + ", " + answer + "\\)"), line);
      assertFalse(line.matches(".*: (\\d) \\(.*[ ,]\\1 [01]\\..*"), "each class once: " + line);
    }
    Program some = predict("--raw --index 3..5", images);
    assertEquals(all.lines().subList(3, 6), some.lines());
    Program one = predict("--raw --index 19", images);
    assertEquals(List.of(all.lines().get(19)), one.lines());
  }

  @Test
  void jsonSaysTheSame() {
    Program json = predict("--raw --json --index 2..3", images);
    Map<String, Object> answers = Program.json(json.out());
    assertEquals(List.of("images"), List.copyOf(answers.keySet()));
    Map<?, ?> first = (Map<?, ?>) ((List<?>) answers.get("images")).get(0);
    assertEquals(images.toString(), first.get("file"));
    assertEquals(2, first.get("index"));
    assertEquals(2, first.get("class"));
    List<?> likeliest = (List<?>) first.get("likeliest");
    assertEquals(3, likeliest.size());
    assertEquals(first.get("probability"), ((Map<?, ?>) likeliest.get(0)).get("probability"));
    Program plain = predict("--raw --index 2..3", images);
    assertEquals(plain.err() + plain.out(), json.err());
  }

  @Test
  void probabilitiesOfAllClassesMakeOne() {
    Path data = Program.writeData(tmp.resolve("two"), 5, 7, 2, 10, 5);
    Path run = tmp.resolve("run2");
    Program.succeed(Program.words("--cpu --epochs 1", "--data", data, "--out", run));
    Path two = run.resolve("model.safetensors");
    Program json = ask(two, "--json --raw --index 0", data.resolve("t10k-images-idx3-ubyte"));
    var image = (Map<?, ?>) ((List<?>) Program.json(json.out()).get("images")).get(0);
    double sum = 0;
    for (Object answer : (List<?>) image.get("likeliest")) {
      sum += ((Number) ((Map<?, ?>) answer).get("probability")).doubleValue();
    }
    assertEquals(1, sum, 1e-6);
  }

  @Test
  void bringsAnySizeToTheNetworks() throws IOException {
    Path file = pgm("bar.pgm", "P2 3 9 9\n" + "9 0 9\n".repeat(9));
    Program program = predict("", file);
    assertEquals(0, program.code(), program.err());
    assertTrue(program.lastLine().startsWith(file + ": "), program.lastLine());
  }

  @Test
  void refusesAnotherSizeWithRaw() throws IOException {
    Path file = pgm("bar.pgm", "P2 3 2 9\n9 0 9 9 0 9\n");
    predict("--raw", file)
        .assertRefused(
            4,
            file
                + ": with --raw a picture must be 5x7 as the network's inputs, and this one is 2x3");
  }

  @Test
  void aBadPictureAmongGoodOnesStopsNoOthers() throws IOException {
    Path bad = pgm("bad.pgm", "P2 3 2 9\n9 0 9");
    String why = bad + ": 6 samples need at least 20 bytes, found 14";
    Program alone = predict("--raw", images);
    Program program = predict("--raw", bad, images);
    assertEquals(4, program.code());
    assertEquals(alone.out(), program.out());
    assertEquals(why, program.err().lines().findFirst().orElseThrow());
    Program json = predict("--raw --json", bad, images);
    assertEquals(4, json.code());
    Map<String, Object> document = Program.json(json.out());
    assertEquals(20, ((List<?>) document.get("images")).size());
    assertEquals(List.of(Map.of("file", bad.toString(), "error", why)), document.get("failed"));
  }

  @Test
  void picturesModelsAndIdxFilesComeFromPipesToo() throws IOException {
    Path picture = pgm("bar.pgm", "P2 3 9 9\n" + "9 0 9\n".repeat(9));
    String answer = predict("", picture).lastLine().replace(picture.toString(), "");
    assertEquals("-" + answer, fromStandardInput(picture, () -> predict("", "-")).lastLine());
    String all = predict("--raw", images).out().replace(images.toString(), "-");
    assertEquals(all, fromStandardInput(images, () -> predict("--raw", "-")).out());
    assertEquals(
        picture + answer,
        fromStandardInput(model, () -> ask(Path.of("-"), "", picture)).lastLine());
    try (Pipe pictures = new Pipe(tmp.resolve("pictures"), picture);
        Pipe idx = new Pipe(tmp.resolve("idx"), images);
        Pipe models = new Pipe(tmp.resolve("models"), model)) {
      Program program = ask(models.path, "", pictures.path, idx.path);
      assertEquals(0, program.code(), program.err());
      assertEquals(pictures.path + answer, program.lines().get(0));
      assertEquals(21, program.lines().size());
    }
    predict("", "-", "-")
        .assertRefused(
            2,
            "- is standard input, which can be read only once; it is named more than once",
            "'mlp-cuda predict --help' lists the options.");
  }

  private static Program fromStandardInput(Path file, Supplier<Program> program)
      throws IOException {
    return fromStandardInput(Files.newInputStream(file), program);
  }

  private static Program fromStandardInput(InputStream bytes, Supplier<Program> program)
      throws IOException {
    InputStream before = System.in;
    try (bytes) {
      System.setIn(bytes);
      return program.get();
    } finally {
      System.setIn(before);
    }
  }

  /** A named pipe into which a process writes a file once. */
  private static final class Pipe implements AutoCloseable {
    private final Path path;
    private final Child writer;

    Pipe(Path path, Path file) {
      this.path = path;
      try (Child make = Child.start(List.of("mkfifo", path.toString()))) {
        assertEquals(0, make.exitCode());
      }
      writer =
          Child.start(List.of("sh", "-c", "cat \"$0\" > \"$1\"", file.toString(), path.toString()));
    }

    @Override
    public void close() {
      writer.close();
    }
  }

  /** No more is read than the header says, so that memory does not fill with an endless file. */
  @Test
  void aModelWithoutAnEndIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(model);
    var zeros =
        new InputStream() {
          private long left = 64 << 20; // far more than a reader may take

          @Override
          public int read() throws IOException {
            if (left-- <= 0) {
              throw new IOException("all of it was read");
            }
            return 0;
          }
        };
    Program program =
        fromStandardInput(
            new SequenceInputStream(new ByteArrayInputStream(whole), zeros),
            () -> ask(Path.of("-"), "", images));
    assertEquals(4, program.code());
    String start = "standard input: the file goes on after its last tensor, byte ";
    assertTrue(program.err().startsWith(start), program.err());
    assertEquals(1, program.err().lines().count(), program.err());
  }

  @Test
  void aModelFromAPipeThatIsCutOffIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(model);
    for (int length : new int[] {0, 5, 100, whole.length - 1}) {
      Program program =
          fromStandardInput(
              new ByteArrayInputStream(whole, 0, length), () -> ask(Path.of("-"), "", images));
      assertEquals(4, program.code(), program.err());
      assertTrue(program.err().startsWith("standard input: "), program.err());
      assertEquals(1, program.err().lines().count(), program.err());
    }
  }

  @Test
  void everyCommandReadsItsModelFromAPipe() throws IOException {
    Path data = images.getParent();
    String evaluation = Program.run("evaluate", "--cpu", "--data", data, "--model", model).out();
    assertEquals(
        evaluation,
        fromStandardInput(
                model, () -> Program.run("evaluate", "--cpu", "--data", data, "--model", "-"))
            .out());
    Path file = tmp.resolve("file.onnx");
    Path piped = tmp.resolve("piped.onnx");
    Program.succeed("export", "--model", model, "--onnx", file);
    fromStandardInput(model, () -> Program.succeed("export", "--model", "-", "--onnx", piped));
    assertEquals(-1, Files.mismatch(file, piped));
    String summary = Program.run("summary", "--model", model).out();
    assertEquals(
        summary, fromStandardInput(model, () -> Program.run("summary", "--model", "-")).out());
    Object[] train = Program.words("--cpu --dry-run --epochs 0 --data", data, "--init");
    Program init = Program.run(Stream.concat(Stream.of(train), Stream.of(model)).toArray());
    assertEquals(0, init.code(), init.err());
    assertEquals(
        init.lastLine(),
        fromStandardInput(
                model, () -> Program.run(Stream.concat(Stream.of(train), Stream.of("-")).toArray()))
            .lastLine());
  }

  @Test
  void aDeviceWithoutAnEndIsRefused() {
    Program picture = predict("", Path.of("/dev/zero"));
    assertEquals(4, picture.code());
    assertEquals(1, picture.err().lines().count(), picture.err());
    Program network = ask(Path.of("/dev/zero"), "", images);
    assertEquals(4, network.code());
    assertEquals(1, network.err().lines().count(), network.err());
  }

  @Test
  void refusesABlankPicture() throws IOException {
    Path file = pgm("blank.pgm", "P2 3 2 255\n200 200 195 200 200 200\n");
    predict("", file)
        .assertRefused(
            4,
            file + ": blank: ink must differ from the paper by at least 16 of 255 levels, found 5");
  }

  @Test
  void refusesAFileThatIsNoPicture() throws IOException {
    Path file = pgm("letter.txt", "Dear Yann");
    predict("", file)
        .assertRefused(
            4,
            file
                + ": this is a text, and a picture must be a PNG, JPEG, GIF, BMP, TIFF, WebP or PGM"
                + " file or an IDX file; other kinds can be saved as PNG or JPEG");
    predict("", tmp.resolve("none.png"))
        .assertRefused(4, tmp.resolve("none.png") + ": no such file");
    predict("", tmp).assertRefused(4, tmp + ": this is a folder, not a picture");
  }

  @Test
  void oneBadPictureAmongGoodOnesIsNamedAndTheOthersAnswered() throws IOException {
    Path good = pgm("good.pgm", "P2 3 9 9\n" + "9 0 9\n".repeat(9));
    Path blank = pgm("blank.pgm", "P2 3 2 255\n200 200 195 200 200 200\n");
    Path letter = pgm("letter.txt", "Dear Yann");
    Path missing = tmp.resolve("none.png");
    Program alone = predict("", good);
    Program program = predict("", letter, good, missing, blank, good);
    assertEquals(4, program.code());
    assertEquals(List.of(alone.out().strip(), alone.out().strip()), program.lines());
    List<String> said = program.err().lines().toList();
    assertEquals(4, said.size(), program.err());
    assertTrue(said.get(0).startsWith(letter + ": "), said.get(0));
    assertEquals(alone.err().strip(), said.get(1));
    assertEquals(missing + ": no such file", said.get(2));
    assertTrue(said.get(3).startsWith(blank + ": blank: "), said.get(3));
  }

  @Test
  void jsonNamesTheBadPictures() throws IOException {
    Path good = pgm("good.pgm", "P2 3 9 9\n" + "9 0 9\n".repeat(9));
    Path missing = tmp.resolve("none.png");
    Program program = predict("--json", missing, good);
    assertEquals(4, program.code());
    Map<String, Object> json = Program.json(program.out());
    List<?> answers = (List<?>) json.get("images");
    assertEquals(1, answers.size());
    assertEquals(good.toString(), ((Map<?, ?>) answers.get(0)).get("file"));
    List<?> failed =
        List.of(Map.of("file", missing.toString(), "error", missing + ": no such file"));
    assertEquals(failed, json.get("failed"));
    Program none = predict("--json", missing);
    assertEquals(4, none.code());
    assertEquals(Map.of("images", List.of(), "failed", failed), Program.json(none.out()));
  }

  /**
   * There are more pictures than are answered at once, the last of them bad; each gets its own
   * answer.
   */
  @Test
  void manyPictures() throws IOException {
    Path many = tmp.resolve("many");
    byte[] file = Files.readAllBytes(images);
    ByteBuffer bytes = ByteBuffer.allocate(16 + 2500 * 35);
    bytes.putInt(0x803).putInt(2500).putInt(5).putInt(7);
    for (int i = 0; i < 2499; i++) {
      bytes.put(file, 16 + i % 20 * 35, 35);
    }
    Files.write(many, bytes.array());
    Program program = predict("", many); // brought to MNIST's form, which a blank image has not
    assertEquals(4, program.code());
    assertEquals(2499, program.lines().size());
    Program twenty = predict("", images);
    for (int i = 0; i < 2499; i++) {
      assertEquals(
          twenty.lines().get(i % 20).replace(images + "[" + i % 20, many + "[" + i),
          program.lines().get(i));
    }
    assertEquals(2, program.err().lines().count(), program.err());
    assertTrue(program.err().contains(many + "[2499]: blank: "), program.err());
  }

  /** A saved picture is answered as the original was: the network gets the same pixels. */
  @Test
  void showSavesWhatTheNetworkSaw() throws IOException {
    Path folder = tmp.resolve("new").resolve("seen");
    Path bar = pgm("a b:c.pgm", "P2 3 9 9\n" + "9 0 9\n".repeat(9));
    Path other = Files.createDirectories(tmp.resolve("other")).resolve("a b:c.pgm");
    Files.copy(bar, other);
    Path missing = tmp.resolve("none.png");
    Object[] shown = {"--show", folder};
    Program program =
        predict(
            "",
            shown[0],
            shown[1],
            bar,
            missing,
            other,
            Path.of(tmp.toString(), "other", "..", "a b:c.pgm"));
    assertEquals(4, program.code());
    assertEquals(Set.of("0001-a_b_c.png", "0003-a_b_c.png", "0004-a_b_c.png"), names(folder));
    Program again = predict("--raw", folder.resolve("0001-a_b_c.png"));
    assertEquals(0, again.code(), again.err());
    assertEquals(
        program.lines().get(0).substring(bar.toString().length()),
        again.lines().get(0).substring(folder.resolve("0001-a_b_c.png").toString().length()));
    Path indexed = tmp.resolve("indexed");
    assertEquals(0, predict("--index 3..4 --raw", "--show", indexed, images).code());
    assertEquals(
        Set.of("0001-t10k-images-idx3-ubyte-3.png", "0002-t10k-images-idx3-ubyte-4.png"),
        names(indexed));
    Picture seen = PictureFile.read(indexed.resolve("0002-t10k-images-idx3-ubyte-4.png")).get(0);
    assertEquals(5, seen.rows());
    assertEquals(7, seen.cols());
    assertArrayEquals(
        Arrays.copyOfRange(Files.readAllBytes(images), 16 + 4 * 35, 16 + 5 * 35), seen.pixels());
  }

  private static Set<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  @Test
  void showNeedsAFolder() throws IOException {
    Path file = pgm("file", "");
    Program program = predict("", "--show", file, images);
    assertTrue(program.code() != 0 && program.out().isEmpty(), program.out());
    assertTrue(program.err().startsWith("--show " + file + ": "), program.err());
  }

  /** A file named after @ would be read for arguments, and told in the message about them. */
  @Test
  void anOperandThatBeginsWithAtIsAFileOfThatName() throws IOException {
    Path secret = Files.writeString(tmp.resolve("secret.txt"), "the-first-line\n");
    for (String[] words : new String[][] {{"--", "@" + secret}, {"@" + secret}}) {
      var args = new ArrayList<Object>(List.of("predict", "--cpu", "--model", model));
      args.addAll(List.of(words));
      Program program = Program.run(args.toArray());
      assertEquals(4, program.code(), program.err());
      assertFalse(program.err().contains("the-first-line"), program.err());
      assertTrue(program.err().startsWith("@" + secret + ": no such file"), program.err());
    }
    Program train = Program.run("train", "--cpu", "--", "@" + secret);
    assertEquals(2, train.code());
    assertFalse(train.err().contains("the-first-line"), train.err());
  }

  @Test
  void rawIsAPreparationOfItsOwn() {
    assertUsage(
        predict("--raw --prepare as-is", images),
        "--raw and --prepare exclude each other, found both");
    assertUsage(
        predict("--prepare mnist-from", images),
        "Invalid value for option '--prepare': must be one of mnist-form, as-is, found mnist-from;"
            + " did you mean mnist-form?");
  }

  private static void assertUsage(Program program, String message) {
    program.assertRefused(2, message, "'mlp-cuda predict --help' lists the options.");
  }

  @ParameterizedTest
  @CsvSource({"5..3", "-1", "x", "1..2..3", "..3", "99999999999"})
  void refusesBadRanges(String range) {
    assertUsage(
        predict("--index=" + range, images),
        "Invalid value for option '--index': must be a whole number from 0 to 2147483647, or two,"
            + " in order, as in 0..9, found "
            + range);
  }

  @Test
  void refusesIndicesThatAreNotThere() throws IOException {
    assertUsage(
        predict("--index 18..20", images),
        "Invalid value for option '--index': must be below the 20 images of "
            + images
            + ", found 20");
    Path file = pgm("bar.pgm", "P2 3 2 9\n9 0 9 9 0 9\n");
    assertUsage(predict("--index 0", file), "--index is of IDX files, found " + file);
  }

  /** The rows of a data set are turned as images of IDX files are: 5x7 becomes 7x5. */
  @Test
  void rowsAreTransposedAsTheModelSays() {
    Path data = Program.writeData(tmp.resolve("turned"), 5, 7, 4, 60, 20);
    Path run = tmp.resolve("turned-run");
    Program.succeed(
        Program.words(
            "--cpu --epochs 5 --transpose --prepare as-is", "--data", data, "--out", run));
    Path turned = run.resolve("model.safetensors");
    Program rows = ask(turned, "--json --data", data);
    assertEquals(0, rows.code(), rows.err());
    assertTrue(
        rows.err()
            .contains(
                "The images are transposed, as the model says; --no-transpose reads them as they"
                    + " are."),
        rows.err());
    Program pictures = ask(turned, "--json --raw", data.resolve("t10k-images-idx3-ubyte"));
    List<?> answers = (List<?>) Program.json(rows.out()).get("rows");
    List<?> expected = (List<?>) Program.json(pictures.out()).get("images");
    assertEquals(20, answers.size());
    for (int i = 0; i < 20; i++) {
      for (String key : List.of("class", "probability")) {
        assertEquals(
            ((Map<?, ?>) expected.get(i)).get(key), ((Map<?, ?>) answers.get(i)).get(key), key);
      }
    }
    assertEquals(4, ask(turned, "--no-transpose --data", data).code(), "7x5 are not 5x7");
  }

  @Test
  void refusesNoImage() {
    assertUsage(predict(""), "Missing required parameter: 'IMAGE', or --data");
  }
}
