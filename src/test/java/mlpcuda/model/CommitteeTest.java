package mlpcuda.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import mlpcuda.compute.Activation;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.error.BadFileException;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.InkWidth;
import mlpcuda.preparation.NumberForm;
import mlpcuda.preparation.Preparation;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the files of committees. */
class CommitteeTest {
  private static final MlpShape SHAPE =
      new MlpShape(List.of(6, 2), Activation.RELU, Activation.NONE);

  private static final ImageForm FORM =
      ImageForm.grey(2, 3, new PixelScaling("unit", 0, 1), Preparation.AS_IS, false);

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("model.safetensors");
  }

  private static ModelFile member(ExampleForm form, float first) {
    float[] weights = new float[12];
    weights[0] = first;
    return new ModelFile(SHAPE, form, List.of(weights, new float[] {first, -first}));
  }

  private static Committee sample() {
    return new Committee(
        List.of(member(FORM.with(new InkWidth(2)), 1), member(FORM, 2), member(FORM, 3)));
  }

  private static void assertSame(Committee expected, Committee found) {
    assertEquals(expected.size(), found.size());
    assertEquals(expected.form(), found.form());
    for (int i = 0; i < expected.size(); i++) {
      ModelFile member = expected.members().get(i);
      assertEquals(member.shape(), found.members().get(i).shape());
      assertEquals(member.form(), found.members().get(i).form());
      for (int t = 0; t < 2; t++) {
        assertArrayEquals(member.weights().get(t), found.members().get(i).weights().get(t));
      }
    }
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    sample().write(file);
    Committee found = Committee.read(file);
    assertSame(sample(), found);
    assertTrue(found.changesInk());
    assertEquals(FORM, found.form());
    Safetensors.Contents contents = Safetensors.read(file);
    assertEquals("3", contents.metadata().get("members"));
    assertEquals("2,as-is,as-is", contents.metadata().get("ink_widths"));
    assertTrue(contents.metadata().containsKey("crc32c"));
    assertEquals(6, contents.tensors().size());
    assertTrue(contents.tensors().containsKey("members.2.layers.0.bias"));
    byte[] bytes = Files.readAllBytes(file);
    found.write(file);
    assertArrayEquals(bytes, Files.readAllBytes(file));
  }

  @Test
  void aCommitteeOfRowsKeepsTheirScaling() {
    var scaling = new ColumnScaling("none", new float[6], new float[] {1, 1, 1, 1, 1, 2});
    var form = new NumberForm(Layout.Columns.numbered(6), scaling, List.of("a", "b"));
    var committee = new Committee(List.of(member(form, 1), member(form, 2)));
    committee.write(file);
    assertSame(committee, Committee.read(file));
    assertFalse(Safetensors.read(file).metadata().containsKey("ink_widths"));
  }

  /** One network alone is written as ever, with its width, and both readers take it. */
  @Test
  void oneNetworkAloneIsAModelFile() throws IOException {
    ModelFile one = sample().members().get(0);
    one.write(file);
    byte[] bytes = Files.readAllBytes(file);
    assertEquals("2", Safetensors.read(file).metadata().get("ink_width"));
    Committee alone = Committee.read(file);
    assertSame(Committee.of(one), alone);
    assertEquals(new InkWidth(2), ((ImageForm) ModelFile.read(file).form()).inkWidth());
    alone.write(file);
    assertArrayEquals(bytes, Files.readAllBytes(file));
    sample().members().get(1).write(file);
    assertFalse(Safetensors.read(file).metadata().containsKey("ink_width"));
  }

  @Test
  void whereOneNetworkIsNeededACommitteeIsRefused() {
    sample().write(file);
    String message =
        file + ": the file holds the networks of a committee, and one network is needed here";
    assertEquals(
        message, assertThrows(BadFileException.class, () -> ModelFile.read(file)).getMessage());
    assertEquals(
        message,
        assertThrows(BadFileException.class, () -> ModelFile.readWeights(file, SHAPE))
            .getMessage());
  }

  @Test
  void membersMustTakeAndGiveTheSame() {
    var wide = new MlpShape(List.of(6, 3), Activation.RELU, Activation.NONE);
    var other = new ModelFile(wide, FORM, List.of(new float[18], new float[3]));
    var centred =
        ImageForm.grey(2, 3, new PixelScaling("centred", 0.5, 0.5), Preparation.AS_IS, false);
    for (ModelFile second : List.of(other, member(centred, 1))) {
      assertThrows(
          IllegalArgumentException.class, () -> new Committee(List.of(member(FORM, 1), second)));
    }
    assertThrows(IllegalArgumentException.class, () -> new Committee(List.of()));
  }

  /** Writes the sample with other metadata, without a checksum as other programs do. */
  private void assertRefused(Consumer<Map<String, String>> change, String rule) {
    sample().write(file);
    Safetensors.Contents contents = Safetensors.read(file);
    var metadata = new LinkedHashMap<>(contents.metadata());
    metadata.remove("crc32c");
    change.accept(metadata);
    Path changed = folder.resolve("changed.safetensors");
    Safetensors.write(changed, metadata, new ArrayList<>(contents.tensors().values()));
    var e = assertThrows(BadFileException.class, () -> Committee.read(changed));
    assertTrue(e.getMessage().contains(rule), e.getMessage());
  }

  @Test
  void malformedDescriptionsAreRefused() {
    assertRefused(m -> m.put("members", "1"), "members must be from 2 to 1000, found 1");
    assertRefused(m -> m.put("members", "many"), "members must be whole numbers");
    assertRefused(m -> m.put("members", "1001"), "members must be from 2 to 1000");
    assertRefused(
        m -> {
          m.put("members", "2");
          m.remove("ink_widths");
        },
        "must have no further tensors");
    assertRefused(m -> m.put("members", "4"), "ink_widths must be one for each of the 4 members");
    assertRefused(
        m -> {
          m.put("members", "4");
          m.remove("ink_widths");
        },
        "must have the tensor members.3.layers.0.weight");
    assertRefused(m -> m.put("ink_widths", "2,as-is"), "one for each of the 3 members");
    String rule = "ink_widths must be as-is or from 1 to the 3 columns of a grey image, found ";
    assertRefused(m -> m.put("ink_widths", "4,as-is,1"), rule + "4,as-is,1");
    assertRefused(m -> m.put("ink_widths", "x,as-is,1"), rule);
    assertRefused(m -> m.remove("members"), "must have the tensor layers.0.weight");
  }

  /** Each flipped bit is found by the checksum or by a rule before it. */
  @Test
  void damagedFilesAreRefused() throws IOException {
    sample().write(file);
    byte[] bytes = Files.readAllBytes(file);
    for (int at = 0; at < bytes.length; at += 7) {
      byte[] damaged = bytes.clone();
      damaged[at] ^= 1;
      Files.write(file, damaged);
      assertThrows(BadFileException.class, () -> Committee.read(file), "byte " + at);
    }
  }
}
