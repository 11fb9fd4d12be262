package mlpcuda.data;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Tells addresses of the public internet from those of this machine and of the networks around it.
 * A download connects to public addresses alone: otherwise a mirror could redirect the download to
 * a service that trusts every caller from this network, such as a router or a cloud's metadata
 * service.
 *
 * <p>An IPv6 address that carries an IPv4 address for a translator counts as that IPv4 address. The
 * prefix of a translator that a network chose for itself cannot be told from other addresses.
 *
 * <p>Source: the IANA registries of special-purpose addresses (RFC 6890, RFC 8190); 6to4: RFC 3056;
 * NAT64: RFC 6052 and RFC 8215.
 */
final class PublicAddress {
  /** IPv4 addresses that are not public. */
  private static final List<Block> SPECIAL_IPV4 =
      blocks(
          "0.0.0.0/8", // this network; 0.0.0.0 connects to this machine
          "10.0.0.0/8", // private
          "100.64.0.0/10", // carrier-grade NAT
          "127.0.0.0/8", // this machine
          "169.254.0.0/16", // link-local
          "172.16.0.0/12", // private
          "192.0.0.0/24", // protocols of the IETF
          "192.0.2.0/24", // documentation
          "192.168.0.0/16", // private
          "198.18.0.0/15", // benchmarks of network devices
          "198.51.100.0/24", // documentation
          "203.0.113.0/24", // documentation
          "224.0.0.0/4", // multicast
          "240.0.0.0/4"); // reserved, and broadcast

  /** IPv6 addresses that can be public; all others are local, multicast or unassigned. */
  private static final Block GLOBAL_IPV6 = Block.of("2000::/3");

  /** Parts of {@link #GLOBAL_IPV6} that are not public. */
  private static final List<Block> SPECIAL_IPV6 =
      blocks(
          "2001::/23", // protocols of the IETF, Teredo among them
          "2001:db8::/32", // documentation
          "3fff::/20"); // documentation

  private static final Block SIX_TO_FOUR = Block.of("2002::/16");
  private static final Block NAT64 = Block.of("64:ff9b::/96");

  private PublicAddress() {}

  /** A block of addresses that have the same first bits. */
  private record Block(byte[] prefix, int bits) {
    /** Parses a block such as {@code 10.0.0.0/8}. */
    static Block of(String literal) {
      String[] parts = literal.split("/");
      try {
        return new Block(InetAddress.getByName(parts[0]).getAddress(), Integer.parseInt(parts[1]));
      } catch (UnknownHostException e) {
        throw new AssertionError("a literal address is not looked up", e);
      }
    }

    boolean has(byte[] address) {
      for (int bit = 0; bit < bits; bit++) {
        int mask = 0x80 >> (bit % 8);
        if (((address[bit / 8] ^ prefix[bit / 8]) & mask) != 0) {
          return false;
        }
      }
      return true;
    }
  }

  private static List<Block> blocks(String... literals) {
    return Stream.of(literals).map(Block::of).toList();
  }

  /** Whether the address is one of the public internet. */
  static boolean is(InetAddress address) {
    byte[] bytes = address.getAddress();
    return address instanceof Inet4Address ? isPublicIpv4(bytes) : isPublicIpv6(bytes);
  }

  private static boolean isPublicIpv4(byte[] address) {
    return SPECIAL_IPV4.stream().noneMatch(block -> block.has(address));
  }

  private static boolean isPublicIpv6(byte[] address) {
    if (SIX_TO_FOUR.has(address)) {
      return isPublicIpv4(Arrays.copyOfRange(address, 2, 6));
    }
    if (NAT64.has(address)) {
      return isPublicIpv4(Arrays.copyOfRange(address, 12, 16));
    }
    return GLOBAL_IPV6.has(address) && SPECIAL_IPV6.stream().noneMatch(b -> b.has(address));
  }
}
