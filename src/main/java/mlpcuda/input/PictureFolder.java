package mlpcuda.input;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features.Type;
import mlpcuda.features.FeaturesBuilder;
import mlpcuda.files.OneLine;
import mlpcuda.input.PictureList.Labelled;
import mlpcuda.picture.Picture;
import mlpcuda.picture.PictureFile;
import mlpcuda.preparation.Preparation;

/**
 * Reads folders of pictures: a folder for each class, named as the class, in the folder itself or
 * in its folders {@code train}, {@code test} and {@code validation}. All pictures become images of
 * one size; a picture that has the size keeps its pixels exactly, and no colours are inverted. The
 * order of the examples is that of {@link PictureList}, whatever the number of processors.
 */
public final class PictureFolder {
  private static final List<String> TRAIN = List.of("train", "training");
  private static final List<String> TEST = List.of("test", "testing");
  private static final List<String> VALIDATION = List.of("val", "valid", "validation");

  /** The deepest folder that is entered because it is the only entry of the one above. */
  private static final int DEEPEST = 3;

  /** The most pictures that are decoded before they are stored. */
  private static final int MOST_AT_ONCE = 256;

  /** The most bytes of images that are held before they are stored. */
  private static final int MOST_BYTES_AT_ONCE = 32 << 20;

  /** The number of pictures that were left out of which a warning shows the reason. */
  private static final int SHOWN = 3;

  private final ReadOptions.ImageOptions options;
  private final ReadingProgress progress;
  private final List<String> warnings = new ArrayList<>();
  private Optional<Layout.Images> layout = Optional.empty();

  private PictureFolder(ReadOptions.ImageOptions options, ReadingProgress progress) {
    this.options = options;
    this.progress = progress;
  }

  /**
   * Reads a folder.
   *
   * @param progress is told the pictures of each set
   * @throws BadFileException if there are less than two classes, a class has no picture, or a
   *     picture cannot be read and the options do not leave it out
   */
  public static Parts read(Path folder, ReadOptions options, ReadingProgress progress) {
    if (!Files.isDirectory(folder)) {
      throw new BadFileException(
          folder + (Files.exists(folder) ? ": this is no folder" : ": no such folder"));
    }
    var reader = new PictureFolder(options.images(), progress);
    Path top = top(folder);
    Optional<Path> train = named(top, TRAIN);
    PictureList list = PictureList.of(train.orElse(top));
    if (list.classes().size() == 1) {
      throw new BadFileException(
          "%s: there is one class alone, %s; a network needs at least two to tell apart"
              .formatted(list.folder(), list.classes().get(0)));
    }
    Part trainPart = reader.part(list);
    if (train.isEmpty()) {
      return new Parts(trainPart, Optional.empty(), Optional.empty(), List.copyOf(reader.warnings));
    }
    checkBeside(top);
    Optional<Part> test = named(top, TEST).map(PictureList::of).map(reader::part);
    Optional<Part> validation = named(top, VALIDATION).map(PictureList::of).map(reader::part);
    return new Parts(trainPart, test, validation, List.copyOf(reader.warnings));
  }

  /** Enters folders that are the only entry of the one above, as unpacked archives have them. */
  private static Path top(Path folder) {
    Path top = folder;
    for (int depth = 0; depth < DEEPEST; depth++) {
      List<Path> entries = PictureList.entries(top);
      boolean enter =
          entries.size() == 1
              && Files.isDirectory(entries.get(0))
              && named(top, TRAIN).isEmpty()
              && PictureList.entries(entries.get(0)).stream().anyMatch(Files::isDirectory);
      if (!enter) {
        return top;
      }
      top = entries.get(0);
    }
    return top;
  }

  private static Optional<Path> named(Path folder, List<String> names) {
    List<Path> found =
        PictureList.entries(folder).stream()
            .filter(Files::isDirectory)
            .filter(f -> names.contains(PictureList.name(f).toLowerCase(Locale.ROOT)))
            .toList();
    if (found.size() > 1) {
      throw new BadFileException(
          "%s: %s and %s are here, and one of them must be the set"
              .formatted(folder, PictureList.name(found.get(0)), PictureList.name(found.get(1))));
    }
    return found.stream().findFirst();
  }

  /** Refuses a folder or a picture beside the sets, which would be read as none of them. */
  private static void checkBeside(Path top) {
    for (Path entry : PictureList.entries(top)) {
      String name = PictureList.name(entry).toLowerCase(Locale.ROOT);
      boolean set = TRAIN.contains(name) || TEST.contains(name) || VALIDATION.contains(name);
      if (Files.isDirectory(entry) ? !set : PictureList.isPicture(entry)) {
        throw new BadFileException(
            "%s: %s lies beside the training set and belongs to no set; the sets' folders are train,"
                    .formatted(top, PictureList.name(entry))
                + " test and validation");
      }
    }
  }

