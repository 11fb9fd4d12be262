package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OwnedTest {
  private final List<String> closed = new ArrayList<>();
  private final Owned owned = new Owned();

  private void own(String name, boolean fails) {
    owned.add(
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
    var failure = assertThrows(IllegalStateException.class, owned::close);
    assertEquals(List.of("fourth", "third", "second", "first"), closed);
    assertEquals("third", failure.getMessage());
    assertEquals("first", failure.getSuppressed()[0].getMessage());
  }

  @Test
  void theFailureBeforeStaysTheFailure() {
    own("one", true);
    var before = new IllegalArgumentException("before");
    owned.closeAfter(before);
    assertEquals(List.of("one"), closed);
    assertSame(IllegalStateException.class, before.getSuppressed()[0].getClass());
  }
}
