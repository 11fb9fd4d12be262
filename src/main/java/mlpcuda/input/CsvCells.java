package mlpcuda.input;

/** Takes the cells of a table, row by row. */
interface CsvCells {
  /**
   * Begins a row, which is not blank.
   *
   * @param line the number of the line where it begins, from 1 on, in the chunk
   */
  void startOfRow(int line);

  /**
   * Takes a cell, without the spaces around it and without the quotes.
   *
   * @param column the column's index in the row
   * @param text the bytes, of which those from {@code from} to {@code to} (exclusive) are the cell;
   *     they are another cell's after the call
   */
  void cell(int column, byte[] text, int from, int to);

  /**
   * Ends a row.
   *
   * @param columns the number of its cells
   * @return whether more rows are wanted
   */
  boolean endOfRow(int columns);
}
