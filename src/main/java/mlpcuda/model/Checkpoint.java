package mlpcuda.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.error.BadFileException;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.preparation.ExampleForm;

/**
 * Everything that a stopped run needs to continue bit for bit. The file is in the safetensors
 * format: the weights are the tensors {@code layers.0.weight}, …; the names of all other tensors
 * begin with {@code optimizer.m.}, {@code optimizer.v.}, {@code best.} or {@code raw.}; the text is
 * called {@code state}; the metadata describe the network and hold a checksum of the whole file.
 *
 * @param shape the shape of the network
 * @param form the examples that the network takes
 * @param weights the weights that the network answers with, in the order of {@link
 *     Parameters#tensors}, finite
 * @param m the first moments of the gradients, in the same order; may be non-finite, because a run
 *     may overflow
 * @param v the second moments of the gradients, in the same order; may be non-finite
 * @param best the weights of the best epoch so far, finite; empty if there are none
 * @param raw the weights that the optimizer moves where {@code weights} are an average of them,
 *     finite; empty if they are {@code weights}
 * @param state the trainer's state as a text of at most {@link #MAX_STATE} characters
 */
public record Checkpoint(
    MlpShape shape,
    ExampleForm form,
    List<float[]> weights,
    List<float[]> m,
    List<float[]> v,
    List<float[]> best,
    List<float[]> raw,
    String state) {
  /** The greatest length of the state, in characters. */
  public static final int MAX_STATE = Safetensors.MAX_TEXT_BYTES / Character.BYTES;

  private static final String FORMAT = "mlp-cuda-checkpoint";
  private static final String VERSION = "1";
  private static final String M = "optimizer.m.";
  private static final String V = "optimizer.v.";
  private static final String BEST = "best.";
  private static final String RAW = "raw.";
  private static final String STATE = "state";

  /** A checkpoint of a run whose network answers with the weights that the optimizer moves. */
  public Checkpoint(
      MlpShape shape,
      ExampleForm form,
      List<float[]> weights,
      List<float[]> m,
      List<float[]> v,
      List<float[]> best,
      String state) {
    this(shape, form, weights, m, v, best, List.of(), state);
  }

  /** The weights that the optimizer moves. */
  public List<float[]> moved() {
    return raw.isEmpty() ? weights : raw;
  }

  /**
   * Writes the checkpoint; the file appears whole or not at all.
   *
   * @throws IllegalArgumentException if a list does not fit the shape or the state is not Unicode;
   *     nothing is written then
   * @throws java.io.UncheckedIOException if writing fails, or if the state or the layers exceed the
   *     limits of {@link #read}; a former file is then still there
   */
  public void write(Path file) {
    var description = new Description(shape, form);
    var metadata = new LinkedHashMap<String, String>();
    metadata.put("format", FORMAT);
    metadata.put("version", VERSION);
    metadata.putAll(description.metadata(file));
    var tensors = new ArrayList<Safetensors.Tensor>();
    description.add(tensors, "", weights);
    description.addForm(tensors);
    description.add(tensors, M, m);
    description.add(tensors, V, v);
    if (!best.isEmpty()) {
      description.add(tensors, BEST, best);
    }
    if (!raw.isEmpty()) {
      description.add(tensors, RAW, raw);
    }
    Safetensors.writeChecked(file, metadata, tensors, Map.of(STATE, state));
  }

  /**
   * Reads a checkpoint that {@link #write} wrote.
   *
   * @throws BadFileException if the file is malformed, damaged or not a checkpoint
   */
  public static Checkpoint read(Path file) {
    Safetensors.Contents contents = Safetensors.read(file);
    var metadata = new Description.Metadata(file, contents.metadata());
    if (!isIn(contents)) {
      throw metadata.bad("format", FORMAT);
    }
    if (!metadata.text("version").equals(VERSION)) {
      throw metadata.bad("version", VERSION);
    }
    Set<String> unknown = ModelFile.names(contents);
    Description of = Description.of(file, contents, unknown);
    MlpShape shape = of.shape();
    List<float[]> weights = Description.take(file, contents, unknown, "", shape);
    List<float[]> m = Description.take(file, contents, unknown, M, shape);
    List<float[]> v = Description.take(file, contents, unknown, V, shape);
    List<float[]> best = takeIfAny(file, contents, unknown, BEST, shape);
    List<float[]> raw = takeIfAny(file, contents, unknown, RAW, shape);
    String state = contents.texts().get(STATE);
    if (state == null) {
      throw new BadFileException(file + ": the checkpoint lacks the text state");
    }
    unknown.remove(STATE);
    Description.checkNoneLeft(file, unknown, shape);
    Description.checkFinite(file, "", shape, weights);
    if (!best.isEmpty()) {
      Description.checkFinite(file, BEST, shape, best);
    }
    if (!raw.isEmpty()) {
      Description.checkFinite(file, RAW, shape, raw);
    }
    Checksum.check(file, contents, true);
    return new Checkpoint(shape, of.form(), weights, m, v, best, raw, state);
  }

  private static List<float[]> takeIfAny(
      Path file,
      Safetensors.Contents contents,
      Set<String> unknown,
      String prefix,
      MlpShape shape) {
    return unknown.stream().anyMatch(name -> name.startsWith(prefix))
        ? Description.take(file, contents, unknown, prefix, shape)
        : List.of();
  }

  /** Whether the file with these contents is a checkpoint. */
  static boolean isIn(Safetensors.Contents contents) {
    return FORMAT.equals(contents.metadata().get("format"));
  }

  /** Whether a tensor of that name is in a checkpoint but not in a model. */
  static boolean isItsOwn(String name) {
    return Stream.of(M, V, BEST, RAW).anyMatch(name::startsWith) || name.equals(STATE);
  }
}
