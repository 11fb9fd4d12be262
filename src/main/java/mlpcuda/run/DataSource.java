package mlpcuda.run;

import java.nio.file.Path;
import java.util.OptionalInt;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.IdxFolder;
import mlpcuda.data.LabelledData;
import mlpcuda.data.PublishedDataset;
import mlpcuda.files.CacheFolder;

/** Where a run's examples come from. */
public sealed interface DataSource {
  /** The MNIST on the class path. */
  record Embedded() implements DataSource {
    @Override
    public LabelledData load(PublishedDataset.Progress downloads) {
      return EmbeddedMnist.load();
    }
  }

  /**
   * A folder of IDX files.
   *
   * @param path the folder, or the beginning of its files' names: see {@link IdxFolder}
   * @param classes the number of classes; empty if the training set's labels tell it
   */
  record Folder(Path path, OptionalInt classes) implements DataSource {
    @Override
    public LabelledData load(PublishedDataset.Progress downloads) {
      return IdxFolder.read(path, classes);
    }
  }

  /**
   * A data set that is fetched from its publisher unless it is in the cache folder.
   *
   * @param set the data set
   */
  record Published(PublishedDataset set) implements DataSource {
    @Override
    public LabelledData load(PublishedDataset.Progress downloads) {
      return set.load(CacheFolder.datasets(), downloads);
    }
  }

  /** Examples that the caller of the library has in memory; they cannot be loaded from here. */
  record InMemory() implements DataSource {
    @Override
    public LabelledData load(PublishedDataset.Progress downloads) {
      throw new IllegalStateException("a run's examples were given by a program, which must again");
    }
  }

  /**
   * Reads the data set.
   *
   * @param downloads hears of what is fetched
   * @throws mlpcuda.error.BadFileException if a file is missing or malformed
   */
  LabelledData load(PublishedDataset.Progress downloads);
}
