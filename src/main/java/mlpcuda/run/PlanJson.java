package mlpcuda.run;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.data.PublishedDataset;
import mlpcuda.input.ReadOptions;
import mlpcuda.preparation.InkWidth;

/** The JSON of a run's plan in a checkpoint, version 2 of its state. */
final class PlanJson {
  private PlanJson() {}

  /** Writes the plan as JSON objects. */
  static Map<String, Object> write(RunPlan plan) {
    var json = new LinkedHashMap<String, Object>();
    json.put("training", SettingsJson.write(plan.settings()));
    json.put("data", write(plan.data()));
    json.put("device", write(plan.device()));
    json.put("tensorboard", plan.events().map(Path::toString).orElse(null));
    return json;
  }

  /**
   * Reads a plan that {@link #write} wrote.
   *
   * @throws IllegalArgumentException if it is anything else
   */
  static RunPlan read(Fields json) {
    return new RunPlan(
        SettingsJson.read(json.fields("training")),
        data(json.fields("data")),
        device(json.fields("device")),
        json.optionalText("tensorboard").map(Path::of));
  }

  private static Map<String, Object> write(DataChoice data) {
    var json = new LinkedHashMap<String, Object>();
    DataSource source = data.source();
    if (source instanceof DataSource.Files files) {
      json.put("source", "folder");
      json.put("path", files.path().toString());
      json.put("classes", orNull(files.classes()));
      json.put("reading", ReadOptionsJson.write(files.options()));
    } else if (source instanceof DataSource.Published published) {
      json.put("source", "published");
      json.put("name", published.set().name());
    } else {
      json.put("source", source instanceof DataSource.Embedded ? "embedded" : "memory");
    }
    json.put("transpose", data.transposed());
    json.put("subset", orNull(data.subset()));
    json.put("test_split", data.testAmount());
    if (!data.inkWidth().isAsIs()) {
      json.put("ink_width", data.inkWidth().label());
    }
    if (data.splitSeed().isPresent()) {
      json.put("split_seed", data.splitSeed().getAsLong());
    }
    return json;
  }

  private static DataChoice data(Fields json) {
    DataSource source =
        switch (json.text("source")) {
          case "folder" ->
              new DataSource.Files(
                  Path.of(json.text("path")),
                  optionalWhole(json, "classes"),
                  json.values().containsKey("reading")
                      ? ReadOptionsJson.read(json.fields("reading"))
                      : ReadOptions.DEFAULT);
          case "published" -> new DataSource.Published(PublishedDataset.named(json.text("name")));
          case "embedded" -> new DataSource.Embedded();
          case "memory" -> new DataSource.InMemory();
          default -> throw new IllegalArgumentException("source is unknown");
        };
    double testAmount =
        json.values().containsKey("test_split") ? json.real("test_split") : DataChoice.USUAL_TEST;
    return new DataChoice(
        source,
        json.flag("transpose"),
        optionalWhole(json, "subset"),
        testAmount,
        json.optionalText("ink_width").map(InkWidth::parse).orElse(InkWidth.AS_IS),
        json.values().containsKey("split_seed")
            ? OptionalLong.of(json.longWhole("split_seed"))
            : OptionalLong.empty());
  }

  private static Object orNull(OptionalInt number) {
    return number.isPresent() ? number.getAsInt() : null;
  }

  private static OptionalInt optionalWhole(Fields json, String name) {
    return json.values().get(name) == null
        ? OptionalInt.empty()
        : OptionalInt.of(json.whole(name, 1));
  }

  private static Map<String, Object> write(DeviceChoice device) {
    var json = new LinkedHashMap<String, Object>();
    if (device instanceof DeviceChoice.Cpu cpu) {
      json.put("threads", cpu.threads());
    } else if (device instanceof DeviceChoice.Gpu gpu) {
      json.put("gpu", gpu.index());
    }
    CudaOptions options = device.options();
    json.put("precision", options.precision().label());
    json.put("gemm", label(options.multiplier()));
    json.put("kernels", label(options.activator()));
    json.put("step", label(options.step()));
    json.put("feed", label(options.feed()));
    json.put("launching", label(options.launching()));
    json.put("steps_at_once", orNull(options.stepsAtOnce()));
    return json;
  }

  private static DeviceChoice device(Fields json) {
    var options =
        new CudaOptions(
            json.constant("gemm", CudaOptions.Multiplier.class),
            json.constant("kernels", CudaOptions.Activator.class),
            json.constant("step", CudaOptions.StepKind.class),
            json.constant("feed", CudaOptions.FeedKind.class),
            json.constant("precision", Precision.class),
            json.constant("launching", CudaOptions.Launching.class),
            optionalWhole(json, "steps_at_once"));
    return json.values().containsKey("gpu")
        ? new DeviceChoice.Gpu(json.whole("gpu", 0), options)
        : new DeviceChoice.Cpu(json.whole("threads", 1), options);
  }

  private static String label(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
