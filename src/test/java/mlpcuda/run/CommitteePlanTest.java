package mlpcuda.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.LabelledData;
import mlpcuda.error.SettingException;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.InkWidth;
import mlpcuda.run.RunSettings.Validation;
import mlpcuda.train.Selection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommitteePlanTest {
  @TempDir private Path tmp;

  private static CommitteePlan plan(int members, String widths) {
    RunSettings settings =
        Presets.DEFAULT.withSeed(7).with(new Validation(OptionalDouble.of(50), Selection.NONE));
    var base =
        new RunPlan(
            settings,
            DataChoice.all(new DataSource.Embedded()),
            new DeviceChoice.Cpu(1, CudaOptions.DEFAULT),
            Optional.of(Path.of("events")));
    return new CommitteePlan(base, members, InkWidth.parseAll(widths), List.of("train"));
  }

  private static LabelledData digits() {
    ExampleSet some = EmbeddedMnist.load().test().first(300);
    return LabelledData.numbered("digits", 10, some, some.first(20));
  }

  private static RunData data(RunPlan plan) {
    return RunData.of(plan.settings(), digits(), plan.data());
  }

  @Test
  void membersHaveSeedsAndWidthsOfTheirOwn() {
    CommitteePlan plan = plan(3, "10,as-is");
    assertEquals(8, plan.member(1).settings().seed());
    assertEquals(new InkWidth(10), plan.member(2).data().inkWidth());
    assertEquals(Optional.of(Path.of("events/member-3")), plan.member(2).events());
    assertThrows(SettingException.class, () -> plan(2, "1,2,3"));
    assertThrows(SettingException.class, () -> plan(1, "as-is"));
  }

  /** A member must not learn from what another one is judged by. */
  @Test
  void membersHoldTheSameExamplesBack() {
    CommitteePlan plan = plan(3, "as-is,12");
    RunData first = data(plan.member(0));
    RunData second = data(plan.member(1));
    RunData third = data(plan.member(2));
    assertArrayEquals(
        data(plan.base()).validation().orElseThrow().labels(),
        first.validation().orElseThrow().labels());
    assertArrayEquals(first.train().features().array(), third.train().features().array());
    assertArrayEquals(
        first.validation().orElseThrow().features().array(),
        third.validation().orElseThrow().features().array());
    assertArrayEquals(
        first.validation().orElseThrow().labels(), second.validation().orElseThrow().labels());
    RunData alone = data(plan.base().with(plan.member(2).settings()));
    assertFalse(
        Arrays.equals(alone.train().labels(), third.train().labels()),
        "the seed of a single run chooses others");
  }

  /** All sets are seen in the member's width; checksum, scaling and preparation are of the data. */
  @Test
  void everySetIsSeenInTheWidth() {
    CommitteePlan plan = plan(2, "12,as-is");
    RunData seen = data(plan.member(0));
    RunData plain = data(plan.member(1));
    ImageForm form = (ImageForm) seen.form();
    assertEquals(new InkWidth(12), form.inkWidth());
    assertEquals(plain.form(), form.with(InkWidth.AS_IS));
    assertEquals(plain.all().checksum(), seen.all().checksum());
    for (int set = 0; set < 3; set++) {
      ExampleSet as = sets(plain).get(set);
      assertArrayEquals(
          form.view().of(as).features().array(), sets(seen).get(set).features().array());
      assertNotEquals(as.checksum(), sets(seen).get(set).checksum());
    }
  }

  private static List<ExampleSet> sets(RunData data) {
    return List.of(data.train(), data.validation().orElseThrow(), data.test());
  }

  @Test
  void whatIsWrittenIsRead() {
    CommitteePlan plan = plan(4, "10,as-is");
    plan.write(tmp);
    assertEquals(plan, CommitteePlan.read(tmp));
    RunPlan member = plan.member(2);
    assertEquals(member, PlanJson.read(new Fields(PlanJson.write(member))));
  }

  @Test
  void membersShareTheThreads() {
    assertEquals(1, CommitteeRun.threads(2, 7, OptionalInt.empty()));
    assertEquals(2, CommitteeRun.threads(16, 7, OptionalInt.empty()));
    assertEquals(8, CommitteeRun.threads(8, 7, OptionalInt.of(1)));
    assertEquals(1, CommitteeRun.threads(2, 7, OptionalInt.of(5)));
  }
}
