package mlpcuda.data;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/**
 * Collects files of other formats where no data set of IDX files was found, by the endings of their
 * names, and words what the message says about them.
 */
final class OtherFormats {
  private enum Format {
    IDX("IDX files of other names", "ubyte", "ubyte.gz", "-int", "-int.gz", ".idx", ".idx.gz"),
    CSV("CSV files", ".csv", ".tsv", ".csv.gz"),
    PARQUET("Parquet files", ".parquet"),
    ARROW("Arrow files", ".arrow", ".feather"),
    NUMPY("NumPy files", ".npz", ".npy"),
    MATLAB("MATLAB files", ".mat"),
    HDF5("HDF5 files", ".h5", ".hdf5"),
    PICKLES("Python pickles", ".pkl", ".pickle", ".pt", ".pth"),
    RECORDS("TensorFlow records", ".tfrecord", ".tfrecords"),
    PICTURES("pictures", ".png .jpg .jpeg .gif .bmp .tif .tiff .webp .pgm".split(" ")),
    ARCHIVES("archives", ".zip .tar .tar.gz .tgz .tar.bz2 .tar.xz .7z .rar".split(" "));

    final String called;
    final List<String> endings;

    Format(String called, String... endings) {
      this.called = called;
      this.endings = List.of(endings);
    }
  }

  /** Names that mean nothing else to a shell or to Python when they stand in quotes. */
  private static final Pattern PLAIN_NAME = Pattern.compile("[\\w. -]+");

  /** The first file of each format. */
  private final Map<Format, Path> found = new EnumMap<>(Format.class);

  /** Notes a file whose name has the ending of a known format. */
  void see(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    for (Format format : Format.values()) {
      if (format.endings.stream().anyMatch(name::endsWith)) {
        found.putIfAbsent(format, file);
        return;
      }
    }
  }

  /**
   * Says which formats were seen, with an example of each: "no data set here, but CSV files
   * (train.csv)".
   */
  String found(Path folder) {
    var list = new StringJoiner(", ", "no data set here, but ", "");
    found.forEach(
        (format, file) -> list.add("%s (%s)".formatted(format.called, folder.relativize(file))));
    return found.isEmpty() ? "no data set here" : list.toString();
  }

  /** Says which files are read, and what to do with the formats that were seen. */
  String advice() {
    return "examples are tables (.csv, .tsv), NumPy's arrays (.npz, .npy), lines in LIBSVM's format, a"
        + " folder of pictures for each class, or the four IDX files train-images-idx3-ubyte,"
        + " train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz"
        + remedy();
  }

  private String remedy() {
    if (found.isEmpty()) {
      return "";
    }
    if (found.containsKey(Format.IDX)) {
      return "; name the folder that holds all four, or rename the files so";
    }
    if (found.keySet().equals(Set.of(Format.ARCHIVES))) {
      return "; unpack the archive first";
    }
    if (found.keySet().equals(Set.of(Format.PARQUET))) {
      return "; a CSV file is made of one by " + parquetToCsv(found.get(Format.PARQUET));
    }
    return "; Python saves other arrays as numpy.savez('data.npz', x_train=x, y_train=y)";
  }

  /** Returns a shell command that converts a Parquet file, in its folder, by Python's pandas. */
  private static String parquetToCsv(Path file) {
    String name = file.getFileName().toString();
    String plain = PLAIN_NAME.matcher(name).matches() ? name : "FILE.parquet";
    return "python3 -c \"import pandas; pandas.read_parquet('%s').to_csv('%s', index=False)\""
        .formatted(plain, plain.replaceFirst("\\.[^.]*$", ".csv"));
  }
}
