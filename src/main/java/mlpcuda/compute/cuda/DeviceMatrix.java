package mlpcuda.compute.cuda;

import mlpcuda.compute.Buffer;

/**
 * A row-major matrix in the memory of a GPU: element (i, j) is its element i · columns + j. Its
 * elements are floats, unless an interface says that they have another format.
 *
 * @param address the address of its first element
 * @param rows the number of rows
 * @param columns the number of columns
 */
public record DeviceMatrix(long address, int rows, int columns) {
  /** The first rows · columns elements of a buffer. */
  static DeviceMatrix of(Buffer buffer, int rows, int columns) {
    return new DeviceMatrix(DeviceBuffer.address(buffer), rows, columns);
  }

  /** The number of elements. */
  int length() {
    return rows * columns;
  }

  /** This matrix as a single row of its elements. */
  DeviceMatrix asRow() {
    return new DeviceMatrix(address, 1, length());
  }
}
