#include "overlay/wire/icmpv6.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

const Ipv6Address kOne = *Ipv6Address::parse("fe80::1");
const Ipv6Address kTwo = *Ipv6Address::parse("fe80::2");
// Type 128, code 0; identifier 0x1234, sequence 1, "ping"; the checksums computed apart from this code.
constexpr char kRequest[] = "800091ae1234000170696e67";
constexpr char kReply[] = "810090ae1234000170696e67";

Ipv6Packet packet(ByteView payload) { return {.src = kOne, .dst = kTwo, .protocol = 58, .payload = payload}; }

TEST(Icmpv6, AnEchoIsReadAndAnswered) {
  const Bytes request = *from_hex(kRequest);
  auto message = Icmpv6Message::decode(packet(request));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->type, Icmpv6Message::kEchoRequest);
  EXPECT_EQ(message->code, 0);
  EXPECT_EQ(to_hex(message->body), "1234000170696e67");
  message->type = Icmpv6Message::kEchoReply;
  EXPECT_EQ(to_hex(message->encode(kTwo, kOne)), kReply);
}

TEST(Icmpv6, AChecksumCoversTheAddresses) {
  const Bytes request = *from_hex(kRequest);
  Ipv6Packet other = packet(request);
  other.src = *Ipv6Address::parse("fe80::3");
  EXPECT_EQ(Icmpv6Message::decode(other).error(), Error::Malformed);
}

TEST(Icmpv6, EveryChangedOrMissingOctetIsNoticed) {
  const Bytes request = *from_hex(kRequest);
  for (size_t i = 0; i < request.size(); ++i) {
    Bytes wrong = request;
    wrong[i] ^= 0x10;
    EXPECT_EQ(Icmpv6Message::decode(packet(wrong)).error(), Error::Malformed) << i;
    EXPECT_FALSE(Icmpv6Message::decode(packet(ByteView(request).first(i)))) << i;
  }
}

TEST(Icmpv6, OtherProtocolsAndFragmentsAreNotLookedInto) {
  const Bytes request = *from_hex(kRequest);
  Ipv6Packet other = packet(request);
  other.protocol = 17;
  EXPECT_EQ(Icmpv6Message::decode(other).error(), Error::UnknownType);
  other = packet(request);
  other.fragment = Ipv6Packet::Fragment::First;
  EXPECT_EQ(Icmpv6Message::decode(other).error(), Error::UnknownType);
}

}  // namespace
}  // namespace ipop
