#include "overlay/ring/router.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "tests/support/circle.h"

namespace ipop {
namespace {

using test::Circle;
using test::Place;
using Mode = wire::Routed::Mode;

/// What a link without a round trip to speak of waits for an Ack.
constexpr Duration kRetry = kShortestRetryTimeout;

const wire::NeighboursRequest kHello{.id = 0x4e110};

/// Of these places, in the order of their distance to `goal`, the nearest first.
std::vector<size_t> by_distance(Circle& circle, const NodeId& goal, std::vector<size_t> places) {
  std::sort(places.begin(), places.end(), [&](size_t a, size_t b) {
    return ring_distance(circle[a].id(), goal) < ring_distance(circle[b].id(), goal);
  });
  return places;
}

/// Who has got a routed message of `source`'s so far.
std::vector<size_t> who_heard(Circle& circle, size_t source) {
  std::vector<size_t> out;
  for (size_t i = 0; i < circle.size(); ++i) {
    for (const auto& [from, message] : circle[i].heard<wire::Routed>()) {
      if (message.source == circle[source].id()) out.push_back(i);
    }
  }
  return out;
}

bool is_delivered(const Place& place) {
  return std::any_of(place.delivered.begin(), place.delivered.end(),
                     [](const auto& delivered) { return delivered.message == wire::RingMessage(kHello); });
}

/// Place 0 has links to 1 to 6, which know nobody else; 7 is only spoken of.
class StarTest : public ::testing::Test {
 protected:
  StarTest() {
    for (size_t i = 1; i <= 6; ++i) circle_.link(0, i);
  }
  Place& hub() { return circle_[0]; }
  const NodeId& stranger() { return circle_[7].id(); }
  std::vector<size_t> in_order() { return by_distance(circle_, stranger(), {1, 2, 3, 4, 5, 6}); }
  void send(Mode mode, const NodeId& to) { ASSERT_TRUE(hub().router.send(circle_.now, mode, to, kHello)); }

  Circle circle_{8, Circle::Kind::RoutersOnly};
};

TEST_F(StarTest, TheNearestPeerGetsAMessage) {
  send(Mode::Exact, stranger());
  ASSERT_TRUE(circle_.deliver());
  const size_t nearest = in_order().front();
  const auto heard = circle_[nearest].heard<wire::Routed>();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].first, hub().id());
  EXPECT_EQ(heard[0].second.source, hub().id());
  EXPECT_EQ(heard[0].second.destination, stranger());
  EXPECT_EQ(heard[0].second.hops, 1);
  EXPECT_NE(heard[0].second.ack_token, 0u);
  EXPECT_EQ(who_heard(circle_, 0), (std::vector{nearest}));
}

TEST_F(StarTest, ALinkedDestinationGetsItItself) {
  for (size_t i = 1; i <= 6; ++i) {
    send(Mode::Exact, circle_[i].id());
    circle_.settle();
    ASSERT_EQ(circle_[i].delivered.size(), 1u);
    const auto& delivered = circle_[i].delivered[0];
    EXPECT_EQ(delivered.from, hub().id());
    EXPECT_EQ(delivered.envelope.source, hub().id());
    EXPECT_EQ(delivered.envelope.hops, 1);
    EXPECT_EQ(delivered.message, wire::RingMessage(kHello));
  }
  EXPECT_EQ(hub().router.next_timeout(), kNever) << "each was acknowledged";
}

TEST_F(StarTest, WhoeverRefusesItIsFollowedByTheNextBest) {
  // Each peer has no way but back.
  send(Mode::Exact, stranger());
  std::vector<size_t> heard;
  while (circle_.deliver()) {
    for (const size_t i : who_heard(circle_, 0)) {
      if (std::find(heard.begin(), heard.end(), i) == heard.end()) heard.push_back(i);
    }
  }
  auto expected = in_order();
  expected.resize(Router::kMaxTries);
  EXPECT_EQ(heard, expected) << "five at most";
  for (const size_t i : expected) EXPECT_EQ(circle_[i].router.counts().refused, 1u);
  EXPECT_EQ(hub().heard<wire::Ack>().size(), 5u);
  EXPECT_EQ(hub().router.counts().undeliverable, 1u);
  EXPECT_EQ(hub().router.next_timeout(), kNever);
}

