package mlpcuda.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * Reads the four IDX files of a data set from a folder, where MNIST's authors, its mirrors or
 * torchvision put them: in the folder itself, in {@code raw}, or in {@code MNIST/raw} and its like;
 * plain (also spelt {@code train-images.idx3-ubyte}) or {@code .gz}, plain preferred.
 */
public final class IdxFolder {
  private static final String TRAIN = "train";
  private static final String TEST = "t10k";
  private static final List<String> PLACES =
      List.of("", "raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw");

  private IdxFolder() {}

  /**
   * Reads training and test set.
   *
   * @param folder what the user named; also the data set's name
   * @param classes number of classes; empty: one more than the largest training label
   * @throws BadFileException if a file is missing, bad, or does not fit the others
   */
  public static Dataset read(Path folder, OptionalInt classes) {
    return read(folder.toString(), folder, classes);
  }

  /** As {@link #read(Path, OptionalInt)}, for a data set that has a name. */
  static Dataset read(String name, Path folder, OptionalInt classes) {
    Path place = place(folder, List.of(TRAIN, TEST));
    ImageSet train = split(place, TRAIN);
    int c = classes.isPresent() ? classes.getAsInt() : 1 + train.largestLabel();
    checkLabels(file(place, labels(TRAIN)), train, c);
    ImageSet test = split(place, TEST);
    if (test.rows() != train.rows() || test.cols() != train.cols()) {
      throw new BadFileException(
          "%s: images must be %dx%d as in %s, found %dx%d"
              .formatted(
                  file(place, images(TEST)),
                  train.rows(),
                  train.cols(),
                  file(place, images(TRAIN)).getFileName(),
                  test.rows(),
                  test.cols()));
    }
    checkLabels(file(place, labels(TEST)), test, c);
    return new Dataset(name, c, train, test);
  }

  /**
   * Reads the test set alone; the two training files need not be there.
   *
   * @param folder what the user named
   * @param classes number of classes
   * @throws BadFileException if a file is missing, bad, or holds a label beyond the classes
   */
  public static ImageSet readTest(Path folder, int classes) {
    Path place = place(folder, List.of(TEST));
    ImageSet test = split(place, TEST);
    checkLabels(file(place, labels(TEST)), test, classes);
    return test;
  }

  private static String images(String split) {
    return split + "-images-idx3-ubyte";
  }

  private static String labels(String split) {
    return split + "-labels-idx1-ubyte";
  }

  /** The first place under {@code folder} that has every file of {@code splits}. */
  private static Path place(Path folder, List<String> splits) {
    if (!Files.exists(folder)) {
      throw new BadFileException(folder + ": must be a folder with IDX files, found nothing");
    }
    if (!Files.isDirectory(folder)) {
      throw new BadFileException(folder + ": must be a folder with IDX files, found a file");
    }
    if (!Files.isReadable(folder) || !Files.isExecutable(folder)) {
      throw new BadFileException(folder + ": cannot be read: permission denied");
    }
    List<String> names =
        splits.stream().flatMap(s -> List.of(images(s), labels(s)).stream()).toList();
    // All files must come from one place: never the images of one data set and labels of another.
    List<Path> complete =
        PLACES.stream().map(folder::resolve).filter(p -> missing(p, names).isEmpty()).toList();
    if (complete.isEmpty()) {
      throw notFound(folder, names);
    }
    Path first = complete.get(0);
    if (complete.size() > 1 && !first.equals(folder) && !first.equals(folder.resolve("raw"))) {
      throw new BadFileException(
          "%s: must hold one data set, found %d: name one of %s"
              .formatted(folder, complete.size(), join(complete)));
    }
    return first;
  }

  private static BadFileException notFound(Path folder, List<String> names) {
    List<Path> places = PLACES.stream().map(folder::resolve).toList();
    List<Path> partly =
        places.stream().filter(p -> missing(p, names).size() < names.size()).toList();
    if (partly.isEmpty()) {
      return new BadFileException(
          "%s: missing; looked for it, plain and .gz, in %s".formatted(names.get(0), join(places)));
    }
    Path place = partly.get(0);
    return new BadFileException(
        "%s: missing; looked for it, plain and .gz, in %s"
            .formatted(String.join(", ", missing(place, names)), place));
  }

  private static String join(List<Path> paths) {
    return paths.stream().map(Path::toString).collect(Collectors.joining(", "));
  }

  private static List<String> missing(Path place, List<String> names) {
    return names.stream().filter(name -> file(place, name) == null).toList();
  }

  /** The file {@code name} in {@code place} in one of its spellings, or null. */
  private static Path file(Path place, String name) {
    String dotted = name.replace("-idx", ".idx");
    for (String spelling : List.of(name, dotted, name + ".gz", dotted + ".gz")) {
      Path file = place.resolve(spelling);
      if (Files.isRegularFile(file)) {
        return file;
      }
    }
    return null;
  }

  private static ImageSet split(Path place, String split) {
    Path imageFile = file(place, images(split));
    Path labelFile = file(place, labels(split));
    IdxFile.Images images = IdxFile.readImages(imageFile);
    byte[] labels = IdxFile.readLabels(labelFile);
    if (labels.length != images.count()) {
      throw new BadFileException(
          "%s: must hold one label for each of the %d images of %s, found %d"
              .formatted(labelFile, images.count(), imageFile.getFileName(), labels.length));
    }
    return new ImageSet(images.rows(), images.cols(), images.pixels(), labels);
  }

  private static void checkLabels(Path file, ImageSet set, int classes) {
    byte[] labels = set.labels();
    for (int i = 0; i < labels.length; i++) {
      if ((labels[i] & 0xff) >= classes) {
        throw new BadFileException(
            "%s: labels must be below %d, found %d at index %d"
                .formatted(file, classes, labels[i] & 0xff, i));
      }
    }
  }
}
