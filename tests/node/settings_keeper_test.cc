#include "overlay/node/settings_keeper.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "tests/crypto/testing.h"
#include "tests/support/recorders.h"

namespace ipop {
namespace {

using wire::SettingsOffer;
using wire::SettingsPiece;
using wire::SettingsRequest;

NodeId id_of(size_t n) {
  NodeId out;
  out.bytes[0] = static_cast<uint8_t>(n + 1);
  return out;
}

const Authority& grid() {
  static const Authority grid = testing::grid();
  return grid;
}

std::string file_of(uint64_t version, const std::string& document = "{}", const Authority& by = grid()) {
  return sign_settings(by, version, document).encode();
}

/// A document of some pieces.
std::string long_document() { return std::string(4000, ' ') + "{}"; }

/// Keepers, and links between them that are the test's own hands.
struct Keepers : ::testing::Test {
  struct Site {
    explicit Site(const Network& network) : keeper(network, log, refused) {}
    test::LogLines log;
    ErrorCounters refused;
    SettingsKeeper keeper;
  };
  struct Flight {
    size_t from, to;
    wire::ControlMessage message;
  };

  void make(size_t n) {
    while (sites.size() < n) sites.push_back(std::make_unique<Site>(network));
  }
  SettingsKeeper& keeper(size_t n) { return sites[n]->keeper; }
  void link(size_t a, size_t b) {
    keeper(a).handle_connected(now, id_of(b));
    keeper(b).handle_connected(now, id_of(a));
  }
  void unlink(size_t a, size_t b) {
    keeper(a).handle_disconnected(now, id_of(b));
    keeper(b).handle_disconnected(now, id_of(a));
  }
  void collect() {
    for (size_t from = 0; from < sites.size(); ++from) {
      while (auto outgoing = keeper(from).poll_outgoing()) {
        const size_t to = outgoing->to.bytes[0] - 1u;
        Flight flight{from, to, std::move(outgoing->message)};
        ++said;
        if (!loses || !loses(flight)) wire.push_back(std::move(flight));
      }
    }
  }
  /// Everything arrives, and what comes of it, in no time.
  void settle() {
    for (collect(); !wire.empty(); collect()) {
      const Flight flight = std::move(wire.front());
      wire.pop_front();
      ASSERT_LT(++delivered, 100'000u) << "they never stop";
      if (flight.to < sites.size()) {
        EXPECT_TRUE(keeper(flight.to).handle_message(now, id_of(flight.from), flight.message));
      }
    }
  }
  void advance(Duration duration) {
    const Instant end = now + duration;
    for (settle();; settle()) {
      Instant next = kNever;
      for (const auto& site : sites) next = std::min(next, site->keeper.next_timeout());
      if (next > end) break;
      now = std::max(now, next);
      for (const auto& site : sites) {
        if (site->keeper.next_timeout() <= now) site->keeper.handle_timeout(now);
      }
    }
    now = end;
  }
  /// What a peer without a keeper says to the first.
  void say(const NodeId& from, const wire::ControlMessage& message) {
    EXPECT_TRUE(keeper(0).handle_message(now, from, message));
  }
  std::vector<wire::ControlMessage> heard() {
    std::vector<wire::ControlMessage> out;
    while (auto outgoing = keeper(0).poll_outgoing()) out.push_back(std::move(outgoing->message));
    return out;
  }

  const Network network = *Network::from_authority(grid().certificate());
  Instant now{1000s};
  std::vector<std::unique_ptr<Site>> sites;
  std::deque<Flight> wire;
  std::function<bool(const Flight&)> loses;
  size_t delivered = 0;
  size_t said = 0;
};

TEST_F(Keepers, WithoutSettingsNobodySaysAWord) {
  make(3);
  link(0, 1);
  link(1, 2);
  advance(1h);
  EXPECT_EQ(said, 0u);
  EXPECT_FALSE(keeper(0).held());
  EXPECT_EQ(keeper(0).version(), 0u);
}

TEST_F(Keepers, AChangeReachesAllAlongTheirLinks) {
  make(6);
  for (size_t i = 0; i + 1 < 6; ++i) link(i, i + 1);
  const std::string file = file_of(7, long_document());
  ASSERT_TRUE(keeper(2).load(now, file));
  settle();
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(keeper(i).file(), file) << i;
  ASSERT_TRUE(keeper(5).load(now, file_of(8)));
  settle();
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(keeper(i).version(), 8u) << i;
  EXPECT_EQ(keeper(0).held()->document, "{}");
  said = 0;
  advance(1h);
  EXPECT_EQ(said, 0u) << "all know of all";
}

TEST_F(Keepers, WhoWasAwayHearsWithTheFirstLink) {
  make(3);
  link(0, 1);
  ASSERT_TRUE(keeper(0).load(now, file_of(7)));
  settle();
  EXPECT_EQ(keeper(2).version(), 0u);
  link(1, 2);
  settle();
  EXPECT_EQ(keeper(2).version(), 7u);
  unlink(1, 2);
  ASSERT_TRUE(keeper(0).load(now, file_of(9)));
  settle();
  link(2, 1);
  settle();
  EXPECT_EQ(keeper(2).version(), 9u);
}

TEST_F(Keepers, TheNewerOneWinsWhereTwoPartsMeet) {
  make(4);
  link(0, 1);
  link(2, 3);
  ASSERT_TRUE(keeper(0).load(now, file_of(7)));
  ASSERT_TRUE(keeper(3).load(now, file_of(8)));
  settle();
  link(1, 2);
  settle();
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(keeper(i).version(), 8u) << i;
}

TEST_F(Keepers, WhatIsLostIsSaidAgain) {
  make(4);
  SeededRandom random(5);
  loses = [&](const Flight&) { return random.below(5) == 0; };
  for (size_t i = 0; i + 1 < 4; ++i) link(i, i + 1);
  ASSERT_TRUE(keeper(0).load(now, file_of(7, long_document())));
  advance(5min);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(keeper(i).version(), 7u) << i;
}

TEST_F(Keepers, APeerThatDoesNotAnswerIsToldEverMoreSeldom) {  // One of an older version of the program.
  make(1);
  ASSERT_TRUE(keeper(0).load(now, file_of(7)));
  keeper(0).handle_connected(now, id_of(9));
  advance(1h);
  EXPECT_GE(said, 12u);
  EXPECT_LE(said, 9u + 12u) << "after 1, 2, 4 ... 256 s, then each 5 min";
}

TEST_F(Keepers, NothingThatTheCaDidNotSignIsKept) {
  make(1);
  const std::string good = file_of(7);
  ASSERT_TRUE(keeper(0).load(now, good));
  EXPECT_EQ(keeper(0).load(now, file_of(8, "{}", testing::grid(2))).error(), Error::BadAuthTag);
  std::string forged = file_of(8);
  forged.back() = ' ';
  EXPECT_EQ(keeper(0).load(now, forged).error(), Error::BadAuthTag);
  EXPECT_EQ(keeper(0).load(now, "hello").error(), Error::Malformed);
  EXPECT_EQ(keeper(0).file(), good);
}

TEST_F(Keepers, AnOlderOneDoesNotTakeItsPlaceNorAnotherOfTheSameVersion) {
  make(1);
  const std::string good = file_of(7);
  ASSERT_TRUE(keeper(0).load(now, good));
  EXPECT_TRUE(keeper(0).load(now, good)) << "it is there already";
  EXPECT_EQ(keeper(0).load(now, file_of(6)).error(), Error::Replayed);
  EXPECT_EQ(keeper(0).load(now, file_of(7, "{ }")).error(), Error::Conflict);
  EXPECT_EQ(keeper(0).file(), good);
}

TEST_F(Keepers, TwoOfOneVersionAreNamedInTheLogUntilThereIsANewer) {
  make(2);
  ASSERT_TRUE(keeper(0).load(now, file_of(7, "{}")));
  ASSERT_TRUE(keeper(1).load(now, file_of(7, "{ }")));
  link(0, 1);
  settle();
  EXPECT_EQ(keeper(0).held()->document, "{}");
  EXPECT_EQ(keeper(1).held()->document, "{ }");
  EXPECT_GE(sites[0]->log.count("other settings of version 7"), 1u);
  EXPECT_GE(sites[0]->refused.get(Error::Conflict), 1u);
  ASSERT_TRUE(keeper(1).load(now, file_of(8, "{}")));
  settle();
  EXPECT_EQ(keeper(0).file(), keeper(1).file());
}

/// Offers, and then sends what nobody has signed.
TEST_F(Keepers, AForgerIsFoundOutNamedAndNotHeardForAWhile) {
  make(1);
  ASSERT_TRUE(keeper(0).load(now, file_of(7)));
  const NodeId liar = id_of(8);
  keeper(0).handle_connected(now, liar);
  std::string forged = file_of(9, long_document(), testing::grid(2));
  const SettingsOffer offer{
      .version = 9, .size = static_cast<uint16_t>(forged.size()), .stamp = {1}, .asks = false};
  heard();
  say(liar, offer);
  size_t asked = 0;
  for (auto messages = heard(); !messages.empty(); messages = heard()) {
    ASSERT_EQ(messages.size(), 1u);
    const auto* request = std::get_if<SettingsRequest>(&messages[0]);
    ASSERT_TRUE(request);
    ++asked;
    const auto octets = as_bytes(std::string_view(forged).substr(request->offset, SettingsPiece::kMaxSize));
    say(liar, SettingsPiece{
                  .version = 9, .offset = request->offset, .octets = Bytes(octets.begin(), octets.end())});
  }
  EXPECT_EQ(asked, 5u);
  EXPECT_EQ(keeper(0).version(), 7u);
  EXPECT_EQ(sites[0]->log.count("CA has not signed"), 1u);
  EXPECT_EQ(sites[0]->refused.get(Error::BadAuthTag), 1u);
  now += 9min;
  say(liar, offer);
  for (const auto& message : heard()) EXPECT_FALSE(std::holds_alternative<SettingsRequest>(message));
  now += 1min;
  say(liar, offer);
  const auto messages = heard();
  ASSERT_FALSE(messages.empty());
  EXPECT_TRUE(std::holds_alternative<SettingsRequest>(messages.back()));
}

TEST_F(Keepers, APeerThatPromisesAndSendsNothingDoesNotKeepUsFromOthers) {
  make(2);
  const NodeId silent{};  // Before all others.
  keeper(0).handle_connected(now, silent);
  say(silent, SettingsOffer{.version = 1 << 30, .size = 1000, .stamp = {}, .asks = false});
  ASSERT_TRUE(keeper(1).load(now, file_of(7)));
  loses = [&](const Flight& flight) { return flight.to >= 2; };
  link(0, 1);
  advance(SettingsKeeper::kMaxTries * SettingsKeeper::kAskAgain + SettingsKeeper::kPause);
  EXPECT_EQ(keeper(0).version(), 7u);
}

TEST_F(Keepers, APeerThatChangesItsMindForEverDoesNotEither) {
  make(2);
  const NodeId fickle{};
  keeper(0).handle_connected(now, fickle);
  say(fickle, SettingsOffer{.version = 1 << 30, .size = 1000, .stamp = {}, .asks = false});
  ASSERT_TRUE(keeper(1).load(now, file_of(7)));
  loses = [&](const Flight& flight) { return flight.to >= 2; };
  link(0, 1);
  settle();
  EXPECT_EQ(keeper(0).version(), 0u) << "one at a time";
  say(fickle, SettingsOffer{.version = (1 << 30) + 1, .size = 1000, .stamp = {}, .asks = false});
  settle();
  EXPECT_EQ(keeper(0).version(), 7u);
}

TEST_F(Keepers, AFetchEndsWithItsLink) {
  make(3);
  loses = [](const Flight& flight) { return std::holds_alternative<SettingsPiece>(flight.message); };
  link(0, 1);
  link(0, 2);
  ASSERT_TRUE(keeper(1).load(now, file_of(7)));
  settle();
  ASSERT_TRUE(keeper(2).load(now, file_of(7)));
  loses = nullptr;
  unlink(0, 1);
  settle();
  EXPECT_EQ(keeper(0).version(), 7u) << "of the other";
}

TEST_F(Keepers, ANewVersionInTheMiddleOfAFetchIsFetchedInstead) {
  make(2);
  link(0, 1);
  ASSERT_TRUE(keeper(1).load(now, file_of(7, long_document())));
  size_t pieces = 0;
  loses = [&](const Flight& flight) {
    return std::holds_alternative<SettingsPiece>(flight.message) && ++pieces >= 3;
  };
  settle();
  EXPECT_EQ(keeper(0).version(), 0u);
  loses = nullptr;
  ASSERT_TRUE(keeper(1).load(now, file_of(8)));
  settle();
  EXPECT_EQ(keeper(0).version(), 8u);
}

TEST_F(Keepers, PiecesThatWereNotAskedForAreNot) {
  make(1);
  const NodeId peer = id_of(8);
  keeper(0).handle_connected(now, peer);
  const std::string file = file_of(7);
  const auto octets = as_bytes(file);
  say(peer, SettingsPiece{.version = 7, .offset = 0, .octets = Bytes(octets.begin(), octets.end())});
  EXPECT_EQ(sites[0]->refused.get(Error::UnexpectedMessage), 1u);
  say(peer, SettingsOffer{.version = 7, .size = 500, .stamp = {}, .asks = false});
  say(peer, SettingsPiece{.version = 7, .offset = 0, .octets = Bytes(499)});
  EXPECT_EQ(sites[0]->refused.get(Error::Malformed), 1u) << "less than there is";
  say(peer, SettingsPiece{.version = 8, .offset = 0, .octets = Bytes(500)});
  say(peer, SettingsPiece{.version = 7, .offset = 1, .octets = Bytes(499)});
  EXPECT_EQ(sites[0]->refused.get(Error::UnexpectedMessage), 3u);
  EXPECT_EQ(keeper(0).version(), 0u);
}

TEST_F(Keepers, WhatIsAskedOfUsIsBounded) {
  make(1);
  const NodeId peer = id_of(8);
  ASSERT_TRUE(keeper(0).load(now, file_of(7)));
  keeper(0).handle_connected(now, peer);
  heard();
  for (int i = 0; i < 1000; ++i) say(peer, SettingsRequest{.version = 7, .offset = 0});
  EXPECT_EQ(heard().size(), 256u);
  EXPECT_EQ(sites[0]->refused.get(Error::RateLimited), 744u);
  now += 1s;
  say(peer, SettingsRequest{.version = 7, .offset = 60000});
  EXPECT_EQ(sites[0]->refused.get(Error::Malformed), 1u);
  say(peer, SettingsOffer{.version = 9, .size = 0xffff, .stamp = {}, .asks = true});
  EXPECT_EQ(sites[0]->refused.get(Error::Malformed), 2u) << "a file larger than files are";
  say(peer, SettingsRequest{.version = 6, .offset = 0});
  const auto messages = heard();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<SettingsOffer>(messages[0])) << "we have another one";
}

TEST_F(Keepers, OtherMessagesAndStrangersAreNoneOfIts) {
  make(1);
  EXPECT_FALSE(keeper(0).handle_message(now, id_of(8), wire::Gone{}));
  say(id_of(8), SettingsOffer{.version = 9, .size = 500, .stamp = {}, .asks = true});
  EXPECT_TRUE(heard().empty());
  EXPECT_EQ(sites[0]->refused.get(Error::UnexpectedMessage), 1u);
}

}  // namespace
}  // namespace ipop