TEST_F(StarTest, WhoeverIsSilentIsAskedWhetherItLivesAndTheNextBestGetsIt) {
  const auto order = in_order();
  std::map<size_t, int> sent;
  circle_.loses = [&](size_t from, size_t to) {
    if (from == 0) ++sent[to];
    return from == 0 && to == order[0];
  };
  send(Mode::Exact, stranger());
  circle_.advance(kRetry - 1us);
  EXPECT_EQ(sent, (std::map<size_t, int>{{order[0], 1}}));
  circle_.advance(1us);
  EXPECT_EQ(sent[order[0]], 2) << "a Ping";
  EXPECT_GE(sent[order[1]], 1);
  const auto heard = circle_[order[1]].heard<wire::Routed>();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].second.hops, 1) << "the first attempt was no hop";
  circle_.advance(3s);
  ASSERT_EQ(hub().lost.size(), 1u) << "and nor does it answer that";
  EXPECT_EQ(hub().lost[0].node, circle_[order[0]].id());
}

TEST_F(StarTest, WhatWaitsForAPeerThatIsLostTakesAnotherWayAtOnce) {
  const auto order = in_order();
  circle_.loses = [&](size_t, size_t to) { return to == order[0]; };
  send(Mode::Exact, stranger());
  circle_.collect();
  EXPECT_TRUE(who_heard(circle_, 0).empty());
  circle_[0].links.hang_up(circle_.now, circle_[order[0]].id());
  circle_.settle();
  EXPECT_EQ(circle_[order[1]].heard<wire::Routed>().size(), 1u);
}

TEST_F(StarTest, AnAckFromSomebodyElseCountsForNothing) {
  const auto order = in_order();
  circle_.loses = [&](size_t, size_t to) { return to == order[0] || to == 0; };
  send(Mode::Exact, stranger());
  circle_.collect();
  // Tokens are guessed by nobody; but even so.
  for (uint32_t token = 0; token < 10; ++token) {
    hub().router.handle_ack(circle_.now, circle_[order[1]].id(), {.token = token, .taken = false});
  }
  circle_.collect();
  EXPECT_TRUE(who_heard(circle_, 0).empty());
}

TEST_F(StarTest, TheFirstPeerMayBeChosen) {
  const size_t farthest = in_order().back();
  ASSERT_TRUE(
      hub().router.send(circle_.now, Mode::Exact, stranger(), kHello, std::nullopt, circle_[farthest].id()));
  circle_.deliver();
  EXPECT_EQ(who_heard(circle_, 0), (std::vector{farthest}));
}

TEST_F(StarTest, AMessageToOurselvesDoesNotLeave) {
  ASSERT_TRUE(hub().router.send(circle_.now, Mode::Exact, hub().id(), kHello));
  circle_.settle();
  ASSERT_EQ(hub().delivered.size(), 1u);
  EXPECT_EQ(hub().delivered[0].from, hub().id());
  EXPECT_EQ(hub().delivered[0].envelope.hops, 0);
  EXPECT_TRUE(who_heard(circle_, 0).empty());
}

TEST_F(StarTest, WatchesABoundedNumberOfMessages) {
  circle_.loses = [](size_t, size_t to) { return to == 0; };  // No Ack comes back.
  for (int i = 0; i < 300; ++i) send(Mode::Exact, circle_[1].id());
  circle_.settle();
  const auto heard = circle_[1].heard<wire::Routed>();
  ASSERT_EQ(heard.size(), 300u) << "more are sent all the same";
  const auto unwatched = std::count_if(heard.begin(), heard.end(),
                                       [](const auto& message) { return message.second.ack_token == 0; });
  EXPECT_EQ(static_cast<size_t>(unwatched), 300 - Router::kMaxWaiting);
  EXPECT_EQ(circle_[1].delivered.size(), 300u);
}

TEST(Router, WithoutAnyPeerHasNoWay) {
  Circle circle(2, Circle::Kind::RoutersOnly);
  EXPECT_EQ(circle[0].router.send(circle.now, Mode::Exact, circle[1].id(), kHello).error(),
            Error::NotAllowed);
  EXPECT_EQ(circle[0].router.counts().undeliverable, 1u);
}

// --- What a node does with a message that it is handed

