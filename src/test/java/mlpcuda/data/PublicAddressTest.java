package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PublicAddressTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1", // 127.0.0.1, IPv4-compatible
        "::ffff:10.0.0.1", // IPv4-mapped
        "64:ff9b::127.0.0.1", // NAT64
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::8.8.8.8", // NAT64 of a local network
        "100::1", // is discarded
        "2001::1", // Teredo
        "2001:db8::1",
        "2002:7f00:1::1", // 127.0.0.1, 6to4
        "2002:c0a8:101::1", // 192.168.1.1, 6to4
        "3fff::1",
        "4000::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1"
      })
  void addressesThatAreNotPublic(String address) throws UnknownHostException {
    assertFalse(PublicAddress.is(InetAddress.getByName(address)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2001:200::1",
        "2002:808:808::1",
        "2a00:1450:4001:81b::201b",
        "3ffe::1"
      })
  void publicAddresses(String address) throws UnknownHostException {
    assertTrue(PublicAddress.is(InetAddress.getByName(address)));
  }
}
