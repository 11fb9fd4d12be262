package mlpcuda.compute.cuda.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.Blas.ColumnMajor;
import mlpcuda.compute.cuda.Blas.Op;
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
   * @param place the address and the shape of the matrix
   */
  record Matrix(EmulatedResource in, Precision precision, ColumnMajor place) {
    /** A matrix in one allocation; {@link Fault} unless all of it is in there. */
    static Matrix of(EmulatedMemory memory, Precision precision, ColumnMajor place) {
      long elements = isEmpty(place) ? 0 : (place.columns() - 1L) * place.stride() + place.rows();
      int bytes = bytes(precision);
      if (place.address() % bytes != 0) {
        throw new Fault(
            "a matrix at 0x%x, which %d does not divide".formatted(place.address(), bytes));
      }
      return new Matrix(memory.holding(place.address(), bytes * elements), precision, place);
    }

    private static boolean isEmpty(ColumnMajor place) {
      return place.rows() == 0 || place.columns() == 0;
    }

    /** The number of bytes of an element. */
    private static int bytes(Precision precision) {
      return precision.isHalf() ? Short.BYTES : Float.BYTES;
    }

    int rows() {
      return place.rows();
    }

    int columns() {
      return place.columns();
    }

    /** The address behind its last element. */
    long end() {
      return isEmpty(place)
          ? place.address()
          : column(columns() - 1) + (long) bytes(precision) * rows();
    }

    private long column(int j) {
      return place.address() + (long) bytes(precision) * place.stride() * j;
    }
  }

  /** An operand of a product: a matrix as it is stored, and whether its transpose is multiplied. */
  record Operand(Matrix matrix, Op op) {}

  private final DeviceMemory memory;
  private final EmulatedResource workspace;
  private final Operand a;
  private final Operand b;
  private final Matrix c;

  EmulatedProduct(DeviceMemory memory, EmulatedResource workspace, Operand a, Operand b, Matrix c) {
    super(
        "product of %d x %d".formatted(c.rows(), c.columns()),
        workspace,
        a.matrix.in,
        b.matrix.in,
        c.in);
    this.memory = memory;
    this.workspace = workspace;
    this.a = a;
    this.b = b;
    this.c = c;
  }

  @Override
  void run() {
    if (Matrix.isEmpty(c.place)) {
      return;
    }
    // Two products at once would share the workspace.
    workspace.writtenBy(this);
    a.matrix.in.readBy(this);
    b.matrix.in.readBy(this);
    c.in.writtenBy(this);
    float[][] columnsOfA = read(a);
    float[][] columnsOfB = read(b);
    ByteBuffer bytes = buffer(c.rows() * Float.BYTES);
    for (int j = 0; j < c.columns(); j++) {
      float[] column = new float[c.rows()];
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

  private float[][] read(Operand operand) {
    Matrix matrix = operand.matrix;
    float[][] columns = new float[matrix.columns()][matrix.rows()];
    ByteBuffer bytes = buffer(matrix.rows() * Matrix.bytes(matrix.precision));
    for (int j = 0; j < matrix.columns() && matrix.rows() > 0; j++) {
      memory.read(matrix.column(j), bytes.clear());
      bytes.clear();
      for (int i = 0; i < matrix.rows(); i++) {
        columns[j][i] = element(bytes, i, matrix.precision);
      }
    }
    return operand.op == Op.TRANSPOSE ? transposed(columns, matrix.rows()) : columns;
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
