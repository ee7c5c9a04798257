#include "overlay/wire/address.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

TEST(MacAddress, GroupAndZero) {
  EXPECT_TRUE(MacAddress::broadcast().is_group());
  EXPECT_TRUE((MacAddress{{0x01, 0, 0x5e, 0, 0, 1}}.is_group()));
  EXPECT_FALSE((MacAddress{{0x52, 0x54, 0, 0x12, 0x34, 0x56}}.is_group()));
  EXPECT_TRUE(MacAddress{}.is_zero());
  EXPECT_EQ((MacAddress{{0x52, 0x54, 0, 0x12, 0x34, 0x5f}}.to_string()), "52:54:00:12:34:5f");
}

TEST(MacAddress, TextBothWays) {
  EXPECT_EQ(MacAddress::parse("52:54:00:12:34:5f"), (MacAddress{{0x52, 0x54, 0, 0x12, 0x34, 0x5f}}));
  EXPECT_EQ(MacAddress::parse("52:54:00:12:34:5F"), (MacAddress{{0x52, 0x54, 0, 0x12, 0x34, 0x5f}}));
  for (const char* text :
       {"", "52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:5f:", "52-54-00-12-34-5f",
        "52:54:00:12:34:5g", "52:54:00:12:34:-1", "5254:00:12:34:5f:"}) {
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  }
}

