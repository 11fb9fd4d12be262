package mlpcuda.serve;

import java.net.InetAddress;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The names under which a server may be asked. Any web page can have the browser ask 127.0.0.1 and,
 * if the page's own name is made to mean 127.0.0.1 (DNS rebinding), read the answers; but the
 * page's name is in the header Host then, and its origin in the header Origin.
 */
final class Hosts {
  private static final int HTTP = 80;

  /** Matches an address, which cannot be anybody's name. */
  private static final Pattern LITERAL =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-f:.%]+]");

  private final Set<String> names = new TreeSet<>();
  private final boolean anyAddress;
  private final int port;

  /**
   * The names of a server.
   *
   * @param host the name as it was given
   * @param address the address of that name; a wildcard can be reached by every address of the
   *     machine
   */
  Hosts(String host, InetAddress address, int port) {
    names.addAll(Set.of("127.0.0.1", "localhost", "[::1]"));
    names.add(inUrl(host).toLowerCase(Locale.ROOT));
    names.add(inUrl(address.getHostAddress()));
    this.anyAddress = address.isAnyLocalAddress();
    this.port = port;
  }

  /** Formats a name for a URL: an IPv6 address gets brackets. */
  static String inUrl(String host) {
    return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
  }

  /** Whether a header Host names this server. */
  boolean accepts(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    String end = ":" + port;
    if (name.endsWith(end) && !name.equals(end)) {
      name = name.substring(0, name.length() - end.length());
    } else if (port != HTTP) {
      return false;
    }
    return names.contains(name) || anyAddress && LITERAL.matcher(name).matches();
  }

  /** The names, for messages. */
  @Override
  public String toString() {
    return String.join(", ", names) + (anyAddress ? " or any address" : "") + " with port " + port;
  }
}
