package mlpcuda.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.Cases.Case;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests that the limits of the conformance table tell a device that rounds as it claims from
 * others.
 */
class WrongRoundingTest {
  /** A place where the values of a layer are rounded, or must not be. */
  private enum Place {
    X_FORWARD,
    W_FORWARD,
    DY_OF_DW,
    X_OF_DW,
    DY_OF_DX,
    W_OF_DX,
    BIAS,
    DY_OF_DB;

    boolean isOperand() {
      return this != BIAS && this != DY_OF_DB;
    }

    String operation() {
      return this == X_FORWARD || this == W_FORWARD || this == BIAS
          ? "linearForward"
          : "linearBackward";
    }
  }

  /** A device that claims one precision, and rounds to another in one place; no activations. */
  private static final class Wrong extends ReferenceOps {
    private final Place place;
    private final Precision there;

    Wrong(Precision precision, Place place, Precision there) {
      super(precision);
      this.place = place;
      this.there = there;
    }

    private double at(Place asked, Buffer buffer, int i) {
      Precision right = asked.isOperand() ? precision() : Precision.FP32;
      return (place == asked ? there : right).round((float) value(buffer, i));
    }

    @Override
    protected void linearForwardK(
        Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
      assertEquals(Activation.NONE, activation);
      for (int r = 0; r < B; r++) {
        for (int o = 0; o < O; o++) {
          double z = at(Place.BIAS, b, o);
          for (int i = 0; i < I; i++) {
            z += at(Place.X_FORWARD, x, r * I + i) * at(Place.W_FORWARD, w, o * I + i);
          }
          set(y, r * O + o, z);
        }
      }
    }

    private void zero(Buffer x) {
      for (int i = 0; i < x.length(); i++) {
        set(x, i, 0);
      }
    }

    @Override
    protected void linearBackwardK(
        LayerGradients gradients,
        Buffer dy,
        Buffer x,
        Buffer w,
        int B,
        int I,
        int O,
        Activation below) {
      assertEquals(Activation.NONE, below);
      Buffer dw = gradients.dw();
      Buffer db = gradients.db();
      zero(dw);
      zero(db);
      for (int r = 0; r < B; r++) {
        for (int o = 0; o < O; o++) {
          set(db, o, value(db, o) + at(Place.DY_OF_DB, dy, r * O + o));
          for (int i = 0; i < I; i++) {
            double term = at(Place.DY_OF_DW, dy, r * O + o) * at(Place.X_OF_DW, x, r * I + i);
            set(dw, o * I + i, value(dw, o * I + i) + term);
          }
        }
        for (int i = 0; i < I && gradients.dx().isPresent(); i++) {
          double d = 0;
          for (int o = 0; o < O; o++) {
            d += at(Place.DY_OF_DX, dy, r * O + o) * at(Place.W_OF_DX, w, o * I + i);
          }
          set(gradients.dx().get(), r * I + i, d);
        }
      }
    }
  }

  /** One usual size; other cases are made for the differences that it does not show. */
  private static final Set<String> USUAL =
      Set.of("B=33 I=103 O=31 NONE", "B=33 I=103 O=31 below NONE");

  private static final Set<Precision> TEN_BITS = Set.of(Precision.TF32, Precision.FP16);

  private static List<Case> cases(Precision precision) {
    return Cases.products(precision).stream()
        .filter(
            c ->
                USUAL.contains(c.sizes())
                    || c.sizes().contains("edges")
                    || c.sizes().contains("halves"))
        .toList();
  }

  private static List<Case> failed(Precision precision, Place place, Precision there) {
    try (var ops = new Wrong(precision, place, there)) {
      return cases(precision).stream().filter(c -> !Conformance.check(ops, c).passed()).toList();
    }
  }

  static Stream<Arguments> mistakes() {
    return Stream.of(Precision.TF32, Precision.BF16, Precision.FP16)
        .flatMap(
            precision ->
                Stream.of(Place.values())
                    .flatMap(
                        place ->
                            Stream.of(Precision.values())
                                .filter(
                                    there ->
                                        there != (place.isOperand() ? precision : Precision.FP32))
                                .map(there -> Arguments.of(precision, place, there))));
  }

  @ParameterizedTest(name = "{0}, but {1} in {2}")
  @MethodSource("mistakes")
  void aWrongRoundingFails(Precision precision, Place place, Precision there) {
    List<Case> failed = failed(precision, place, there);
    assertFalse(failed.isEmpty());
    failed.forEach(c -> assertEquals(place.operation(), c.operation(), failed.toString()));
    // Two precisions with as many bits differ in ties and in range alone.
    boolean alike = precision != Precision.BF16 && TEN_BITS.contains(there) && place.isOperand();
    assertTrue(
        alike || failed.stream().anyMatch(c -> USUAL.contains(c.sizes())), failed.toString());
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, names = "FP32", mode = EnumSource.Mode.EXCLUDE)
  void theRightRoundingPasses(Precision precision) {
    assertEquals(List.of(), failed(precision, Place.X_FORWARD, precision));
    assertEquals(9, cases(precision).size(), cases(precision).toString());
  }
}
