package mlpcuda.compute.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The surroundings of a process that decide which GPU it can use.
 *
 * @param container whether the process runs in a container
 * @param deviceFile whether the GPUs' control file is there: the kernel has NVIDIA's driver
 * @param visibleDevices the value of CUDA_VISIBLE_DEVICES, empty if it is not set
 */
record Surroundings(boolean container, boolean deviceFile, Optional<String> visibleDevices) {
  private static final Pattern CONTAINER_GROUP = Pattern.compile("docker|kubepods|containerd|lxc");

  /** The surroundings of this process. */
  static Surroundings here() {
    return new Surroundings(
        Files.exists(Path.of("/.dockerenv"))
            || Files.exists(Path.of("/run/.containerenv")) // Podman
            || System.getenv("container") != null
            || System.getenv("KUBERNETES_SERVICE_HOST") != null
            || CONTAINER_GROUP.matcher(read(Path.of("/proc/1/cgroup"))).find(),
        Files.exists(Path.of("/dev/nvidiactl")),
        Optional.ofNullable(System.getenv("CUDA_VISIBLE_DEVICES")));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return ""; // another system than Linux, or no permission: nothing is known of containers
    }
  }
}
