package mlpcuda.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import mlpcuda.error.FolderInUseException;
import mlpcuda.files.WholeFile;

/**
 * The lock by which the folder of a run or a sweep has one owner. It is the operating system's, on
 * the file {@code .lock} in the folder: it ends with the process, whatever ends that. The file
 * itself stays, because a process that deleted it could delete one that another has just locked.
 */
public final class FolderLock implements AutoCloseable {
  /** The file in the folder that is locked; it is empty. */
  public static final String FILE = ".lock";

  private final Path folder;
  private final FileChannel channel;
  private final boolean locked;

  private FolderLock(Path folder, FileChannel channel, boolean locked) {
    this.folder = folder;
    this.channel = channel;
    this.locked = locked;
  }

  /**
   * Locks a folder, which must exist.
   *
   * @throws FolderInUseException if another process, or another thread of this one, has the lock
   * @throws java.io.UncheckedIOException if nothing can be written into the folder
   */
  public static FolderLock take(Path folder) {
    FileChannel channel;
    try {
      channel =
          FileChannel.open(
              folder.resolve(FILE),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              LinkOption.NOFOLLOW_LINKS); // a link planted here must lead nowhere
    } catch (IOException e) {
      throw WholeFile.cannotBeWritten(folder.resolve(FILE), e);
    }
    FileLock lock;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    } catch (IOException e) { // for example NFS without a lock daemon
      return new FolderLock(folder, channel, false);
    }
    if (lock == null) {
      var refused = new FolderInUseException(folder);
      close(channel, refused);
      throw refused;
    }
    return new FolderLock(folder, channel, true);
  }

  private static void close(FileChannel channel, RuntimeException failure) {
    try {
      channel.close();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /** Whether the file system has locks. If it has none, nothing keeps other processes out. */
  public boolean locked() {
    return locked;
  }

  /** A sentence for the user of a folder whose file system has no locks; empty where it has. */
  public Optional<String> warning() {
    return locked
        ? Optional.empty()
        : Optional.of(
            folder
                + ": its file system knows no locks, so nothing keeps another process out of it");
  }

  /** Releases the folder. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // The lock ends with the process at the latest, and nothing was written to the file.
    }
  }
}
