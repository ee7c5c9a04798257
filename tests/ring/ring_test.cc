#include "overlay/ring/ring.h"

#include <gtest/gtest.h>

#include <numeric>

#include "overlay/ring/shortcut_draw.h"
#include "tests/support/circle.h"

namespace ipop {
namespace {

using test::Circle;
using test::Place;

/// Members on the Internet: each datagram takes 10 ms.
class RingTest : public ::testing::Test {
 protected:
  void start(size_t size) {
    circle_ = std::make_unique<Circle>(size, Circle::Kind::Rings);
    circle_->delay = 10ms;
  }
  /// `who` calls a member as an introducer: by its endpoint alone.
  void introduce(size_t who, size_t to) {
    place(who).links.call(circle_->now, {.path = place(to).endpoint, .node = {}}, 10s);
  }
  /// A ring into which one after the other was introduced by the first.
  void form(size_t size) {
    start(size);
    for (size_t i = 1; i < size; ++i) {
      introduce(i, 0);
      circle_->advance(300ms);
    }
    EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 20s)) << size << " nodes";
  }
  Place& place(size_t i) { return (*circle_)[i]; }
  Ring& ring(size_t i) { return *place(i).ring; }
  const NodeId& id(size_t i) { return place(i).id(); }
  std::vector<size_t> living() {
    std::vector<size_t> out;
    for (size_t i = 0; i < circle_->size(); ++i) {
      if (!circle_->dead.contains(i)) out.push_back(i);
    }
    return out;
  }
  /// Whether each has the neighbours that it should have among these, and knows that it has its place.
  bool is_ring(const std::vector<size_t>& members) {
    std::vector<NodeId> ids;
    for (const size_t i : members) ids.push_back(id(i));
    return std::all_of(members.begin(), members.end(), [&](size_t i) {
      return ring(i).is_joined() && ring(i).near() == neighbourhood_of(id(i), ids);
    });
  }
  bool is_one_ring() { return is_ring(living()); }
  /// Guests of both talk until `end`: a frame each second, once there is a link.
  void talk(size_t from, size_t to, Duration duration) {
    for (const Instant end = circle_->now + duration; circle_->now < end; circle_->advance(1s)) {
      if (!place(from).links.send_frame(circle_->now, id(to), Bytes(60)))
        ring(from).want(circle_->now, id(to));
    }
  }
  /// Two places that are no neighbours and have no link.
  std::pair<size_t, size_t> strangers() {
    for (size_t a = 0; a < circle_->size(); ++a) {
      for (size_t b = 0; b < circle_->size(); ++b) {
        if (a != b && !place(a).links.all().contains(id(b)) && !place(b).links.all().contains(id(a)))
          return {a, b};
      }
    }
    ADD_FAILURE() << "all are linked";
    return {0, 1};
  }

  std::unique_ptr<Circle> circle_;
};

// --- Joining

TEST_F(RingTest, OneAloneHasNoNeighbours) {
  start(1);
  circle_->advance(300s);
  EXPECT_TRUE(ring(0).near().all().empty());
  EXPECT_EQ(ring(0).estimated_size(), 1.0);
  EXPECT_TRUE(circle_->wire.empty());
}

TEST_F(RingTest, TwoAreARing) {
  start(2);
  introduce(1, 0);
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 5s));
  EXPECT_EQ(ring(0).successors(), (std::vector{id(1)}));
  EXPECT_EQ(ring(0).predecessors(), (std::vector{id(1)}));
  EXPECT_EQ(ring(0).kind_of(id(1)), LinkKind::Near);
  EXPECT_EQ(ring(0).estimated_size(), 2.0);
  EXPECT_EQ(ring(0).kind_of(id(0)), std::nullopt);
}

TEST_F(RingTest, EachNewcomerFindsItsPlaceThroughAnyMember) {
  for (size_t size = 3; size <= 9; ++size) form(size);
}

TEST_F(RingTest, ANewcomerIsToldItsPlaceInSeconds) {
  start(16);
  for (size_t i = 1; i < 15; ++i) introduce(i, 0);
  ASSERT_TRUE(circle_->advance_until(
      [&] {
        std::vector<size_t> old(15);
        std::iota(old.begin(), old.end(), 0);
        return is_ring(old);
      },
      20s));
  introduce(15, 7);
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 3s));
}