  private Part part(PictureList list) {
    Layout.Images images = layout.orElseGet(() -> sizeOf(list));
    layout = Optional.of(images);
    List<Labelled> pictures = list.pictures();
    int atOnce = Math.max(1, Math.min(MOST_AT_ONCE, MOST_BYTES_AT_ONCE / images.inputs()));
    var labels = new LabelCollector(list.folder().toString());
    var bad = new ArrayList<BadFileException>();
    try (var builder = new FeaturesBuilder(Type.UINT8, images.inputs())) {
      for (int from = 0; from < pictures.size(); from += atOnce) {
        List<Labelled> some = pictures.subList(from, Math.min(pictures.size(), from + atOnce));
        List<Decoded> decoded =
            some.parallelStream().map(each -> decode(each.file(), images)).toList();
        for (int i = 0; i < some.size(); i++) {
          if (decoded.get(i).image().isPresent()) {
            builder.add(decoded.get(i).image().get(), 1);
            labels.add(list.classes().get(some.get(i).label()));
          } else {
            leaveOut(decoded.get(i).problem(), bad);
          }
        }
        progress.at(from + some.size(), pictures.size());
      }
      warn(list, bad);
      LabelColumn column = labels.build();
      return new Part(list.folder().toString(), images, builder.build(), Optional.of(column));
    }
  }

  private void leaveOut(BadFileException problem, List<BadFileException> bad) {
    if (!options.skipBad()) {
      throw problem;
    }
    bad.add(problem);
  }

  private void warn(PictureList list, List<BadFileException> bad) {
    int all = list.pictures().size();
    if (!list.others().isEmpty()) {
      warnings.add(
          "%s: %s beside the folders of the classes is left out"
              .formatted(list.folder(), OneLine.start(String.join(", ", list.others()), 200)));
    }
    if (bad.size() == all) {
      throw new BadFileException(
          "%s: none of its %,d pictures can be read; the first: %s"
              .formatted(list.folder(), all, bad.get(0).getMessage()));
    }
    if (!bad.isEmpty()) {
      List<String> shown = bad.stream().limit(SHOWN).map(BadFileException::getMessage).toList();
      warnings.add(
          "%s: %,d of %,d pictures cannot be read and are left out: %s%s"
              .formatted(
                  list.folder(),
                  bad.size(),
                  all,
                  String.join("; ", shown),
                  bad.size() > SHOWN ? "; …" : ""));
    }
  }

  /** Returns the size of the images: the wanted one, or that of the first picture. */
  private Layout.Images sizeOf(PictureList list) {
    int channels = options.colour() ? 3 : 1;
    if (options.size().isPresent()) {
      Layout.Images size = options.size().get();
      return new Layout.Images(size.rows(), size.cols(), channels);
    }
    BadFileException first = null;
    for (Labelled each : list.pictures()) {
      try {
        Picture picture = PictureFile.readOne(each.file(), false).get(0);
        return new Layout.Images(picture.rows(), picture.cols(), channels);
      } catch (BadFileException e) {
        first = first == null ? e : first;
        if (!options.skipBad()) {
          break;
        }
      }
    }
    throw first;
  }

  /**
   * A picture that was decoded, or why it cannot be.
   *
   * @param image the values of an image
   * @param problem null where there is an image
   */
  private record Decoded(Optional<byte[]> image, BadFileException problem) {}

  private Decoded decode(Path file, Layout.Images images) {
    try {
      List<byte[]> planes =
          PictureFile.readOne(file, options.colour()).stream()
              .map(picture -> resized(picture, images))
              .toList();
      return new Decoded(Optional.of(interleaved(planes)), null);
    } catch (BadFileException e) {
      return new Decoded(Optional.empty(), e);
    }
  }

  private static byte[] resized(Picture picture, Layout.Images images) {
    boolean fits = picture.rows() == images.rows() && picture.cols() == images.cols();
    return fits ? picture.pixels() : Preparation.resize(picture, images.rows(), images.cols());
  }

  private static byte[] interleaved(List<byte[]> planes) {
    if (planes.size() == 1) {
      return planes.get(0);
    }
    int channels = planes.size();
    byte[] image = new byte[planes.get(0).length * channels];
    IntStream.range(0, image.length)
        .forEach(i -> image[i] = planes.get(i % channels)[i / channels]);
    return image;
  }
}
