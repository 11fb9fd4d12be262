package mlpcuda.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that ImageIO, which also checks the chunks' CRCs, reads the pixels that were written. */
class PngTest {
  @ParameterizedTest
  @CsvSource({"1, 1", "1, 7", "300, 2", "257, 129"}) // noise: the larger are deflated in parts
  void readBack(int width, int height) throws IOException {
    var random = new Random(1);
    int[][] rgb = new int[height][width];
    for (int[] row : rgb) {
      for (int x = 0; x < width; x++) {
        row[x] = random.nextInt(1 << 24);
      }
    }
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(Png.encode(rgb)));
    assertEquals(width, image.getWidth());
    assertEquals(height, image.getHeight());
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        assertEquals(rgb[y][x], image.getRGB(x, y) & 0xFFFFFF, "pixel " + x + ", " + y);
      }
    }
  }
}
