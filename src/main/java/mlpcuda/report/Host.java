package mlpcuda.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** Describes the machine that a run is on, for the files of the run. */
public final class Host {
  private static final Path LINUX = Path.of("/proc/sys/kernel/hostname");

  private Host() {}

  /**
   * Returns the machine's name, or {@code unknown}. The name is read from the system and not looked
   * up on the network: a name service that does not answer would delay a run by seconds.
   */
  static String name() {
    Stream<String> known =
        Stream.of(
            System.getenv().getOrDefault("COMPUTERNAME", ""), // Windows
            System.getenv().getOrDefault("HOSTNAME", "")); // some shells export this
    return Stream.concat(Stream.of(linuxName()), known)
        .filter(name -> !name.isBlank())
        .findFirst()
        .orElse("unknown");
  }

  private static String linuxName() {
    try {
      return Files.readString(LINUX).strip();
    } catch (IOException e) { // another system
      return "";
    }
  }

  /** The machine's name, operating system, processors and Java as JSON objects. */
  public static Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("host", name());
    json.put("system", properties("os.name", "os.version", "os.arch"));
    json.put("processors", Runtime.getRuntime().availableProcessors());
    json.put("java", properties("java.vm.name", "java.vm.version"));
    return json;
  }

  private static String properties(String... names) {
    return String.join(" ", Stream.of(names).map(System::getProperty).toList());
  }
}
