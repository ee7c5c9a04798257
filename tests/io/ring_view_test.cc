#include "overlay/io/ring_view.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace ipop {
namespace {

constexpr Instant kNow{1000s};

NodeId node_of(uint8_t first) {
  NodeId out;
  out.bytes[0] = first;
  return out;
}

Report::Peer peer(uint8_t first, const std::string& host, LinkKind kind) {
  return {.node = node_of(first),
          .host = host,
          .endpoint = std::nullopt,
          .kind = kind,
          .is_up = true,
          .connected_since = kNow - 90s,
          .round_trip = std::nullopt,
          .handshakes = 1,
          .activity = std::make_shared<PeerActivity>()};
}

/// alpha, at 0x10, on a ring with beta (0x20), gamma (0x80, over the ring), delta (0x90, a shortcut) and
/// omega (0xf0).
Report alphas_report() {
  Report out;
  out.host = "alpha";
  out.node = node_of(0x10);
  out.place = {.is_joined = true,
               .estimated_size = 41.7,
               .successors = {node_of(0x20), node_of(0x80)},
               .predecessors = {node_of(0xf0), node_of(0x80)}};
  out.peers = {peer(0x20, "beta", LinkKind::Near), peer(0x80, "gamma", LinkKind::Near),
               peer(0x90, "delta", LinkKind::Shortcut), peer(0xf0, "omega", LinkKind::Near)};
  out.peers[0].endpoint = Endpoint::parse("198.51.100.2:51128");
  out.peers[0].round_trip = 1500us;
  out.bindings.push_back({.ip = *Ipv4Address::parse("10.128.0.7"),
                          .mac = {},
                          .node = node_of(0xc0),
                          .host = "",
                          .is_local = false,
                          .sequence = 1,
                          .expires = kNow + 60s,
                          .name = ""});
  return out;
}

Trace trace_to_gamma() {
  return {.id = 1,
          .target = node_of(0x80),
          .exact = true,
          .reached = true,
          .took = 12300us,
          .hops = {{.node = node_of(0x20), .round_trip = 2500us}, {.node = node_of(0x80), .round_trip = {}}}};
}

TEST(RingView, PeopleSeeTheRingInItsOrder) {
  EXPECT_EQ(
      show_ring(alphas_report(), kNow, false),
      "ring             joined, about 42 nodes\n"
      "node             1000000000000000000000000000000000000000 (alpha)\n"
      "  PLACE                        HOST             NODE       PATH                         RTT        "
      "AGE\n"
      "  successor 1                  beta             20000000   198.51.100.2:51128           1.5 ms     "
      "90 s\n"
      "  successor 2, predecessor 2   gamma            80000000   over the ring                -          "
      "90 s\n"
      "  predecessor 1                omega            f0000000   over the ring                -          "
      "90 s\n"
      "  shortcut                     delta            90000000   over the ring                -          "
      "90 s\n");
}

TEST(RingView, AnEmptyRingIsOneNode) {
  Report report;
  report.host = "alpha";
  EXPECT_EQ(show_ring(report, kNow, false),
            "ring             joining, about 1 nodes\n"
            "node             0000000000000000000000000000000000000000 (alpha)\n");
}

TEST(RingView, ProgramsSeeTheSame) {
  const auto json = boost::json::parse(show_ring(alphas_report(), kNow, true)).as_object();
  EXPECT_TRUE(json.at("joined").as_bool());
  EXPECT_EQ(json.at("successors").as_array().size(), 2u);
  const auto& links = json.at("links").as_array();
  ASSERT_EQ(links.size(), 4u);
  EXPECT_EQ(links[0].at("host"), "beta");
  EXPECT_EQ(links[0].at("kind"), "near");
  EXPECT_EQ(links[0].at("successor"), 1);
  EXPECT_TRUE(links[0].at("predecessor").is_null());
  EXPECT_EQ(links[0].at("endpoint"), "198.51.100.2:51128");
  EXPECT_EQ(links[0].at("rtt_ms"), 1.5);
  EXPECT_EQ(links[0].at("age_s"), 90);
  EXPECT_EQ(links[1].at("predecessor"), 2);
  EXPECT_TRUE(links[1].at("endpoint").is_null());
  EXPECT_EQ(links[3].at("kind"), "shortcut");
}

TEST(RingView, ATraceTellsEachLinkByTheNodeItLeadsTo) {
  EXPECT_EQ(show_trace(alphas_report(), trace_to_gamma(), false),
            "8000000000000000000000000000000000000000: reached in 2 hops, answered after 12.3 ms\n"
            "  HOP  HOST             NODE       RTT OF THE LINK TO IT\n"
            "  1    beta             20000000   1.5 ms\n"
            "  2    gamma            80000000   2.5 ms\n");
  const auto json = boost::json::parse(show_trace(alphas_report(), trace_to_gamma(), true)).as_object();
  EXPECT_TRUE(json.at("reached").as_bool());
  EXPECT_EQ(json.at("took_ms"), 12.3);
  EXPECT_EQ(json.at("hops").at(0).at("link_rtt_ms"), 1.5);
  EXPECT_EQ(json.at("hops").at(1).at("host"), "gamma");
}

TEST(RingView, ATraceMayComeToNothing) {
  Trace trace = trace_to_gamma();
  trace.reached = false;
  trace.took = 10s;
  trace.hops.clear();
  EXPECT_EQ(show_trace(alphas_report(), trace, false),
            "8000000000000000000000000000000000000000: not reached, given up after 10 s\n");
}

TEST(RingView, ACrawlPointsAtWhoDisagrees) {
  const Crawl crawl{.id = 1,
                    .complete = true,
                    .took = 4200us,
                    .stops = {{.node = node_of(0x10),
                               .host = "alpha",
                               .successors = {node_of(0x20)},
                               .predecessors = {node_of(0x20)},
                               .agrees = true},
                              {.node = node_of(0x20),
                               .host = "beta",
                               .successors = {node_of(0x10), node_of(0x80)},
                               .predecessors = {},
                               .agrees = false}}};
  EXPECT_EQ(show_crawl(crawl, false),
            "2 nodes, 1 of them agree with what was found; back at the start after 4.2 ms\n"
            "  HOST             NODE       AGREES  SUCCESSORS                   PREDECESSORS\n"
            "  alpha            10000000   yes     20000000                     20000000\n"
            "  beta             20000000   NO      10000000 80000000            -\n");
  const auto json = boost::json::parse(show_crawl(crawl, true)).as_object();
  EXPECT_TRUE(json.at("complete").as_bool());
  EXPECT_FALSE(json.at("agrees").as_bool());
  EXPECT_EQ(json.at("nodes").at(1).at("successors").as_array().size(), 2u);
}

TEST(RingView, ANodeIsNamedInThreeWays) {
  const Report report = alphas_report();
  const NodeId gamma = node_of(0x80);
  EXPECT_EQ(*find_node(report, gamma.to_string()), gamma);
  EXPECT_EQ(*find_node(report, "80000000"), gamma);
  EXPECT_EQ(*find_node(report, "F0000000"), node_of(0xf0));
  EXPECT_EQ(*find_node(report, "10000000"), report.node) << "ourselves";
  EXPECT_EQ(*find_node(report, "c0000000"), node_of(0xc0)) << "known for its guest only";
  EXPECT_EQ(*find_node(report, "10.128.0.7"), node_of(0xc0));
  EXPECT_EQ(*find_node(report, "ffffffffffffffffffffffffffffffffffffffff"),
            (NodeId{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}))
      << "known or not";
}

TEST(RingView, WhatNamesNoNodeIsASentence) {
  Report report = alphas_report();
  EXPECT_EQ(find_node(report, "10.128.0.8").error().text, "no guest with address 10.128.0.8 is known here");
  EXPECT_EQ(find_node(report, "30000000").error().text,
            "\"30000000\" is no node that is known here; give all 40 digits");
  report.peers.push_back(report.peers[1]);
  report.peers.back().node.bytes[19] = 1;
  EXPECT_EQ(find_node(report, "80000000").error().text,
            "\"80000000\" may be several nodes; give all 40 digits");
  for (const char* wrong : {"", "8000000", "800000000", "8000000g", "beta", "10.128.0.256",
                            "800000000000000000000000000000000000000g"}) {
    EXPECT_NE(find_node(report, wrong).error().text.find("is no node (40 hexadecimal digits"),
              std::string::npos)
        << wrong;
  }
}

}  // namespace
}  // namespace ipop
