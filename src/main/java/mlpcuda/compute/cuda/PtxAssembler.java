package mlpcuda.compute.cuda;

import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerCompile;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerCreate;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerDestroy;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetCompiledProgram;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetCompiledProgramSize;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetErrorLog;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetErrorLogSize;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetInfoLog;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetInfoLogSize;
import static jcuda.nvptxcompiler.nvPTXCompileResult.NVPTXCOMPILE_SUCCESS;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.BiFunction;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;

/**
 * NVIDIA's PTX assembler, which needs no GPU: from PTX to machine code for an architecture. The
 * build and the tests use it; the jar has neither this class nor the assembler's library.
 */
final class PtxAssembler {
  /** The options beside the architecture: the log tells registers, stack and spills. */
  static final String OPTIONS = "--verbose";

  /**
   * The result of assembling a module.
   *
   * @param code the code that the assembler returned, as text
   * @param log the assembler's messages
   * @param cubin the machine code; empty if it could not be made
   */
  record Assembled(String code, String log, byte[] cubin) {
    /** Whether there is machine code. */
    boolean done() {
      return cubin.length > 0;
    }
  }

  private PtxAssembler() {}

  /**
   * Loads the assembler.
   *
   * @param natives the folder that its library is unpacked below
   * @throws mlpcuda.error.DeviceException if there is none for this platform, or it cannot be
   *     unpacked
   * @throws LinkageError if the dynamic linker refuses it
   */
  static void load(Path natives) {
    new Natives(natives).load("JNvPTXCompiler", () -> JNvPTXCompiler.setExceptionsEnabled(false));
  }

  /**
   * Assembles {@code ptx} for {@code architecture}, as {@code sm_75}; several threads may do so at
   * once.
   */
  static Assembled assemble(String ptx, String architecture) {
    byte[] text = (ptx + "\0").getBytes(StandardCharsets.UTF_8);
    var compiler = new nvPTXCompilerHandle();
    check(nvPTXCompilerCreate(compiler, text.length, text));
    try {
      String[] options = {"--gpu-name=" + architecture, OPTIONS};
      int code = nvPTXCompilerCompile(compiler, options.length, options);
      String log =
          log(compiler, (c, n) -> nvPTXCompilerGetErrorLogSize(c, n), PtxAssembler::errors)
              + log(compiler, (c, n) -> nvPTXCompilerGetInfoLogSize(c, n), PtxAssembler::messages);
      byte[] cubin = code == NVPTXCOMPILE_SUCCESS ? cubin(compiler) : new byte[0];
      return new Assembled(nvPTXCompileResult.stringFor(code), log, cubin);
    } finally {
      check(nvPTXCompilerDestroy(compiler));
    }
  }

  private static byte[] cubin(nvPTXCompilerHandle compiler) {
    long[] length = new long[1];
    check(nvPTXCompilerGetCompiledProgramSize(compiler, length));
    byte[] cubin = new byte[Math.toIntExact(length[0])];
    check(nvPTXCompilerGetCompiledProgram(compiler, cubin));
    return cubin;
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
    if (code != NVPTXCOMPILE_SUCCESS) {
      throw new IllegalStateException("the PTX assembler: " + nvPTXCompileResult.stringFor(code));
    }
  }
}
