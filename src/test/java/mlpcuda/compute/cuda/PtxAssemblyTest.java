package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.PtxAssembler.Assembled;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The kernels that ship become machine code for every generation of GPUs, without spilling. */
@Tag("long")
class PtxAssemblyTest {
  /** Turing, Ampere (data centre, others), Ada, Hopper: the newest that this assembler knows. */
  private static final List<String> ARCHITECTURES =
      List.of("sm_75", "sm_80", "sm_86", "sm_89", "sm_90");

  private static final Map<String, Assembled> ASSEMBLED = new ConcurrentHashMap<>();

  private static final Pattern TARGET = Pattern.compile("\\.target (sm_\\d\\d)");

  private static final Pattern BLOCK =
      Pattern.compile("\\.entry (\\w+)\\([^)]*\\)\\s*\\.maxntid (\\d+)");

  @BeforeAll
  static void load() {
    PtxAssembler.load();
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
                ARCHITECTURES.stream()
                    .filter(sm -> sm.compareTo(target(module)) >= 0)
                    .map(sm -> Arguments.of(module.getFileName().toString(), sm, module)));
  }

  /** The oldest architecture that a module is for. */
  private static String target(Path module) {
    Matcher target = TARGET.matcher(text(module));
    assertTrue(target.find(), "a module must have a target: " + module);
    return target.group(1);
  }

  private static String text(Path module) {
    try {
      return Files.readString(module);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Assembles a module once for both tests. */
  private static Assembled assembled(Path module, String architecture) {
    return ASSEMBLED.computeIfAbsent(
        module + architecture, key -> PtxAssembler.assemble(text(module), architecture));
  }

  @ParameterizedTest(name = "{0} for {1}")
  @MethodSource("modules")
  void modulesAreAssembledWithoutLocalMemory(String name, String architecture, Path module) {
    String ptx = text(module);
    Assembled assembled = assembled(module, architecture);
    assertTrue(assembled.done(), assembled.code() + ": " + assembled.log());
    long entries = ptx.lines().filter(line -> line.contains(".entry ")).count();
    assertTrue(entries > 0, "a module must have kernels, found none");
    assertTrue(assembled.functions() >= entries, assembled.log()); // the log was understood
    assertEquals(Map.of(), assembled.localMemory(), "kernels that use local memory");
  }

  /** A launch fails if the registers of a block's threads, in steps of 8, are more than 65536. */
  @ParameterizedTest(name = "{0} for {1}")
  @MethodSource("modules")
  void blocksHaveTheRegistersTheyNeed(String name, String architecture, Path module) {
    String ptx = text(module);
    Map<String, Integer> registers = assembled(module, architecture).registers();
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
      assertEquals(3, assembled.functions());
      assertEquals(Set.of("indexes", "spills"), assembled.localMemory().keySet(), assembled.log());
      assertEquals(
          "256 bytes of stack, 0 of spill stores, 0 of spill loads",
          assembled.localMemory().get("indexes"));
      assertFalse(assembled.localMemory().get("spills").contains(" 0 of spill stores"));
    }
  }
}
