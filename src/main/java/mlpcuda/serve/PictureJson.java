package mlpcuda.serve;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import mlpcuda.error.BadFileException;
import mlpcuda.picture.Picture;

/**
 * Parses {@code {"image": [[0, 255], [10, 0]]}}: rows of grey levels, 0 black. The JSON is parsed
 * token by token, so that it takes no more memory than the picture's pixels.
 */
final class PictureJson {
  private static final int MAX_CHARACTERS = 100;
  // one level more than needed, which is refused with a better message than Jackson's
  private static final int MAX_DEPTH = 4;
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(
              JsonFactory.Feature
                  .CANONICALIZE_FIELD_NAMES) // names of a request must not be kept after it
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxStringLength(MAX_CHARACTERS)
                  .maxNameLength(MAX_CHARACTERS)
                  .maxNumberLength(MAX_CHARACTERS)
                  .maxNestingDepth(MAX_DEPTH)
                  .build())
          .build();

  private final String name;
  private final JsonParser parser;

  private PictureJson(String name, JsonParser parser) {
    this.name = name;
    this.parser = parser;
  }

  /** Whether the first byte after white space begins a JSON object. */
  static boolean isJson(byte[] bytes) {
    for (byte b : bytes) {
      if (b != ' ' && b != '\t' && b != '\n' && b != '\r') {
        return b == '{';
      }
    }
    return false;
  }

  /**
   * Parses a picture.
   *
   * @param name the name of the picture in messages
   * @throws BadFileException if the bytes are not such JSON
   */
  static Picture parse(String name, byte[] bytes) {
    try (JsonParser parser = JSON.createParser(bytes)) {
      return new PictureJson(name, parser).parse();
    } catch (StreamConstraintsException e) {
      throw new BadFileException(
          "%s: names, texts and numbers must have at most %d characters, found more"
              .formatted(name, MAX_CHARACTERS),
          e);
    } catch (JsonProcessingException e) {
      throw new BadFileException(
          "%s: must be JSON of %s, found at byte %d: %s"
              .formatted(
                  name,
                  "{\"image\": [[…], …]}",
                  e.getLocation() == null ? 0 : e.getLocation().getByteOffset(),
                  e.getOriginalMessage()),
          e);
    } catch (IOException e) { // Jackson's decoders of UTF-8 and UTF-32 throw no narrower exception
      throw new BadFileException(name + ": must be JSON in UTF-8, found: " + e.getMessage(), e);
    }
  }

  private Picture parse() throws IOException {
    expect(JsonToken.START_OBJECT, "an object");
    if (parser.nextToken() != JsonToken.FIELD_NAME || !parser.currentName().equals("image")) {
      throw bad("the object must have the one field image, found " + found());
    }
    expect(JsonToken.START_ARRAY, "image must be rows of grey levels");
    var pixels = new ByteArrayOutputStream();
    int rows = 0;
    int cols = 0;
    while (parser.nextToken() == JsonToken.START_ARRAY) {
      int before = pixels.size();
      while (parser.nextToken() == JsonToken.VALUE_NUMBER_INT) {
        pixels.write(level());
      }
      if (parser.currentToken() != JsonToken.END_ARRAY) {
        throw bad("row %d must be whole numbers, found %s".formatted(rows, found()));
      }
      int found = pixels.size() - before;
      cols = rows == 0 ? found : cols;
      if (found == 0 || found != cols) {
        throw bad(
            "rows must be of one length, from 1 on: row 0 has %d pixels, found %d in row %d"
                .formatted(cols, found, rows));
      }
      rows++;
    }
    if (parser.currentToken() != JsonToken.END_ARRAY || rows == 0) {
      throw bad("image must be rows of grey levels, found %s after %d".formatted(found(), rows));
    }
    expect(JsonToken.END_OBJECT, "the object must have the one field image");
    if (parser.nextToken() != null) {
      throw bad("JSON must end after the object, found " + found());
    }
    return new Picture(name, rows, cols, pixels.toByteArray());
  }

  private int level() throws IOException {
    String text = parser.getText();
    // The text is checked first, because getIntValue would convert a number of any length.
    int level = text.length() <= 3 ? Integer.parseInt(text) : -1;
    if (level < 0 || level > 255) {
      throw bad("grey levels must be from 0 to 255, found " + text);
    }
    return level;
  }

  private void expect(JsonToken token, String rule) throws IOException {
    if (parser.nextToken() != token) {
      throw bad(rule + ", found " + found());
    }
  }

  private String found() throws IOException {
    return parser.currentToken() == null ? "the end" : parser.getText();
  }

  private BadFileException bad(String finding) {
    return new BadFileException(name + ": " + finding);
  }
}
