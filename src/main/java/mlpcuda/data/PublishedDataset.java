package mlpcuda.data;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import mlpcuda.files.Reason;

/**
 * A data set that is downloaded from its publisher, and kept in the user's cache folder.
 *
 * @param name the name on the command line and of its folder in the cache
 * @param title the name that the program calls it
 * @param classes the number of classes
 * @param mirrors folders at which the files lie, each ending in {@code /}, tried in this order
 * @param files the files to fetch
 */
public record PublishedDataset(
    String name, String title, int classes, List<URI> mirrors, List<RemoteFile> files) {

  /**
   * A published file.
   *
   * @param name the file's name below each mirror, and in the cache
   * @param md5 the MD5 of the file's bytes, in lower-case hexadecimal
   */
  public record RemoteFile(String name, String md5) {}

  /** Handwritten digits, from <a href="http://yann.lecun.com/exdb/mnist/">LeCun's page</a>. */
  public static final PublishedDataset MNIST =
      new PublishedDataset(
          "mnist",
          "MNIST",
          10,
          mirrors(
              "https://ossci-datasets.s3.amazonaws.com/mnist/",
              "https://storage.googleapis.com/cvdf-datasets/mnist/",
              "https://raw.githubusercontent.com/fgnt/mnist/master/"),
          files(
              "f68b3c2dcbeaaa9fbdd348bbdeb94873",
              "d53e105ee54ea40749a09fcbcd1e9432",
              "9fb629c4189551a2d022fa330f9573f3",
              "ec29112dd5afa0611ce80d1b7f02629c"));

  /**
   * Pieces of clothing, from <a href="https://github.com/zalandoresearch/fashion-mnist">Zalando
   * Research</a>.
   */
  public static final PublishedDataset FASHION_MNIST =
      new PublishedDataset(
          "fashion-mnist",
          "Fashion-MNIST",
          10,
          mirrors(
              "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
              "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
              "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"),
          files(
              "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
              "25c81989df183df01b3e8a0aad5dffbe",
              "bef4ecab320f06d8554ea6380940ec79",
              "bb300cfdad3c16e7a12a480ee83cd310"));

  /** Cursive Japanese characters, from <a href="https://github.com/rois-codh/kmnist">CODH</a>. */
  public static final PublishedDataset KMNIST =
      new PublishedDataset(
          "kmnist",
          "KMNIST",
          10,
          mirrors(
              "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
              "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
          files(
              "bdb82020997e1d708af4cf47b453dcf7",
              "e144d726b3acfaa3e44228e80efcd344",
              "5c965bf0a639b31b8f53240b1b52f4d7",
              "7320c461ea6c1c855c0b718fb2a4b134"));

  /** Every data set that can be named on the command line. */
  public static final List<PublishedDataset> ALL = List.of(MNIST, FASHION_MNIST, KMNIST);

  /** Hears of the progress of a download. */
  public interface Progress {
    /**
     * Called as bytes arrive; again from 0 when the next mirror is tried.
     *
     * @param file the name of the file
     * @param bytes the number of bytes that have arrived
     * @param total bytes of the file, or -1 if the mirror does not say
     */
    void report(String file, long bytes, long total);
  }

  /**
   * The data set of that name.
   *
   * @throws IllegalArgumentException if there is no such data set
   */
  public static PublishedDataset named(String name) {
    return ALL.stream()
        .filter(d -> d.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "data set must be one of %s, found %s"
                        .formatted(
                            ALL.stream().map(d -> d.name).collect(Collectors.joining(", ")),
                            name)));
  }

  /**
   * Makes sure that every file lies undamaged in {@code cacheRoot/datasets/name}, and returns that
   * folder. A file that has the right MD5 already is not fetched again.
   *
   * @param cacheRoot the program's folder for what can be fetched again
   * @param progress called in this thread
   * @throws BadFileException if no mirror gives a file, or a file cannot be written
   */
  public Path fetch(Path cacheRoot, Progress progress) {
    return fetch(cacheRoot, progress, Download.DEFAULT);
  }

  /** {@link #fetch(Path, Progress)} with other limits of the download. */
  Path fetch(Path cacheRoot, Progress progress, Download download) {
    Path folder = cacheRoot.resolve("datasets").resolve(name);
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadFileException(folder + ": cannot be made: " + Reason.of(e), e);
    }
    for (RemoteFile file : files) {
      download.into(folder, file, mirrors, progress);
    }
    return folder;
  }

  /**
   * Fetches the files that are missing and reads the data set.
   *
   * @throws BadFileException if a file is missing and cannot be had, or is bad
   */
  public Dataset load(Path cacheRoot, Progress progress) {
    return IdxFolder.read(title, fetch(cacheRoot, progress), OptionalInt.of(classes));
  }

  private static List<URI> mirrors(String... addresses) {
    return List.of(addresses).stream().map(URI::create).toList();
  }

  private static List<RemoteFile> files(
      String trainImages, String trainLabels, String testImages, String testLabels) {
    return List.of(
        new RemoteFile("train-images-idx3-ubyte.gz", trainImages),
        new RemoteFile("train-labels-idx1-ubyte.gz", trainLabels),
        new RemoteFile("t10k-images-idx3-ubyte.gz", testImages),
        new RemoteFile("t10k-labels-idx1-ubyte.gz", testLabels));
  }
}
