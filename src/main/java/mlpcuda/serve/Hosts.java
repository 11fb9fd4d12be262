package mlpcuda.serve;

import java.net.InetAddress;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The host names that requests to the server may use. Any web page can make a browser send requests
 * to 127.0.0.1 and, if the name of the page's site is made to resolve to 127.0.0.1 (DNS rebinding),
 * read the answers. Such a request has the site's name in the header Host and its origin in the
 * header Origin, by which it is refused.
 */
final class Hosts {
  private static final int HTTP = 80;

  /** Matches an IP address, which is no name that an attacker could register. */
  private static final Pattern LITERAL =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-f:.%]+]");

  private final Set<String> names = new TreeSet<>();
  private final boolean anyAddress;
  private final int port;

  /**
   * Creates the set of names.
   *
   * @param host the name that the user gave
   * @param address the address of that name; with a wildcard address the server can be reached at
   *     every address of the machine
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

  /** Whether the value of a header Host names this server. */
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

  /** Lists the names for messages. */
  @Override
  public String toString() {
    return String.join(", ", names) + (anyAddress ? " or any address" : "") + " with port " + port;
  }
}
