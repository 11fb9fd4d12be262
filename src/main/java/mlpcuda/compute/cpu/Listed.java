package mlpcuda.compute.cpu;

/**
 * The inputs of a batch's background that differ from its value, listed one by one: see {@link
 * Background}.
 */
interface Listed {
  /** The number of the batch's rows. */
  int rows();

  /** The inputs before this one are no background. */
  int core();

  /** The index in the list of a row's first input. */
  int start(int row);

  /** The index in the list after a row's last input. */
  int end(int row);

  /** The number of the input at index {@code k} of the list, less {@link #core}. */
  int column(int k);

  /** The value of the input at index {@code k} of the list. */
  float value(int k);

  /**
   * The list of images that were gathered: row r is image {@code images[r]} of a set with this
   * background, each pixel replaced by its value in the table.
   */
  record OfImages(Background background, int[] images, float[] table) implements Listed {
    @Override
    public int rows() {
      return images.length;
    }

    @Override
    public int core() {
      return background.core();
    }

    @Override
    public int start(int row) {
      return background.start(images[row]);
    }

    @Override
    public int end(int row) {
      return background.start(images[row] + 1);
    }

    @Override
    public int column(int k) {
      return background.column(k);
    }

    @Override
    public float value(int k) {
      return table[background.value(k)];
    }
  }

  /**
   * The list of rows that were made for this batch alone.
   *
   * @param starts (rows + 1): where each row's inputs begin in the list
   */
  record OfRows(int core, int[] starts, int[] columns, float[] values) implements Listed {
    @Override
    public int rows() {
      return starts.length - 1;
    }

    @Override
    public int start(int row) {
      return starts[row];
    }

    @Override
    public int end(int row) {
      return starts[row + 1];
    }

    @Override
    public int column(int k) {
      return columns[k];
    }

    @Override
    public float value(int k) {
      return values[k];
    }
  }
}
