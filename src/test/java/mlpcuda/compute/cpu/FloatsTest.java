package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import org.junit.jupiter.api.Test;

/** Tests floats that move to blocks of the heap, and back. */
class FloatsTest {
  private static final int BLOCK = WorkSplitter.BLOCK;
  private static final int N = 2 * BLOCK + 100;
  private static final int BEFORE = 8; // the floats of the whole buffer before those that move

  /** Numbers n, n + 1, … */
  private static float[] numbers(int from, int n) {
    float[] numbers = new float[n];
    IntStream.range(0, n).forEach(i -> numbers[i] = from + i);
    return numbers;
  }

  /** Moves a slice to the heap, doubles it there, and hands the whole buffer and the slice over. */
  private static void moved(Consumer<List<Floats>> check) {
    try (var ops = new CpuOps(1);
        Buffer buffer = ops.allocate("whole", Type.FLOAT32, N + 2 * BEFORE)) {
      var whole = (Floats) buffer;
      ops.write(whole, numbers(0, N + 2 * BEFORE));
      var slice = (Floats) whole.slice("slice", BEFORE, N);
      float[][] blocks = slice.blocks(N).orElseThrow();
      assertEquals(3, blocks.length);
      assertEquals(100, blocks[2].length);
      assertEquals(BEFORE + BLOCK + 1, blocks[1][1]);
      for (float[] block : blocks) {
        IntStream.range(0, block.length).forEach(i -> block[i] *= 2);
      }
      check.accept(List.of(whole, slice));
    }
  }

  private static float[] doubled() {
    float[] expected = numbers(BEFORE, N);
    IntStream.range(0, N).forEach(i -> expected[i] *= 2);
    return expected;
  }

  @Test
  void eachAccessFindsWhatTheBlocksHave() {
    float[] expected = doubled();
    moved(
        all -> {
          float[] found = new float[N];
          all.get(1).read(found);
          assertArrayEquals(expected, found);
        });
    moved(all -> assertEquals(2f * (BEFORE + BLOCK), all.get(0).get(BEFORE + BLOCK)));
    moved(all -> assertEquals(2f * (BEFORE + 3), all.get(1).at(3).get()));
    moved(
        all -> {
          float[] column = new float[2];
          all.get(1).column(column, 1, BLOCK, 2);
          assertArrayEquals(new float[] {2 * (BEFORE + 1), 2 * (BEFORE + 1 + BLOCK)}, column);
        });
    moved(
        all -> {
          int[] bits = new int[1];
          all.get(0).get(BEFORE + N - 1, bits, 1);
          assertEquals(2f * (BEFORE + N - 1), Float.intBitsToFloat(bits[0]));
        });
  }

  /** A write of a part must not lose the rest, which is in the heap. */
  @Test
  void aWriteGoesOverWhatTheBlocksHave() {
    float[] expected = doubled();
    expected[5] = -1;
    List<Consumer<List<Floats>>> writes =
        List.of(
            all -> all.get(1).put(5, -1f),
            all -> all.get(1).put(5, new float[] {-1}, 1),
            all -> all.get(0).put(BEFORE + 5, new int[] {Float.floatToIntBits(-1)}, 1),
            all -> all.get(1).to(5).put(-1f),
            all -> ((Floats) all.get(1).slice("one", 5, 1)).write(new float[] {-1}));
    for (Consumer<List<Floats>> write : writes) {
      moved(
          all -> {
            write.accept(all);
            float[] found = new float[N];
            all.get(1).get(0, found, N);
            assertArrayEquals(expected, found);
          });
    }
  }

  @Test
  void blocksStayUntilAnotherAccess() {
    moved(
        all -> {
          float[][] blocks = all.get(1).blocks(N).orElseThrow();
          assertSame(blocks, all.get(1).blocks(N).orElseThrow());
          float[][] fewer = all.get(1).blocks(BLOCK).orElseThrow();
          assertEquals(1, fewer.length);
          assertEquals(2f * BEFORE, fewer[0][0], "other floats are wanted: all came back first");
          all.get(1).get(0);
          assertNotSame(fewer, all.get(1).blocks(BLOCK).orElseThrow());
        });
  }

  @Test
  void whatWouldTakeMuchOfTheHeapStays() {
    long most = Runtime.getRuntime().maxMemory() / Floats.LEAST_HEAP / Float.BYTES;
    int n = (int) Math.min(most + 1, Floats.MAX_LENGTH);
    try (var ops = new CpuOps(1);
        Buffer buffer = ops.allocate("long", Type.FLOAT32, BLOCK)) {
      assertEquals(Optional.empty(), ((Floats) buffer).blocks(n));
    }
  }
}
