package mlpcuda.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.data.BadFileException;
import mlpcuda.data.Scaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;

/**
 * A network in a file: its weights as {@code torch.nn.Linear} names and shapes them, and in the
 * metadata all that rebuilds it.
 *
 * @param shape what the network is made of
 * @param scaling what its inputs went through
 * @param rows height of its images in pixels
 * @param cols width of its images in pixels
 * @param weights in the order of {@link Parameters#tensors}
 */
public record ModelFile(
    MlpShape shape, Scaling scaling, int rows, int cols, List<float[]> weights) {
  private static final int SOME = 4;
  private static final int MAX_SHOWN = 200;

  /**
   * Writes the network in the safetensors format; the file appears whole or not at all.
   *
   * @throws java.io.UncheckedIOException if writing fails
   */
  public void write(Path file) {
    var metadata = new LinkedHashMap<String, String>();
    metadata.put("architecture", "mlp");
    metadata.put("layers", shape.toString());
    metadata.put("activation", shape.hidden().label());
    metadata.put("output_activation", shape.output().label());
    metadata.put("scaling", scaling.name());
    metadata.put("mean", Double.toString(scaling.mean()));
    metadata.put("std", Double.toString(scaling.std()));
    metadata.put("rows", Integer.toString(rows));
    metadata.put("cols", Integer.toString(cols));
    metadata.put("classes", Integer.toString(shape.classes()));
    var tensors = new ArrayList<Safetensors.Tensor>();
    for (Parameters.Tensor place : Parameters.tensors(shape)) {
      int[] dimensions = place.shape().stream().mapToInt(Integer::intValue).toArray();
      tensors.add(new Safetensors.Tensor(place.name(), dimensions, weights.get(tensors.size())));
    }
    Safetensors.write(file, metadata, tensors);
  }

  /**
   * Reads a network that {@link #write} wrote.
   *
   * @throws BadFileException if the file is malformed or does not describe the network it holds
   */
  public static ModelFile read(Path file) {
    Safetensors.Contents contents = Safetensors.read(file);
    var metadata = new Metadata(file, contents.metadata());
    if (!metadata.text("architecture").equals("mlp")) {
      throw metadata.bad("architecture", "mlp");
    }
    int rows = metadata.positive("rows", metadata.text("rows"));
    int cols = metadata.positive("cols", metadata.text("cols"));
    List<Integer> sizes =
        Stream.of(metadata.text("layers").split("-", -1))
            .map(size -> metadata.positive("layers", size))
            .toList();
    if (sizes.size() < 2 || sizes.get(0) != (long) rows * cols) {
      throw metadata.bad(
          "layers",
          "sizes joined by -, the first of them rows * cols = %d".formatted((long) rows * cols));
    }
    if (!metadata.text("classes").equals(sizes.get(sizes.size() - 1).toString())) {
      throw metadata.bad("classes", "the last layer's size " + sizes.get(sizes.size() - 1));
    }
    MlpShape shape;
    Scaling scaling;
    try {
      shape =
          new MlpShape(
              sizes,
              Activation.of(metadata.text("activation")),
              Activation.of(metadata.text("output_activation")));
      scaling = new Scaling(metadata.text("scaling"), metadata.real("mean"), metadata.real("std"));
    } catch (IllegalArgumentException e) {
      throw new BadFileException(file + ": __metadata__: " + shown(e.getMessage()), e);
    }
    if (!Scaling.NAMES.contains(scaling.name())) {
      throw metadata.bad("scaling", "one of " + String.join(", ", Scaling.NAMES));
    }
    if (!Float.isFinite(scaling.scale()) || !Float.isFinite(scaling.shift())) {
      throw metadata.bad("std", "large enough for finite inputs with mean " + scaling.mean());
    }
    return new ModelFile(shape, scaling, rows, cols, weights(file, contents, shape));
  }

  /**
   * Reads the weights of a network of that shape, in the order of {@link Parameters#tensors}, from
   * a file with or without our metadata.
   *
   * @throws BadFileException if the file is malformed or its tensors are not those of the shape
   */
  public static List<float[]> readWeights(Path file, MlpShape shape) {
    return weights(file, Safetensors.read(file), shape);
  }

  private static List<float[]> weights(Path file, Safetensors.Contents contents, MlpShape shape) {
    var unknown = new LinkedHashSet<>(contents.tensors().keySet());
    var weights = new ArrayList<float[]>();
    for (Parameters.Tensor place : Parameters.tensors(shape)) {
      Safetensors.Tensor tensor = contents.tensors().get(place.name());
      if (tensor == null) {
        throw new BadFileException(
            "%s: a network %s must have the tensor %s, found %s"
                .formatted(file, shown(shape), place.name(), some(contents.tensors().keySet())));
      }
      List<Integer> found = Arrays.stream(tensor.shape()).boxed().toList();
      if (!found.equals(place.shape())) {
        throw new BadFileException(
            "%s: %s of a network %s must have the shape %s, found %s"
                .formatted(file, place.name(), shown(shape), place.shape(), shown(found)));
      }
      for (float value : tensor.values()) {
        if (!Float.isFinite(value)) {
          throw new BadFileException(
              "%s: %s must hold finite numbers, found %s".formatted(file, place.name(), value));
        }
      }
      unknown.remove(place.name());
      weights.add(tensor.values());
    }
    if (!unknown.isEmpty()) {
      throw new BadFileException(
          "%s: a network %s must have no further tensors, found %s"
              .formatted(file, shown(shape), some(unknown)));
    }
    return weights;
  }

  /** A few of the names, and how many more there are. */
  private static String some(Set<String> names) {
    if (names.isEmpty()) {
      return "none";
    }
    String first =
        names.stream().limit(SOME).map(ModelFile::shown).collect(Collectors.joining(", "));
    return names.size() <= SOME ? first : first + " and %d more".formatted(names.size() - SOME);
  }

  /** What a file holds, fit for a one-line message. */
  private static String shown(Object found) {
    String text = found.toString();
    if (text.isEmpty()) {
      return "nothing";
    }
    String start = text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "…";
    return start.replaceAll("[\\p{Cc}\\p{Zl}\\p{Zp}]", "?");
  }

  /** The metadata of a file, every text of it checked on its way out. */
  private record Metadata(Path file, Map<String, String> texts) {
    String text(String name) {
      String text = texts.get(name);
      if (text == null) {
        throw bad(name, "given");
      }
      return text;
    }

    int positive(String name, String digits) {
      try {
        int number = Integer.parseInt(digits);
        if (number > 0) {
          return number;
        }
      } catch (NumberFormatException e) {
        // refused below, like a number that is not positive
      }
      throw bad(name, "whole numbers from 1 to " + Integer.MAX_VALUE);
    }

    double real(String name) {
      try {
        return Double.parseDouble(text(name));
      } catch (NumberFormatException e) {
        throw bad(name, "a number");
      }
    }

    BadFileException bad(String name, String expected) {
      return new BadFileException(
          "%s: __metadata__: %s must be %s, found %s"
              .formatted(file, name, expected, shown(texts.getOrDefault(name, "none"))));
    }
  }
}
