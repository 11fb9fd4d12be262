package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import mlpcuda.data.Layout;
import mlpcuda.features.Features;
import mlpcuda.report.ContactSheet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
  @TempDir Path tmp;

  private Path write(String name, String text) throws IOException {
    return Files.writeString(tmp.resolve(name), text);
  }

  private Path table() throws IOException {
    return write(
        "pets.csv",
        "weight,sex,label\n4.5,f,cat\n30,m,dog\n3.5,m,cat\n0.25,f,hen\n7,f,cat\n9,m,dog\n");
  }

  @Test
  void aTable() throws IOException {
    Path table = table();
    Program found = Program.succeed("inspect", table);
    assertEquals(
        """
        %s: format csv
        training set: 6 rows, 2 columns of floats, with labels (%s)
        3 classes (examples): cat (3), dog (2), hen (1)
        column                          least         mean         most
        weight                           0.25      9.04167           30
        sex                      2 words: f, m
        row 1: label cat, 4.5, f
        row 2: label dog, 30.0, m
        row 3: label cat, 3.5, m
        row 4: label hen, 0.25, f
        row 5: label cat, 7.0, f
        """
            .formatted(table, table),
        found.out());
    assertEquals("", found.err());
  }

  @Test
  void jsonSaysTheSame() throws IOException {
    Map<String, Object> json = Program.json(Program.succeed("inspect", "--json", table()).out());
    assertEquals("csv", json.get("format"));
    assertEquals(3, json.get("inputs"));
    assertEquals(
        List.of(
            Map.of("label", "cat", "examples", 3),
            Map.of("label", "dog", "examples", 2),
            Map.of("label", "hen", "examples", 1)),
        json.get("classes"));
    List<?> columns = (List<?>) json.get("columns");
    assertEquals("weight", ((Map<?, ?>) columns.get(0)).get("name"));
    assertEquals(0.25, ((Map<?, ?>) columns.get(0)).get("min"));
    assertEquals(30.0, ((Map<?, ?>) columns.get(0)).get("max"));
    assertEquals(Map.of("name", "sex", "words", List.of("f", "m")), columns.get(1));
    List<?> first = (List<?>) json.get("first");
    assertEquals(5, first.size());
    assertEquals(Map.of("label", "dog", "values", List.of(30.0, "m")), first.get(1));
  }

  @Test
  void aTableWithoutLabelsIsShownToo() throws IOException {
    Program found = Program.succeed("inspect", write("x.csv", "a,b\n1,2\n3,4\n"));
    assertTrue(found.out().contains("2 rows, 2 columns of floats, without labels"), found.out());
    assertTrue(
        found
            .out()
            .contains("no labels: training needs them; --label names their column in a table"),
        found.out());
  }

  @Test
  void imagesAndTheirSheet() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    Path png = tmp.resolve("sheet.png");
    Program found = Program.succeed("inspect", data, "--png", png);
    List<String> lines = found.lines();
    assertEquals(data + ": format idx", lines.get(0));
    assertTrue(lines.get(1).startsWith("training set: 50 images, 5x7 of bytes, with labels ("));
    assertTrue(lines.get(2).startsWith("test set: 20 images, 5x7 of bytes, with labels ("));
    assertEquals("3 classes (examples): 0 (17), 1 (17), 2 (16)", lines.get(3));
    assertTrue(lines.get(4).matches("pixels: from \\d+ to \\d+, mean [\\d.]+"), lines.get(4));
    assertEquals("Saved " + png, found.lastLine());
    BufferedImage sheet = ImageIO.read(png.toFile());
    assertEquals(10 * 9 - 2, sheet.getWidth());
    assertEquals(5 * 7 - 2, sheet.getHeight());
    byte[] images = Files.readAllBytes(data.resolve("train-images-idx3-ubyte"));
    int eleventh = 16 + 11 * 35; // the second image of the second row
    assertEquals(
        Byte.toUnsignedInt(images[eleventh]), sheet.getRaster().getSample(9, 7, 0), "first pixel");
  }

  @Test
  void aSheetOfColours() throws IOException {
    byte[] pixels = {10, 20, 30, 40, 50, 60};
    byte[] png = ContactSheet.encode(Features.of(pixels, 3), new Layout.Images(1, 1, 3));
    BufferedImage sheet = ImageIO.read(new java.io.ByteArrayInputStream(png));
    assertEquals(4, sheet.getWidth());
    assertEquals(1, sheet.getHeight());
    assertEquals(0x0a141e, sheet.getRGB(0, 0) & 0xffffff);
    assertEquals(0x28323c, sheet.getRGB(3, 0) & 0xffffff);
  }

  @Test
  void floatsSpreadFromBlackToWhite() throws IOException {
    float[] pixels = {-1, 0, 1};
    byte[] png = ContactSheet.encode(Features.of(pixels, 3), Layout.Images.grey(1, 3));
    BufferedImage sheet = ImageIO.read(new java.io.ByteArrayInputStream(png));
    int[] levels = new int[3];
    sheet.getRaster().getPixels(0, 0, 3, 1, levels);
    assertArrayEquals(new int[] {0, 128, 255}, levels);
  }

  @Test
  void badDataIsRefusedAsByTraining() throws IOException {
    Path bad = write("bad.csv", "a,label\n1,x\n2\n");
    Program refused = Program.run("inspect", bad);
    assertEquals(4, refused.code());
    assertTrue(refused.err().startsWith(bad.toString()), refused.err());
    assertEquals("", refused.out());
    assertEquals(4, Program.run("inspect", tmp.resolve("nothing")).code());
  }

  @Test
  void aSheetOfRowsIsRefused() throws IOException {
    Path table = table();
    Path png = tmp.resolve("sheet.png");
    Program.run("inspect", table, "--png", png)
        .assertRefused(
            2,
            "--png is of images, and " + table + " has rows of numbers",
            "'mlp-cuda inspect --help' lists the options.");
    assertFalse(Files.exists(png));
  }
}