TEST(Ipv4Address, TextBothWays) {
  for (const char* text : {"0.0.0.0", "10.128.0.1", "255.255.255.255"}) {
    const auto address = Ipv4Address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(Ipv4Address::parse("10.0.0.1")->value, 0x0a000001u);
  for (const char* text :
       {"", "10", "10.0.0", "10.0.0.0.1", "10.0.0.256", "10.0.0.-1", " 10.0.0.1", "10.0.0.1 "}) {
    EXPECT_FALSE(Ipv4Address::parse(text)) << text;
  }
}

TEST(Ipv4Subnet, MaskSizeAndMembers) {
  struct {
    const char* text;
    uint32_t mask;
    uint64_t size;
    const char* broadcast;
  } const cases[] = {
      {"10.128.0.0/16", 0xffff0000, 65536, "10.128.255.255"},
      {"192.168.1.4/30", 0xfffffffc, 4, "192.168.1.7"},
      {"10.0.0.7/32", 0xffffffff, 1, "10.0.0.7"},
      {"0.0.0.0/0", 0, uint64_t{1} << 32, "255.255.255.255"},
      {"128.0.0.0/1", 0x80000000, uint64_t{1} << 31, "255.255.255.255"},
  };
  for (const auto& c : cases) {
    const auto subnet = Ipv4Subnet::parse(c.text);
    ASSERT_TRUE(subnet) << c.text;
    EXPECT_EQ(subnet->mask(), c.mask) << c.text;
    EXPECT_EQ(subnet->size(), c.size) << c.text;
    EXPECT_EQ(subnet->broadcast().to_string(), c.broadcast) << c.text;
    EXPECT_EQ(subnet->to_string(), c.text);
    EXPECT_TRUE(subnet->contains(subnet->network));
    EXPECT_TRUE(subnet->contains(subnet->broadcast()));
  }
  const auto subnet = *Ipv4Subnet::parse("10.128.0.0/16");
  EXPECT_FALSE(subnet.contains(*Ipv4Address::parse("10.127.255.255")));
  EXPECT_FALSE(subnet.contains(*Ipv4Address::parse("10.129.0.0")));
}

TEST(Ipv4Subnet, RefusesHostBitsAndNonsense) {
  for (const char* text : {"10.128.0.1/16", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                           "10.0.0.0/8x", "/8", "10.0.0.0/256", "10.0.0.0/ 8"}) {
    EXPECT_FALSE(Ipv4Subnet::parse(text)) << text;
  }
}

TEST(Endpoint, TextBothWays) {
  for (const char* text :
       {"203.0.113.7:51128", "[2001:db8::7]:51128", "[::]:0", "[fe80::1]:65535", "0.0.0.0:1"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->to_string(), text);
  }
  const auto any = Endpoint::parse(":51128");
  ASSERT_TRUE(any);
  EXPECT_EQ(any->address, (std::array<uint8_t, 16>{}));
  EXPECT_EQ(any->port, 51128);
  for (const char* text : {"", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "2001:db8::7:1x", "[2001:db8::7]",
                           "[]:1", "[1.2.3.4:1", "1.2.3.4:-1", "host:1"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(Endpoint, Ipv4IsMapped) {
  const auto endpoint = Endpoint::from_ipv4({0xcb007107}, 9);
  EXPECT_TRUE(endpoint.is_ipv4());
  EXPECT_EQ(endpoint.ipv4().value, 0xcb007107u);
  EXPECT_EQ(to_hex(endpoint.address), "00000000000000000000ffffcb007107");
  EXPECT_EQ(endpoint, *Endpoint::parse("[::ffff:203.0.113.7]:9"));
  EXPECT_FALSE(Endpoint::parse("[2001:db8::7]:9")->is_ipv4());
}

TEST(Ipv6Address, TextBothWays) {
  EXPECT_EQ(Ipv6Address::parse("fd01:203:405:0:0:0:0:1")->to_string(), "fd01:203:405::1") << "RFC 5952";
  for (const char* wrong : {"", "10.0.0.1", "fe80::1%eth0", "1:2:3", "::1/64"}) {
    EXPECT_FALSE(Ipv6Address::parse(wrong)) << wrong;
  }
}

TEST(Ipv6Address, KnowsItsKind) {
  EXPECT_TRUE(Ipv6Address::parse("fe80::1")->is_link_local());
  EXPECT_FALSE(Ipv6Address::parse("fe80:0:0:1::1")->is_link_local()) << "the 54 bits are zero";
  EXPECT_FALSE(Ipv6Address::parse("fd01::1")->is_link_local());
  EXPECT_TRUE(Ipv6Address::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(Ipv6Address::parse("fd01:2:3:4::5")->is_same_network(*Ipv6Address::parse("fd01:2:3:4:5::")));
  EXPECT_FALSE(Ipv6Address::parse("fd01:2:3:4::5")->is_same_network(*Ipv6Address::parse("fd01:2:3:5::5")));
}

TEST(Ipv6Address, HasAGroupAndTheGroupAMac) {  // RFC 4291, section 2.7.1, has this example.
  const Ipv6Address group = Ipv6Address::parse("4037::1:800:200e:8c6c")->solicited_node();
  EXPECT_EQ(group.to_string(), "ff02::1:ff0e:8c6c");
  EXPECT_EQ(group.multicast_mac().to_string(), "33:33:ff:0e:8c:6c") << "RFC 2464, section 7";
}

TEST(IpAddress, IsOfEitherFamily) {
  const IpAddress ipv4 = *IpAddress::parse("10.128.1.2"), ipv6 = *IpAddress::parse("fd01::2");
  EXPECT_TRUE(ipv4.is_ipv4());
  EXPECT_EQ(ipv4.ipv4(), *Ipv4Address::parse("10.128.1.2"));
  EXPECT_EQ(ipv4.to_string(), "10.128.1.2");
  EXPECT_FALSE(ipv6.is_ipv4());
  EXPECT_EQ(ipv6.ipv6(), *Ipv6Address::parse("fd01::2"));
  EXPECT_EQ(ipv6.to_string(), "fd01::2");
  EXPECT_LT(ipv4, ipv6);
  EXPECT_FALSE(IpAddress::parse("vm1"));
}

TEST(IpAddress, TheUnspecifiedHasOneForm) {
  EXPECT_TRUE(IpAddress(Ipv4Address{}).is_unspecified());
  EXPECT_EQ(IpAddress(Ipv4Address{}), IpAddress(Ipv6Address{}));
  const Bytes mapped = *from_hex("00000000000000000000ffff00000000");
  Reader in(mapped);
  (void)read_ip(in);
  EXPECT_FALSE(in.ok());
}

TEST(IpAddress, WireBothWays) {
  for (const char* text : {"10.128.1.2", "fd01::2", "::"}) {
    Writer out;
    write(out, *IpAddress::parse(text));
    Reader in(out.view());
    EXPECT_EQ(read_ip(in).to_string(), text);
    EXPECT_TRUE(in.done());
  }
  Writer out;
  write(out, *IpAddress::parse("10.128.1.2"));
  EXPECT_EQ(to_hex(out.view()), "00000000000000000000ffff0a800102");
}

TEST(Address, WireBothWays) {
  const MacAddress mac{{1, 2, 3, 4, 5, 6}};
  const Ipv4Address ip{0x0a0b0c0d};
  const auto endpoint = *Endpoint::parse("[2001:db8::7]:258");
  Writer out;
  write(out, mac);
  write(out, ip);
  write(out, endpoint);
  EXPECT_EQ(to_hex(out.view()), "0102030405060a0b0c0d0620010db80000000000000000000000070102");
  Reader in(out.view());
  EXPECT_EQ(read_mac(in), mac);
  EXPECT_EQ(read_ipv4(in), ip);
  EXPECT_EQ(read_endpoint(in), endpoint);
  EXPECT_TRUE(in.done());
}

TEST(Endpoint, HasOneEncoding) {
  const auto encoded = [](const Endpoint& endpoint) {
    Writer out;
    write(out, endpoint);
    return to_hex(out.view());
  };
  EXPECT_EQ(encoded({}), "00");
  EXPECT_EQ(encoded(*Endpoint::parse("203.0.113.7:51128")), "04cb007107c7b8");
  EXPECT_EQ(encoded(*Endpoint::parse(":51128")), "0600000000000000000000000000000000c7b8");

  for (const char* absurd : {
           "0600000000000000000000ffffcb007107c7b8",  // IPv4-mapped.
           "06000000000000000000000000000000000000",  // Nothing, at length.
           "0104010101010001",                        // No such family.
           "04cb007107c7",                            // Short.
           "",
       }) {
    const Bytes bytes = from_hex(absurd).value();
    Reader in(bytes);
    (void)read_endpoint(in);
    EXPECT_FALSE(in.ok()) << absurd;
  }
}

}  // namespace
}  // namespace ipop
