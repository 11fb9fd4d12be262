package mlpcuda.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mlpcuda.error.BadFileException;
import mlpcuda.files.InputFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.preparation.ExampleForm;

/**
 * A network in a file: weights with the names and shapes of {@code torch.nn.Linear}, and metadata
 * that describe the network. A {@link Checkpoint}'s file can be read as well: its weights are the
 * network's, and the state of the optimizer and of the run is ignored.
 *
 * @param shape the shape of the network
 * @param form the examples that the network takes
 * @param weights the weights in the order of {@link Parameters#tensors}
 */
public record ModelFile(MlpShape shape, ExampleForm form, List<float[]> weights) {

  /**
   * Writes the network in the safetensors format, with a checksum; the file appears whole or not at
   * all.
   *
   * @throws java.io.UncheckedIOException if writing fails
   */
  public void write(Path file) {
    var description = new Description(shape, form);
    var tensors = new ArrayList<Safetensors.Tensor>();
    description.add(tensors, "", weights);
    description.addForm(tensors);
    Safetensors.writeChecked(file, description.metadata(file), tensors, Map.of());
  }

  /**
   * Reads a network that {@link #write} or {@link Checkpoint#write} wrote. A file without a
   * checksum is accepted, because other programs write no checksum.
   *
   * @throws BadFileException if the file is malformed or damaged, or does not describe the network
   *     it holds
   */
  public static ModelFile read(Path path) {
    return of(InputFile.forMessages(path), Safetensors.read(path));
  }

  /** The network of a file that was read. */
  static ModelFile of(Path file, Safetensors.Contents contents) {
    Committee.refuse(file, contents);
    if (!isDescribed(contents)) {
      throw new BadFileException(
          "%s: the file holds weights as PyTorch saves them, and no description of their network;"
                  .formatted(file)
              + " convert it with 'mlp-cuda import' first");
    }
    Set<String> unknown = names(contents);
    Description of = Description.of(file, contents, unknown);
    List<float[]> weights = weights(file, contents, of.shape(), unknown);
    return new ModelFile(of.shape(), of.form(), weights);
  }

  /**
   * Reads the weights of a network of the given shape, in the order of {@link Parameters#tensors},
   * from a file with or without a description of the network.
   *
   * @throws BadFileException if the file is malformed or damaged, or its tensors do not fit the
   *     shape
   */
  public static List<float[]> readWeights(Path path, MlpShape shape) {
    Safetensors.Contents contents = Safetensors.read(path);
    Path file = InputFile.forMessages(path);
    Committee.refuse(file, contents);
    String first = Parameters.tensors(shape).get(0).name();
    if (!isDescribed(contents) && !contents.tensors().containsKey(first)) {
      throw new BadFileException(
          "%s: the file has no tensor %s, but %s; if PyTorch saved them, convert it with"
                  .formatted(file, first, Excerpt.ofNames(contents.tensors().keySet()))
              + " 'mlp-cuda import' first");
    }
    Set<String> unknown = names(contents);
    unknown.removeIf(FormMetadata::isItsOwn);
    return weights(file, contents, shape, unknown);
  }

  /** Whether the metadata describe a network; files that PyTorch saved have no description. */
  private static boolean isDescribed(Safetensors.Contents contents) {
    return contents.metadata().containsKey("architecture")
        || contents.metadata().containsKey("layers");
  }

  /** The names of all tensors and texts of a file. */
  static Set<String> names(Safetensors.Contents contents) {
    Set<String> names = new LinkedHashSet<>(contents.tensors().keySet());
    names.addAll(contents.texts().keySet());
    return names;
  }

  private static List<float[]> weights(
      Path file, Safetensors.Contents contents, MlpShape shape, Set<String> unknown) {
    if (Checkpoint.isIn(contents)) {
      unknown.removeIf(Checkpoint::isItsOwn);
    }
    List<float[]> weights = Description.take(file, contents, unknown, "", shape);
    Description.checkNoneLeft(file, unknown, shape);
    Description.checkFinite(file, "", shape, weights);
    Checksum.check(file, contents, Checkpoint.isIn(contents));
    return weights;
  }
}