class HandedTest : public ::testing::Test {
 protected:
  HandedTest() { circle_.link({{0, 1}, {1, 2}}); }
  /// For place 1, by way of 0 or 2.
  wire::Routed message(uint64_t id, uint32_t token) {
    return {.mode = Mode::Exact,
            .hops = 3,
            .detours = 0,
            .ack_token = token,
            .id = id,
            .source = circle_[3].id(),
            .destination = circle_[1].id(),
            .via = {},
            .body = wire::encode_ring_message(kHello)};
  }
  void hand(size_t from, const wire::Routed& message) {
    circle_[1].router.handle_routed(circle_.now, circle_[from].id(), message);
    circle_.settle();
  }
  /// The Acks that this place has had.
  std::vector<wire::Ack> acks(size_t place) {
    std::vector<wire::Ack> out;
    for (const auto& [from, ack] : circle_[place].heard<wire::Ack>()) out.push_back(ack);
    return out;
  }
  Circle circle_{4, Circle::Kind::RoutersOnly};
};

TEST_F(HandedTest, TakesItOnce) {
  hand(0, message(77, 5));
  EXPECT_EQ(acks(0), (std::vector<wire::Ack>{{5, true}}));
  ASSERT_EQ(circle_[1].delivered.size(), 1u);
  EXPECT_EQ(circle_[1].delivered[0].from, circle_[0].id());
  EXPECT_EQ(circle_[1].delivered[0].envelope.source, circle_[3].id());

  hand(0, message(77, 5));
  EXPECT_EQ(acks(0), (std::vector<wire::Ack>{{5, true}, {5, true}})) << "only the Ack was lost";
  hand(2, message(77, 9));
  EXPECT_EQ(acks(2), (std::vector<wire::Ack>{{9, false}})) << "another peer shall try elsewhere";
  EXPECT_EQ(circle_[1].delivered.size(), 1u);
  hand(2, message(78, 10));
  EXPECT_EQ(circle_[1].delivered.size(), 2u) << "another message";
}

TEST_F(HandedTest, AnswersOnlyWhoAsksForIt) {
  hand(0, message(77, 0));
  EXPECT_TRUE(acks(0).empty());
  EXPECT_EQ(circle_[1].delivered.size(), 1u);
}

TEST_F(HandedTest, ItsOwnMessageThatComesBackIsRefused) {
  ASSERT_TRUE(circle_[1].router.send(circle_.now, Mode::Exact, circle_[0].id(), kHello));
  circle_.settle();
  wire::Routed back = circle_[0].heard<wire::Routed>()[0].second;
  back.ack_token = 3;
  circle_[1].router.handle_routed(circle_.now, circle_[2].id(), back);
  circle_.settle();
  EXPECT_EQ(acks(2), (std::vector<wire::Ack>{{3, false}}));
}

TEST_F(HandedTest, WhatItCannotReadIsCountedAndAcknowledged) {
  wire::Routed strange = message(77, 5);
  strange.body = {99};
  hand(0, strange);
  EXPECT_EQ(acks(0), (std::vector<wire::Ack>{{5, true}}));
  EXPECT_TRUE(circle_[1].delivered.empty());
  EXPECT_EQ(circle_[1].refused.get(Error::UnknownType), 1u);
}

TEST_F(HandedTest, PassesOnUpToFortyHops) {
  wire::Routed last = message(77, 5);
  last.destination = circle_[2].id();
  last.hops = 39;
  hand(0, last);
  ASSERT_EQ(circle_[2].heard<wire::Routed>().size(), 1u);
  EXPECT_EQ(circle_[2].heard<wire::Routed>()[0].second.hops, 40);

  wire::Routed lost = message(78, 6);
  lost.destination = circle_[2].id();
  lost.hops = 40;
  hand(0, lost);
  EXPECT_EQ(circle_[2].heard<wire::Routed>().size(), 1u);
  EXPECT_EQ(acks(0).back(), (wire::Ack{6, true})) << "nobody else shall try either";
  EXPECT_EQ(circle_[1].router.counts().undeliverable, 1u);
}

TEST_F(HandedTest, HasNoUseForAMessageWithoutAWay) {
  wire::Routed astray = message(77, 5);
  astray.destination = circle_[3].id();
  circle_.dead.insert(2);
  circle_[1].links.hang_up(circle_.now, circle_[2].id());
  hand(0, astray);  // The only peer left is the one it came from.
  EXPECT_EQ(acks(0), (std::vector<wire::Ack>{{5, false}}));
  EXPECT_EQ(circle_[1].router.counts().refused, 1u);
}

