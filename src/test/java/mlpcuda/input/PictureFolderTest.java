package mlpcuda.input;

import static mlpcuda.input.InputFiles.FOLDER;
import static mlpcuda.input.InputFiles.assertBad;
import static mlpcuda.input.InputFiles.images;
import static mlpcuda.input.InputFiles.labels;
import static mlpcuda.input.InputFiles.values;
import static mlpcuda.input.InputFiles.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests on pictures that Pillow wrote, see scripts/input_fixtures.py, and on the JDK's. */
class PictureFolderTest {
  @TempDir Path tmp;

  private static Parts read(Path folder) {
    return PictureFolder.read(folder, ReadOptions.DEFAULT, ReadingProgress.NONE);
  }

  private static Parts read(Path folder, ReadOptions options) {
    return PictureFolder.read(folder, options, ReadingProgress.NONE);
  }

  /** Writes a picture of one grey level. */
  private void picture(String file, int level, int rows, int cols) throws IOException {
    write(tmp.resolve(file), png(level, rows, cols));
  }

  private static byte[] png(int level, int rows, int cols) throws IOException {
    var image = new BufferedImage(cols, rows, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < rows * cols; i++) {
      image.getRaster().setSample(i % cols, i / cols, 0, level);
    }
    return encoded(image);
  }

