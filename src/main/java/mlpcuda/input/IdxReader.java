package mlpcuda.input;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.data.FileKind;
import mlpcuda.data.GzipInput;
import mlpcuda.data.IdxFile;
import mlpcuda.data.IdxFolder;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features;
import mlpcuda.files.Reason;
import mlpcuda.input.ArrayFeatures.Inputs;
import mlpcuda.input.NumberType.Kind;

/**
 * Reads the data set of a folder of IDX files whose elements may be of any type of the format.
 * Images of unsigned bytes in three dimensions and their labels are read by {@link IdxFile}; other
 * elements are read as NumPy's arrays of the same shape are.
 *
 * <p>Source: "The IDX file format" at <a href="http://yann.lecun.com/exdb/mnist/">the MNIST page
 * </a>.
 */
public final class IdxReader {
  /** The first ints of files of images and of labels that are unsigned bytes. */
  private static final Set<Integer> USUAL_MAGICS = Set.of(0x00000803, 0x00000801);

  /** The number of ints of one image in QMNIST's labels. */
  private static final int QMNIST_COLUMNS = 8;

  /** The most bytes that one byte of a gzip file can become, by the format of deflate. */
  private static final long MOST_INFLATION = 1032;

  private IdxReader() {}

  /**
   * Reads the training and the test set of a folder.
   *
   * @param folder the folder, as {@link IdxFolder#read} takes it
   * @param progress is told the rows of each file
   * @throws BadFileException if a file is missing, malformed, or does not fit the others
   */
  public static Parts read(Path folder, ReadOptions options, ReadingProgress progress) {
    IdxFolder.FourFiles files = IdxFolder.files(folder);
    Part train =
        part(files.trainImages(), files.trainLabels(), options, Optional.empty(), progress);
    Part test = part(files.testImages(), files.testLabels(), options, Optional.of(train), progress);
    return new Parts(train, Optional.of(test), Optional.empty(), List.of());
  }

  /**
   * Whether {@link IdxFolder#read} reads the folder's files: they are of bytes, or there are none
   * and it says what is missing.
   */
  static boolean isUsual(Path folder) {
    IdxFolder.FourFiles files = IdxFolder.files(folder);
    return Stream.of(files.trainImages(), files.testImages())
            .allMatch(file -> array(file, false).isEmpty())
        && Stream.of(files.trainLabels(), files.testLabels())
            .allMatch(file -> array(file, true).isEmpty());
  }

  private static Part part(
      Path imageFile,
      Path labelFile,
      ReadOptions options,
      Optional<Part> like,
      ReadingProgress progress) {
    Inputs inputs = inputs(imageFile, options, like, progress);
    if (like.isPresent()) {
      checkLike(imageFile, inputs, like.get());
    }
    LabelColumn labels = labels(labelFile, progress);
    if (labels.codes().length != inputs.features().size()) {
      throw new BadFileException(
          "%s: must hold one label for each of the %d images of %s, found %d"
              .formatted(
                  labelFile,
                  inputs.features().size(),
                  imageFile.getFileName(),
                  labels.codes().length));
    }
    return new Part(imageFile.toString(), inputs.layout(), inputs.features(), Optional.of(labels));
  }

  private static Inputs inputs(
      Path file, ReadOptions options, Optional<Part> like, ReadingProgress progress) {
    Optional<NumberArray> array = array(file, false);
    if (array.isEmpty()) {
      IdxFile.Images images = IdxFile.readImages(file); // says what is wrong if it is no IDX file
      int pixels = Math.multiplyExact(images.rows(), images.cols());
      return new Inputs(
          Layout.Images.grey(images.rows(), images.cols()), Features.of(images.pixels(), pixels));
    }
    boolean asFloats = like.isPresent() && like.get().features().type() == Features.Type.FLOAT32;
    return ArrayFeatures.of(array.get(), options.images(), asFloats, progress);
  }

  private static LabelColumn labels(Path file, ReadingProgress progress) {
    Optional<NumberArray> array = array(file, true);
    if (array.isEmpty()) {
      var labels = new LabelCollector(file.toString());
      for (byte label : IdxFile.readLabels(file)) {
        labels.add(Integer.toString(label & 0xff));
      }
      return labels.build();
    }
    return ArrayLabels.of(array.get(), progress);
  }

