#include "overlay/vnet/dns_responder.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

/// A question of class IN, id 7, and the answer taken apart by hand.
struct Answer {
  uint16_t flags = 0, answers = 0, authorities = 0;
  std::string rest;  ///< Behind the question, in hexadecimal.
  unsigned code() const { return flags & 15u; }
  bool is_authoritative() const { return (flags & 0x0400) != 0; }
};

struct Fixture : testing::Test {
  explicit Fixture(const char* text = "10.128.0.0/24")
      : network(Service::make("grid", *Ipv4Subnet::parse(text), 0x1234, 1380)) {
    bind(7, "10.128.0.7", "vm7");
    bind(7, "fd00::7", "vm7");
    bind(7, "fe80::7", "vm7");
    bind(8, "10.128.0.8", "");
  }
  void bind(uint8_t guest, const char* address, const char* name, uint8_t host = 2, uint64_t sequence = 1) {
    Binding out = binding(guest, "", host, sequence, at(1h));
    out.ip = *IpAddress::parse(address);
    out.name = name;
    ASSERT_TRUE(map.upsert(at(0s), out));
  }
  Answer ask(const std::string& name, uint16_t type, uint16_t dns_class = 1) {
    Writer out;
    for (const uint16_t field : std::initializer_list<uint16_t>{7, 0, 1, 0, 0, 0}) out.u16(field);
    out.bytes(DnsName::of(name).encode());
    out.u16(type);
    out.u16(dns_class);
    const Bytes question = out.take();
    const auto message = dns.answer(at(10s), question);
    EXPECT_TRUE(message);
    Reader in(*message);
    EXPECT_EQ(in.u16(), 7);
    Answer answer;
    answer.flags = in.u16();
    EXPECT_EQ(in.u16(), 1);
    answer.answers = in.u16();
    answer.authorities = in.u16();
    EXPECT_EQ(in.u16(), 0);
    const ByteView repeated = in.bytes(question.size() - 12);
    EXPECT_TRUE(std::equal(repeated.begin(), repeated.end(), question.begin() + 12));
    answer.rest = to_hex(in.rest());
    return answer;
  }
  /// NXDOMAIN or, with `code` 0, NODATA: RFC 2308.
  void expect_nothing(const std::string& name, uint16_t type, unsigned code) {
    const Answer answer = ask(name, type);
    EXPECT_EQ(answer.code(), code) << name;
    EXPECT_TRUE(answer.is_authoritative()) << name;
    EXPECT_EQ(answer.answers, 0) << name;
    EXPECT_EQ(answer.authorities, 1) << name;
    EXPECT_NE(answer.rest.find("0006000100000005"), std::string::npos)
        << name << ": an SOA, to be believed for 5 s";
  }
  void expect_refused(const std::string& name, uint16_t type) {
    const Answer answer = ask(name, type);
    EXPECT_EQ(answer.code(), 5u) << name;
    EXPECT_FALSE(answer.is_authoritative()) << name;
    EXPECT_EQ(answer.rest, "") << name;
  }

  Service network;
  AddressMap map{node(1)};
  DnsResponder dns{network, map};
};
using DnsResponderTest = Fixture;
constexpr uint16_t kA = 1, kNs = 2, kSoa = 6, kPtr = 12, kMx = 15, kTxt = 16, kAaaa = 28, kAny = 255;

TEST_F(DnsResponderTest, AGuestsNameHasItsAddresses) {
  const Answer a = ask("vm7.grid.ipop", kA);
  EXPECT_EQ(a.flags, 0x8400);
  EXPECT_EQ(a.rest,
            "c00c"
            "0001"
            "0001"
            "0000001e"
            "0004"
            "0a800007");
  EXPECT_EQ(ask("vm7.grid.ipop", kAaaa).rest,
            "c00c"
            "001c"
            "0001"
            "0000001e"
            "0010"
            "fd000000000000000000000000000007")
      << "a link-local address is of no use to who does not know the link";
  EXPECT_EQ(ask("vm7.grid.ipop", kAny).answers, 2);
  EXPECT_EQ(ask("VM7.Grid.IPOP", kA).rest, a.rest) << "RFC 4343";
  EXPECT_EQ(ask("vm7.grid.ipop", kA, 255).rest, a.rest) << "any class";
}