TEST(Router, AMessageWhoseAckWasLostArrivesOnce) {
  Circle circle(4, Circle::Kind::RoutersOnly);
  circle.link({{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  const auto order = by_distance(circle, circle[3].id(), {1, 2});
  circle.loses = [&](size_t from, size_t to) { return from == order[0] && to == 0; };
  ASSERT_TRUE(circle[0].router.send(circle.now, Mode::Exact, circle[3].id(), kHello));
  circle.advance(kRetry);
  EXPECT_EQ(circle[order[1]].heard<wire::Routed>().size(), 1u) << "so it went out again";
  EXPECT_EQ(circle[3].heard<wire::Routed>().size(), 2u);
  EXPECT_EQ(circle[3].delivered.size(), 1u);
}

// --- Past missing links

/// Two places on one side of a third: the first is nearer to it, the second farther.
struct Side {
  size_t near, far, goal;
};
Side pick_side(Circle& circle) {
  for (size_t goal = 0; goal < circle.size(); ++goal) {
    for (size_t near = 0; near < circle.size(); ++near) {
      for (size_t far = 0; far < circle.size(); ++far) {
        if (near == goal || far == goal || near == far) continue;
        if (ring_distance(circle[near].id(), circle[goal].id()) <
            ring_distance(circle[far].id(), circle[goal].id())) {
          return {near, far, goal};
        }
      }
    }
  }
  ADD_FAILURE() << "all are equally far";
  return {};
}

TEST(Router, AnExactMessageStepsAwayToGetPast) {
  Circle circle(4, Circle::Kind::RoutersOnly);
  const auto [near, far, goal] = pick_side(circle);
  circle.link({{near, far}, {far, goal}});
  ASSERT_TRUE(circle[near].router.send(circle.now, Mode::Exact, circle[goal].id(), kHello));
  circle.settle();
  ASSERT_EQ(circle[goal].delivered.size(), 1u);
  EXPECT_EQ(circle[goal].delivered[0].envelope.hops, 2);
  EXPECT_EQ(circle[goal].delivered[0].envelope.detours, 1);
}

TEST(Router, AMessageForTheNearestDoesNot) {
  Circle circle(4, Circle::Kind::RoutersOnly);
  const auto [near, far, goal] = pick_side(circle);
  circle.link({{near, far}, {far, goal}});
  EXPECT_FALSE(circle[near].router.send(circle.now, Mode::Owner, circle[goal].id(), kHello));
  EXPECT_TRUE(circle.wire.empty()) << "as far as it sees it is the nearest, but it has no place yet";
  circle[near].router.set_owner(true);
  EXPECT_TRUE(circle[near].router.send(circle.now, Mode::Owner, circle[goal].id(), kHello));
  circle.settle();
  EXPECT_TRUE(is_delivered(circle[near]));
  EXPECT_FALSE(is_delivered(circle[goal]));
}

TEST(Router, DetoursAndHopsAreBoundedWhateverTheLinks) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SeededRandom random(seed);
    Circle circle(16, Circle::Kind::RoutersOnly);
    for (size_t i = 1; i < circle.size(); ++i) circle.link(i, random.below(i));  // A tree: full of dead ends.
    const NodeId nobody =
        ring_distance(circle[0].id(), circle[1].id()) == Distance{} ? NodeId{} : NodeId{{0x77}};
    for (size_t i = 0; i < circle.size(); i += 3) {
      (void)circle[i].router.send(circle.now, Mode::Exact, nobody, kHello);
      (void)circle[i].router.send(circle.now, Mode::Exact, circle[(i + 5) % 16].id(), kHello);
    }
    circle.advance(10s);
    for (size_t i = 0; i < circle.size(); ++i) {
      EXPECT_EQ(circle[i].refused.get(Error::Malformed), 0u) << "a message beyond the limits is malformed";
      std::map<uint64_t, std::set<NodeId>> offers;
      for (const auto& [from, message] : circle[i].heard<wire::Routed>()) {
        EXPECT_LE(message.hops, wire::Routed::kMaxHops);
        EXPECT_LE(message.detours, wire::Routed::kMaxDetours);
        EXPECT_TRUE(offers[message.id].insert(from).second) << "offered once by each peer, seed " << seed;
      }
      EXPECT_EQ(circle[i].router.next_timeout(), kNever) << "nothing waits for ever, seed " << seed;
      size_t hellos = 0;
      for (const auto& delivered : circle[i].delivered)
        hellos += delivered.envelope.destination == circle[i].id();
      EXPECT_EQ(hellos, circle[i].delivered.size()) << "exactly for whom it is meant";
    }
  }
}

// --- Whom messages are for

/// Five places that all have links to each other, and place 5 that nobody knows.
class MeshTest : public ::testing::Test {
 protected:
  MeshTest() {
    for (size_t i = 0; i < 5; ++i) {
      for (size_t j = 0; j < i; ++j) circle_.link(i, j);
    }
  }
  /// The key's neighbours in the mesh, the nearest first.
  std::vector<size_t> order() { return by_distance(circle_, key_, {0, 1, 2, 3, 4}); }
  std::vector<size_t> who_got_it() {
    std::vector<size_t> out;
    for (size_t i = 0; i < circle_.size(); ++i) {
      for (const auto& delivered : circle_[i].delivered) {
        if (delivered.message == wire::RingMessage(kHello)) out.push_back(i);
      }
    }
    return out;
  }
  Circle circle_{6, Circle::Kind::RoutersOnly};
  NodeId key_ = circle_[5].id();
};

TEST_F(MeshTest, AKeyBelongsToTheNearest) {
  for (size_t i = 0; i < 5; ++i) circle_[i].router.set_owner(true);
  for (size_t from = 0; from < 5; ++from) {
    ASSERT_TRUE(circle_[from].router.send(circle_.now, Mode::Owner, key_, kHello));
    circle_.settle();
    EXPECT_EQ(who_got_it(), std::vector<size_t>(from + 1, order()[0])) << "sent by " << from;
  }
}

TEST_F(MeshTest, WhoeverHasNoPlaceOwnsNothing) {
  for (const size_t i : order()) circle_[i].router.set_owner(i != order()[0]);
  const size_t last = order()[4];
  ASSERT_TRUE(circle_[last].router.send(circle_.now, Mode::Owner, key_, kHello));
  circle_.settle();
  EXPECT_EQ(who_got_it(), (std::vector{order()[1]}));
}

TEST_F(MeshTest, WithoutAnyOwnerItIsUndeliverable) {
  const size_t last = order()[4];
  ASSERT_TRUE(circle_[last].router.send(circle_.now, Mode::Owner, key_, kHello)) << "somebody may own it";
  circle_.settle();
  EXPECT_TRUE(who_got_it().empty());
  uint64_t undeliverable = 0;
  for (size_t i = 0; i < 5; ++i) undeliverable += circle_[i].router.counts().undeliverable;
  EXPECT_EQ(undeliverable, 1u) << "whoever took it last has no other way";
}

// Each of the five is linked to all: the next one on either side gets it, whoever asks, and never the
// subject.
TEST_F(MeshTest, AfterAndBeforeFindTheNextOnEitherSide) {
  std::vector<size_t> order = {0, 1, 2, 3, 4};
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return circle_[a].id() < circle_[b].id(); });
  for (size_t place = 0; place < 5; ++place) {
    const auto at = [&](size_t steps) -> auto& { return circle_[order[(place + steps) % 5]]; };
    const NodeId subject = at(0).id();
    for (const auto& [mode, owner] : {std::pair(Mode::After, 1), std::pair(Mode::Before, 4)}) {
      for (const size_t asker : {2, 3}) {
        ASSERT_TRUE(at(asker).router.send(circle_.now, mode, subject, kHello));
        circle_.settle();
        EXPECT_EQ(at(owner).delivered.size(), 1u) << "though it owns nothing yet";
        at(owner).delivered.clear();
      }
      // Its subject itself asks, through a peer that is not the one.
      ASSERT_TRUE(at(0).router.send(circle_.now, mode, subject, kHello, std::nullopt, at(2).id()));
      circle_.settle();
      EXPECT_EQ(at(owner).delivered.size(), 1u);
      EXPECT_TRUE(at(0).delivered.empty());
      at(owner).delivered.clear();
    }
  }
}

