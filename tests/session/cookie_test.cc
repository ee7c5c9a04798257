#include "overlay/session/cookie.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

Hash network_id(uint8_t value) {
  Hash out;
  out.fill(value);
  return out;
}

Bytes message() { return Bytes(40, 0x77); }

const Endpoint kAlice = Endpoint::from_ipv4({0xc0000201}, 4000);
const Endpoint kAliceOtherPort = Endpoint::from_ipv4({0xc0000201}, 4001);
const Endpoint kMallory = Endpoint::from_ipv4({0xc0000202}, 4000);

TEST(Mac1, IsKnownToTheNetworkOnly) {
  const NetworkKeys ours(network_id(1)), theirs(network_id(2));
  const Bytes whole = ours.finish(message(), std::nullopt);
  EXPECT_EQ(whole.size(), 40u + 32u);
  EXPECT_TRUE(ours.check_mac1(whole));
  EXPECT_FALSE(theirs.check_mac1(whole));
  EXPECT_EQ(Bytes(whole.end() - 16, whole.end()), Bytes(16, 0)) << "mac2 without a cookie is zeros";
}

// HMAC-SHA-256 under SHA-256("ipop mac1 1:" | network), cut to 16 octets.
TEST(Mac1, FollowsItsDefinition) {
  const Hash key = sha256({as_bytes("ipop mac1 1:"), network_id(1)});
  const Hash whole_mac = hmac_sha256(key, {message()});
  const Mac1 mac1 = mac1_of(NetworkKeys(network_id(1)).finish(message(), std::nullopt));
  EXPECT_EQ(Bytes(mac1.begin(), mac1.end()), Bytes(whole_mac.begin(), whole_mac.begin() + 16));
}

TEST(Mac1, CoversEveryOctetBeforeIt) {
  const NetworkKeys keys(network_id(1));
  const Bytes genuine = keys.finish(message(), std::nullopt);
  for (size_t i = 0; i < genuine.size() - 16; ++i) {
    Bytes forged = genuine;
    forged[i] ^= 1;
    EXPECT_FALSE(keys.check_mac1(forged)) << "octet " << i;
  }
  for (size_t n = 0; n < genuine.size(); ++n) EXPECT_FALSE(keys.check_mac1(ByteView(genuine).first(n))) << n;
}

class CookieTest : public ::testing::Test {
 protected:
  Bytes with(const Cookie& cookie) const { return keys_.finish(message(), cookie); }

  NetworkKeys keys_{network_id(1)};
  SeededRandom random_{5};
  CookieJar jar_{random_};
};

TEST_F(CookieTest, ProvesTheAddressItWasBakedFor) {
  const Bytes whole = with(jar_.bake(Instant{10s}, kAlice));
  EXPECT_TRUE(jar_.check_mac2(Instant{10s}, kAlice, whole));
  EXPECT_FALSE(jar_.check_mac2(Instant{10s}, kAliceOtherPort, whole));
  EXPECT_FALSE(jar_.check_mac2(Instant{10s}, kMallory, whole));
  EXPECT_FALSE(jar_.check_mac2(Instant{10s}, kAlice, keys_.finish(message(), std::nullopt)));
}

TEST_F(CookieTest, IsGoodForTwoMinutes) {
  const Bytes whole = with(jar_.bake(Instant{10s}, kAlice));
  EXPECT_TRUE(jar_.check_mac2(Instant{10s} + 120s - 1us, kAlice, whole));
  EXPECT_FALSE(jar_.check_mac2(Instant{10s} + 120s, kAlice, whole));
  const Cookie second = jar_.bake(Instant{10s} + 120s, kAlice);
  EXPECT_EQ(jar_.bake(Instant{10s} + 240s - 1us, kAlice), second);
  EXPECT_NE(jar_.bake(Instant{10s} + 240s, kAlice), second);
}

TEST_F(CookieTest, IsNotGuessableBeforeTheFirstIsBaked) {  // An all-zero secret would be.
  Writer address;
  write(address, kAlice);
  const Hash guess = hmac_sha256(Hash{}, {address.view()});
  Cookie cookie;
  std::copy_n(guess.begin(), cookie.size(), cookie.begin());
  EXPECT_FALSE(jar_.check_mac2(Instant{0s}, kAlice, with(cookie)));
  EXPECT_FALSE(jar_.check_mac2(Instant{10s}, kAlice, with(cookie)));
}

TEST_F(CookieTest, BindsTheMessageToo) {
  const Bytes genuine = with(jar_.bake(Instant{10s}, kAlice));
  for (size_t i = 0; i < genuine.size(); ++i) {
    Bytes forged = genuine;
    forged[i] ^= 1;
    EXPECT_FALSE(jar_.check_mac2(Instant{10s}, kAlice, forged)) << "octet " << i;
  }
  for (size_t n = 0; n < genuine.size(); ++n) {
    EXPECT_FALSE(jar_.check_mac2(Instant{10s}, kAlice, ByteView(genuine).first(n))) << n;
  }
}

TEST_F(CookieTest, TravelsSealedAndBoundToTheMessageItAnswers) {
  const Cookie cookie = jar_.bake(Instant{10s}, kAlice);
  const Bytes answered = keys_.finish(message(), std::nullopt);
  const auto reply = keys_.seal_cookie(cookie, answered, 77, random_);
  EXPECT_EQ(reply.receiver_index, 77u);
  EXPECT_EQ(reply.encode().size(), 52u);
  const auto opened = keys_.open_cookie(reply, mac1_of(answered));
  ASSERT_TRUE(opened);
  EXPECT_EQ(*opened, cookie);

  const Bytes other = keys_.finish(Bytes(40, 0x78), std::nullopt);
  EXPECT_EQ(keys_.open_cookie(reply, mac1_of(other)).error(), Error::BadAuthTag);
  EXPECT_EQ(NetworkKeys(network_id(2)).open_cookie(reply, mac1_of(answered)).error(), Error::BadAuthTag);
}

TEST_F(CookieTest, ForgedRepliesAreRefused) {
  const Bytes answered = keys_.finish(message(), std::nullopt);
  const Bytes genuine = keys_.seal_cookie(jar_.bake(Instant{10s}, kAlice), answered, 77, random_).encode();
  for (size_t i = 8; i < genuine.size(); ++i) {  // Nonce and seal; the index only says whose it is.
    Bytes forged = genuine;
    forged[i] ^= 1;
    const auto reply = wire::CookieReply::decode(forged);
    ASSERT_TRUE(reply);
    EXPECT_FALSE(keys_.open_cookie(*reply, mac1_of(answered))) << "octet " << i;
  }
}

TEST_F(CookieTest, OfDifferentReplyIsSealedUnderAnotherNonce) {
  const Bytes answered = keys_.finish(message(), std::nullopt);
  const Cookie cookie = jar_.bake(Instant{10s}, kAlice);
  EXPECT_NE(keys_.seal_cookie(cookie, answered, 1, random_).nonce,
            keys_.seal_cookie(cookie, answered, 1, random_).nonce);
}

}  // namespace
}  // namespace ipop