TEST_F(RingTest, AllMayStartAtOnce) {
  start(24);
  for (size_t i = 1; i < 24; ++i) introduce(i, 0);
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 20s));
}

TEST_F(RingTest, StaysAsItIs) {
  form(10);
  for (int i = 0; i < 60; ++i) {
    circle_->advance(10s);
    ASSERT_TRUE(is_one_ring()) << i;
  }
  for (size_t i = 0; i < 10; ++i)
    EXPECT_EQ(place(i).lost.size(),
              std::count_if(place(i).lost.begin(), place(i).lost.end(),
                            [](const auto& lost) { return lost.end == Links::End::Unneeded; }))
        << i;
}

// Both ends of a link to be call, and so both handshakes may succeed.
TEST_F(RingTest, NobodyForgetsASessionThatItsPeerUses) {
  form(10);
  circle_->advance(600s);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(place(i).refused.get(Error::UnknownSession), 0u) << i;
}

TEST_F(RingTest, LinksThatNobodyNeedsAreClosed) {
  form(24);
  circle_->advance(120s);
  ASSERT_TRUE(is_one_ring());
  for (size_t a = 0; a < 24; ++a) {
    for (const auto& [node, link] : place(a).links.all()) {
      const size_t b = circle_->index_of(node);
      const auto here = ring(a).kind_of(node), there = ring(b).kind_of(id(a));
      ASSERT_TRUE(here && there) << a << " and " << b;
      EXPECT_FALSE(here == LinkKind::Leaf && there == LinkKind::Leaf)
          << a << " and " << b << " have no use for it";
      EXPECT_EQ(*here == LinkKind::Near, *there == LinkKind::Near) << "neighbours are mutual";
    }
  }
}

TEST_F(RingTest, ShortcutsAreDrawn) {
  form(24);
  circle_->advance(60s);
  for (size_t i = 0; i < 24; ++i) {
    size_t drawn = 0;
    for (const auto& [node, entry] : ring(i).contacts().all())
      drawn += entry.is_linked() && entry.is_shortcut;
    const size_t wanted = wanted_shortcuts(ring(i).estimated_size());
    EXPECT_GE(drawn, wanted) << i;
    EXPECT_LE(drawn, wanted + 1) << i;
  }
}

// --- Who leaves

TEST_F(RingTest, ClosesOverANodeThatDies) {
  form(12);
  circle_->advance(30s);
  circle_->dead.insert(5);
  // It is asked every 6 s by each of six neighbours, and given up about a second later.
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 10s));
}

// Of the ring 1 2 3 4 (5) 6 7 node 3 has 6 for its last neighbour beyond the gap, and 6 now misses 2.
TEST_F(RingTest, WhoHadTheDeadTellsItsLastNeighbourOnThatSideWhomItHas) {
  form(12);
  circle_->advance(30s);
  const auto told = [&] {
    size_t times = 0;
    for (const auto& [from, list] : place(6).heard<wire::Members>()) {
      const bool names_2 = std::any_of(list.members.begin(), list.members.end(),
                                       [&](const auto& member) { return member.node == id(2); });
      times += from == id(3) && names_2;
    }
    return times;
  };
  const size_t before = told();
  circle_->dead.insert(5);
  ASSERT_TRUE(circle_->advance_until([&] { return !place(3).is_linked(place(5)); }, 10s));
  circle_->advance(100ms);
  EXPECT_EQ(told(), before + 1);
}

TEST_F(RingTest, ClosesOverTwoNeighboursThatDieAtOnce) {
  form(12);
  circle_->advance(30s);
  circle_->dead = {5, 6};
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 15s));
}

TEST_F(RingTest, ClosesAtOnceOverOneThatSaysGoodbye) {
  form(12);
  circle_->advance(30s);
  for (const auto& [node, link] : place(5).links.all()) {
    place(5).links.send_control(circle_->now, node, wire::Goodbye{.reason = wire::Goodbye::Reason::Stopping});
  }
  circle_->collect();
  circle_->dead.insert(5);
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 2s));
  circle_->advance(kAcquaintanceLifetime + 5s);
  for (const size_t i : living()) {
    EXPECT_EQ(ring(i).contacts().find(id(5)), nullptr) << "nobody speaks of it any more";
  }
}