TEST_F(DnsResponderTest, NothingOfATypeIsNotNothingOfAName) {
  expect_nothing("vm7.grid.ipop", kTxt, 0);
  expect_nothing("vm9.grid.ipop", kA, 3);
  expect_nothing("a.vm7.grid.ipop", kA, 3);
  bind(9, "10.128.0.9", "vm9");
  EXPECT_EQ(ask("vm9.grid.ipop", kA).answers, 1);
  expect_nothing("vm9.grid.ipop", kAaaa, 0);
}

TEST_F(DnsResponderTest, TheNetworksNameIsTheServices) {
  EXPECT_EQ(ask("grid.ipop", kA).rest,
            "c00c"
            "0001"
            "0001"
            "0000001e"
            "0004"
            "0a800001");
  EXPECT_EQ(ask("grid.ipop", kAaaa).rest,
            "c00c"
            "001c"
            "0001"
            "0000001e"
            "0010"
            "fd000000000000000000000000000001");
  EXPECT_EQ(ask("grid.ipop", kNs).rest,
            "c00c"
            "0002"
            "0001"
            "0000001e"
            "0002"
            "c00c");
  EXPECT_EQ(ask("grid.ipop", kSoa).rest,
            "c00c"
            "0006"
            "0001"
            "00000005"
            "0023"
            "c00c"
            "0a686f73746d6173746572"
            "c00c"
            "00000001"
            "00000e10"
            "00000258"
            "00015180"
            "00000005");
  expect_nothing("grid.ipop", kTxt, 0);
}

TEST_F(DnsResponderTest, AnAddressHasAName) {
  const std::string vm7 =
      "03766d37"
      "04677269640469706f7000";
  EXPECT_EQ(ask("7.0.128.10.in-addr.arpa", kPtr).rest,
            "c00c"
            "000c"
            "0001"
            "0000001e"
            "000f" +
                vm7);
  EXPECT_EQ(ask("7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", kPtr).rest,
            "c00c"
            "000c"
            "0001"
            "0000001e"
            "000f" +
                vm7);
  EXPECT_EQ(ask("1.0.128.10.in-addr.arpa", kPtr).rest,
            "c00c"
            "000c"
            "0001"
            "0000001e"
            "000b"
            "04677269640469706f7000");
  expect_nothing("7.0.128.10.in-addr.arpa", kA, 0);
  expect_nothing("8.0.128.10.in-addr.arpa", kPtr, 3);  // It has not said its name.
  expect_nothing("99.0.128.10.in-addr.arpa", kPtr, 3);
  expect_nothing("1.7.0.128.10.in-addr.arpa", kPtr, 3);
  for (const char* label : {"x", "007", "07", "256", "-1", "7a"}) {
    expect_nothing(std::string(label) + ".0.128.10.in-addr.arpa", kPtr, 3);
  }
}

TEST_F(DnsResponderTest, ReverseNamesOnTheWayExist) {  // RFC 8020.
  EXPECT_EQ(ask("0.128.10.in-addr.arpa", kSoa).answers, 1) << "the head of the zone";
  EXPECT_EQ(ask("0.128.10.in-addr.arpa", kNs).answers, 1);
  expect_nothing("0.128.10.in-addr.arpa", kPtr, 0);
  expect_nothing("0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", kPtr, 0);
  expect_nothing("00.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", kPtr, 3);
}

TEST_F(DnsResponderTest, TheRestOfTheWorldIsRefused) {
  expect_refused("example.com", kA);
  expect_refused("ipop", kA);
  expect_refused("vm7.mesh.ipop", kA);
  expect_refused("vm7grid.ipop", kA);
  expect_refused("7.1.128.10.in-addr.arpa", kPtr);
  expect_refused("128.10.in-addr.arpa", kPtr);
  expect_refused("in-addr.arpa", kPtr);
  expect_refused("7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", kPtr);
  expect_refused("", kNs);
  EXPECT_EQ(ask("vm7.grid.ipop", kA, 3).code(), 5u) << "class CH";
  EXPECT_EQ(dns.counts().refused, 10u);
}

TEST_F(DnsResponderTest, ANameThatTwoWantIsOneGuests) {
  bind(9, "10.128.0.9", "vm7", 2, 2);
  EXPECT_EQ(ask("vm7.grid.ipop", kA).rest,
            "c00c"
            "0001"
            "0001"
            "0000001e"
            "0004"
            "0a800009")
      << "the higher sequence";
  EXPECT_EQ(ask("9.0.128.10.in-addr.arpa", kPtr).answers, 1);
  expect_nothing("7.0.128.10.in-addr.arpa", kPtr, 3);
}

