package mlpcuda.run;

import java.nio.file.Path;
import java.util.OptionalInt;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.LabelledData;
import mlpcuda.data.PublishedDataset;
import mlpcuda.files.CacheFolder;
import mlpcuda.input.DataReader;
import mlpcuda.input.ReadOptions;

/** Where a run's examples come from. */
public sealed interface DataSource {
  /** The MNIST on the class path. */
  record Embedded() implements DataSource {
    @Override
    public LabelledData load(LoadingListener listener) {
      return EmbeddedMnist.load();
    }
  }

  /**
   * Files of any format that is read.
   *
   * @param path a file or a folder, or the beginning of IDX files' names: see {@link DataReader}
   * @param classes the number of classes; empty if the training set's labels tell it
   * @param options how the files are read
   */
  record Files(Path path, OptionalInt classes, ReadOptions options) implements DataSource {
    @Override
    public LabelledData load(LoadingListener listener) {
      return DataReader.read(path, classes, options, listener, listener::note);
    }
  }

  /**
   * A data set that is fetched from its publisher unless it is in the cache folder.
   *
   * @param set the data set
   */
  record Published(PublishedDataset set) implements DataSource {
    @Override
    public LabelledData load(LoadingListener listener) {
      return set.load(CacheFolder.datasets(), listener);
    }
  }

  /** Examples that the caller of the library has in memory; they cannot be loaded from here. */
  record InMemory() implements DataSource {
    @Override
    public LabelledData load(LoadingListener listener) {
      throw new IllegalStateException("a run's examples were given by a program, which must again");
    }
  }

  /**
   * Reads the data set.
   *
   * @param listener hears of what takes time
   * @throws mlpcuda.error.BadFileException if a file is missing or malformed
   */
  LabelledData load(LoadingListener listener);
}
