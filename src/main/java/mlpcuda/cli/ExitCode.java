package mlpcuda.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** The exit codes of the program, and what each of them means. */
enum ExitCode {
  DONE(0, "done"),
  INTERNAL(
      1,
      "internal failure, or compare or benchmark found a wrong answer, or a run of a sweep failed"),
  USAGE(2, "the command line is wrong, or a finished run would need --overwrite"),
  DEVICE(3, "the device cannot be used"),
  FILE(4, "a data or model file cannot be used, or predict answered only some of its pictures"),
  DIVERGED(5, "training diverged"),
  IN_USE(6, "another process uses the folder of the run or sweep"),
  UNWRITABLE(7, "a file, a folder or standard output cannot be written"),
  NO_PORT(8, "the address or port cannot be listened on"),
  MEMORY(9, "the Java heap is too small"),
  HUNG_UP(129, "stopped by SIGHUP: the terminal was closed"),
  STOPPED(130, "stopped by Ctrl-C"),
  TERMINATED(143, "stopped by SIGTERM");

  final int code;
  final String meaning;

  ExitCode(int code, String meaning) {
    this.code = code;
    this.meaning = meaning;
  }

  /** The codes and their meanings, as the help lists them. */
  static Map<String, String> list() {
    var list = new LinkedHashMap<String, String>();
    for (ExitCode code : values()) {
      list.put(Integer.toString(code.code), code.meaning);
    }
    return list;
  }
}
