#include "overlay/ring/trace.h"

#include <gtest/gtest.h>

#include "tests/support/circle.h"

namespace ipop {
namespace {

using test::Circle;

/// A ring of so many nodes that have found their places; each datagram takes 10 ms.
class ExplorerTest : public ::testing::Test {
 protected:
  void form(size_t size) {
    circle_ = std::make_unique<Circle>(size, Circle::Kind::Rings);
    for (size_t i = 1; i < size; ++i) circle_->link(i, 0);
    circle_->delay = 10ms;
    circle_->advance(30s);
    for (size_t i = 0; i < size; ++i) {
      ASSERT_EQ((*circle_)[i].ring->near(), neighbourhood_of(at(i), circle_->ids())) << i;
    }
  }
  const NodeId& at(size_t i) { return (*circle_)[i].id(); }
  Explorer& explorer(size_t i) { return *(*circle_)[i].explorer; }
  std::optional<Trace> trace_of(size_t from, uint64_t id, Duration patience = 1s) {
    std::optional<Trace> out;
    circle_->advance_until([&] { return (out = explorer(from).poll_trace()).has_value(); }, patience);
    if (out) {
      EXPECT_EQ(out->id, id);
    }
    return out;
  }
  std::optional<Crawl> crawl_of(size_t from, uint64_t id, Duration patience) {
    std::optional<Crawl> out;
    circle_->advance_until([&] { return (out = explorer(from).poll_crawl()).has_value(); }, patience);
    if (out) {
      EXPECT_EQ(out->id, id);
    }
    return out;
  }
  std::unique_ptr<Circle> circle_;
};

TEST_F(ExplorerTest, ATraceToANeighbourHasOneHop) {
  form(5);
  const auto trace = trace_of(0, explorer(0).start_trace(circle_->now, at(1), true));
  ASSERT_TRUE(trace);
  EXPECT_TRUE(trace->reached);
  EXPECT_TRUE(trace->exact);
  EXPECT_EQ(trace->target, at(1));
  EXPECT_EQ(trace->took, 20ms);
  ASSERT_EQ(trace->hops.size(), 1u) << "without the source";
  EXPECT_EQ(trace->hops[0].node, at(1));
  EXPECT_EQ(trace->hops[0].round_trip, std::nullopt) << "the last node passes nothing on";
}

TEST_F(ExplorerTest, ATraceNamesEachNodeOnItsWayAndTheLinksRoundTrip) {
  form(24);
  size_t longest = 0;
  for (size_t to = 0; to < 24; ++to) {
    if (to == 12) continue;
    const auto trace = trace_of(12, explorer(12).start_trace(circle_->now, at(to), true));
    ASSERT_TRUE(trace && trace->reached) << to;
    ASSERT_FALSE(trace->hops.empty());
    EXPECT_EQ(trace->hops.back().node, at(to));
    EXPECT_EQ(trace->hops.back().round_trip, std::nullopt);
    for (size_t i = 0; i + 1 < trace->hops.size(); ++i) {
      const size_t here = circle_->index_of(trace->hops[i].node);
      ASSERT_LT(here, 24u);
      EXPECT_TRUE((*circle_)[here].is_linked((*circle_)[circle_->index_of(trace->hops[i + 1].node)]));
      ASSERT_TRUE(trace->hops[i].round_trip);
      EXPECT_LE(*trace->hops[i].round_trip, 20ms);
    }
    longest = std::max(longest, trace->hops.size());
  }
  EXPECT_GT(longest, 1u) << "24 nodes do not have links to all";
}

TEST_F(ExplorerTest, ATraceOfAKeyEndsAtItsOwner) {
  form(8);
  SeededRandom random(1);
  for (int i = 0; i < 20; ++i) {
    NodeId key;
    random.fill(key.bytes);
    const auto trace = trace_of(3, explorer(3).start_trace(circle_->now, key, false));
    ASSERT_TRUE(trace && trace->reached);
    EXPECT_FALSE(trace->exact);
    EXPECT_EQ(trace->hops.back().node, at(circle_->nearest(key, {0, 1, 2, 3, 4, 5, 6, 7})));
  }
}

TEST_F(ExplorerTest, ATraceOfWhatIsOursIsAnsweredAtOnce) {
  form(4);
  const auto trace = trace_of(2, explorer(2).start_trace(circle_->now, at(2), true));
  ASSERT_TRUE(trace && trace->reached);
  EXPECT_EQ(trace->took, Duration::zero());
  ASSERT_EQ(trace->hops.size(), 1u);
  EXPECT_EQ(trace->hops[0].node, at(2));
}

TEST_F(ExplorerTest, ATraceToNobodyEndsAfterTenSeconds) {
  form(4);
  const Instant start = circle_->now;
  const uint64_t id = explorer(0).start_trace(start, NodeId{{0x42}}, true);
  circle_->advance_to(start + 10s - 1us);
  EXPECT_FALSE(explorer(0).poll_trace());
  circle_->advance_to(start + 10s);
  const auto trace = explorer(0).poll_trace();
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->id, id);
  EXPECT_FALSE(trace->reached);
  EXPECT_EQ(trace->took, 10s);
}

TEST_F(ExplorerTest, WithoutAnyLinkATraceFailsAtOnce) {
  form(1);
  const uint64_t id = explorer(0).start_trace(circle_->now, NodeId{{0x42}}, true);
  const auto trace = explorer(0).poll_trace();
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->id, id);
  EXPECT_FALSE(trace->reached);
  EXPECT_EQ(explorer(0).next_timeout(), kNever);
}