  private static byte[] encoded(BufferedImage image) throws IOException {
    var bytes = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(image, "png", bytes));
    return bytes.toByteArray();
  }

  /** Files that are named by their positions come back in the order of the arrays. */
  @Test
  void readsPicturesInTheOrderOfTheirNumbers() {
    Parts parts = read(FOLDER.resolve("pictures"));
    Parts arrays =
        NumpyReader.read(FOLDER.resolve("keras.npz"), ReadOptions.DEFAULT, ReadingProgress.NONE);
    assertArrayEquals(
        Arrays.copyOf(arrays.train().features().array(), 6 * 20), parts.train().features().array());
    assertEquals(labels(arrays.train()).subList(0, 6), labels(parts.train()));
    assertArrayEquals(
        arrays.test().orElseThrow().features().array(),
        parts.test().orElseThrow().features().array());
    assertEquals(labels(arrays.test().orElseThrow()), labels(parts.test().orElseThrow()));
    assertEquals(Layout.Images.grey(5, 4), parts.train().layout());
    assertEquals(List.of(), parts.warnings());
  }

  /** Images of MNIST that are exported as PNG give the very same bytes in the same order. */
  @Test
  void readsMnistAsItIs() throws IOException {
    ExampleSet mnist = EmbeddedMnist.load().test();
    int count = 1000;
    for (int i = 0; i < count; i++) {
      var image = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
      byte[] pixels = Arrays.copyOfRange(mnist.features().array(), i * 784, (i + 1) * 784);
      image.getRaster().setDataElements(0, 0, 28, 28, pixels);
      write(tmp.resolve("train/%d/%05d.png".formatted(mnist.labels()[i], i)), encoded(image));
    }
    Part train = read(tmp).train();
    assertArrayEquals(
        Arrays.copyOf(mnist.features().array(), count * 784), train.features().array());
    assertEquals(
        IntStream.range(0, count).mapToObj(i -> "" + mnist.labels()[i]).toList(), labels(train));
  }

  @Test
  void ordersByClassAndNumberInTheName() throws IOException {
    for (String file : List.of("10/a2.png", "10/a10.png", "9/b.png", "9/a.png", "9/B.png")) {
      picture(file, file.hashCode() & 0xff, 2, 2);
    }
    Part part = read(tmp).train();
    assertEquals(List.of("9", "9", "9", "10", "10"), labels(part));
    List<String> files = List.of("9/B.png", "9/a.png", "9/b.png", "10/a2.png", "10/a10.png");
    float[] pixels = values(part.features());
    for (int i = 0; i < files.size(); i++) {
      assertEquals(files.get(i).hashCode() & 0xff, pixels[4 * i], files.get(i));
    }
  }

  /** Numbers that are not unique over all classes are names within their class. */
  @Test
  void ordersRepeatedNumbersByClass() throws IOException {
    for (String file : List.of("b/1.png", "b/10.png", "b/2.png", "a/2.png", "a/03.png")) {
      picture(file, file.hashCode() & 0xff, 1, 1);
    }
    float[] pixels = values(read(tmp).train().features());
    List<String> files = List.of("a/2.png", "a/03.png", "b/1.png", "b/2.png", "b/10.png");
    for (int i = 0; i < files.size(); i++) {
      assertEquals(files.get(i).hashCode() & 0xff, pixels[i], files.get(i));
    }
  }

  @Test
  void bringsPicturesToTheSizeOfTheFirst() throws IOException {
    picture("a/1.png", 10, 4, 6);
    picture("b/2.png", 20, 8, 12);
    picture("b/3.png", 30, 3, 3);
    Part part = read(tmp).train();
    assertEquals(Layout.Images.grey(4, 6), part.layout());
    float[] pixels = values(part.features());
    for (int i = 0; i < pixels.length; i++) {
      assertEquals(10 * (i / 24 + 1), pixels[i]);
    }
    assertEquals(Layout.Images.grey(2, 2), read(tmp, images(2, 2, false, false)).train().layout());
  }

  @Test
  void keepsColours() throws IOException {
    Files.createDirectories(tmp.resolve("a"));
    Files.copy(FOLDER.resolve("colours.png"), tmp.resolve("a/1.png"));
    picture("b/2.png", 77, 2, 2);
    Part part = read(tmp, images(0, 0, true, false)).train();
    assertEquals(new Layout.Images(2, 2, 3), part.layout());
    assertArrayEquals(
        new float[] {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30},
        Arrays.copyOf(values(part.features()), 12));
    assertEquals(77, values(part.features())[23]);
    float[] grey = values(read(tmp).train().features());
    assertArrayEquals(new float[] {76, 150, 29, 18}, Arrays.copyOf(grey, 4));
  }

  /** All of a transparent picture's colours are put on one ground. */
  @Test
  void putsTransparentColoursOnOneGround() throws IOException {
    var image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
    image.setRGB(0, 0, 0xffff2000); // opaque; its red alone is as light as white ink
    write(tmp.resolve("a/1.png"), encoded(image));
    picture("b/2.png", 77, 1, 2);
    float[] values = values(read(tmp, images(0, 0, true, false)).train().features());
    assertArrayEquals(new float[] {255, 32, 0, 255, 255, 255}, Arrays.copyOf(values, 6));
  }

  @Test
  void skipsFilesOfSystems() throws IOException {
    picture("a/1.png", 1, 1, 1);
    picture("b/2.png", 2, 1, 1);
    for (String file : List.of(".DS_Store", "a/Thumbs.db", "b/.hidden", "__MACOSX/a/._1.png")) {
      write(tmp.resolve(file), "no picture");
    }
    write(tmp.resolve("README.txt"), "a text");
    Parts parts = read(tmp);
    assertEquals(2, parts.train().features().size());
    assertEquals(
        List.of(tmp + ": README.txt beside the folders of the classes is left out"),
        parts.warnings());
  }

  @Test
  void refusesOrLeavesOutBadPictures() throws IOException {
    write(tmp.resolve("a/0.png"), "no picture");
    picture("a/1.png", 1, 2, 2);
    picture("b/2.png", 2, 2, 2);
    byte[] cut = png(3, 50, 50);
    write(tmp.resolve("b/3.png"), Arrays.copyOf(cut, cut.length - 30));
    assertBad(() -> read(tmp), "0.png: this is a text, and a picture must be");
    assertBad(() -> read(tmp, images(2, 2, false, false)), "0.png: this is a text");
    Parts parts = read(tmp, images(0, 0, false, true));
    assertArrayEquals(new float[] {1, 1, 1, 1, 2, 2, 2, 2}, values(parts.train().features()));
    assertEquals(List.of("a", "b"), labels(parts.train()));
    assertEquals(1, parts.warnings().size());
    String warning = parts.warnings().get(0);
    assertTrue(warning.startsWith(tmp + ": 2 of 4 pictures cannot be read and are left out: "));
    assertTrue(warning.contains("0.png: this is a text") && warning.contains("3.png"), warning);
    Files.delete(tmp.resolve("a/1.png"));
    Files.delete(tmp.resolve("b/2.png"));
    assertBad(() -> read(tmp, images(2, 2, false, true)), "none of its 2 pictures can be read");
    assertBad(() -> read(tmp, images(0, 0, false, true)), "0.png: this is a text");
  }

  @Test
  void refusesFoldersThatAreNoClasses() throws IOException {
    assertBad(() -> read(tmp), "there is no picture here");
    assertBad(() -> read(tmp.resolve("none")), "none: no such folder");
    picture("a/1.png", 1, 1, 1);
    assertBad(() -> read(tmp), "there is one class alone, a;");
    Files.createDirectories(tmp.resolve("b"));
    assertBad(() -> read(tmp), "b: the folder of a class has no picture");
    picture("b/deep/2.png", 1, 1, 1);
    assertBad(() -> read(tmp), "b: the folder of a class must hold pictures alone", "deep");
    Files.delete(tmp.resolve("b/deep/2.png"));
    Files.delete(tmp.resolve("b/deep"));
    picture("b/2.png", 1, 1, 1);
    picture("3.PNG", 1, 1, 1);
    assertBad(() -> read(tmp), "the picture 3.PNG lies beside the folders of the classes");
  }

  /** Sets may have other names, and an archive's folder may be around them. */
  @ParameterizedTest
  @ValueSource(strings = {"", "mnist_png/", "archive/mnist_png/"})
  void findsSets(String around) throws IOException {
    for (String set : List.of("Training", "testing", "valid")) {
      picture(around + set + "/a/1.png", set.length(), 1, 1);
      picture(around + set + "/b/2.png", 9, 1, 1);
    }
    Parts parts = read(tmp);
    assertEquals(8, values(parts.train().features())[0]);
    assertEquals(7, values(parts.test().orElseThrow().features())[0]);
    assertEquals(5, values(parts.validation().orElseThrow().features())[0]);
    picture(around + "more/a/1.png", 1, 1, 1);
    assertBad(() -> read(tmp), "more lies beside the training set and belongs to no set");
  }

  @Test
  void refusesAPictureBesideTheSets() throws IOException {
    picture("train/a/1.png", 1, 1, 1);
    picture("train/b/1.png", 1, 1, 1);
    write(tmp.resolve("README.txt"), "a text");
    assertEquals(2, read(tmp).train().features().size());
    picture("2.png", 1, 1, 1);
    assertBad(() -> read(tmp), "2.png lies beside the training set");
  }

  @Test
  void refusesTwoFoldersOfOneSet() throws IOException {
    for (String set : List.of("train", "training")) {
      picture(set + "/a/1.png", 1, 1, 1);
    }
    assertBad(() -> read(tmp), "train and training are here");
  }

  @Test
  void tellsProgress() throws IOException {
    for (int i = 0; i < 300; i++) {
      picture(i % 2 + "/" + i + ".png", 1, 1, 1);
    }
    var seen = new ArrayList<String>();
    PictureFolder.read(tmp, ReadOptions.DEFAULT, (done, all) -> seen.add(done + "/" + all));
    assertEquals(List.of("256/300", "300/300"), seen);
  }
}
