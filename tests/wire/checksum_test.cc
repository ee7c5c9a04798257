#include "overlay/wire/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "overlay/base/random.h"
#include "tests/fastpath/frames.h"

namespace ipop {
namespace {

using test::FrameSpec;
using test::naive_checksum;
using test::pattern;
using test::transport_verifies;

Bytes hex(std::string_view text) { return *from_hex(text); }

TEST(Ipv4HeaderChecksum, IsThatOfACapturedHeader) {
  const Bytes captured = hex("45000073000040004011b861c0a80001c0a800c7");
  Bytes header = captured;
  header[10] = 0x12;
  complete_ipv4_header_checksum(header);
  EXPECT_EQ(header, captured);
}

// Frames in which a guest's checksum is completed.

const Bytes kHopByHop = {60, 0, 1, 4, 0, 0, 0, 0};                             // Next: destination options.
const Bytes kDestination = {6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};  // 16 octets, next: TCP.

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::vector<FrameSpec> completable() {
  const Bytes atomic = {6, 0, 0, 0, 0, 0, 0, 9};  // A fragment header of RFC 6946: the packet is whole.
  return {
      {},
      {.payload = pattern(1)},
      {.payload = pattern(1448)},
      {.tags = {0x8100}, .payload = pattern(100)},
      {.tags = {0x88a8, 0x8100}, .payload = pattern(101)},
      {.ip_options = {148, 4, 0, 0}, .payload = pattern(9)},            // Router alert.
      {.ip_options = {1, 1, 7, 5, 4, 0, 0, 0}, .payload = pattern(9)},  // No-operations, record route, end.
      {.tcp_options = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, .payload = pattern(7)},
      {.payload = pattern(3), .padding = 3},
      {.protocol = 17, .payload = pattern(300)},
      {.protocol = 17},
      {.ipv6 = true, .payload = pattern(1)},
      {.ipv6 = true, .tags = {0x8100}, .payload = pattern(1428)},
      {.ipv6 = true, .extensions = kHopByHop + kDestination, .first_extension = 0, .payload = pattern(5)},
      {.ipv6 = true, .extensions = atomic, .first_extension = 44, .payload = pattern(6)},
      {.ipv6 = true, .extensions = {6, 0, 0, 0, 0, 0, 0, 0}, .first_extension = 43, .payload = pattern(6)},
      {.ipv6 = true, .protocol = 17, .payload = pattern(77)},
  };
}

TEST(CompleteChecksum, MakesEveryKindOfFrameVerify) {
  for (const FrameSpec& spec : completable()) {
    const Bytes before = spec.build();
    Bytes after = before;
    ASSERT_TRUE(complete_checksum(after)) << to_hex(before);
    EXPECT_FALSE(transport_verifies(spec, before));
    EXPECT_TRUE(transport_verifies(spec, after)) << to_hex(after);

    const size_t field = spec.transport_offset() + (spec.protocol == 6 ? 16 : 6);
    after[field] = before[field];
    after[field + 1] = before[field + 1];
    EXPECT_EQ(after, before);  // Nothing but the field changed.
  }
}

TEST(CompleteChecksum, DoesNotTrustWhatTheFieldHeld) {
  const FrameSpec spec{.payload = pattern(50)};
  Bytes expected = spec.build();
  ASSERT_TRUE(complete_checksum(expected));
  for (const uint8_t octet : Bytes{0x00, 0x5a, 0xff}) {
    Bytes frame = spec.build();
    frame[spec.transport_offset() + 16] = frame[spec.transport_offset() + 17] = octet;
    ASSERT_TRUE(complete_checksum(frame));
    EXPECT_EQ(frame, expected);
  }
}

TEST(IsLeftToCard, KnowsTheSumOfThePseudoHeader) {
  for (const bool ipv6 : {false, true}) {
    for (const uint8_t protocol : Bytes{6, 17}) {
      const FrameSpec spec{.ipv6 = ipv6, .protocol = protocol, .payload = pattern(77)};
      Bytes frame = spec.build();
      const size_t at = spec.transport_offset() + (protocol == 6 ? 16 : 6);
      EXPECT_FALSE(is_left_to_card(frame));
      const Bytes pseudo =  // Without what follows it.
          test::covered(ipv6, ByteView(frame).subspan(spec.network_offset()), protocol,
                        Bytes(frame.size() - spec.transport_offset()));
      const auto sum = static_cast<uint16_t>(~naive_checksum(pseudo));
      frame[at] = static_cast<uint8_t>(sum >> 8);
      frame[at + 1] = static_cast<uint8_t>(sum);
      EXPECT_TRUE(is_left_to_card(frame));
      ASSERT_TRUE(complete_checksum(frame));
      EXPECT_FALSE(is_left_to_card(frame));
    }
  }
  EXPECT_FALSE(is_left_to_card(FrameSpec{.protocol = 1, .payload = pattern(77)}.build()));
  EXPECT_FALSE(is_left_to_card({}));
}

TEST(CompleteChecksum, SaysAllOnesForAUdpSumOfZero) {  // RFC 768: zero would say "no checksum".
  for (const bool ipv6 : {false, true}) {
    FrameSpec spec{.ipv6 = ipv6, .protocol = 17, .payload = {0, 0}};
    Bytes frame = spec.build();
    ASSERT_TRUE(complete_checksum(frame));
    // What is missing to a sum of all ones becomes the payload.
    spec.payload = {frame[spec.transport_offset() + 6], frame[spec.transport_offset() + 7]};
    frame = spec.build();
    ASSERT_TRUE(complete_checksum(frame));
    EXPECT_EQ(test::u16_at(frame, spec.transport_offset() + 6), 0xffff);
    EXPECT_TRUE(transport_verifies(spec, frame));
  }
}

TEST(CompleteChecksum, CoversNoMoreThanTheUdpLength) {
  FrameSpec shorter{.protocol = 17, .payload = pattern(10)};
  Bytes expected = shorter.build();
  ASSERT_TRUE(complete_checksum(expected));

  Bytes frame = FrameSpec{.protocol = 17, .payload = pattern(13)}.build();
  frame[shorter.transport_offset() + 5] = 8 + 10;
  ASSERT_TRUE(complete_checksum(frame));
  EXPECT_EQ(test::u16_at(frame, shorter.transport_offset() + 6),
            test::u16_at(expected, shorter.transport_offset() + 6));
}

void expect_refused(Bytes frame, const char* why) {
  const Bytes before = frame;
  EXPECT_FALSE(complete_checksum(frame)) << why;
  EXPECT_EQ(frame, before) << why;
}

TEST(CompleteChecksum, LeavesWhatItCannotDoUntouched) {
  const auto with = [](FrameSpec spec, size_t at, uint8_t value) {
    Bytes frame = spec.build();
    frame[at] = value;
    return frame;
  };
  const FrameSpec v4{.payload = pattern(20)};
  const FrameSpec v6{.ipv6 = true, .payload = pattern(20)};
  const FrameSpec udp{.protocol = 17, .payload = pattern(20)};
  const FrameSpec extended{.ipv6 = true, .extensions = kDestination, .first_extension = 60};
  expect_refused(with(v4, 13, 0x06), "ARP");
  expect_refused(with(v4, 14, 0x55), "version 5");
  expect_refused(with(v4, 14, 0x44), "a header of 16 octets");
  expect_refused(with(v4, 14, 0x4f), "options that reach into TCP, with a length that leaves too little");
  expect_refused(with(v4, 16, 0xff), "longer than the frame");
  expect_refused(with(v4, 17, 19), "shorter than its header");
  expect_refused(with(v4, 17, 39), "too short for TCP");
  expect_refused(with(v4, 23, 1), "ICMP");
  expect_refused(with(v4, 23, 132), "SCTP");
  expect_refused(with(udp, 38, 0xff), "a UDP length beyond the packet");
  expect_refused(with(udp, 39, 29), "a UDP length one beyond the packet");
  expect_refused(with(udp, 39, 7), "a UDP length below its header");
  expect_refused(with(v6, 14, 0x40), "version 4 in IPv6");
  expect_refused(with(v6, 18, 0xff), "longer than the frame");
  expect_refused(with(v6, 19, 19), "too short for TCP");
  expect_refused(with(v6, 19, 0), "a jumbogram's length");
  expect_refused(with(v6, 20, 50), "ESP");
  expect_refused(with(v6, 20, 59), "no next header");
  expect_refused(with(extended, 55, 200), "an extension beyond the packet");
  expect_refused(with(extended, 54, 60), "a chain that ends in TCP's ports taken for an extension");
  expect_refused(FrameSpec{.fragment = 0x2000, .payload = pattern(20)}.build(), "a first fragment");
  expect_refused(FrameSpec{.fragment = 0x0001, .payload = pattern(20)}.build(), "a last fragment");
  expect_refused(FrameSpec{.ip_options = {131, 7, 4, 10, 0, 0, 9, 0}}.build(), "a loose source route");
  expect_refused(FrameSpec{.ip_options = {1, 137, 7, 4, 10, 0, 0, 9}}.build(), "a strict source route");
  expect_refused(FrameSpec{.ip_options = {7, 0, 0, 0}}.build(), "an option of no length");
  expect_refused(FrameSpec{.ip_options = {7, 5, 0, 0}}.build(), "an option beyond the header");
  expect_refused(FrameSpec{.ip_options = {1, 1, 1, 7}}.build(), "an option without a length");
  expect_refused(
      FrameSpec{.ipv6 = true, .extensions = {6, 0, 0, 1, 0, 0, 0, 0}, .first_extension = 43}.build(),
      "a routing header with a segment left");
  expect_refused(
      FrameSpec{.ipv6 = true, .extensions = {6, 0, 0, 1, 0, 0, 0, 9}, .first_extension = 44}.build(),
      "the first of several fragments");
  expect_refused(
      FrameSpec{.ipv6 = true, .extensions = {6, 0, 0, 8, 0, 0, 0, 9}, .first_extension = 44}.build(),
      "a later fragment");
}

TEST(CompleteChecksum, RefusesEveryTruncation) {
  for (const FrameSpec& spec : completable()) {
    const Bytes whole = spec.build();
    for (size_t n = 0; n < whole.size() - spec.padding; ++n) {
      expect_refused(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n)), "truncated");
    }
  }
}

TEST(CompleteChecksum, SurvivesMutationsAndTouchesOnlyTheField) {
  SeededRandom random(2);
  const auto specs = completable();
  size_t completed = 0;
  for (int round = 0; round < 50'000; ++round) {
    const FrameSpec& spec = specs[random.below(specs.size())];
    Bytes frame = spec.build();
    for (uint64_t n = 1 + random.below(3); n > 0; --n) {
      frame[random.below(std::min<size_t>(frame.size(), spec.header_size()))] =
          static_cast<uint8_t>(random.u32());
    }
    const Bytes before = frame;
    const auto place = find_transport(frame);
    if (!complete_checksum(frame)) {
      EXPECT_EQ(frame, before);
      continue;
    }
    ++completed;
    ASSERT_TRUE(place);
    const size_t field = place->offset + (place->protocol == 6 ? 16 : 6);
    ASSERT_LE(field + 2, place->end);
    frame[field] = before[field];
    frame[field + 1] = before[field + 1];
    ASSERT_EQ(frame, before);
  }
  EXPECT_GT(completed, 10'000u);  // Most octets of a header may change without harm to its shape.
}

}  // namespace
}  // namespace ipop
