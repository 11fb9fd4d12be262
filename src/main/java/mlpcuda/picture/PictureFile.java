package mlpcuda.picture;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import mlpcuda.data.FileKind;
import mlpcuda.data.IdxFile;
import mlpcuda.error.BadFileException;
import mlpcuda.files.InputFile;
import mlpcuda.files.Reason;

/**
 * The pictures of a file: one picture of a PNG, JPEG, GIF, BMP, TIFF, WebP or PGM file, or all
 * images of an IDX file, plain or gzip. The kind is recognised by the first bytes, not by the name.
 * {@link #parse} decodes a PNG, JPEG or PGM that is in memory.
 */
public final class PictureFile {
  /** The largest PNG, JPEG or PGM that is read, in bytes. */
  static final long MAX_BYTES = 256L << 20;

  /** The kinds of files that hold one picture. */
  private static final String KINDS = "PNG, JPEG, GIF, BMP, TIFF, WebP or PGM file";

  private static final int START_BYTES = FileKind.START_BYTES;

  private final String name;
  private final IdxFile.Images images;
  private final boolean idx;

  private PictureFile(String name, IdxFile.Images images, boolean idx) {
    this.name = name;
    this.images = images;
    this.idx = idx;
  }

  /**
   * Reads a file. A decoded picture has sides of at most 4096 pixels; of a larger picture every
   * k-th pixel is kept.
   *
   * @throws BadFileException if it cannot be read, is malformed or too large
   */
  public static PictureFile read(Path file) {
    String name = InputFile.name(file);
    if (InputFile.isFolder(file)) {
      throw new BadFileException(name + ": this is a folder, not a picture");
    }
    // The file is opened and read once only, because a pipe cannot be read a second time.
    try (InputStream opened = InputFile.open(file)) {
      InputStream in = new BufferedInputStream(opened);
      in.mark(START_BYTES);
      byte[] start = in.readNBytes(START_BYTES);
      in.reset();
      // Files of labels also take this branch: the parser refuses them and says what they hold.
      if (FileKind.isIdxOrGzip(start)) {
        IdxFile.Images images = IdxFile.readImages(name, in);
        Picture.checkSize(name, images.rows(), images.cols(), Picture.MAX_PIXELS);
        return new PictureFile(name, images, true);
      }
      Picture picture = single(name, start, in, KINDS + " or an IDX file", false).get(0);
      return new PictureFile(
          name, new IdxFile.Images(1, picture.rows(), picture.cols(), picture.pixels()), false);
    } catch (IOException e) {
      throw Reason.unreadable(name, e);
    }
  }

  /**
   * Reads a file that holds one picture.
   *
   * @param colour whether its red, green and blue are returned as three pictures, and not one grey
   *     picture
   * @throws BadFileException if it cannot be read, is malformed or too large
   */
  public static List<Picture> readOne(Path file, boolean colour) {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      in.mark(START_BYTES);
      byte[] start = in.readNBytes(START_BYTES);
      in.reset();
      return single(file.toString(), start, in, KINDS, colour);
    } catch (IOException e) {
      throw Reason.unreadable(file, e);
    }
  }

  private static List<Picture> single(
      String name, byte[] start, InputStream in, String kinds, boolean colour) throws IOException {
    Kind kind = kind(name, start, kinds); // refuses the file before up to 256 MiB of it are read
    byte[] bytes = in.readNBytes((int) MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) {
      throw new BadFileException(
          "%s: a picture's file may have %d bytes at most, and this one has more"
              .formatted(name, MAX_BYTES));
    }
    return kind.parse(name, bytes, Picture.MAX_PIXELS, colour);
  }

  /**
   * Decodes the bytes of a PNG, JPEG or PGM.
   *
   * @param name the picture's name in messages
   * @param bytes the file, which is changed
   * @param maxPixels the number of pixels above which the picture is refused before memory is
   *     allocated for them
   * @throws BadFileException if the bytes are no such file, malformed, or the picture is too large
   */
  public static Picture parse(String name, byte[] bytes, long maxPixels) {
    byte[] start = Arrays.copyOf(bytes, Math.min(START_BYTES, bytes.length));
    return kind(name, start, KINDS).parse(name, bytes, maxPixels, false).get(0);
  }

  /** Decodes one kind of file. */
  private interface Kind {
    List<Picture> parse(String name, byte[] bytes, long maxPixels, boolean colour);
  }

  private static Kind kind(String name, byte[] start, String kinds) {
    if (PngChunks.isPng(start)) {
      return CodedPicture::png;
    }
    if (JpegSegments.isJpeg(start)) {
      return CodedPicture::jpeg;
    }
    if (PgmFile.isPgm(start)) {
      return (file, bytes, maxPixels, colour) ->
          Collections.nCopies(colour ? 3 : 1, PgmFile.parse(file, bytes, maxPixels));
    }
    if (GifBlocks.isGif(start)) {
      return CodedPicture::gif;
    }
    if (BmpHeader.isBmp(start)) {
      return CodedPicture::bmp;
    }
    if (TiffFields.isTiff(start)) {
      return CodedPicture::tiff;
    }
    if (WebpChunks.isWebp(start)) {
      return CodedPicture::webp;
    }
    throw new BadFileException(
        "%s: this is %s, and a picture must be a %s; other kinds can be saved as PNG or JPEG"
            .formatted(name, FileKind.of(name, start), kinds));
  }

  /** Whether the file is an IDX file, which may have several images. */
  public boolean isIdx() {
    return idx;
  }

  /** Returns the number of pictures. */
  public int count() {
    return images.count();
  }

  /** Returns a copy of the picture of the given index. */
  public Picture get(int index) {
    int size = images.rows() * images.cols();
    byte[] pixels = Arrays.copyOfRange(images.pixels(), index * size, (int) ((index + 1L) * size));
    String shown = idx ? name + "[" + index + "]" : name;
    return new Picture(shown, images.rows(), images.cols(), pixels);
  }
}