TEST_F(DnsResponderTest, WhatIsNoQuestionIsAnsweredWithItsReason) {
  const auto answer = [&](const char* hex) {
    const auto message = dns.answer(at(10s), *from_hex(hex));
    return message ? to_hex(*message) : std::string(to_string(message.error()));
  };
  EXPECT_EQ(answer("0007"), "malformed");
  EXPECT_EQ(answer("000780000001000000000000"), "unexpected_message") << "an answer";
  EXPECT_EQ(answer("000700000001000000000000"), "000780010000000000000000") << "FORMERR";
  EXPECT_EQ(answer("000710000000000000000000"), "000790040000000000000000") << "NOTIMP";
}

TEST_F(DnsResponderTest, AFloodOfQuestionsIsLimited) {
  const Bytes question = *from_hex("000700000001000000000000");
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(dns.answer(at(10s), question));
  EXPECT_EQ(dns.answer(at(10s), question).error(), Error::RateLimited);
  EXPECT_TRUE(dns.answer(at(10s) + 2ms, question));
}

struct WideNetwork : Fixture {
  WideNetwork() : Fixture("10.128.0.0/20") {}
};

TEST_F(WideNetwork,
       ASubnetMayEndInsideAnOctet) {  // Its zone is the /16 around it, of which it speaks for itself only.
  EXPECT_EQ(ask("7.0.128.10.in-addr.arpa", kPtr).answers, 1);
  EXPECT_EQ(ask("128.10.in-addr.arpa", kSoa).answers, 1);
  expect_nothing("15.128.10.in-addr.arpa", kPtr, 0);
  expect_nothing("7.15.128.10.in-addr.arpa", kPtr, 3);
  expect_refused("16.128.10.in-addr.arpa", kPtr);
  expect_refused("7.16.128.10.in-addr.arpa", kPtr);
}

TEST_F(DnsResponderTest, SaysWhatTheNetworkMayKnow) {
  const auto lacks = [&](const std::string& name, uint16_t type) {
    Writer out;
    for (const uint16_t field : std::initializer_list<uint16_t>{7, 0, 1, 0, 0, 0}) out.u16(field);
    out.bytes(DnsName::of(name).encode());
    out.u16(type);
    out.u16(1);
    return dns.lacks(out.take());
  };
  EXPECT_FALSE(lacks("vm7.grid.ipop", kA));
  EXPECT_FALSE(lacks("vm7.grid.ipop", kAaaa));
  EXPECT_FALSE(lacks("vm7.grid.ipop", kMx)) << "there are none";
  const auto unknown = lacks("VM9.grid.ipop", kA);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->kind, Query::Kind::Name);
  EXPECT_EQ(unknown->name, "vm9");
  EXPECT_TRUE(unknown->ip.is_ipv4());
  EXPECT_FALSE(lacks("vm9.grid.ipop", kAaaa)->ip.is_ipv4());
  bind(10, "10.128.0.10", "vm10");
  EXPECT_FALSE(lacks("vm10.grid.ipop", kA));
  EXPECT_TRUE(lacks("vm10.grid.ipop", kAaaa)) << "its host may know more";
  bind(11, "10.128.0.11", "vm11", 1);
  EXPECT_FALSE(lacks("vm11.grid.ipop", kAaaa)) << "nobody knows more of a guest of ours";
  EXPECT_FALSE(lacks("grid.ipop", kMx));
  EXPECT_FALSE(lacks("www.vm9.grid.ipop", kA)) << "no guest can be called so";
  EXPECT_FALSE(lacks("example.com", kA));
  const auto address = lacks("9.0.128.10.in-addr.arpa", kPtr);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->kind, Query::Kind::Ip);
  EXPECT_EQ(address->ip, *IpAddress::parse("10.128.0.9"));
  EXPECT_FALSE(lacks("7.0.128.10.in-addr.arpa", kPtr));
  EXPECT_FALSE(lacks("8.0.128.10.in-addr.arpa", kPtr)) << "it has no name";
  EXPECT_FALSE(lacks("1.0.128.10.in-addr.arpa", kPtr)) << "ours";
}

}  // namespace
}  // namespace ipop
