package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests buffers of the CPU whose rows are in an order other than the natural one. */
class InputOrderTest {
  private static final InputOrder ORDER = InputOrder.of(new int[] {2, 0, 1}, 2);
  private static final float[] VALUES = {1, 2, 3, 4, 5, 6, 7, 8, 9};

  private final CpuOps ops = new CpuOps(1);
  private final Floats arena = (Floats) ops.allocate("arena", Type.FLOAT32, VALUES.length);
  private final Floats weights = (Floats) arena.slice("weights", 2, 6); // 2 rows: 3 4 5, 6 7 8

  @AfterEach
  void close() {
    arena.close();
    ops.close();
  }

  private static float[] raw(Floats buffer) {
    float[] values = new float[buffer.length()];
    buffer.get(0, values, values.length);
    return values;
  }

  private float[] read(Buffer buffer) {
    float[] values = new float[buffer.length()];
    ops.read(buffer, values);
    return values;
  }

  @Test
  void rowsMoveAndBack() {
    float[] ordered = new float[3];
    ORDER.toOrder(new float[] {1, 2, 3}, ordered);
    assertArrayEquals(new float[] {3, 1, 2}, ordered);
    float[] back = new float[3];
    ORDER.toNatural(ordered, back);
    assertArrayEquals(new float[] {1, 2, 3}, back);
  }

  @Test
  void atLeastOneInputIsMultiplied() {
    for (int multiplied : new int[] {0, 4}) {
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> InputOrder.of(new int[] {2, 0, 1}, multiplied));
      assertEquals("from 1 to 3 inputs must be multiplied, found " + multiplied, e.getMessage());
    }
  }

  @Test
  void theHostDoesNotSeeTheOrder() {
    ops.write(arena, VALUES);
    weights.choose(ORDER);
    assertArrayEquals(new float[] {1, 2, 5, 3, 4, 8, 6, 7, 9}, raw(arena));
    assertArrayEquals(VALUES, read(arena));
    assertArrayEquals(new float[] {3, 4, 5, 6, 7, 8}, read(weights));
    assertArrayEquals(new float[] {2, 3}, read(arena.slice("end in a row", 1, 2)));
    assertArrayEquals(new float[] {4, 5, 6}, read(arena.slice("begin in a row", 3, 3)));
    assertArrayEquals(new float[] {8, 9}, read(arena.slice("last", 7, 2)));

    ops.write(arena.slice("begin in a row", 3, 3), new float[] {40, 50, 60});
    assertArrayEquals(new float[] {1, 2, 50, 3, 40, 8, 60, 7, 9}, raw(arena));
    assertArrayEquals(new float[] {1, 2, 3, 40, 50, 60, 7, 8, 9}, read(arena));
  }

  /** The order that was chosen first is kept, the natural one as well. */
  @Test
  void theChoiceIsKept() {
    assertEquals(Optional.empty(), weights.chosen());
    weights.choose(ORDER);
    assertEquals(Optional.of(ORDER), weights.chosen());
    assertEquals(Optional.empty(), arena.chosen());
    InputOrder natural = InputOrder.natural(3);
    weights.choose(natural);
    assertEquals(Optional.of(natural), weights.chosen());
  }

  @Test
  void anOperationGetsTheOrderThatItNeeds() {
    ops.write(arena, VALUES);
    weights.arrange(6, ORDER);
    assertEquals(ORDER, weights.order(6, 3));
    assertEquals(ORDER, weights.order(3, 3), "the first row");
    assertEquals(
        true, arena.slice("biases", 0, 2) instanceof Floats rest && rest.order(2, 2).isNatural());
    arena.keepTogether(9);
    assertArrayEquals(new float[] {1, 2, 5, 3, 4, 8, 6, 7, 9}, raw(arena));
    arena.keepTogether(4); // an operation on a part of the rows
    assertArrayEquals(VALUES, raw(arena));
    weights.arrange(6, ORDER);
    weights.natural();
    assertArrayEquals(VALUES, raw(arena));
  }

  /** An optimizer's moments are moved to where the weights are, and back with them. */
  @Test
  void anotherBufferFollows() {
    try (Buffer buffer = ops.allocate("moments", Type.FLOAT32, VALUES.length)) {
      var moments = (Floats) buffer;
      ops.write(arena, VALUES);
      ops.write(moments, VALUES);
      weights.choose(ORDER);
      moments.arrangeAs(arena, 9);
      assertArrayEquals(raw(arena), raw(moments));
      assertArrayEquals(VALUES, read(moments));
      moments.arrangeAs(arena, 4);
      assertArrayEquals(VALUES, raw(arena));
      assertArrayEquals(VALUES, raw(moments));
    }
  }

  /** Rows that are written over are in their own order, and the others are not disturbed. */
  @Test
  void whatIsOverwrittenHasItsOwnOrder() {
    InputOrder other = InputOrder.of(new int[] {1, 2, 0}, 1);
    ops.write(arena, VALUES);
    weights.arrange(6, ORDER);
    weights.overwrite(3, other);
    weights.put(0, new float[] {20, 30, 10}, 3);
    assertArrayEquals(new float[] {10, 20, 30, 6, 7, 8}, read(weights));
    weights.overwrite(6, ORDER);
    weights.put(0, new float[] {3, 1, 2, 6, 4, 5}, 6);
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, read(weights));
  }
}