TEST_F(RingTest, ANeighbourThatIsReportedGoneIsAskedAndNoMore) {
  form(4);
  ring(0).handle_gone(circle_->now, {.node = id(1)});
  circle_->advance(5s);
  EXPECT_TRUE(is_one_ring()) << "it answered";
  ring(0).handle_gone(circle_->now, {.node = NodeId{{0x42}}});  // Nobody: nothing happens.
}

TEST_F(RingTest, ALostPeerIsCalledAgainForHalfAnHour) {
  form(2);
  circle_->loses = [](size_t, size_t) { return true; };
  ASSERT_TRUE(circle_->advance_until([&] { return !place(0).is_linked(place(1)); }, 30s));
  circle_->advance(1500s);
  circle_->loses = nullptr;
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 170s))
      << "the longest pause, and a third";
}

// --- Rings that are apart

TEST_F(RingTest, TwoRingsThatMeetBecomeOne) {
  start(14);
  for (size_t i = 2; i < 14; ++i) introduce(i, i % 2);
  std::vector<size_t> even, odd;
  for (size_t i = 0; i < 14; ++i) (i % 2 == 0 ? even : odd).push_back(i);
  ASSERT_TRUE(circle_->advance_until([&] { return is_ring(even) && is_ring(odd); }, 20s));
  circle_->advance(30s);
  introduce(4, 9);  // As a member does now and then.
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 30s));
}

TEST_F(RingTest, APartitionHeals) {
  form(12);
  circle_->advance(60s);
  const auto side = [](size_t i) { return i % 3 == 0; };
  circle_->loses = [&](size_t from, size_t to) { return side(from) != side(to); };
  std::vector<size_t> one, other;
  for (size_t i = 0; i < 12; ++i) (side(i) ? one : other).push_back(i);
  EXPECT_TRUE(circle_->advance_until([&] { return is_ring(one) && is_ring(other); }, 60s))
      << "each side is a ring";
  circle_->loses = nullptr;
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 60s));
}

// Who was lost so lately is spoken of by nodes that have not noticed, and by those that have found it again.
TEST_F(RingTest, APartitionOfSeventeenSecondsHealsInTwo) {
  form(40);
  circle_->advance(60s);
  circle_->loses = [](size_t from, size_t to) { return from % 2 != to % 2; };
  circle_->advance(17s);
  ASSERT_FALSE(is_one_ring());
  circle_->loses = nullptr;
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 2s));
}

// What guests send to the other side leads to calls over the ring, and no ring leads there.
TEST_F(RingTest, APartitionHealsAlthoughGuestsTalkAcrossIt) {
  form(12);
  circle_->advance(60s);
  const auto side = [](size_t i) { return i % 3 == 0; };
  const auto talk_across = [&] {
    for (size_t a = 0; a < 12; ++a) {
      for (size_t b = 0; b < 12; ++b) {
        if (side(a) != side(b) && !place(a).links.send_frame(circle_->now, id(b), Bytes(60)))
          ring(a).want(circle_->now, id(b));
      }
    }
    circle_->advance(200ms);
  };
  circle_->loses = [&](size_t from, size_t to) { return side(from) != side(to); };
  for (const Instant end = circle_->now + 120s; circle_->now < end;) talk_across();
  circle_->loses = nullptr;
  for (const Instant end = circle_->now + 10s; circle_->now < end && !is_one_ring();) talk_across();
  EXPECT_TRUE(is_one_ring());
}

TEST_F(RingTest, APartitionOfTwoHoursHeals) {
  form(12);
  circle_->advance(60s);
  const auto side = [](size_t i) { return i % 3 == 0; };
  circle_->loses = [&](size_t from, size_t to) { return side(from) != side(to); };
  circle_->advance(2h);
  circle_->loses = nullptr;
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 60s));
}

TEST_F(RingTest, APeerOfAnEarlierProcessIsCalled) {
  start(2);
  ring(1).handle_known_peer(circle_->now, {.node = id(0), .endpoint = place(0).endpoint});
  ring(1).handle_known_peer(circle_->now, {.node = id(1), .endpoint = place(1).endpoint});  // Itself: no.
  EXPECT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 3s));
}

// --- Traffic

