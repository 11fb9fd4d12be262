package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DistortCommandTest {
  @TempDir private Path tmp;

  private Program distort(String options, Path data, Path png) {
    return Program.run(Program.words("distort --cpu " + options + " --data", data, "--png", png));
  }

  /** Originals and distortions are where the sheet's rows have them, apart by two pixels. */
  @Test
  void drawsEachImageBeforeItsDistortions() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    Path png = tmp.resolve("sheet.png");
    Program program = distort("--augment translate:1000,erase:0 --images 30 --epochs 3", data, png);
    assertEquals(0, program.code(), program.err());
    assertEquals("Saved " + png + ": 30 images, each before 3 distortions", program.lastLine());
    BufferedImage sheet = ImageIO.read(png.toFile());
    assertEquals(40 * (7 + 2) - 2, sheet.getWidth());
    assertEquals(3 * (5 + 2) - 2, sheet.getHeight());
    byte[] images = Files.readAllBytes(data.resolve("train-images-idx3-ubyte"));
    for (int cell = 0; cell < 120; cell++) {
      int top = cell / 40 * 7;
      int left = cell % 40 * 9;
      for (int i = 0; i < 35; i++) {
        int level = sheet.getRaster().getSample(left + i % 7, top + i / 7, 0);
        if (cell % 4 == 0) {
          assertEquals(images[16 + cell / 4 * 35 + i] & 0xFF, level);
        }
        if (cell == 1) { // this image has moved out of sight
          assertEquals(0, level);
        }
      }
    }
  }

  /** Rounding to whole levels may differ by one. */
  @Test
  void aGpuDrawsWhatTheCpuDraws() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 9, 7, 3, 20, 20);
    String options =
        "distort --augment elastic:20:2,rotate:30,shear:10,scale:20,translate:1,erase --images 20";
    Path one = tmp.resolve("cpu.png");
    Path other = tmp.resolve("gpu.png");
    Program.succeed(Program.words(options + " --cpu --data", data, "--png", one));
    Program gpu =
        Program.run(
            GpuCommandsTest.DRIVER_ALONE,
            Program.words(options + " --gpu 0 --data", data, "--png", other));
    assertEquals(0, gpu.code(), gpu.err());
    int[] expected = levels(one);
    int[] found = levels(other);
    int different = 0;
    for (int i = 0; i < expected.length; i++) {
      assertTrue(Math.abs(expected[i] - found[i]) <= 1, expected[i] + " and " + found[i]);
      different += expected[i] == found[i] ? 0 : 1;
    }
    assertTrue(different < expected.length / 100, different + " of " + expected.length);
  }

  private static int[] levels(Path png) throws IOException {
    BufferedImage image = ImageIO.read(png.toFile());
    return image.getRaster().getSamples(0, 0, image.getWidth(), image.getHeight(), 0, (int[]) null);
  }

  @Test
  void whatCannotBeDistortedIsRefused() throws IOException {
    Path table =
        Files.writeString(
            tmp.resolve("pets.csv"),
            "weight,label\n4,cat\n3,dog\n9,dog\n8,cat\n7,cat\n6,dog\n5,cat\n");
    Path png = tmp.resolve("sheet.png");
    Program refused = distort("--augment rotate:5", table, png);
    assertEquals(2, refused.code(), refused.out());
    assertTrue(
        refused.err().startsWith("only images of bytes are distorted, found 1 column\n"),
        refused.err());
    Program train =
        Program.run(
            Program.words("--cpu --augment rotate:5 --out", tmp.resolve("run"), "--data", table));
    assertEquals(2, train.code(), train.out());
    assertTrue(
        train
            .err()
            .startsWith(
                "Invalid value for option '--augment': must be none, because only images of bytes"
                    + " are distorted, found 1 column\n"),
        train.err());
    Program end = Program.run(Program.words("--cpu --augment-end 0.5 --data", table));
    assertEquals(2, end.code(), end.out());
    assertTrue(end.err().startsWith("--augment-end needs --augment, found none\n"), end.err());
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    Program wrong = distort("--augment turn:5", data, png);
    assertEquals(2, wrong.code());
    assertTrue(wrong.err().contains("found turn:5"), wrong.err());
    Program large = distort("--augment rotate:5 --images 50 --epochs 3000", data, png);
    assertEquals(2, large.code());
    assertTrue(
        large
            .err()
            .startsWith(
                "a sheet must have at most 4,194,304 values, found 5,251,750: lower --images or"),
        large.err());
    assertTrue(Files.notExists(png));
  }
}
