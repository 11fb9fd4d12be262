package mlpcuda.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import mlpcuda.error.BadFileException;

/** Words why an access to a file failed, for messages. */
public final class Reason {
  private Reason() {}

  /** Makes the exception for a {@code file} that cannot be read at all, with the reason. */
  public static BadFileException unreadable(Object file, IOException e) {
    String what = e instanceof NoSuchFileException ? "" : "cannot be read: ";
    return new BadFileException(file + ": " + what + of(e), e);
  }

  /** Says why an access to a file failed, in words that name neither the file nor a Java class. */
  public static String of(IOException e) {
    if (e instanceof FileSystemException system && system.getReason() != null) {
      return system.getReason();
    }
    if (e instanceof NoSuchFileException) {
      return "no such file";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException) {
      return "a file of that name is there";
    }
    if (e instanceof NotDirectoryException) {
      return "a file is where a folder is needed";
    }
    if (e instanceof DirectoryNotEmptyException) {
      return "the folder is not empty";
    }
    String message = e.getMessage();
    return message == null || e instanceof FileSystemException
        ? "the operating system gave no reason"
        : message.lines().findFirst().orElse("");
  }
}
