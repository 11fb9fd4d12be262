package mlpcuda.run;

import mlpcuda.data.PublishedDataset;
import mlpcuda.input.ReadingProgress;

/** Hears of what takes time while a data set is loaded, and of what a user should know about it. */
public interface LoadingListener extends PublishedDataset.Progress, ReadingProgress {
  /** A listener that ignores all that it hears. */
  LoadingListener NONE =
      new LoadingListener() {
        @Override
        public void report(String file, long bytes, long total) {}

        @Override
        public void at(long done, long all) {}

        @Override
        public void note(String sentence) {}
      };

  /** Hears a sentence about the data set that was read. */
  void note(String sentence);
}