TEST_F(ExplorerTest, AReplyThatNobodyWaitsForIsIgnored) {
  form(2);
  explorer(0).handle_trace_reply(circle_->now, {.trace = {.id = 1, .hops = {}}});
  explorer(0).handle_neighbours_reply(circle_->now, {},
                                      {.id = 1, .host = "", .successors = {}, .predecessors = {}});
  EXPECT_FALSE(explorer(0).poll_trace());
  EXPECT_FALSE(explorer(0).poll_crawl());
}

// --- Crawls

TEST_F(ExplorerTest, ACrawlMeetsAllNodesInTheirOrder) {
  for (const size_t size : {1u, 2u, 3u, 4u, 7u, 12u}) {
    form(size);
    const size_t start = size / 2;
    const auto crawl = crawl_of(start, explorer(start).start_crawl(circle_->now), 5s);
    ASSERT_TRUE(crawl) << size;
    EXPECT_TRUE(crawl->complete) << size;
    ASSERT_EQ(crawl->stops.size(), size);
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(crawl->stops[i].node, at(start + i)) << "from ourselves, clockwise";
      EXPECT_EQ(crawl->stops[i].successors, (*circle_)[start + i].ring->successors());
      EXPECT_EQ(crawl->stops[i].predecessors, (*circle_)[start + i].ring->predecessors());
      EXPECT_TRUE(crawl->stops[i].agrees) << size << ", stop " << i;
      EXPECT_TRUE(crawl->stops[i].host.starts_with("host"));
    }
  }
}

TEST_F(ExplorerTest, ACrawlPassesOverANodeThatHasJustDied) {
  form(8);
  circle_->dead.insert(3);
  const Instant start = circle_->now;
  const auto crawl = crawl_of(0, explorer(0).start_crawl(start), 30s);
  ASSERT_TRUE(crawl);
  EXPECT_TRUE(crawl->complete);
  std::vector<NodeId> met;
  for (const auto& stop : crawl->stops) met.push_back(stop.node);
  EXPECT_EQ(met, circle_->living());
}

/// A crawl by hand: place 0 asks, and the test answers.
class CrawlByHandTest : public ExplorerTest {
 protected:
  CrawlByHandTest() {
    form(4);
    circle_->loses = [](size_t, size_t) { return true; };
    id_ = explorer(0).start_crawl(circle_->now);
  }
  void answer(size_t as, const std::vector<NodeId>& successors, const std::vector<NodeId>& predecessors) {
    wire::Routed envelope;
    envelope.source = at(as);
    explorer(0).handle_neighbours_reply(
        circle_->now, envelope,
        {.id = id_, .host = "h", .successors = successors, .predecessors = predecessors});
  }
  uint64_t id_;
};

TEST_F(CrawlByHandTest, WhoeverDisagreesIsMarked) {
  answer(1, {at(2), at(3), at(0)}, {at(0), at(3), at(2)});
  answer(2, {at(3), at(0), at(1)}, {at(0), at(3), at(1)});  // Its predecessors are out of order.
  answer(3, {at(0), at(1)}, {at(2), at(1), at(0)});         // It misses one.
  const auto crawl = explorer(0).poll_crawl();
  ASSERT_TRUE(crawl);
  EXPECT_TRUE(crawl->complete);
  ASSERT_EQ(crawl->stops.size(), 4u);
  EXPECT_TRUE(crawl->stops[0].agrees);
  EXPECT_TRUE(crawl->stops[1].agrees);
  EXPECT_FALSE(crawl->stops[2].agrees);
  EXPECT_FALSE(crawl->stops[3].agrees);
}

TEST_F(CrawlByHandTest, ARingThatDoesNotLeadBackIsIncomplete) {
  answer(1, {at(2)}, {at(0)});
  answer(2, {at(1)}, {at(1)});  // Two that take each other for the whole ring.
  const auto crawl = explorer(0).poll_crawl();
  ASSERT_TRUE(crawl);
  EXPECT_FALSE(crawl->complete);
  EXPECT_EQ(crawl->stops.size(), 3u);
}

TEST_F(CrawlByHandTest, OnlyWhoWasAskedIsHeard) {
  answer(2, {at(3)}, {at(1)});
  answer(1, {at(2)}, {at(0)});
  answer(1, {at(0)}, {at(0)});
  EXPECT_FALSE(explorer(0).poll_crawl());
  answer(2, {at(0)}, {at(1)});
  const auto crawl = explorer(0).poll_crawl();
  ASSERT_TRUE(crawl);
  EXPECT_EQ(crawl->stops.size(), 3u);
}

TEST_F(CrawlByHandTest, ASilentRingEndsIt) {
  // Three successors, three questions each, two seconds apart.
  const Instant start = circle_->now;
  for (Instant at = start; at < start + 18s; at += 100ms) {
    explorer(0).handle_timeout(at);
    ASSERT_FALSE(explorer(0).poll_crawl()) << (at - start).count();
  }
  explorer(0).handle_timeout(start + 18s);
  const auto crawl = explorer(0).poll_crawl();
  ASSERT_TRUE(crawl);
  EXPECT_FALSE(crawl->complete);
  EXPECT_EQ(crawl->stops.size(), 1u) << "ourselves";
  EXPECT_EQ(explorer(0).next_timeout(), kNever);
}

TEST_F(CrawlByHandTest, AStopWithoutSuccessorsDoesNotLeadBack) {
  answer(1, {}, {});
  const auto crawl = explorer(0).poll_crawl();
  ASSERT_TRUE(crawl);
  EXPECT_FALSE(crawl->complete) << "it did not come back to where it started";
}

}  // namespace
}  // namespace ipop
