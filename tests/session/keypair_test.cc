#include "overlay/session/keypair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/support/keypairs.h"

namespace ipop {
namespace {

using test::KeypairEnds;

Bytes text(std::string_view words) { return {words.begin(), words.end()}; }

TEST(Keypair, CarriesBothWays) {
  KeypairEnds ends;
  for (int i = 0; i < 3; ++i) {
    const auto there = test::open(*ends.them, test::seal(*ends.us, text("to them")));
    ASSERT_TRUE(there);
    EXPECT_EQ(*there, text("to them"));
    const auto back = test::open(*ends.us, test::seal(*ends.them, text("to us")));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, text("to us"));
  }
}

TEST(Keypair, WritesAHeaderWithThePeersIndexAndACounter) {
  KeypairEnds ends(1, 0x11111111, 0x22222222);
  EXPECT_EQ(Keypair::kOverhead, 32u);
  const Bytes first = test::seal(*ends.us, text("abc"));
  EXPECT_EQ(first.size(), 35u);
  EXPECT_EQ(to_hex(ByteView(first).first(16)),
            "04000000"
            "22222222"
            "0000000000000000");
  const Bytes second = test::seal(*ends.us, text("abc"), wire::Type::Control);
  EXPECT_EQ(to_hex(ByteView(second).first(16)),
            "05000000"
            "22222222"
            "0000000000000001");
  EXPECT_NE(Bytes(first.begin() + 16, first.end()), Bytes(second.begin() + 16, second.end()));
}

TEST(Keypair, CarriesNothingAtAll) {  // The smallest datagram is a tag.
  KeypairEnds ends;
  const Bytes empty = test::seal(*ends.us, {});
  EXPECT_EQ(empty.size(), Keypair::kOverhead);
  const auto opened = test::open(*ends.them, empty);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
}

TEST(Keypair, RefusesADatagramWithAnyBitChanged) {
  KeypairEnds ends;
  const Bytes genuine = test::seal(*ends.us, text("a frame of a guest"));
  for (size_t i = 0; i < genuine.size(); ++i) {
    for (const uint8_t bit : Bytes{0x01, 0x80}) {
      Bytes forged = genuine;
      forged[i] ^= bit;
      const auto opened = test::open(*ends.them, forged);
      ASSERT_FALSE(opened) << "octet " << i;
      // Types and zeros are refused by the header's decoder, all else by the tag.
      if (i >= 4) {
        EXPECT_EQ(opened.error(), Error::BadAuthTag) << "octet " << i;
      }
    }
  }
  EXPECT_TRUE(test::open(*ends.them, genuine)) << "no forgery may use up the genuine counter";
}

TEST(Keypair, AuthenticatesTheTypeToo) {
  KeypairEnds ends;
  Bytes datagram = test::seal(*ends.us, text("says Data"));
  datagram[0] = static_cast<uint8_t>(wire::Type::Control);
  EXPECT_EQ(test::open(*ends.them, datagram).error(), Error::BadAuthTag);
}

TEST(Keypair, RefusesEveryTruncationAndExtension) {
  KeypairEnds ends;
  const Bytes genuine = test::seal(*ends.us, text("a frame of a guest"));
  for (size_t n = Keypair::kOverhead; n < genuine.size(); ++n) {
    EXPECT_EQ(test::open(*ends.them, ByteView(genuine).first(n)).error(), Error::BadAuthTag) << n;
  }
  Bytes longer = genuine;
  longer.push_back(0);
  EXPECT_EQ(test::open(*ends.them, longer).error(), Error::BadAuthTag);
}

TEST(Keypair, OpensEachDatagramOnce) {
  KeypairEnds ends;
  const Bytes first = test::seal(*ends.us, text("1"));
  const Bytes second = test::seal(*ends.us, text("2"));
  EXPECT_TRUE(test::open(*ends.them, second));
  EXPECT_TRUE(test::open(*ends.them, first));
  EXPECT_EQ(test::open(*ends.them, first).error(), Error::Replayed);
  EXPECT_EQ(test::open(*ends.them, second).error(), Error::Replayed);
}

TEST(Keypair, DoesNotOpenItsOwnDatagrams) {  // Reflected by somebody in between.
  KeypairEnds ends;
  EXPECT_EQ(test::open(*ends.us, test::seal(*ends.us, text("echo"))).error(), Error::BadAuthTag);
}

TEST(Keypair, DoesNotOpenThoseOfAnotherSession) {
  KeypairEnds ends(1), others(2);
  EXPECT_EQ(test::open(*others.them, test::seal(*ends.us, text("x"))).error(), Error::BadAuthTag);
}

TEST(Keypair, SealsAndOpensInPlace) {
  KeypairEnds ends, twins;
  const Bytes plaintext = text("written straight to where it is sealed");
  Bytes in_place(plaintext.size() + Keypair::kOverhead);
  std::copy(plaintext.begin(), plaintext.end(), in_place.begin() + wire::DataHeader::kSize);
  ASSERT_TRUE(ends.us->seal(wire::Type::Data,
                            ByteView(in_place).subspan(wire::DataHeader::kSize, plaintext.size()),
                            in_place.data()));
  EXPECT_EQ(in_place, test::seal(*twins.us, plaintext));
  const auto opened = test::open(*ends.them, in_place);
  ASSERT_TRUE(opened);
  EXPECT_EQ(*opened, plaintext);
}

// Two datagrams under one counter would give away both, and the key that authenticates.
TEST(Keypair, FourThreadsNeverShareACounter) {
  constexpr size_t kEach = 20'000;
  KeypairEnds ends;
  std::vector<std::vector<uint64_t>> counters(4);
  std::vector<std::thread> threads;
  for (auto& mine : counters) {
    threads.emplace_back([&ends, &mine] {
      for (size_t i = 0; i < kEach; ++i) {
        const Bytes datagram = test::seal(*ends.us, text("x"));
        mine.push_back(wire::DataHeader::decode(datagram)->counter);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<uint64_t> all;
  for (const auto& mine : counters) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], i);
}

/// A datagram under any counter, sealed by hand: the header is the additional data, and the nonce is 32 zero
/// bits and the counter.
Bytes sealed_by_hand(const AeadKey& key, uint32_t receiver_index, uint64_t counter, ByteView plaintext) {
  Writer header;
  header.u32(0x04000000);
  header.u32(receiver_index);
  header.u64(counter);
  Writer nonce_writer;
  nonce_writer.u32(0);
  nonce_writer.u64(counter);
  Nonce nonce;
  std::copy(nonce_writer.view().begin(), nonce_writer.view().end(), nonce.begin());
  Bytes out = header.take();
  const Bytes additional = out;
  out.resize(out.size() + plaintext.size() + kTagSize);
  key.seal(nonce, additional, plaintext, out.data() + additional.size());
  return out;
}

class KeypairByHand : public ::testing::Test {
 protected:
  static TransportKeys keys() {
    TransportKeys out;
    out.receive.fill(0x42);
    return out;
  }
  TransportKeys keys_ = keys();
  AeadKey peer_{keys_.receive};
};

TEST_F(KeypairByHand, OpensWhatFollowsTheDrawing) {
  Keypair keypair(keys_, 7, 8, Instant{1s}, std::make_shared<PeerActivity>());
  const auto opened = test::open(keypair, sealed_by_hand(peer_, 7, 0x0000000123456789, text("drawn")));
  ASSERT_TRUE(opened);
  EXPECT_EQ(*opened, text("drawn"));
}

TEST_F(KeypairByHand, EndsBeforeTheReplayWindow) {
  EXPECT_LT(kMaxMessages, ReplayWindow::kLimit);
  Keypair keypair(keys_, 7, 8, Instant{1s}, std::make_shared<PeerActivity>());
  EXPECT_TRUE(test::open(keypair, sealed_by_hand(peer_, 7, ReplayWindow::kLimit - 1, text("x"))));
  EXPECT_EQ(test::open(keypair, sealed_by_hand(peer_, 7, ReplayWindow::kLimit, text("x"))).error(),
            Error::Replayed);
  EXPECT_EQ(test::open(keypair, sealed_by_hand(peer_, 7, ~uint64_t{0}, text("x"))).error(), Error::Replayed);
}

}  // namespace
}  // namespace ipop
