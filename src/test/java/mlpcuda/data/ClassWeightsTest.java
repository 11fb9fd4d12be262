package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClassWeightsTest {
  /** Six examples: four of class 0, one of class 1, one of class 2. */
  private static final ExampleSet SET =
      ExampleSet.images(1, 1, new byte[6], new byte[] {0, 0, 1, 0, 2, 0});

  /** scikit-learn's compute_class_weight("balanced", …) gives 0.5, 2 and 2 for these labels. */
  @Test
  void balancedWeightsAreThoseOfScikitLearn() {
    ExampleSet weighted = ClassWeights.parse("balanced").apply(SET, List.of("a", "b", "c"));
    assertArrayEquals(new float[] {0.5f, 0.5f, 2, 0.5f, 2, 0.5f}, weighted.weights().get());
  }

  @Test
  void aClassThatIsNotNamedHasTheWeightOne() {
    ExampleSet weighted = ClassWeights.parse("c:x:3,a:0").apply(SET, List.of("a", "b", "c:x"));
    assertArrayEquals(new float[] {0, 0, 1, 0, 3, 0}, weighted.weights().get());
  }

  @Test
  void theExamplesOwnWeightsAreMultiplied() {
    ExampleSet own = SET.withWeights(new float[] {1, 2, 3, 4, 5, 6});
    ExampleSet weighted = ClassWeights.parse("0:1,1:5,2:0.5").apply(own, List.of("0", "1", "2"));
    assertArrayEquals(new float[] {1, 2, 15, 4, 2.5f, 6}, weighted.weights().get());
  }

  @Test
  void theTextIsReadAgain() {
    for (String text : List.of("balanced", "0:1.0,1:5.0")) {
      assertEquals(text, ClassWeights.parse(text).toString());
      assertEquals(
          ClassWeights.parse(text), ClassWeights.parse(ClassWeights.parse(text).toString()));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0", "0:", ":1", "0:-1", "0:nan", "0:1,", "0:1,0:2", "0:1e39", "even"})
  void otherTextsAreRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> ClassWeights.parse(text));
  }

  @Test
  void aClassThatTheDataLackIsRefused() {
    ClassWeights weights = ClassWeights.parse("0:1,7:2");
    var refused =
        assertThrows(
            IllegalArgumentException.class, () -> weights.apply(SET, List.of("0", "1", "2")));
    assertTrue(refused.getMessage().contains("found 7"), refused.getMessage());
  }
}
