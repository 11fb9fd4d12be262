package mlpcuda.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.error.BadFileException;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.preparation.ExampleForm;

/** The description of a network in its file's metadata, and the names of its tensors there. */
record Description(MlpShape shape, ExampleForm form) {
  // A single metadata text could name more layers than a header of a megabyte can hold tensors.
  private static final int MAX_LAYERS = 4096;

  /** Returns the metadata that describe the network in {@code file}. */
  Map<String, String> metadata(Path file) {
    if (shape.layers() > MAX_LAYERS) {
      throw Safetensors.tooLarge(
          file,
          "network has %d layers, at most %d can be read".formatted(shape.layers(), MAX_LAYERS));
    }
    var metadata = new LinkedHashMap<String, String>();
    metadata.put("architecture", "mlp");
    metadata.put("layers", shape.toString());
    metadata.put("activation", shape.hidden().label());
    metadata.put("output_activation", shape.output().label());
    FormMetadata.put(metadata, form, shape.classes());
    return metadata;
  }

  /**
   * Reads the network's description from a file's metadata.
   *
   * @param unknown the names of the file's tensors that nobody has taken yet; the names of the
   *     form's own tensors are removed
   * @throws BadFileException if the metadata do not describe a network
   */
  static Description of(Path file, Safetensors.Contents contents, Set<String> unknown) {
    var metadata = new Metadata(file, contents.metadata());
    if (!metadata.text("architecture").equals("mlp")) {
      throw metadata.bad("architecture", "mlp");
    }
    FormMetadata.Inputs inputs = FormMetadata.inputs(metadata);
    if (metadata.text("layers").chars().filter(c -> c == '-').count() > MAX_LAYERS) {
      throw metadata.bad("layers", "sizes of at most %d layers".formatted(MAX_LAYERS));
    }
    List<Integer> sizes =
        Stream.of(metadata.text("layers").split("-", -1))
            .map(size -> metadata.positive("layers", size))
            .toList();
    if (sizes.size() < 2 || sizes.get(0) != inputs.count()) {
      throw metadata.bad("layers", "sizes joined by -, the first of them " + inputs.description());
    }
    int classes = sizes.get(sizes.size() - 1);
    if (!metadata.text("classes").equals(Integer.toString(classes))) {
      throw metadata.bad("classes", "the last layer's size " + classes);
    }
    try {
      var shape =
          new MlpShape(
              sizes,
              Activation.of(metadata.text("activation")),
              Activation.of(metadata.text("output_activation")));
      return new Description(shape, inputs.form(contents, unknown, classes));
    } catch (IllegalArgumentException e) {
      throw new BadFileException(file + ": __metadata__: " + Excerpt.of(e.getMessage()), e);
    }
  }

  /** Adds the tensors that describe the inputs of the network. */
  void addForm(List<Safetensors.Tensor> tensors) {
    FormMetadata.add(tensors, form);
  }

  /** Adds values, in the order of {@link Parameters#tensors}, to the tensors of a file. */
  void add(List<Safetensors.Tensor> tensors, String prefix, List<float[]> values) {
    List<Parameters.Tensor> places = Parameters.tensors(shape);
    if (values.size() != places.size()) {
      throw new IllegalArgumentException(
          "a network %s has %d tensors, found %d %s"
              .formatted(shape, places.size(), values.size(), prefix));
    }
    for (int t = 0; t < places.size(); t++) {
      Parameters.Tensor place = places.get(t);
      int[] dimensions = place.shape().stream().mapToInt(Integer::intValue).toArray();
      tensors.add(new Safetensors.Tensor(prefix + place.name(), dimensions, values.get(t)));
    }
  }

  /**
   * Takes the values that {@link #add} added from a file's tensors.
   *
   * @param unknown the names of the file's tensors that nobody has taken yet; the names of the
   *     taken tensors are removed
   * @throws BadFileException if a tensor is missing or has another shape
   */
  static List<float[]> take(
      Path file,
      Safetensors.Contents contents,
      Set<String> unknown,
      String prefix,
      MlpShape shape) {
    var values = new ArrayList<float[]>();
    for (Parameters.Tensor place : Parameters.tensors(shape)) {
      String name = prefix + place.name();
      Safetensors.Tensor tensor = contents.tensors().get(name);
      if (tensor == null) {
        throw new BadFileException(
            "%s: a network %s must have the tensor %s, found %s"
                .formatted(
                    file, Excerpt.of(shape), name, Excerpt.ofNames(contents.tensors().keySet())));
      }
      List<Integer> found = Arrays.stream(tensor.shape()).boxed().toList();
      if (!found.equals(place.shape())) {
        throw new BadFileException(
            "%s: %s of a network %s must have the shape %s, found %s"
                .formatted(file, name, Excerpt.of(shape), place.shape(), Excerpt.of(found)));
      }
      unknown.remove(name);
      values.add(tensor.values());
    }
    return values;
  }

  /** Refuses tensors that belong to no part of the network. */
  static void checkNoneLeft(Path file, Set<String> unknown, MlpShape shape) {
    if (!unknown.isEmpty()) {
      throw new BadFileException(
          "%s: a network %s must have no further tensors, found %s"
              .formatted(file, Excerpt.of(shape), Excerpt.ofNames(unknown)));
    }
  }

  /** Refuses weights that are not finite. */
  static void checkFinite(Path file, String prefix, MlpShape shape, List<float[]> weights) {
    List<Parameters.Tensor> places = Parameters.tensors(shape);
    for (int t = 0; t < places.size(); t++) {
      for (float value : weights.get(t)) {
        if (!Float.isFinite(value)) {
          throw new BadFileException(
              "%s: %s%s must hold finite numbers, found %s"
                  .formatted(file, prefix, places.get(t).name(), value));
        }
      }
    }
  }

  /** The metadata of a file; each text is checked when it is asked for. */
  record Metadata(Path file, Map<String, String> texts) {
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
        // a text that is not a number is refused below
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
              .formatted(file, name, expected, Excerpt.of(texts.getOrDefault(name, "none"))));
    }
  }
}
