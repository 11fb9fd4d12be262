package mlpcuda.compute.cuda;

import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerCompile;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerCreate;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerDestroy;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetErrorLog;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetErrorLogSize;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetInfoLog;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetInfoLogSize;
import static jcuda.nvptxcompiler.nvPTXCompileResult.NVPTXCOMPILE_SUCCESS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import mlpcuda.compute.DeviceException;

/** NVIDIA's PTX assembler, which needs no GPU: from PTX to machine code for an architecture. */
final class PtxAssembler {
  private static final Pattern FUNCTION =
      Pattern.compile(
          "Function properties for (\\S+)\\R[^\\d\\n]*"
              + "(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");

  private static final Pattern REGISTERS =
      Pattern.compile("Function properties for (\\S+)\\R.*\\R.*Used (\\d+) registers");

  /**
   * The result of assembling a module.
   *
   * @param code the code that the assembler returned, as text
   * @param log the assembler's messages
   */
  record Assembled(boolean done, String code, String log) {
    /** The functions that use local memory, each with its reason. */
    Map<String, String> localMemory() {
      Map<String, String> users = new TreeMap<>();
      Matcher function = FUNCTION.matcher(log);
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
    Map<String, Integer> registers() {
      Map<String, Integer> registers = new TreeMap<>();
      Matcher entry = REGISTERS.matcher(log);
      while (entry.find()) {
        registers.put(entry.group(1), Integer.valueOf(entry.group(2)));
      }
      return registers;
    }

    /** The number of functions that the log names. */
    long functions() {
      return FUNCTION.matcher(log).results().count();
    }
  }

  private PtxAssembler() {}

  /** Loads the assembler; skips the test on platforms that do not have it. */
  static void load() {
    try {
      new Natives(Path.of("target", "natives"))
          .load("JNvPTXCompiler", () -> JNvPTXCompiler.setExceptionsEnabled(false));
    } catch (DeviceException e) {
      if (e.getMessage().contains("no CUDA for this platform")) {
        abort(e.getMessage());
      }
      throw e;
    }
  }

  /** Assembles {@code ptx} for {@code architecture}, as {@code sm_75}. */
  static Assembled assemble(String ptx, String architecture) {
    byte[] text = (ptx + "\0").getBytes(StandardCharsets.UTF_8);
    var compiler = new nvPTXCompilerHandle();
    check(nvPTXCompilerCreate(compiler, text.length, text));
    try {
      String[] options = {"--gpu-name=" + architecture, "--verbose"};
      int code = nvPTXCompilerCompile(compiler, options.length, options);
      String log =
          log(compiler, (c, n) -> nvPTXCompilerGetErrorLogSize(c, n), PtxAssembler::errors)
              + log(compiler, (c, n) -> nvPTXCompilerGetInfoLogSize(c, n), PtxAssembler::messages);
      return new Assembled(code == NVPTXCOMPILE_SUCCESS, nvPTXCompileResult.stringFor(code), log);
    } finally {
      check(nvPTXCompilerDestroy(compiler));
    }
  }

  private static int errors(nvPTXCompilerHandle compiler, byte[] log) {
    return nvPTXCompilerGetErrorLog(compiler, log);
  }

  private static int messages(nvPTXCompilerHandle compiler, byte[] log) {
    return nvPTXCompilerGetInfoLog(compiler, log);
  }

  private static String log(
      nvPTXCompilerHandle compiler,
      BiFunction<nvPTXCompilerHandle, long[], Integer> size,
      BiFunction<nvPTXCompilerHandle, byte[], Integer> content) {
    long[] length = new long[1];
    check(size.apply(compiler, length));
    if (length[0] == 0) {
      return "";
    }
    byte[] log = new byte[(int) length[0] + 1];
    check(content.apply(compiler, log));
    return new String(log, StandardCharsets.UTF_8).replace("\0", "");
  }

  private static void check(int code) {
    assertEquals(NVPTXCOMPILE_SUCCESS, code, nvPTXCompileResult.stringFor(code));
  }
}
