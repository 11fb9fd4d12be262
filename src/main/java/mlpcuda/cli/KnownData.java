package mlpcuda.cli;

import java.nio.file.Path;
import java.util.Optional;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features;
import mlpcuda.input.DataReader;
import mlpcuda.input.DataReader.Answerable;
import mlpcuda.input.ReadOptions;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;

/** Reads the examples of {@code --data} for a network that is trained already. */
final class KnownData {
  private KnownData() {}

  /**
   * Reads the examples, showing how far the reading has come.
   *
   * @param form the examples that the network takes
   * @param transpose whether rows and columns of the files' images are exchanged
   * @throws BadFileException if a file is missing, malformed, or does not fit the network
   */
  static Answerable read(
      Path path, ExampleForm form, ReadOptions options, boolean transpose, Terminal terminal) {
    try (var loading = terminal.loading()) {
      if (!transpose) {
        return DataReader.readFor(path, form, options, loading, loading::note);
      }
      if (!(form instanceof ImageForm images) || images.layout().channels() != 1) {
        throw new BadFileException(
            path + ": --transpose is of grey images, and the network takes " + form.layout());
      }
      var stored =
          new ImageForm(
              Layout.Images.grey(images.cols(), images.rows()),
              images.scaling(),
              images.preparation(),
              true,
              images.labels());
      Answerable read = DataReader.readFor(path, stored, options, loading, loading::note);
      return new Answerable(transposed(read.part()), read.isTest(), read.classes());
    }
  }

  private static Part transposed(Part part) {
    Features features = part.features();
    byte[] labels = new byte[features.size()]; // the set needs some, and they are not looked at
    var set = new ExampleSet(part.layout(), features, labels, Optional.empty()).transposed();
    return new Part(part.name(), set.layout(), set.features(), part.labels(), part.weights());
  }
}
