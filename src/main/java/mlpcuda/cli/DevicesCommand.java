package mlpcuda.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.error.DeviceException;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code devices}: what can compute here, whether it computes right, and if not, why not. */
@Command(
    name = "devices",
    description = "Lists what can compute here, and checks each device against the reference.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    footer = {"", "Exit code 3 if a device that is listed does not work."})
final class DevicesCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @ParentCommand private Context context;

  @Option(names = "--json", description = "Print JSON instead.")
  private boolean json;

  /**
   * A device, or the lack of one.
   *
   * @param name the name of the device
   * @param problem why it cannot be used, and what to do; null if it works
   * @param noCudnn why cuDNN cannot be used on it, and what to do; null if it can, or if cuDNN is
   *     not wanted
   */
  private record Row(
      String name,
      DeviceException problem,
      List<DeviceCheck.Result> checks,
      DeviceException noCudnn) {
    boolean works() {
      return problem == null && checks.stream().allMatch(DeviceCheck.Result::passed);
    }

    Map<String, Object> json() {
      var json = new LinkedHashMap<String, Object>();
      json.put("device", name);
      json.put("works", works());
      if (problem != null) {
        json.put("why", problem.why());
        json.put("remedy", problem.remedy());
      }
      json.put("checks", checks.stream().map(DeviceCheck.Result::json).toList());
      if (noCudnn != null) {
        json.put("no_cudnn", DevicesCommand.json(noCudnn));
      }
      return json;
    }
  }

  @Override
  public Integer call() {
    var rows = new ArrayList<Row>();
    rows.add(row("CPU", CpuOps::new));
    Gpus gpus = context.gpus();
    DeviceException none = null;
    try {
      for (GpuProperties device : gpus.list()) {
        rows.add(gpuRow(gpus, device));
      }
    } catch (DeviceException e) {
      none = e;
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      var document = new LinkedHashMap<String, Object>();
      document.put("devices", rows.stream().map(Row::json).toList());
      if (none != null) {
        document.put("no_gpu", json(none));
      }
      out.println(Tables.json(document));
    } else {
      rows.forEach(row -> print(row, out));
      if (none != null) {
        print(new Row("No GPU", none, List.of(), null), out);
      }
    }
    return rows.stream().allMatch(Row::works) ? 0 : ExitCode.DEVICE.code;
  }

  private interface Opener {
    Ops open();
  }

  private static Row row(String name, Opener opener) {
    try (Ops ops = opener.open()) {
      return new Row(ops.description(), null, DeviceCheck.run(ops), null);
    } catch (DeviceException e) {
      return new Row(name, e, List.of(), null);
    }
  }

  /** Checks a GPU, and cuDNN on it: a lack of cuDNN keeps nothing else from working. */
  private static Row gpuRow(Gpus gpus, GpuProperties device) {
    Row row =
        row(device.describe(), () -> new CudaOps(gpus.open(device.index()), CudaOptions.DEFAULT));
    if (row.problem != null) {
      return row;
    }
    CudaOptions options = CudaOptions.DEFAULT.with(CudaOptions.Activator.CUDNN);
    try (var ops = new CudaOps(gpus.open(device.index()), options)) {
      var checks = new ArrayList<>(row.checks);
      checks.add(DeviceCheck.ofKernels(ops));
      return new Row(row.name, null, checks, null);
    } catch (DeviceException e) {
      return new Row(row.name, null, row.checks, e);
    }
  }

  private static Map<String, Object> json(DeviceException problem) {
    return Map.of("why", problem.why(), "remedy", problem.remedy());
  }

  private static void print(Row row, PrintWriter out) {
    if (row.problem != null) {
      out.println(Printable.oneLine(row.name + ": " + row.problem.why()));
      out.println("  " + row.problem.remedy());
      return;
    }
    out.println(Printable.oneLine(row.name));
    row.checks.forEach(check -> out.println("  " + check));
    if (row.noCudnn != null) {
      out.println("  no cuDNN: " + row.noCudnn.why());
    }
  }
}
