package mlpcuda.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Tests that no foreign text can break a message of one line, or fill it. */
class OneLineTest {
  @Test
  void controlCharactersBecomeQuestionMarks() {
    assertEquals("a?b?c?d?e?f", OneLine.of("a\nb\rc\u2028d\u2029e\u001bf"));
    assertEquals("café, 数字", OneLine.of("café, 数字"));
  }

  @Test
  void aLongTextIsCut() {
    assertEquals("abc", OneLine.start("abc", 3));
    assertEquals("abc…", OneLine.start("abcd", 3));
    assertEquals("a?c…", OneLine.start("a\ncd", 3));
  }

  @Test
  void linesAreJoinedBySingleSpaces() {
    assertEquals("a b c", OneLine.joined("  a \r\n\t b\u2028c\n"));
    assertEquals("a  b", OneLine.joined("a  b"));
  }

  @Test
  void anEmptyTextIsCalledNothing() {
    assertEquals("nothing", OneLine.orNothing(""));
    assertEquals(" ", OneLine.orNothing(" "));
  }
}
