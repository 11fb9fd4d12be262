package mlpcuda.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mlpcuda.data.Layout;
import mlpcuda.error.BadFileException;
import mlpcuda.files.InputFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Pass;
import mlpcuda.net.Weights;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.InkWidth;

/**
 * Networks whose probabilities are averaged: the members of a committee, or, as usual, one network
 * alone. They have one shape and take the same examples, of which each member may see the ink in
 * another width.
 *
 * <p>The file of several members has the tensors of the first as {@code members.0.layers.0.weight},
 * …, and the entries {@code members}, their number, and {@code ink_widths}, where an ink width is
 * not as it is.
 *
 * @param members the networks, at least one
 */
public record Committee(List<ModelFile> members) {
  /** The most members of a committee: more than are of use, and few enough for a header. */
  public static final int MOST = 1000;

  private static final String MEMBERS = "members";
  private static final String INK_WIDTHS = "ink_widths";

  /** Copies the list, and checks that the networks take and give the same. */
  public Committee {
    members = List.copyOf(members);
    if (members.isEmpty() || members.size() > MOST) {
      throw new IllegalArgumentException(
          "a committee must have from 1 to %d members, found %d".formatted(MOST, members.size()));
    }
    ModelFile first = members.get(0);
    for (ModelFile member : members) {
      if (!member.shape().equals(first.shape()) || !asIs(member).equals(asIs(first))) {
        throw new IllegalArgumentException(
            "the members of a committee must be of one shape and take the same examples, found %s and %s"
                .formatted(first.shape(), member.shape()));
      }
    }
  }

  /** One network alone. */
  public static Committee of(ModelFile network) {
    return new Committee(List.of(network));
  }

  private static ExampleForm asIs(ModelFile member) {
    return member.form() instanceof ImageForm images ? images.with(InkWidth.AS_IS) : member.form();
  }

  /** The number of members. */
  public int size() {
    return members.size();
  }

  /** The shape of each member. */
  public MlpShape shape() {
    return members.get(0).shape();
  }

  /** The examples that the networks take; of several members without a width of the ink. */
  public ExampleForm form() {
    return size() == 1 ? members.get(0).form() : asIs(members.get(0));
  }

  /** What the members are, in words for messages. */
  public String description() {
    return size() == 1
        ? "the network " + shape()
        : "the committee of %d networks %s".formatted(size(), shape());
  }

  /** The networks with the way in which each sees examples. */
  public List<Pass> passes() {
    return members.stream()
        .map(m -> new Pass(new Weights(m.shape(), m.weights()), m.form().view()))
        .toList();
  }

  /** Whether a member sees the ink of images in another width than it has. */
  public boolean changesInk() {
    return members.stream()
        .anyMatch(m -> m.form() instanceof ImageForm images && !images.inkWidth().isAsIs());
  }

  /**
   * Writes the networks as {@link ModelFile#write} does.
   *
   * @throws java.io.UncheckedIOException if writing fails
   */
  public void write(Path file) {
    if (size() == 1) {
      members.get(0).write(file);
      return;
    }
    var description = new Description(shape(), form());
    Map<String, String> metadata = description.metadata(file);
    metadata.put(MEMBERS, Integer.toString(size()));
    if (changesInk()) {
      metadata.put(
          INK_WIDTHS,
          InkWidth.labels(members.stream().map(m -> ((ImageForm) m.form()).inkWidth()).toList()));
    }
    var tensors = new ArrayList<Safetensors.Tensor>();
    for (int i = 0; i < size(); i++) {
      description.add(tensors, prefix(i), members.get(i).weights());
    }
    description.addForm(tensors);
    Safetensors.writeChecked(file, metadata, tensors, Map.of());
  }

  /** What the names of a member's tensors begin with. */
  static String prefix(int member) {
    return MEMBERS + "." + member + ".";
  }

  /**
   * Reads what {@link #write}, {@link ModelFile#write} or {@link Checkpoint#write} wrote.
   *
   * @throws BadFileException if the file is malformed or damaged, or does not describe the networks
   *     that it holds
   */
  public static Committee read(Path path) {
    Safetensors.Contents contents = Safetensors.read(path);
    Path file = InputFile.forMessages(path);
    if (!isIn(contents)) {
      return of(ModelFile.of(file, contents));
    }
    var metadata = new Description.Metadata(file, contents.metadata());
    int count = metadata.positive(MEMBERS, metadata.text(MEMBERS));
    if (count < 2 || count > MOST) {
      throw metadata.bad(MEMBERS, "from 2 to " + MOST);
    }
    Set<String> unknown = ModelFile.names(contents);
    Description of = Description.of(file, contents, unknown);
    List<InkWidth> widths = widths(metadata, of.form(), count);
    var members = new ArrayList<ModelFile>();
    for (int i = 0; i < count; i++) {
      List<float[]> weights = Description.take(file, contents, unknown, prefix(i), of.shape());
      Description.checkFinite(file, prefix(i), of.shape(), weights);
      ExampleForm form =
          of.form() instanceof ImageForm images ? images.with(widths.get(i)) : of.form();
      members.add(new ModelFile(of.shape(), form, weights));
    }
    Description.checkNoneLeft(file, unknown, of.shape());
    Checksum.check(file, contents, true); // no other program writes committees
    return new Committee(members);
  }

  private static List<InkWidth> widths(Description.Metadata metadata, ExampleForm form, int count) {
    if (!metadata.texts().containsKey(INK_WIDTHS)) {
      return Collections.nCopies(count, InkWidth.AS_IS);
    }
    if (!(form instanceof ImageForm)) {
      throw metadata.bad(INK_WIDTHS, "of images alone");
    }
    List<InkWidth> widths =
        FormMetadata.inkWidths(metadata, INK_WIDTHS, (Layout.Images) form.layout());
    if (widths.size() != count) {
      throw metadata.bad(INK_WIDTHS, "one for each of the %d members".formatted(count));
    }
    return widths;
  }

  private static boolean isIn(Safetensors.Contents contents) {
    return contents.metadata().containsKey(MEMBERS);
  }

  /** Refuses a committee where one network is needed. */
  static void refuse(Path file, Safetensors.Contents contents) {
    if (isIn(contents)) {
      throw new BadFileException(
          file + ": the file holds the networks of a committee, and one network is needed here");
    }
  }
}
