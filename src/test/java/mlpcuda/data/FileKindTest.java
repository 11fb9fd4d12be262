package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import mlpcuda.error.BadFileException;
import mlpcuda.picture.PictureFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FileKindTest {
  @TempDir Path tmp;

  private static byte[] bytes(String text) {
    return text.translateEscapes().getBytes(StandardCharsets.ISO_8859_1);
  }

  @ParameterizedTest
  @CsvSource({
    "\\0\\0\\0\\30ftypheic\\0\\0\\0\\0, a HEIC picture",
    "\\0\\0\\0\\34ftypmif1\\0\\0\\0\\0, a HEIC picture",
    "\\0\\0\\0\\34ftypavif\\0\\0\\0\\0, an AVIF picture",
    "\\0\\0\\0\\34ftypisom\\0\\0\\0\\0, a video",
    "\\0\\0\\0\\14jP  \\r\\n, a JPEG 2000 picture",
    "\\0\\0\\0\\14JXL \\r\\n, a JPEG XL picture",
    "\\377\\n\\0\\0, a JPEG XL picture",
    "\\0\\0\\1\\0\\1\\0, an icon",
    "%PDF-1.7, a PDF document",
    "P6\\n2 2\\n255\\n, a PBM or PPM picture",
    "<svg xmlns='http://www.w3.org/2000/svg'>, an SVG drawing",
    "<?xml version='1.0'?><svg>, an SVG drawing",
    "<html><svg>, an HTML page",
    "BMW is a car, a text",
  })
  void kindsThatPeopleTakeForPictures(String start, String kind) {
    assertEquals(kind, FileKind.of("picture", bytes(start)));
  }

  @Test
  void aPictureFromAPhoneSaysWhatToDo() throws IOException {
    Path file = Files.write(tmp.resolve("seven.png"), bytes("\\0\\0\\0\\30ftypheic\\0\\0\\0\\0"));
    String message =
        assertThrows(BadFileException.class, () -> PictureFile.read(file)).getMessage();
    assertTrue(message.startsWith(file + ": this is a HEIC picture, and"), message);
    assertTrue(message.endsWith("can be saved as PNG or JPEG"), message);
  }
}
