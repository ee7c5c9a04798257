#include "overlay/wire/datagram.h"

#include <gtest/gtest.h>

namespace ipop::wire {
namespace {

Bytes hex(std::string_view text) {
  const auto bytes = from_hex(text);
  EXPECT_TRUE(bytes) << "not hexadecimal: " << text;
  return bytes.value_or(Bytes{});
}

/// `n` octets, each different from its neighbours.
Bytes counting(size_t n) {
  Bytes out(n);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<uint8_t>(i * 3 + 1);
  return out;
}

/// An encoded handshake message with two MACs that nobody checks here.
Bytes with_macs(Bytes message) {
  message.resize(message.size() + 2 * kMacSize, 0xee);
  return message;
}

/// No prefix of `whole` that is shorter than `least` decodes.
template <class T>
void refuses_every_truncation(const Bytes& whole, size_t least) {
  for (size_t n = 0; n < least; ++n) {
    const auto decoded = T::decode(ByteView(whole).first(n));
    ASSERT_FALSE(decoded) << n << " octets";
    EXPECT_EQ(decoded.error(), Error::Malformed);
  }
}

/// Each type has its number, three zeros behind it, and no other type decodes it.
template <class T>
void checks_its_head(const Bytes& whole) {
  ASSERT_TRUE(T::decode(whole));
  for (size_t i = 0; i < 4; ++i) {
    Bytes wrong = whole;
    wrong[i] ^= 0x40;
    EXPECT_FALSE(T::decode(wrong)) << "octet " << i;
  }
}

TEST(DatagramType, IsTheFirstOctet) {
  for (uint8_t type = 1; type <= 7; ++type) {
    const auto peeked = peek_type(Bytes{type, 0, 0, 0});
    ASSERT_TRUE(peeked) << int{type};
    EXPECT_EQ(static_cast<uint8_t>(*peeked), type);
  }
  for (const uint8_t type : Bytes{0, 8, 9, 128, 255}) {
    EXPECT_EQ(peek_type(Bytes{type, 0, 0, 0}).error(), Error::UnknownType) << int{type};
  }
}

TEST(DatagramType, OnlyDataHasFlagsAndOnlyThoseThatAreKnown) {
  for (uint8_t type = 1; type <= 7; ++type) {
    for (int flag = 0; flag < 8; ++flag) {
      const bool is_known = type == 4 && flag < 2;
      const Bytes head = {type, static_cast<uint8_t>(1 << flag), 0, 0};
      EXPECT_EQ(peek_type(head).has_value(), is_known) << int{type} << " flag " << flag;
      Bytes whole = head;
      whole.resize(DataHeader::kSize);
      EXPECT_EQ(DataHeader::decode(whole).has_value(), is_known) << int{type} << " flag " << flag;
    }
  }
}

TEST(DatagramType, IsMalformedWhenShortOrNotZeroBehind) {
  const Bytes whole = {4, 0, 0, 0};
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(peek_type(ByteView(whole).first(n)).error(), Error::Malformed) << n;
  }
  EXPECT_EQ(peek_type(Bytes{4, 4, 0, 0}).error(), Error::Malformed);
  EXPECT_EQ(peek_type(Bytes{5, 1, 0, 0}).error(), Error::Malformed);
  EXPECT_EQ(peek_type(Bytes{4, 0, 1, 0}).error(), Error::Malformed);
  EXPECT_EQ(peek_type(Bytes{4, 0, 0, 1}).error(), Error::Malformed);
}

TEST(Initiation, IsAlways400Octets) {
  EXPECT_EQ(Initiation::kNoiseSize, 360u);
  Initiation message{.sender_index = 0x01020304, .noise = counting(360)};
  const Bytes whole = with_macs(message.encode());
  EXPECT_EQ(whole.size(), 400u);
  EXPECT_EQ(to_hex(ByteView(whole).first(8)), "0100000001020304");

  const auto decoded = Initiation::decode(whole);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->sender_index, 0x01020304u);
  EXPECT_EQ(decoded->noise, counting(360));

  refuses_every_truncation<Initiation>(whole, whole.size());
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_EQ(Initiation::decode(longer).error(), Error::Malformed);
  checks_its_head<Initiation>(whole);
}

TEST(Response, CarriesBothIndices) {
  const Response message{.sender_index = 0x11121314, .receiver_index = 0x21222324, .noise = counting(5)};
  const Bytes whole = with_macs(message.encode());
  EXPECT_EQ(to_hex(message.encode()),
            "02000000"
            "11121314"
            "21222324"
            "0104070a0d");

  const auto decoded = Response::decode(whole);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->sender_index, 0x11121314u);
  EXPECT_EQ(decoded->receiver_index, 0x21222324u);
  EXPECT_EQ(decoded->noise, counting(5));

  refuses_every_truncation<Response>(whole, 12 + 2 * kMacSize);  // What is longer is a shorter Noise message.
  checks_its_head<Response>(whole);
}

