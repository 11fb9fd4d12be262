package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResourcesTest {
  private final List<String> closed = new ArrayList<>();
  private final Resources resources = new Resources();

  private void own(String name, boolean fails) {
    resources.add(
        () -> {
          closed.add(name);
          if (fails) {
            throw new IllegalStateException(name);
          }
        });
  }

  @Test
  void allIsClosedTheLastFirstWhateverFails() {
    own("first", true);
    own("second", false);
    own("third", true);
    own("fourth", false);
    var failure = assertThrows(IllegalStateException.class, resources::close);
    assertEquals(List.of("fourth", "third", "second", "first"), closed);
    assertEquals("third", failure.getMessage());
    assertEquals("first", failure.getSuppressed()[0].getMessage());
  }

  @Test
  void theFailureBeforeStaysTheFailure() {
    own("one", true);
    var before = new IllegalArgumentException("before");
    resources.closeAfter(before);
    assertEquals(List.of("one"), closed);
    assertSame(IllegalStateException.class, before.getSuppressed()[0].getClass());
  }

  @Test
  void whatFailsToOpenClosesWhatWasOpened() {
    own("one", false);
    own("two", false);
    var failure =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                resources.open(
                    () -> {
                      throw new IllegalArgumentException("three");
                    }));
    assertEquals("three", failure.getMessage());
    assertEquals(List.of("two", "one"), closed);
  }

  @Test
  void whatFailsWithOpenedResourcesClosesThem() {
    own("one", true);
    var failure =
        assertThrows(
            OutOfMemoryError.class,
            () ->
                resources.attempt(
                    () -> {
                      throw new OutOfMemoryError("heap");
                    }));
    assertEquals(List.of("one"), closed);
    assertEquals("one", failure.getSuppressed()[0].getMessage());
  }
}