// --- By way of another

// The destination has no place: one link, to a node that may be far from it.
TEST(Router, ViaLeadsToWhomOnlyOneNodeKnows) {
  for (size_t host = 0; host < 6; ++host) {
    Circle circle(7, Circle::Kind::RoutersOnly);
    for (size_t i = 0; i < 6; ++i) circle.link(i, (i + 1) % 6);  // A ring without 6, with one successor each.
    const size_t source = (host + 3) % 6;                        // Across the ring.
    circle.link(6, host);
    ASSERT_TRUE(
        circle[source].router.send(circle.now, Mode::Exact, circle[6].id(), kHello, circle[host].id()));
    circle.settle();
    ASSERT_EQ(circle[6].delivered.size(), 1u) << host;
    const auto& delivered = circle[6].delivered[0];
    EXPECT_EQ(delivered.from, circle[host].id());
    EXPECT_EQ(delivered.envelope.via, std::nullopt);
    EXPECT_EQ(delivered.envelope.hops, 4);
    const auto at_host = circle[host].heard<wire::Routed>();
    ASSERT_EQ(at_host.size(), 1u);
    EXPECT_EQ(at_host[0].second.via, std::nullopt) << "it need not know";
  }
}

TEST(Router, ViaOurselvesIsNoWayRound) {
  Circle circle(3, Circle::Kind::RoutersOnly);
  circle.link(0, 1);
  ASSERT_TRUE(circle[0].router.send(circle.now, Mode::Exact, circle[1].id(), kHello, circle[0].id()));
  circle.settle();
  ASSERT_EQ(circle[1].delivered.size(), 1u);
  EXPECT_EQ(circle[1].delivered[0].envelope.hops, 1);
}

