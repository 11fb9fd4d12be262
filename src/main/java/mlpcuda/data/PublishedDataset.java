package mlpcuda.data;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import mlpcuda.error.BadFileException;
import mlpcuda.files.Reason;

/**
 * A data set that is downloaded from its publisher, and kept in the user's cache folder.
 *
 * @param name the name by which users choose the data set, and of its folder in the cache
 * @param title the data set's name in messages and reports
 * @param classes the number of classes
 * @param mirrors addresses of folders with the files, each ending in {@code /}, tried in this
 *     order: https first, because a transfer by http can be read and changed on the way
 * @param files the files to fetch: training images, training labels, test images, test labels
 */
public record PublishedDataset(
    String name, String title, int classes, List<URI> mirrors, List<RemoteFile> files) {

  /**
   * A published file.
   *
   * @param name the file's name below each mirror, and in the cache
   * @param md5 the MD5 of the file's bytes, as the publisher gives it, in lower-case hexadecimal
   * @param sha256 the SHA-256 of the file's bytes, in lower-case hexadecimal; MD5 alone does not
   *     do, as anybody can make two files of one MD5
   */
  public record RemoteFile(String name, String md5, String sha256) {
    /** Says which hash of {@code content} is wrong; returns an empty text if both are right. */
    String mismatch(byte[] content) {
      String foundSha256 = Download.hash("SHA-256", content);
      if (!foundSha256.equals(sha256)) {
        return "SHA-256 " + foundSha256;
      }
      String foundMd5 = Download.hash("MD5", content);
      return foundMd5.equals(md5) ? "" : "MD5 " + foundMd5;
    }
  }

  // The SHA-256 of all twelve files are listed by both TensorFlow Datasets
  // (tensorflow_datasets/url_checksums of github.com/tensorflow/datasets) and PyTorch
  // (torchvision/prototype/datasets/_builtin/mnist.py of github.com/pytorch/vision) both list. The
  // hashes of MNIST's labels and test images were computed again from the files of
  // github.com/fgnt/mnist, whose MD5 are as given here, and the hashes of Fashion-MNIST's labels
  // from the publisher's repository.

  private static final String TRAIN_IMAGES = "train-images-idx3-ubyte.gz";
  private static final String TRAIN_LABELS = "train-labels-idx1-ubyte.gz";
  private static final String TEST_IMAGES = "t10k-images-idx3-ubyte.gz";
  private static final String TEST_LABELS = "t10k-labels-idx1-ubyte.gz";

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
          List.of(
              new RemoteFile(
                  TRAIN_IMAGES,
                  "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                  "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
              new RemoteFile(
                  TRAIN_LABELS,
                  "d53e105ee54ea40749a09fcbcd1e9432",
                  "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
              new RemoteFile(
                  TEST_IMAGES,
                  "9fb629c4189551a2d022fa330f9573f3",
                  "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
              new RemoteFile(
                  TEST_LABELS,
                  "ec29112dd5afa0611ce80d1b7f02629c",
                  "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6")));

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
              "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
              "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
              "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
          List.of(
              new RemoteFile(
                  TRAIN_IMAGES,
                  "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                  "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
              new RemoteFile(
                  TRAIN_LABELS,
                  "25c81989df183df01b3e8a0aad5dffbe",
                  "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
              new RemoteFile(
                  TEST_IMAGES,
                  "bef4ecab320f06d8554ea6380940ec79",
                  "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
              new RemoteFile(
                  TEST_LABELS,
                  "bb300cfdad3c16e7a12a480ee83cd310",
                  "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")));

  /** Cursive Japanese characters, from <a href="https://github.com/rois-codh/kmnist">CODH</a>. */
  public static final PublishedDataset KMNIST =
      new PublishedDataset(
          "kmnist",
          "KMNIST",
          10,
          mirrors(
              "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
              "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
          List.of(
              new RemoteFile(
                  TRAIN_IMAGES,
                  "bdb82020997e1d708af4cf47b453dcf7",
                  "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
              new RemoteFile(
                  TRAIN_LABELS,
                  "e144d726b3acfaa3e44228e80efcd344",
                  "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
              new RemoteFile(
                  TEST_IMAGES,
                  "5c965bf0a639b31b8f53240b1b52f4d7",
                  "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
              new RemoteFile(
                  TEST_LABELS,
                  "7320c461ea6c1c855c0b718fb2a4b134",
                  "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c")));

  /** All published data sets. */
  public static final List<PublishedDataset> ALL = List.of(MNIST, FASHION_MNIST, KMNIST);

  /** Receives the progress of a download. */
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
   * Reads the data set, fetching the files that do not lie undamaged in the cache. The bytes whose
   * hashes were checked are also the bytes that are parsed, so that a file that changes after the
   * check has no effect.
   *
   * @param datasets the program's folder for downloaded data sets; each has a folder of its name
   * @param progress called in this thread
   * @throws BadFileException if a file is missing and cannot be downloaded
   * @throws java.io.UncheckedIOException if a downloaded file cannot be written to the cache
   */
  public LabelledData load(Path datasets, Progress progress) {
    return load(datasets, progress, Download.standard());
  }

  /** {@link #load(Path, Progress)} with other limits of the download. */
  LabelledData load(Path datasets, Progress progress, Download download) {
    Path folder = datasets.resolve(name);
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadFileException(folder + ": cannot be made: " + Reason.of(e), e);
    }
    Function<RemoteFile, byte[]> source = f -> download.bytes(folder, f, mirrors, progress);
    ExampleSet train = split(0, source);
    ExampleSet test = split(2, source);
    return LabelledData.numbered(title, classes, train, test);
  }

  private static List<URI> mirrors(String... addresses) {
    return List.of(addresses).stream().map(URI::create).toList();
  }

  /**
   * Parses images and their labels. The checks of {@link IdxFolder}, such as the number of labels,
   * are not needed: the hashes prove that the files are the published ones.
   *
   * @param images the index of the images' file; the labels' file is the next one
   */
  private ExampleSet split(int images, Function<RemoteFile, byte[]> source) {
    IdxFile.Images read = parse(files.get(images), source, IdxFile::images);
    byte[] labels = parse(files.get(images + 1), source, IdxFile::labels);
    return ExampleSet.images(read.rows(), read.cols(), read.pixels(), labels);
  }

  private static <T> T parse(
      RemoteFile file, Function<RemoteFile, byte[]> source, IdxFile.Parser<T> parser) {
    try {
      return IdxFile.parse(file.name(), source.apply(file), parser);
    } catch (IOException e) {
      throw new AssertionError("bytes in memory can be read", e);
    }
  }
}
