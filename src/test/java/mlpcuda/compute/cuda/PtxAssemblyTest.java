package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.PtxAssembler.Assembled;
import mlpcuda.error.DeviceException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The kernels that ship become machine code for every generation of GPUs, without spilling. */
@Tag("long")
class PtxAssemblyTest {
  /** What the build has assembled is not assembled again. */
  private static final Cubins CUBINS =
      new Cubins(Path.of(System.getProperty("mlpcuda.cubins.kept", "target/cubins")));

  private static final Pattern BLOCK =
      Pattern.compile("\\.entry (\\w+)\\([^)]*\\)\\s*\\.maxntid (\\d+)");

  private static final Pattern FUNCTION =
      Pattern.compile(
          "Function properties for (\\S+)\\R[^\\d\\n]*"
              + "(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");

  private static final Pattern REGISTERS =
      Pattern.compile("Function properties for (\\S+)\\R.*\\R.*Used (\\d+) registers");

  @TempDir private Path tmp;

  /** Loads the assembler; skips the tests on platforms that do not have it. */
  @BeforeAll
  static void load() {
    try {
      PtxAssembler.load(Path.of("target", "natives"));
    } catch (DeviceException e) {
      if (e.getMessage().contains("no CUDA for this platform")) {
        abort(e.getMessage());
      }
      throw e;
    }
  }

  /** The modules of the program: an empty set fails the test. */
  static Stream<Arguments> modules() throws IOException, URISyntaxException {
    Path classes =
        Path.of(CudaDriver.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<Path> modules = new ArrayList<>();
    try (var files = Files.newDirectoryStream(classes.resolve("mlpcuda/compute/cuda"), "*.ptx")) {
      files.forEach(modules::add);
    }
    assertFalse(modules.isEmpty(), "there must be modules in " + classes + ", found none");
    return modules.stream()
        .sorted()
        .flatMap(
            module ->
                Cubins.architectures(text(module)).stream()
                    .map(sm -> Arguments.of(module.getFileName().toString(), sm, module)));
  }

  private static String text(Path module) {
    try {
      return Files.readString(module);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The functions that use local memory, each with its reason, as the assembler's log has them. */
  private static Map<String, String> localMemory(Assembled assembled) {
    Map<String, String> users = new TreeMap<>();
    Matcher function = FUNCTION.matcher(assembled.log());
    while (function.find()) {
      if (!(function.group(2) + function.group(3) + function.group(4)).equals("000")) {
        users.put(
            function.group(1),
            "%s bytes of stack, %s of spill stores, %s of spill loads"
                .formatted(function.group(2), function.group(3), function.group(4)));
      }
    }
    return users;
  }

  /** The number of registers of a thread, for each entry. */
  private static Map<String, Integer> registers(Assembled assembled) {
    Map<String, Integer> registers = new TreeMap<>();
    Matcher entry = REGISTERS.matcher(assembled.log());
    while (entry.find()) {
      registers.put(entry.group(1), Integer.valueOf(entry.group(2)));
    }
    return registers;
  }

  /** The number of functions that the log names. */
  private static long functions(Assembled assembled) {
    return FUNCTION.matcher(assembled.log()).results().count();
  }

  @ParameterizedTest(name = "{0} for {1}")
  @MethodSource("modules")
  void modulesAreAssembledWithoutLocalMemory(String name, String architecture, Path module)
      throws IOException {
    String ptx = text(module);
    Assembled assembled = CUBINS.assembled(ptx, architecture);
    assertTrue(assembled.done(), assembled.code() + ": " + assembled.log());
    long entries = ptx.lines().filter(line -> line.contains(".entry ")).count();
    assertTrue(entries > 0, "a module must have kernels, found none");
    assertTrue(functions(assembled) >= entries, assembled.log()); // the log was understood
    assertEquals(Map.of(), localMemory(assembled), "kernels that use local memory");
  }

  /** A launch fails if the registers of a block's threads, in steps of 8, are more than 65536. */
  @ParameterizedTest(name = "{0} for {1}")
  @MethodSource("modules")
  void blocksHaveTheRegistersTheyNeed(String name, String architecture, Path module)
      throws IOException {
    String ptx = text(module);
    Map<String, Integer> registers = registers(CUBINS.assembled(ptx, architecture));
    Matcher entry = BLOCK.matcher(ptx);
    int entries = 0;
    for (; entry.find(); entries++) {
      int threads = Integer.parseInt(entry.group(2));
      int each = (registers.get(entry.group(1)) + 7) / 8 * 8;
      assertTrue(threads * each <= 65536, "%s: %d of %d".formatted(entry.group(1), threads, each));
    }
    assertEquals(registers.size(), entries, "each entry must say how large its blocks are");
  }

  @Test
  void aMistakeInPtxIsFound() {
    String ptx = ".version 8.0\n.target sm_75\n.address_size 64\n.visible .entry k() { rat; }\n";
    Assembled assembled = PtxAssembler.assemble(ptx, "sm_75");
    assertFalse(assembled.done());
    assertEquals("NVPTXCOMPILE_ERROR_COMPILATION_FAILURE", assembled.code());
    assertTrue(assembled.log().contains("line 4; error"), assembled.log());
  }

  @Test
  void kernelsThatNeedLocalMemoryAreNamed() throws IOException {
    try (InputStream in = PtxAssemblyTest.class.getResourceAsStream("assembly/spills.ptx")) {
      String ptx = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      Assembled assembled = PtxAssembler.assemble(ptx, "sm_80");
      assertTrue(assembled.done(), assembled.log());
      assertEquals(3, functions(assembled));
      assertEquals(Set.of("indexes", "spills"), localMemory(assembled).keySet(), assembled.log());
      assertEquals(
          "256 bytes of stack, 0 of spill stores, 0 of spill loads",
          localMemory(assembled).get("indexes"));
      assertFalse(localMemory(assembled).get("spills").contains(" 0 of spill stores"));
    }
  }

  /** Without this, two builds of one commit would differ. */
  @Test
  void aModuleIsAssembledToTheSameBytesEachTime() throws IOException {
    String ptx = text(Path.of("cuda", "ptx", "layers.ptx"));
    assertArrayEquals(
        CUBINS.assembled(ptx, "sm_90").cubin(), PtxAssembler.assemble(ptx, "sm_90").cubin());
  }

  @Test
  void whatWasAssembledIsKeptUntilItIsUnusedForLong() throws IOException {
    var cubins = new Cubins(tmp.resolve("kept"));
    String ptx = text(Path.of("src/test/resources/mlpcuda/compute/cuda/assembly/spills.ptx"));
    Assembled made = cubins.assembled(ptx, "sm_80");
    Assembled kept = cubins.assembled(ptx, "sm_80");
    assertEquals("kept", kept.code());
    assertEquals(made.log(), kept.log());
    assertArrayEquals(made.cubin(), kept.cubin());
    assertEquals("NVPTXCOMPILE_SUCCESS", cubins.assembled(ptx, "sm_86").code());
    assertEquals("NVPTXCOMPILE_SUCCESS", cubins.assembled(ptx + "\n", "sm_80").code());
    cubins.deleteUnused(Instant.now().minusSeconds(600));
    assertEquals("kept", cubins.assembled(ptx, "sm_80").code());
    cubins.deleteUnused(Instant.now().plusSeconds(600));
    assertEquals("NVPTXCOMPILE_SUCCESS", cubins.assembled(ptx, "sm_80").code());
  }
}
