package mlpcuda.data;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.util.Locale;
import java.util.Map;

/**
 * The proxy that an environment names for an address, by the convention of curl and wget: {@code
 * http_proxy} and {@code https_proxy}, and {@code no_proxy} with the hosts that are asked directly.
 * Java itself reads none of these variables.
 */
final class HttpProxy {
  private HttpProxy() {}

  /**
   * The proxy for {@code address}, or none.
   *
   * @throws IOException if the environment names a proxy that cannot be used
   */
  static Proxy of(URI address, Map<String, String> environment) throws IOException {
    String name = address.getScheme() + "_proxy";
    String proxy = value(environment, name);
    if (proxy.isEmpty() || isExempt(address.getHost(), value(environment, "no_proxy"))) {
      return Proxy.NO_PROXY;
    }
    URI at;
    try {
      at = URI.create(proxy.contains("://") ? proxy : "http://" + proxy);
    } catch (IllegalArgumentException e) {
      throw new IOException(name + " is no address of a proxy", e);
    }
    if (at.getHost() == null || at.getPort() > 65535 || !"http".equalsIgnoreCase(at.getScheme())) {
      throw new IOException(name + " must be an address such as http://proxy.example:3128");
    }
    if (at.getUserInfo()
        != null) { // the user's part may be a password, which no message may repeat
      throw new IOException(name + " has a user's name, and only proxies without one can be used");
    }
    int port = at.getPort() < 0 ? 80 : at.getPort();
    return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(at.getHost(), port));
  }

  private static String value(Map<String, String> environment, String name) {
    String value = environment.getOrDefault(name, "");
    return value.isEmpty()
        ? environment.getOrDefault(name.toUpperCase(Locale.ROOT), "").strip()
        : value.strip();
  }

  /**
   * Whether a list such as {@code localhost,.example.org} names the host or a domain that it
   * belongs to.
   */
  private static boolean isExempt(String host, String list) {
    for (String entry : list.toLowerCase(Locale.ROOT).split(",")) {
      String domain = entry.strip().replaceFirst("^\\*?\\.", "");
      if (entry.strip().equals("*")
          || !domain.isEmpty()
              && (host.equalsIgnoreCase(domain)
                  || host.toLowerCase(Locale.ROOT).endsWith("." + domain))) {
        return true;
      }
    }
    return false;
  }
}
