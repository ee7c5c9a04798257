#include "overlay/io/why_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "overlay/sim/world.h"
#include "tests/support/guest_frames.h"

namespace ipop {
namespace {

using testing::HasSubstr;
using State = wire::DhtRecord::State;
using Verdict = wire::DhtReply::Verdict;

constexpr Instant kNow{1000s};
constexpr Duration kWall = 1'700'000'000s;  // 2023-11-14T22:13:20Z.
constexpr NodeId kAlpha{{0x10}};
constexpr NodeId kBeta{{0x20}};
constexpr NodeId kGamma{{0x30}};

Report report() {
  Report out;
  out.host = "alpha";
  out.node = kAlpha;
  Report::Peer beta;
  beta.node = kBeta;
  beta.host = "beta";
  out.peers.push_back(beta);
  return out;
}

wire::DhtRecord record(State state = State::Bound) {
  wire::DhtRecord out;
  out.kind = wire::DhtAddress::Kind::Ip;
  out.state = state;
  out.ip = *Ipv4Address::parse("10.128.0.7");
  out.mac = test::kBob;
  out.node = kBeta;
  out.sequence = 4;
  out.issued_ms = static_cast<uint64_t>((kWall - 200s) / 1ms);
  out.expires_s = static_cast<uint64_t>((kWall + 3500s) / 1s);
  out.name = "vm2";
  return out;
}

/// Beta's, by two of three replicas, and by our map; alpha had it.
Explanation explanation() {
  Explanation out;
  out.address = {.kind = wire::DhtAddress::Kind::Ip, .ip = record().ip, .mac = {}};
  out.known = Binding{.ip = record().ip,
                      .mac = test::kBob,
                      .node = kBeta,
                      .sequence = 4,
                      .expires = kNow + 3400s,
                      .name = "vm2"};
  out.before = {{.mac = test::kAlice, .node = kAlpha, .sequence = 2, .until = kNow - 300s}};
  out.replicas = 3;
  out.votes[kAlpha] = {.verdict = Verdict::Held, .is_unsure = false, .record = record(), .took = 1ms};
  out.votes[kBeta] = {.verdict = Verdict::Held, .is_unsure = true, .record = record(), .took = 40ms};
  out.votes[kGamma] = {.verdict = Verdict::Nothing, .is_unsure = false, .record = {}, .took = 41200us};
  out.took = 41200us;
  out.at = kNow;
  out.wall = kWall;
  return out;
}

std::string first_line(const Explanation& explanation) {
  const std::string text = show_explanation(report(), explanation, false);
  return text.substr(0, text.find('\n'));
}

TEST(WhyView, PeopleSeeWhoseItIsAndHowThatIsKnown) {
  EXPECT_EQ(show_explanation(report(), explanation(), false),
            "10.128.0.7: 52:54:00:00:00:0b (vm2) at beta (20000000)\n"
            "state            bound\n"
            "sequence         4\n"
            "written          2023-11-14 22:10 UTC, 3 min ago\n"
            "good until       2023-11-14 23:11 UTC, for 58 min\n"
            "this host        knows 52:54:00:00:00:0b (vm2) at beta (20000000), sequence 4, for 56 min\n"
            "replicas         3 of 3 answered, 41.2 ms\n"
            "  HOST             NODE       SAYS       STATE      MAC                WRITTEN BY AGE        "
            "SEQUENCE\n"
            "  alpha            10000000   has it     bound      52:54:00:00:00:0b  20000000   3 min      4\n"
            "  beta             20000000   has it     bound      52:54:00:00:00:0b  20000000   3 min      4\n"
            "  -                30000000   nothing    -          -                  -          -          -\n"
            "before, as far as this host remembers\n"
            "  52:54:00:00:00:0a  at alpha (10000000), sequence 2, until 5 min ago\n");
}

TEST(WhyView, ProgramsGetTheSame) {
  const auto json = boost::json::parse(show_explanation(report(), explanation(), true)).as_object();
  EXPECT_EQ(json.at("address").as_string(), "10.128.0.7");
  EXPECT_EQ(json.at("record").at("mac").as_string(), "52:54:00:00:00:0b");
  EXPECT_EQ(json.at("record").at("host").as_string(), "beta");
  EXPECT_EQ(json.at("record").at("state").as_string(), "bound");
  EXPECT_EQ(json.at("record").at("age_s").to_number<int>(), 200);
  EXPECT_EQ(json.at("record").at("expires_s").to_number<int>(), 3500);
  EXPECT_EQ(json.at("map").at("expires_s").to_number<int>(), 3400);
  ASSERT_EQ(json.at("answers").as_array().size(), 3u);
  EXPECT_TRUE(json.at("answers").at(1).at("unsure").as_bool());
  EXPECT_EQ(json.at("answers").at(2).at("verdict").as_string(), "nothing");
  EXPECT_EQ(json.at("answers").at(2).at("took_ms").as_double(), 41.2);
  EXPECT_TRUE(json.at("answers").at(2).at("record").is_null());
  EXPECT_EQ(json.at("before").at(0).at("until_s_ago").to_number<int>(), 300);
}

/// Whatever the replicas say, the first line says what follows from it.
TEST(WhyView, TheBestRecordDecidesAndThenTheMap) {
  Explanation told = explanation();
  told.votes[kGamma] = told.votes[kAlpha];
  told.votes[kGamma].record->sequence = 5;
  told.votes[kGamma].record->mac = test::kCarol;
  EXPECT_EQ(first_line(told), "10.128.0.7: 52:54:00:00:00:0c (vm2) at beta (20000000)");

  told = explanation();
  for (const NodeId& node : {kAlpha, kBeta}) told.votes[node].record = record(State::Reserved);
  EXPECT_EQ(first_line(told), "10.128.0.7: reserved for 52:54:00:00:00:0b (vm2) at beta (20000000)");
  for (const NodeId& node : {kAlpha, kBeta}) told.votes[node].record = record(State::Withdrawn);
  EXPECT_EQ(first_line(told),
            "10.128.0.7: nobody's; beta (20000000) gave it back for 52:54:00:00:00:0b (vm2)");

  for (const NodeId& node : {kAlpha, kBeta}) told.votes[node] = told.votes[kGamma];
  EXPECT_EQ(first_line(told),
            "10.128.0.7: 52:54:00:00:00:0b (vm2) at beta (20000000), by this host's map alone");
  told.known.reset();
  EXPECT_EQ(first_line(told), "10.128.0.7: nobody's");
  EXPECT_THAT(show_explanation(report(), told, false), HasSubstr("this host        knows nobody who has it"));
  told.votes[kAlpha].verdict = told.votes[kBeta].verdict = Verdict::NotReady;
  EXPECT_EQ(first_line(told), "10.128.0.7: nobody knows: too few replicas could tell");
  told.votes.clear();
  EXPECT_EQ(first_line(told), "10.128.0.7: nobody knows: too few replicas could tell");
}

TEST(WhyView, OfAMacItSaysWhereItIs) {
  Explanation told = explanation();
  told.address = {.kind = wire::DhtAddress::Kind::Mac, .ip = {}, .mac = test::kBob};
  EXPECT_EQ(first_line(told), "52:54:00:00:00:0b: at beta (20000000), with 10.128.0.7");
  for (const NodeId& node : {kAlpha, kBeta}) told.votes[node].record->ip = {};
  EXPECT_EQ(first_line(told), "52:54:00:00:00:0b: at beta (20000000)");
}

TEST(WhyView, AddressesOfAllKinds) {
  EXPECT_EQ(parse_address("10.128.0.7")->ip, record().ip);
  EXPECT_EQ(parse_address("fd01::7")->ip, *IpAddress::parse("fd01::7"));
  EXPECT_EQ(parse_address("52:54:00:00:00:0B")->mac, test::kBob);
  EXPECT_EQ(parse_address("52:54:00:00:00:0B")->kind, wire::DhtAddress::Kind::Mac);
  for (const char* text : {"", "vm2", "0.0.0.0", "::", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"}) {
    EXPECT_THAT(parse_address(text).error().text, HasSubstr("no address of a guest")) << text;
  }
}

/// A guest moves from one host to another; the third is asked.
TEST(WhyView, ALiveRingTellsOfAMove) {
  sim::World world({.seed = 1});
  sim::Host& alpha = world.add_host("alpha");
  sim::Host& beta = world.add_host("beta");
  sim::Host& gamma = world.add_host("gamma");
  world.run_for(15s);
  const Bytes here = test::arp_request(test::kBob, test::kBobIp, test::kBobIp);
  alpha.send_frame(here);
  world.run_for(20s);
  beta.send_frame(here);
  world.run_for(20s);
  gamma.node().start_explanation(world.now(),
                                 {.kind = wire::DhtAddress::Kind::Ip, .ip = test::kBobIp, .mac = {}});
  world.run_for(2s);
  const auto answer = gamma.node().poll_explanation();
  ASSERT_TRUE(answer);
  const auto json =
      boost::json::parse(show_explanation(make_report(gamma.node(), world.now()), *answer, true)).as_object();
  EXPECT_EQ(json.at("record").at("host").as_string(), "beta") << json;
  EXPECT_EQ(json.at("map").at("host").as_string(), "beta");
  EXPECT_EQ(json.at("answers").as_array().size(), 3u);
  ASSERT_EQ(json.at("before").as_array().size(), 1u);
  EXPECT_EQ(json.at("before").at(0).at("host").as_string(), "alpha");
}

}  // namespace
}  // namespace ipop
