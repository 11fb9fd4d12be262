package mlpcuda.compute.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.JCudaVersion;
import mlpcuda.compute.cuda.PtxAssembler.Assembled;
import mlpcuda.error.DeviceException;
import mlpcuda.files.Sha256;

/**
 * Makes the machine code that ships beside the PTX: cubins, for each architecture. The build runs
 * this class, and the jar does not have it. To assemble all modules takes a minute of one
 * processor, so cubins are kept in a folder, each under a hash of all that it was made from.
 */
final class Cubins {
  /**
   * The architectures of Turing, Ampere (data centre, then others), Ada and Hopper: JCuda's
   * assembler knows none that is newer.
   */
  static final List<String> ARCHITECTURES = List.of("sm_75", "sm_80", "sm_86", "sm_89", "sm_90");

  private static final Pattern TARGET = Pattern.compile("\\.target (sm_\\d\\d)");

  /** A cubin that no build has used for so long belongs to kernels that have changed since. */
  private static final Duration UNUSED = Duration.ofDays(30);

  private final Path kept;

  /** Keeps cubins in that folder, which need not exist. */
  Cubins(Path kept) {
    this.kept = kept;
  }

  /**
   * Assembles modules for those of the chosen architectures that they can be assembled for.
   *
   * @param args the folder of the PTX; the folder that the cubins are written to; the folder that
   *     keeps them for the next build; the folder that the assembler's library is unpacked below;
   *     the file that says why there are no cubins, if the assembler cannot run here; the chosen
   *     architectures, joined by commas
   */
  public static void main(String[] args) throws Exception {
    Path into = Path.of(args[1]);
    Path reason = Path.of(args[4]);
    Files.deleteIfExists(reason);
    try {
      PtxAssembler.load(Path.of(args[3]));
    } catch (DeviceException | LinkageError e) {
      String why = e instanceof DeviceException device ? device.why() : e.getMessage();
      Files.writeString(
          reason,
          "The jar gets the kernels as PTX alone, without machine code, because the PTX assembler"
              + " cannot run here: "
              + why.lines().findFirst().orElse(""));
      return;
    }
    var cubins = new Cubins(Path.of(args[2]));
    cubins.write(Path.of(args[0]), into, chosen(args[5]));
    cubins.deleteUnused(Instant.now().minus(UNUSED));
  }

  private static Set<String> chosen(String architectures) {
    Set<String> chosen = new LinkedHashSet<>(List.of(architectures.split(",")));
    if (!ARCHITECTURES.containsAll(chosen)) {
      throw new IllegalArgumentException(
          "cubins.architectures must be some of %s, found %s"
              .formatted(String.join(",", ARCHITECTURES), architectures));
    }
    return chosen;
  }

  /** A module to be assembled for one architecture. */
  private record Job(String module, String ptx, String architecture) {}

  private void write(Path modules, Path into, Set<String> chosen) throws Exception {
    var jobs = new ArrayList<Job>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(modules, "*.ptx")) {
      for (Path file : files) {
        String ptx = Files.readString(file);
        String module = file.getFileName().toString().replace(".ptx", "");
        architectures(ptx).stream()
            .filter(chosen::contains)
            .forEach(of -> jobs.add(new Job(module, ptx, of)));
      }
    }
    // The longest come first, so that no processor is left with one of them at the end.
    jobs.sort(Comparator.comparingInt((Job job) -> job.ptx.length()).reversed());
    ExecutorService workers =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    try {
      var results = new ArrayList<Future<Assembled>>();
      for (Job job : jobs) {
        results.add(workers.submit(() -> assembled(job.ptx, job.architecture)));
      }
      for (int i = 0; i < jobs.size(); i++) {
        Job job = jobs.get(i);
        Assembled result = get(results.get(i));
        if (!result.done()) {
          throw new IllegalStateException(
              "%s.ptx cannot be assembled for %s: %s%n%s"
                  .formatted(job.module, job.architecture, result.code(), result.log()));
        }
        Files.write(
            into.resolve(ModuleImage.cubinName(job.module, job.architecture)), result.cubin());
      }
    } finally {
      workers.shutdownNow();
    }
  }

  private static Assembled get(Future<Assembled> result) throws Exception {
    try {
      return result.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  /** The architectures that a module can be assembled for: its target and newer ones. */
  static List<String> architectures(String ptx) {
    Matcher target = TARGET.matcher(ptx);
    if (!target.find()) {
      throw new IllegalArgumentException("a module must have a .target, found none");
    }
    return ARCHITECTURES.stream().filter(sm -> sm.compareTo(target.group(1)) >= 0).toList();
  }

  /**
   * The result of assembling {@code ptx} for {@code architecture}: one that is kept, or else a new
   * one, which is kept if it has machine code. The assembler must be loaded.
   */
  Assembled assembled(String ptx, String architecture) throws IOException {
    String key = key(ptx, architecture);
    Path cubin = kept.resolve(key + ".cubin");
    Path log = kept.resolve(key + ".log");
    if (Files.exists(cubin) && Files.exists(log)) {
      FileTime now = FileTime.from(Instant.now());
      Files.setLastModifiedTime(log, now);
      Files.setLastModifiedTime(cubin, now);
      return new Assembled("kept", Files.readString(log), Files.readAllBytes(cubin));
    }
    Assembled made = PtxAssembler.assemble(ptx, architecture);
    if (made.done()) {
      Files.createDirectories(kept);
      keep(log, made.log().getBytes(StandardCharsets.UTF_8));
      keep(cubin, made.cubin());
    }
    return made;
  }

  /** Deletes the kept cubins that were neither made nor used since then. */
  void deleteUnused(Instant then) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(kept)) {
      for (Path file : files) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(then)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  /** Writes a file beside its place and moves it there: another build may read it meanwhile. */
  private static void keep(Path file, byte[] content) throws IOException {
    Path part = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
    Files.write(part, content);
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static String key(String ptx, String architecture) {
    String all = String.join("\n", JCudaVersion.get(), PtxAssembler.OPTIONS, architecture, ptx);
    byte[] hash = Sha256.begin().digest(all.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(hash);
  }
}
