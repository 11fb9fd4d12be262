package mlpcuda.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import mlpcuda.files.WholeFile;
import mlpcuda.report.Metrics;

/** What the folder of a committee holds of an earlier one. */
public final class CommitteeFolder {
  private CommitteeFolder() {}

  /**
   * Makes a folder one that holds no committee, so that a single run may have it.
   *
   * @throws java.io.UncheckedIOException if a file cannot be deleted
   */
  public static void forget(Path folder) {
    delete(folder.resolve(CommitteePlan.FILE));
  }

  /**
   * Deletes what an earlier committee or run in the folder would go on from, and what says that it
   * is done. The plan goes first: without it the folder holds no committee.
   *
   * @throws java.io.UncheckedIOException if a file cannot be deleted
   */
  static void clear(Path folder) {
    forget(folder);
    delete(folder.resolve(Metrics.FILE));
    delete(folder.resolve(RunFolder.CHECKPOINT));
    for (Path member : members(folder)) {
      delete(member.resolve(Metrics.FILE));
      delete(member.resolve(RunFolder.CHECKPOINT));
    }
  }

  private static List<Path> members(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().matches("member-[0-9]+"))
          .filter(file -> Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS))
          .toList();
    } catch (IOException e) {
      throw WholeFile.notAFolder(folder.toString(), e);
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw WholeFile.cannotBeWritten(file, e);
    }
  }
}