// --- Links over the ring

// Between 0 and 2 there is no direct path; 1 has links to both.
class OverRingTest : public ::testing::Test {
 protected:
  OverRingTest() {
    circle_.link({{0, 1}, {1, 2}});
    const NodeId& to = circle_[2].id();
    circle_[0].links.call(circle_.now, {.path = Path::over_ring(to), .node = to, .first_retry = 2s}, 6s);
    circle_.settle();
    for (size_t i = 0; i < 3; ++i) {
      circle_[i].delivered.clear();
      circle_[i].messages.clear();
    }
  }
  Circle circle_{3, Circle::Kind::RoutersOnly};
};

TEST_F(OverRingTest, IsALinkLikeOthers) {
  ASSERT_TRUE(circle_[0].is_linked(circle_[2]) && circle_[2].is_linked(circle_[0]));
  ASSERT_TRUE(circle_[0].links.send_frame(circle_.now, circle_[2].id(), Bytes{1, 2, 3}));
  circle_.settle();
  ASSERT_EQ(circle_[2].frames.size(), 1u);
  EXPECT_EQ(circle_[2].frames[0].frame, (Bytes{1, 2, 3}));
  EXPECT_EQ(circle_[1].heard<wire::Routed>().size(), 1u) << "1 has carried it";
  EXPECT_TRUE(circle_[1].delivered.empty());
}

TEST_F(OverRingTest, CarriesMessagesAsOneHop) {
  ASSERT_TRUE(circle_[0].router.send(circle_.now, Mode::Exact, circle_[2].id(), kHello));
  circle_.settle();
  const auto hello = std::find_if(circle_[2].delivered.begin(), circle_[2].delivered.end(),
                                  [](const auto& it) { return it.message == wire::RingMessage(kHello); });
  ASSERT_NE(hello, circle_[2].delivered.end());
  EXPECT_EQ(hello->envelope.hops, 1);
  EXPECT_EQ(hello->from, circle_[0].id());
}

TEST_F(OverRingTest, ACarriedNeverTakesIt) {
  ASSERT_TRUE(
      circle_[0].router.send(circle_.now, Mode::Exact, circle_[2].id(), wire::Carried{.datagram = {9}}));
  circle_.settle();
  ASSERT_EQ(circle_[2].delivered.size(), 1u);
  EXPECT_EQ(circle_[2].delivered[0].from, circle_[1].id());
  EXPECT_EQ(circle_[2].delivered[0].envelope.hops, 2);

  // Without anybody in between there is no way, and above all no endless one.
  circle_[0].links.hang_up(circle_.now, circle_[1].id());
  circle_.collect();
  EXPECT_FALSE(
      circle_[0].router.send(circle_.now, Mode::Exact, circle_[2].id(), wire::Carried{.datagram = {9}}));
}

}  // namespace
}  // namespace ipop
