package mlpcuda.input;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import mlpcuda.error.BadFileException;
import mlpcuda.files.Reason;

/**
 * The pictures of a folder that has a folder for each class, in the order of the examples.
 *
 * <p>If the names of all files, without their endings, are whole numbers that differ over all
 * classes, the pictures are in the order of these numbers: files that were exported from a data set
 * and named by their positions come back in its order. Otherwise they are in the order of their
 * classes and, in each class, of their names, in which numbers count by their value.
 *
 * @param folder the folder
 * @param classes the names of the classes, which are those of their folders
 * @param pictures the pictures
 * @param others the names of files beside the folders of the classes, which are no pictures
 */
record PictureList(
    Path folder, List<String> classes, List<Labelled> pictures, List<String> others) {
  /** The endings of the names of pictures. */
  private static final Pattern PICTURE =
      Pattern.compile(".*\\.(png|jpe?g|gif|bmp|tiff?|webp|pgm)", Pattern.CASE_INSENSITIVE);

  /** Files that systems put into folders of pictures, in lower case. */
  private static final Set<String> SYSTEM_FILES = Set.of("thumbs.db", "desktop.ini", "__macosx");

  /**
   * A picture of a class.
   *
   * @param file the picture
   * @param label the index of its class
   */
  record Labelled(Path file, int label) {
    String stem() {
      String name = name(file);
      int dot = name.lastIndexOf('.');
      return dot < 0 ? name : name.substring(0, dot);
    }
  }

  /**
   * Lists the pictures of a folder.
   *
   * @throws BadFileException if the folder has a picture beside the folders of the classes, no
   *     class, or a class without pictures
   */
  static PictureList of(Path folder) {
    var classes = new ArrayList<String>();
    var pictures = new ArrayList<Labelled>();
    var others = new ArrayList<String>();
    for (Path entry : entries(folder)) {
      if (!Files.isDirectory(entry)) {
        if (isPicture(entry)) {
          throw new BadFileException(
              "%s: the picture %s lies beside the folders of the classes; each picture must lie in"
                      .formatted(folder, name(entry))
                  + " the folder of its class");
        }
        others.add(name(entry));
        continue;
      }
      int before = pictures.size();
      addClass(entry, classes.size(), pictures);
      if (pictures.size() == before) {
        throw new BadFileException(entry + ": the folder of a class has no picture");
      }
      classes.add(name(entry));
    }
    if (classes.isEmpty()) {
      throw new BadFileException(
          folder + ": there is no picture here; a folder for each class must hold its pictures");
    }
    if (NumericOrder.areDifferentNumbers(pictures.stream().map(Labelled::stem).toList())) {
      pictures.sort(Comparator.comparing(Labelled::stem, NumericOrder.NAMES));
    }
    return new PictureList(folder, List.copyOf(classes), pictures, others);
  }

  private static void addClass(Path folder, int label, List<Labelled> pictures) {
    for (Path file : entries(folder)) {
      if (Files.isDirectory(file)) {
        throw new BadFileException(
            "%s: the folder of a class must hold pictures alone, found the folder %s"
                .formatted(folder, name(file)));
      }
      pictures.add(new Labelled(file, label));
    }
  }

  /** The entries of a folder by their names, without hidden files and those of systems. */
  static List<Path> entries(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(PictureList::isWanted)
          .sorted(Comparator.comparing(PictureList::name, NumericOrder.NAMES))
          .toList();
    } catch (IOException e) {
      throw Reason.unreadable(folder, e);
    } catch (UncheckedIOException e) {
      throw Reason.unreadable(folder, e.getCause());
    }
  }

  private static boolean isWanted(Path entry) {
    String name = name(entry);
    return !name.startsWith(".") && !SYSTEM_FILES.contains(name.toLowerCase(Locale.ROOT));
  }

  /** Whether a file's name has the ending of a picture's. */
  static boolean isPicture(Path file) {
    return PICTURE.matcher(name(file)).matches();
  }

  static String name(Path entry) {
    return entry.getFileName().toString();
  }
}
