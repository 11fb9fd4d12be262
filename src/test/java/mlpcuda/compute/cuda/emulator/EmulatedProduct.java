package mlpcuda.compute.cuda.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.arithmetic.NarrowFloats;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;

/**
 * Computes C = op(A) · op(B) in column-major order, summed in floats from the first to the last.
 */
final class EmulatedProduct extends EmulatedOperation {
  /**
   * A matrix on the device.
   *
   * @param in the allocation of the matrix
   * @param precision the format of its elements: halves lie in memory, other elements are floats
   *     there
   * @param stride the number of elements from the start of a column to that of the next
   */
  record Matrix(
      EmulatedResource in, Precision precision, long address, int rows, int columns, int stride) {
    /** A matrix in one allocation; {@link Fault} unless all of it is in there. */
    static Matrix of(
        EmulatedMemory memory,
        Precision precision,
        long address,
        int rows,
        int columns,
        int stride) {
      long elements = rows == 0 || columns == 0 ? 0 : (columns - 1L) * stride + rows;
      int bytes = bytes(precision);
      if (address % bytes != 0) {
        throw new Fault("a matrix at 0x%x, which %d does not divide".formatted(address, bytes));
      }
      return new Matrix(
          memory.holding(address, bytes * elements), precision, address, rows, columns, stride);
    }

    /** The number of bytes of an element. */
    private static int bytes(Precision precision) {
      return precision.isHalf() ? Short.BYTES : Float.BYTES;
    }

    /** The address behind its last element. */
    long end() {
      return rows == 0 || columns == 0
          ? address
          : column(columns - 1) + (long) bytes(precision) * rows;
    }

    private long column(int j) {
      return address + (long) bytes(precision) * stride * j;
    }
  }

  private final DeviceMemory memory;
  private final EmulatedResource workspace;
  private final boolean transposeA;
  private final boolean transposeB;
  private final Matrix a;
  private final Matrix b;
  private final Matrix c;

  /** {@code a} and {@code b} as they are stored, not yet transposed. */
  EmulatedProduct(
      DeviceMemory memory,
      EmulatedResource workspace,
      boolean transposeA,
      boolean transposeB,
      Matrix a,
      Matrix b,
      Matrix c) {
    super("product of %d x %d".formatted(c.rows, c.columns), workspace, a.in, b.in, c.in);
    this.memory = memory;
    this.workspace = workspace;
    this.transposeA = transposeA;
    this.transposeB = transposeB;
    this.a = a;
    this.b = b;
    this.c = c;
  }

  @Override
  void run() {
    if (c.rows == 0 || c.columns == 0) {
      return;
    }
    // Two products at once would share the workspace.
    workspace.writtenBy(this);
    a.in.readBy(this);
    b.in.readBy(this);
    c.in.writtenBy(this);
    float[][] columnsOfA = read(a, transposeA);
    float[][] columnsOfB = read(b, transposeB);
    ByteBuffer bytes = buffer(c.rows * Float.BYTES);
    for (int j = 0; j < c.columns; j++) {
      float[] column = new float[c.rows];
      for (int l = 0; l < columnsOfA.length; l++) {
        add(column, columnsOfB[j][l], columnsOfA[l]);
      }
      bytes.clear().asFloatBuffer().put(column);
      memory.write(c.column(j), bytes);
    }
  }

  private static void add(float[] sum, float factor, float[] column) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * column[i];
    }
  }

  private float[][] read(Matrix matrix, boolean transpose) {
    float[][] columns = new float[matrix.columns][matrix.rows];
    ByteBuffer bytes = buffer(matrix.rows * Matrix.bytes(matrix.precision));
    for (int j = 0; j < matrix.columns && matrix.rows > 0; j++) {
      memory.read(matrix.column(j), bytes.clear());
      bytes.clear();
      for (int i = 0; i < matrix.rows; i++) {
        columns[j][i] = element(bytes, i, matrix.precision);
      }
    }
    return transpose ? transposed(columns, matrix.rows) : columns;
  }

  private static float element(ByteBuffer bytes, int i, Precision precision) {
    return switch (precision) {
      case FP32 -> bytes.getFloat(Float.BYTES * i);
      case TF32 -> Float.intBitsToFloat(bytes.getInt(Float.BYTES * i) & ~0x1fff);
      case BF16 -> NarrowFloats.ofBrain(bytes.getShort(Short.BYTES * i));
      case FP16 -> NarrowFloats.ofHalf(bytes.getShort(Short.BYTES * i));
    };
  }

  private static float[][] transposed(float[][] columns, int rows) {
    float[][] result = new float[rows][columns.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns.length; j++) {
        result[i][j] = columns[j][i];
      }
    }
    return result;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
