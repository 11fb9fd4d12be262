package mlpcuda.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests the messages for exceptions of java.io and java.nio: they must not name a class. */
class ReasonTest {
  static Stream<Arguments> reasons() {
    return Stream.of(
        Arguments.of(new NoSuchFileException("f"), "no such file"),
        Arguments.of(new AccessDeniedException("f"), "permission denied"),
        Arguments.of(new FileAlreadyExistsException("f"), "a file of that name is there"),
        Arguments.of(new NotDirectoryException("f"), "a file is where a folder is needed"),
        Arguments.of(
            new FileSystemException("f", null, "Read-only file system"), "Read-only file system"),
        Arguments.of(new FileSystemException("f"), "the operating system gave no reason"),
        Arguments.of(new IOException("No space left on device"), "No space left on device"),
        Arguments.of(new IOException("first line\nsecond line"), "first line"),
        Arguments.of(new IOException(), "the operating system gave no reason"));
  }

  @ParameterizedTest
  @MethodSource("reasons")
  void reason(IOException e, String reason) {
    assertEquals(reason, Reason.of(e));
    assertEquals(
        reason.equals("no such file") ? "x: no such file" : "x: cannot be read: " + reason,
        Reason.unreadable("x", e).getMessage());
  }
}