TEST(Confirmation, CarriesTheIndexOfTheResponder) {
  const Confirmation message{.receiver_index = 0x31323334, .noise = counting(4)};
  const Bytes whole = with_macs(message.encode());
  EXPECT_EQ(to_hex(message.encode()),
            "03000000"
            "31323334"
            "0104070a");

  const auto decoded = Confirmation::decode(whole);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->receiver_index, 0x31323334u);
  EXPECT_EQ(decoded->noise, counting(4));

  refuses_every_truncation<Confirmation>(whole, 8 + 2 * kMacSize);
  checks_its_head<Confirmation>(whole);
}

TEST(Response, AndConfirmationAreNotLongerThanAnInitiation) {
  Response response{.sender_index = 1, .receiver_index = 2, .noise = counting(1200 - 12 - 32)};
  EXPECT_TRUE(Response::decode(with_macs(response.encode())));
  response.noise.push_back(0);
  EXPECT_EQ(Response::decode(with_macs(response.encode())).error(), Error::Malformed);

  Confirmation confirmation{.receiver_index = 2, .noise = counting(1200 - 8 - 32)};
  EXPECT_TRUE(Confirmation::decode(with_macs(confirmation.encode())));
  confirmation.noise.push_back(0);
  EXPECT_EQ(Confirmation::decode(with_macs(confirmation.encode())).error(), Error::Malformed);
}

TEST(CookieReply, HasOneSize) {
  const Bytes whole =
      hex("06000000"
          "0a0b0c0d"
          "000102030405060708090a0b"
          "101112131415161718191a1b1c1d1e1f"
          "202122232425262728292a2b2c2d2e2f");
  const auto decoded = CookieReply::decode(whole);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->receiver_index, 0x0a0b0c0du);
  EXPECT_EQ(to_hex(decoded->nonce), "000102030405060708090a0b");
  EXPECT_EQ(to_hex(decoded->sealed), "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f");
  EXPECT_EQ(decoded->encode(), whole);

  refuses_every_truncation<CookieReply>(whole, whole.size());
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_EQ(CookieReply::decode(longer).error(), Error::Malformed);
  checks_its_head<CookieReply>(whole);
}

TEST(UnknownSession, RepeatsTheIndex) {
  const Bytes whole =
      hex("07000000"
          "deadbeef");
  const auto decoded = UnknownSession::decode(whole);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->receiver_index, 0xdeadbeefu);
  EXPECT_EQ(decoded->encode(), whole);

  refuses_every_truncation<UnknownSession>(whole, whole.size());
  EXPECT_EQ(UnknownSession::decode(hex("07000000deadbeef00")).error(), Error::Malformed);
  checks_its_head<UnknownSession>(whole);
}

TEST(DataHeader, IsSixteenOctets) {
  const DataHeader header{.type = Type::Control, .receiver_index = 0x89abcdef, .counter = 0x0000000123456789};
  Bytes encoded(DataHeader::kSize);
  header.encode_to(encoded.data());
  EXPECT_EQ(to_hex(encoded),
            "05000000"
            "89abcdef"
            "0000000123456789");

  const auto decoded = DataHeader::decode(encoded);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->type, Type::Control);
  EXPECT_EQ(decoded->receiver_index, 0x89abcdefu);
  EXPECT_EQ(decoded->counter, 0x0000000123456789u);
}

TEST(DataHeader, IsWhatBeginsADatagram) {
  Bytes datagram =
      hex("04000000"
          "00000001"
          "0000000000000002"
          "aabbcc");
  ASSERT_TRUE(DataHeader::decode(datagram));
  EXPECT_EQ(DataHeader::decode(datagram)->counter, 2u);
}

TEST(DataHeader, RefusesOtherTypesAndEveryTruncation) {
  const Bytes whole =
      hex("04000000"
          "00000001"
          "0000000000000002");
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(DataHeader::decode(ByteView(whole).first(n)).error(), Error::Malformed) << n;
  }
  for (const uint8_t type : Bytes{0, 1, 2, 3, 6, 7, 255}) {
    Bytes other = whole;
    other[0] = type;
    EXPECT_EQ(DataHeader::decode(other).error(), Error::Malformed) << int{type};
  }
  for (size_t i = 1; i < 4; ++i) {
    Bytes other = whole;
    other[i] = 0x80;
    EXPECT_EQ(DataHeader::decode(other).error(), Error::Malformed) << i;
  }
}

}  // namespace
}  // namespace ipop::wire
