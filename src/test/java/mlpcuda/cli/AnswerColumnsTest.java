package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import mlpcuda.cli.AnswerColumns.Answer;
import org.junit.jupiter.api.Test;

/** Tests the lines of a CSV file of answers. */
class AnswerColumnsTest {
  @Test
  void cellsAreQuotedWhereTheyMustBe() {
    var columns = AnswerColumns.all(List.of("a, b", "say \"c\"", " d", "plain name"));
    assertEquals("id,label,\"a, b\",\"say \"\"c\"\"\",\" d\",plain name", columns.header());
    float half = (float) Math.log(0.5);
    float never = Float.NEGATIVE_INFINITY;
    assertEquals(
        "7,\"say \"\"c\"\"\",0.0,0.5,0.5,0.0",
        columns.line(Answer.of(7, new float[] {never, half, half, never})));
  }

  @Test
  void theFirstOfEqualsIsTheAnswer() {
    assertEquals(1, Answer.of(1, new float[] {-3, -1, -1}).answer());
  }
}
