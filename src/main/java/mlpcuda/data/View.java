package mlpcuda.data;

import mlpcuda.features.Features;

/**
 * How a network sees examples: as they are, or changed in a way that keeps their layout. A change
 * is made once when a set is loaded for training, and for each example that a network is asked
 * about.
 */
public interface View {
  /** Examples as they are. */
  View AS_IS =
      new View() {
        @Override
        public byte[] of(byte[] images) {
          return images;
        }

        @Override
        public float[] of(float[] examples) {
          return examples;
        }

        @Override
        public ExampleSet of(ExampleSet set) {
          return set;
        }
      };

  /**
   * Images as the network sees them; the argument is not changed.
   *
   * @param images (n, I), one unsigned byte a pixel
   */
  byte[] of(byte[] images);

  /**
   * Examples as the network sees them; the argument is not changed.
   *
   * @param examples (n, I): numbers of a row, or pixels from 0 to 255
   */
  float[] of(float[] examples);

  /**
   * The images of a set as the network sees them, a copy with the labels and weights of the set.
   */
  default ExampleSet of(ExampleSet set) {
    int I = set.inputs();
    byte[] seen = new byte[Math.multiplyExact(set.size(), I)];
    byte[] image = new byte[I];
    for (int i = 0; i < set.size(); i++) {
      set.features().read(i, image, 0);
      System.arraycopy(of(image), 0, seen, i * I, I);
    }
    return new ExampleSet(set.layout(), Features.of(seen, I), set.labels(), set.weights());
  }
}