  private static void checkLike(Path file, Inputs inputs, Part train) {
    if (!inputs.layout().equals(train.layout())
        || inputs.features().type() != train.features().type()) {
      throw new BadFileException(
          "%s: examples must be as those of the training set, %s, found %s"
              .formatted(file, shown(train.layout(), train.features()), shown(inputs)));
    }
  }

  private static String shown(Inputs inputs) {
    return shown(inputs.layout(), inputs.features());
  }

  private static String shown(Layout layout, Features features) {
    String values = features.type() == Features.Type.UINT8 ? "bytes" : "floats";
    return layout instanceof Layout.Images
        ? "images of %s %s".formatted(layout, values)
        : "rows of %d %s".formatted(layout.inputs(), values);
  }

  /**
   * Opens the array of an IDX file; empty: {@link IdxFile} reads the file, or says what is wrong.
   *
   * @param labels whether labels are wanted
   */
  private static Optional<NumberArray> array(Path file, boolean labels) {
    String name = file.toString();
    try (InputStream in = GzipInput.open(file)) {
      byte[] start = in.readNBytes(4);
      if (!FileKind.isIdx(start) || USUAL_MAGICS.contains(ByteBuffer.wrap(start).getInt())) {
        return Optional.empty();
      }
      NumberType type = type(start[2]);
      int dimensions = start[3];
      byte[] sizes = in.readNBytes(Integer.BYTES * dimensions);
      if (type == null || sizes.length < Integer.BYTES * dimensions) {
        return Optional.empty();
      }
      long[] shape = new long[dimensions];
      for (int d = 0; d < dimensions; d++) {
        shape[d] = ByteBuffer.wrap(sizes).getInt(Integer.BYTES * d);
      }
      boolean ints = type.kind() == Kind.SIGNED && type.bytes() == Integer.BYTES;
      if (labels && ints && dimensions == 2 && shape[1] == QMNIST_COLUMNS) {
        return Optional.empty();
      }
      int header = start.length + sizes.length;
      boolean plain = !(in instanceof GzipInput);
      checkLength(file, header + NumberArray.bytes(name, type, shape), plain);
      NumberArray.Content content =
          () -> {
            InputStream elements = GzipInput.open(file);
            elements.skipNBytes(header);
            return elements;
          };
      return Optional.of(
          new NumberArray(
              name,
              type,
              false,
              shape,
              content,
              plain ? Optional.of(new NumberArray.Place(file, header)) : Optional.empty()));
    } catch (IOException e) {
      throw Reason.unreadable(file, e);
    }
  }

  /** Returns the type of that number in the format; null if it has none. */
  private static NumberType type(byte number) {
    return switch (number) {
      case 0x08 -> new NumberType(Kind.UNSIGNED, 1, ByteOrder.BIG_ENDIAN);
      case 0x09 -> new NumberType(Kind.SIGNED, 1, ByteOrder.BIG_ENDIAN);
      case 0x0b -> new NumberType(Kind.SIGNED, 2, ByteOrder.BIG_ENDIAN);
      case 0x0c -> new NumberType(Kind.SIGNED, 4, ByteOrder.BIG_ENDIAN);
      case 0x0d -> new NumberType(Kind.FLOAT, 4, ByteOrder.BIG_ENDIAN);
      case 0x0e -> new NumberType(Kind.FLOAT, 8, ByteOrder.BIG_ENDIAN);
      default -> null;
    };
  }

  private static void checkLength(Path file, long needed, boolean plain) throws IOException {
    long found = Files.size(file);
    if (plain ? needed != found : needed / MOST_INFLATION > found) {
      String what =
          plain && found > needed
              ? "the file goes on after its end"
              : "the file is cut off, copy it or fetch it again";
      throw new BadFileException(
          "%s: %s: header and elements need %,d bytes, and the %sfile has %,d"
              .formatted(file, what, needed, plain ? "" : "compressed ", found));
    }
  }
}