TEST_F(RingTest, WhoeverTalksGetsALinkForAsLong) {
  form(24);
  circle_->advance(60s);
  const auto [a, b] = strangers();
  ring(a).want(circle_->now, id(b));
  circle_->advance(1s);
  ASSERT_TRUE(place(a).is_linked(place(b)));
  EXPECT_EQ(ring(a).kind_of(id(b)), LinkKind::OnDemand);
  talk(a, b, 200s);
  ASSERT_TRUE(place(a).is_linked(place(b))) << "longer than the traffic lifetime";
  EXPECT_TRUE(place(a).links.all().at(id(b)).path().is_direct());
  EXPECT_GT(place(b).frames.size(), 190u);
  circle_->advance(110s);
  EXPECT_TRUE(place(a).is_linked(place(b)));
  circle_->advance(60s);
  EXPECT_FALSE(place(a).is_linked(place(b))) << "two minutes of silence";
}

TEST_F(RingTest, ALinkThatCarriesFramesAgainIsNotClosed) {
  form(24);
  circle_->advance(60s);
  const auto [a, b] = strangers();
  ring(a).want(circle_->now, id(b));
  circle_->advance(1s);
  for (int i = 0; i < 40; ++i) {
    talk(a, b, 10s);
    circle_->advance(70s + i * 7 % 40 * 1s);  // Less than the traffic lifetime, at any phase of a rekey.
    ASSERT_TRUE(place(a).is_linked(place(b))) << i;
  }
  EXPECT_EQ(place(b).refused.get(Error::UnknownSession), 0u);
}

// Far apart: both ends call before either has heard of the other's success.
TEST_F(RingTest, TalkersLoseNoFrameOnTheWayToADirectPath) {
  form(24);
  circle_->advance(60s);
  circle_->delay = 200ms;
  circle_->advance(10s);
  for (int i = 0; i < 6; ++i) {
    const auto [a, b] = strangers();
    place(a).frames.clear();
    place(b).frames.clear();
    size_t sent = 0;
    for (const Instant end = circle_->now + 100s; circle_->now < end; circle_->advance(500ms)) {
      for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
        if (place(from).links.send_frame(circle_->now, id(to), Bytes(60))) {
          ++sent;
        } else {
          ring(from).want(circle_->now, id(to));
        }
      }
    }
    EXPECT_TRUE(place(a).links.all().at(id(b)).path().is_direct());
    EXPECT_EQ(place(a).frames.size() + place(b).frames.size(), sent) << i;
    EXPECT_LE(place(a).links.all().at(id(b)).handshakes(), 4u)
        << "over the ring and directly, from both sides";
  }
}

TEST_F(RingTest, TrafficFlowsOverTheRingUntilThereIsADirectPath) {
  form(12);
  circle_->advance(60s);
  const auto [a, b] = strangers();
  circle_->loses = [a = a, b = b](size_t from, size_t to) {
    return (from == a && to == b) || (from == b && to == a);
  };
  ring(a).want(circle_->now, id(b));
  circle_->advance(500ms);  // A few round trips: nobody waits for direct calls to fail.
  ASSERT_TRUE(place(a).is_linked(place(b)));
  EXPECT_FALSE(place(a).links.all().at(id(b)).path().is_direct());
  ASSERT_TRUE(place(a).links.send_frame(circle_->now, id(b), Bytes(60)));
  circle_->advance(200ms);
  EXPECT_EQ(place(b).frames.size(), 1u);

  circle_->loses = nullptr;
  talk(a, b, 60s);
  EXPECT_TRUE(place(a).links.all().at(id(b)).path().is_direct());
  EXPECT_TRUE(place(b).links.all().at(id(a)).path().is_direct());
}

TEST_F(RingTest, NeighboursWithoutADirectPathAreLinkedOverTheRing) {
  start(12);
  circle_->loses = [](size_t from, size_t to) { return (from == 3 && to == 4) || (from == 4 && to == 3); };
  for (size_t i = 1; i < 12; ++i) introduce(i, 0);
  ASSERT_TRUE(circle_->advance_until([&] { return is_one_ring(); }, 60s));
  EXPECT_FALSE(place(3).links.all().at(id(4)).path().is_direct());
  circle_->advance(120s);
  EXPECT_TRUE(is_one_ring());

  circle_->loses = nullptr;
  EXPECT_TRUE(
      circle_->advance_until([&] { return place(3).links.all().at(id(4)).path().is_direct(); }, 170s));
}

}  // namespace
}  // namespace ipop
