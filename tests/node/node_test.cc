// Whole nodes in a simulated Internet: joining, guests that find each other, restarts, roaming, rekeys.
#include "overlay/node/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "overlay/sim/world.h"
#include "tests/support/guest_frames.h"

namespace ipop {
namespace {

using sim::Host;
using sim::World;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace test;

size_t connections(Host& host) { return host.node().links().all().size(); }

TEST(Node, EverybodyConnectsToEverybodyThroughOneIntroducer) {
  World world({.seed = 1});
  std::vector<Host*> hosts;
  for (const char* name : {"alpha", "beta", "gamma", "delta", "epsilon"})
    hosts.push_back(&world.add_host(name));
  const auto complete = [&] {
    return std::all_of(hosts.begin(), hosts.end(), [](Host* host) {
      const auto& links = host->node().links().all();
      return links.size() == 4 &&
             std::all_of(links.begin(), links.end(), [](const auto& link) { return link.second.sending(); });
    });
  };
  EXPECT_TRUE(world.run_until(complete, 2s));
}

TEST(Node, LearnsFromPeersWhereTheInternetSeesIt) {
  World world({.seed = 2});
  world.add_host("alpha");
  Host& beta = world.add_host("beta");
  ASSERT_TRUE(world.run_until([&] { return beta.node().links().public_endpoint().has_value(); }, 2s));
  EXPECT_EQ(*beta.node().links().public_endpoint(), beta.endpoint());
}

/// Two hosts; a guest of each has said where it is.
struct TwoGuests : testing::Test {
  explicit TwoGuests(sim::WorldOptions options = {.seed = 3}) : world(options) {
    world.run_until([&] { return connections(alpha) == 1 && connections(beta) == 1; }, 5s);
    alpha.send_frame(arp_request(kAlice, kAliceIp, kAliceIp));
    beta.send_frame(arp_request(kBob, kBobIp, kBobIp));
    world.run_for(1s);
    alpha.take_frames();
    beta.take_frames();
  }

  World world;
  Host& alpha = world.add_host("alpha");
  Host& beta = world.add_host("beta");
};

TEST_F(TwoGuests, ArpIsAnsweredWithTheRealMacOfTheOther) {
  alpha.send_frame(arp_request(kAlice, kAliceIp, kBobIp));
  world.run_for(1s);
  const auto frames = alpha.take_frames();
  ASSERT_THAT(frames, SizeIs(1));
  Reader in(frames[0]);
  EXPECT_EQ(read_mac(in), kAlice);
  EXPECT_EQ(read_mac(in), kBob);
  EXPECT_EQ(in.u16(), 0x0806);
  in.bytes(6);
  EXPECT_EQ(in.u16(), 2) << "a reply";
  EXPECT_EQ(read_mac(in), kBob);
  EXPECT_EQ(read_ipv4(in), kBobIp);
  EXPECT_THAT(beta.take_frames(), IsEmpty()) << "no ARP crosses the Internet";
}

TEST_F(TwoGuests, TheFastPathKnowsWhoseAddressesAreToBeTold) {
  const auto snapshot = alpha.node().poll_snapshot();
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->addresses->service.ip, alpha.node().vnet().service().ip);
  EXPECT_EQ(snapshot->addresses->service.link_local, alpha.node().vnet().service().link_local);
  EXPECT_THAT(snapshot->addresses->guests, ElementsAre(std::pair(IpAddress(kAliceIp), kAlice)));
  EXPECT_FALSE(alpha.node().poll_snapshot());
  alpha.send_frame(arp_request(kCarol, {}, kBobIp));
  const auto next = alpha.node().poll_snapshot();
  ASSERT_TRUE(next) << "a MAC is new";
  EXPECT_EQ(next->addresses, snapshot->addresses) << "which has no address";
  alpha.send_frame(arp_request(kAlice, {kAliceIp.value + 8}, {kAliceIp.value + 8}));
  const auto last = alpha.node().poll_snapshot();
  ASSERT_TRUE(last);
  EXPECT_THAT(last->addresses->guests,
              testing::Contains(std::pair(IpAddress(Ipv4Address{kAliceIp.value + 8}), kAlice)));
}

TEST_F(TwoGuests, FramesTravelWholeAndInOrder) {
  std::vector<Bytes> sent;
  for (const char* text : {"one", "two", "three"}) {
    sent.push_back(frame(kBob, kAlice, text));
    alpha.send_frame(sent.back());
    world.run_for(100ms);
  }
  EXPECT_EQ(beta.take_frames(), sent);
}

TEST_F(TwoGuests, TheFirstFrameToAMacThatIsNotKnownYetIsNotLost) {
  Host& gamma = world.add_host("gamma");
  ASSERT_TRUE(world.run_until([&] { return connections(gamma) == 2; }, 5s));
  gamma.send_frame(frame(kBob, kCarol, "hello"));
  world.run_for(2s);
  EXPECT_THAT(beta.take_frames(), ElementsAre(frame(kBob, kCarol, "hello")));
}

TEST_F(TwoGuests, AKilledHostComesBackByItselfWithItsLinksAndMap) {
  world.kill(beta);
  world.run_for(3s);
  world.start(beta);
  beta.send_frame(arp_request(kBob, kBobIp, kAliceIp));  // Its guest did not notice and goes on.
  world.run_for(2s);
  beta.take_frames();
  beta.send_frame(frame(kAlice, kBob, "back"));
  alpha.send_frame(frame(kBob, kAlice, "welcome"));
  world.run_for(1s);
  EXPECT_THAT(alpha.take_frames(), testing::Contains(frame(kAlice, kBob, "back")));
  EXPECT_THAT(beta.take_frames(), testing::Contains(frame(kBob, kAlice, "welcome")));
}

TEST_F(TwoGuests, ARestartedIntroducerIsFoundByTheOthersWithinSeconds) {
  world.kill(alpha);
  world.run_for(3s);
  world.start(alpha);  // It knows nobody: beta's next datagram tells it.
  for (int i = 0; i < 50; ++i) {
    beta.send_frame(frame(kAlice, kBob, "ping"));
    world.run_for(100ms);
  }
  EXPECT_EQ(connections(alpha), 1u);
  EXPECT_THAT(alpha.take_frames(), testing::Contains(frame(kAlice, kBob, "ping")));
}

TEST_F(TwoGuests, ARestartedIntroducerThatRemembersItsPeersWaitsForNobody) {
  world.kill(alpha);
  world.run_for(3s);
  world.start(alpha);
  alpha.node().handle_known_peer(world.now(), {.node = beta.id(), .endpoint = beta.endpoint()});
  alpha.send_frame(frame(kBob, kAlice, "first word"));  // Its guest did not notice; beta's is silent.
  EXPECT_TRUE(world.run_until([&] { return !beta.take_frames().empty(); }, 2s));
}

TEST_F(TwoGuests, WhoWasLostIsRememberedAcrossARestart) {
  world.kill(beta);
  ASSERT_TRUE(world.run_until([&] { return connections(alpha) == 0; }, 30s));
  const auto peers = std::as_const(alpha).node().peers();
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].node, beta.id());
  EXPECT_EQ(peers[0].endpoint, beta.endpoint());
}

TEST_F(TwoGuests, ALostAnnouncementIsRepeated) {
  Host& gamma = world.add_host("gamma");
  world.run_for(3s);
  ASSERT_EQ(connections(gamma), 2u);
  world.cut(gamma, alpha);
  gamma.send_frame(arp_request(kBob, kBobIp, kBobIp));  // Bob has moved there, and alpha does not hear of it.
  world.run_for(3s);
  world.mend(gamma, alpha);
  world.run_for(40s);
  gamma.take_frames();
  alpha.send_frame(frame(kBob, kAlice, "found you"));
  world.run_for(1s);
  EXPECT_THAT(gamma.take_frames(), testing::Contains(frame(kBob, kAlice, "found you")));
}

TEST_F(TwoGuests, AHostThatChangesItsAddressKeepsItsSessions) {
  const uint64_t handshakes = alpha.node().links().all().at(beta.id()).handshakes();
  world.move(beta, *Endpoint::parse("192.0.2.77:4000"));
  beta.send_frame(frame(kAlice, kBob, "from elsewhere"));
  world.run_for(1s);
  alpha.send_frame(frame(kBob, kAlice, "found you"));
  world.run_for(1s);
  EXPECT_THAT(alpha.take_frames(), ElementsAre(frame(kAlice, kBob, "from elsewhere")));
  EXPECT_THAT(beta.take_frames(), ElementsAre(frame(kBob, kAlice, "found you")));
  EXPECT_EQ(alpha.node().links().all().at(beta.id()).handshakes(), handshakes);
}

TEST_F(TwoGuests, APeerThatIsCutOffIsFoundDeadAndComesBackWhenThePathDoes) {
  world.cut(alpha, beta);
  alpha.send_frame(frame(kBob, kAlice, "anybody?"));
  EXPECT_TRUE(world.run_until([&] { return connections(alpha) == 0; }, 30s));
  world.mend(alpha, beta);
  EXPECT_TRUE(world.run_until([&] { return connections(alpha) == 1 && connections(beta) == 1; }, 60s));
}

TEST(Node, AnIntroducerThatAnswersFromAnotherAddressIsNotCalledAgainAndAgain) {
  World world({.seed = 7});
  Host& alpha = world.add_host("alpha");
  Host& beta = world.add_host("beta");
  world.run_for(2s);
  world.move(alpha, *Endpoint::parse("192.0.2.99:51128"));  // beta's invite still names the old address.
  world.run_for(8min);  // Claims among replicas that have just started are a question to all, each.
  const uint64_t handshakes = alpha.node().links().all().at(beta.id()).handshakes();
  world.run_for(50s);  // More than one round of gossip, less than a rekey.
  EXPECT_LE(alpha.node().links().all().at(beta.id()).handshakes(), handshakes + 1);
}

TEST_F(TwoGuests, AGoodbyeIsHeardAtOnce) {
  alpha.node().handle_shutdown(world.now());
  alpha.send_frame(frame(kBob, kAlice, "last words"));  // Also empties the node.
  EXPECT_TRUE(world.run_until([&] { return connections(beta) == 0; }, 1s));
}

TEST_F(TwoGuests, GarbageFromTheInternetChangesNothingAndIsCountedByReason) {
  SeededRandom random(99);
  const Endpoint stranger = *Endpoint::parse("192.0.2.1:9");
  for (int i = 0; i < 2000; ++i) {
    Bytes datagram(random.below(1500));
    random.fill(datagram);
    world.inject(stranger, alpha, std::move(datagram));
  }
  world.run_for(1s);
  uint64_t counted = 0;
  for (const auto error : {Error::Malformed, Error::UnknownType, Error::UnknownSession, Error::BadMac}) {
    counted += alpha.node().refused().get(error);
  }
  EXPECT_EQ(counted, 2000u);
  alpha.send_frame(frame(kBob, kAlice, "still here"));
  world.run_for(1s);
  EXPECT_THAT(beta.take_frames(), ElementsAre(frame(kBob, kAlice, "still here")));
}

TEST_F(TwoGuests, AReplayedDatagramDeliversNothing) {
  std::vector<std::pair<Endpoint, Bytes>> seen;
  world.set_tap([&](const Endpoint& from, const Endpoint& to, ByteView datagram) {
    if (to == beta.endpoint()) seen.emplace_back(from, Bytes(datagram.begin(), datagram.end()));
  });
  alpha.send_frame(frame(kBob, kAlice, "once"));
  world.run_for(1s);
  ASSERT_FALSE(seen.empty());
  EXPECT_THAT(beta.take_frames(), SizeIs(1));
  const auto copies = seen;
  for (const auto& [from, datagram] : copies) world.inject(from, beta, datagram);
  world.run_for(1s);
  EXPECT_THAT(beta.take_frames(), IsEmpty());
  EXPECT_GE(beta.node().refused().get(Error::Replayed), 1u);
}

TEST_F(TwoGuests, WhatCrossesTheInternetDoesNotShowTheFrame) {
  const std::string secret = "the quick brown fox jumps over the lazy dog";
  bool shown = false;
  world.set_tap([&](const Endpoint&, const Endpoint&, ByteView datagram) {
    shown |= as_text(datagram).find(secret) != std::string_view::npos;
  });
  alpha.send_frame(frame(kBob, kAlice, secret));
  world.run_for(1s);
  EXPECT_THAT(beta.take_frames(), ElementsAre(frame(kBob, kAlice, secret)));
  EXPECT_FALSE(shown);
}

struct TwoGuestsRekeying : TwoGuests {
  TwoGuestsRekeying() : TwoGuests({.seed = 4, .rekey_after = 20s}) {}
};

TEST_F(TwoGuestsRekeying, RekeysLoseNoFrame) {
  const uint64_t before = alpha.node().links().all().at(beta.id()).handshakes();
  size_t sent = 0;
  size_t received = 0;
  const auto count = [&] {  // Beta asks its guests, too, whether they use what Alice has.
    for (const Bytes& bytes : beta.take_frames())
      received += MacAddress{{bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]}} == kBob;
  };
  for (int i = 0; i < 6000; ++i) {  // A minute, every 10 ms.
    alpha.send_frame(frame(kBob, kAlice, std::to_string(i)));
    ++sent;
    world.run_for(10ms);
    count();
  }
  world.run_for(1s);
  count();
  EXPECT_EQ(received, sent);
  EXPECT_GE(alpha.node().links().all().at(beta.id()).handshakes(), before + 2);
}

TEST(NodeWithLoss, JoinsAndDeliversOverABadPath) {
  World world({.seed = 5, .latency_min = 50ms, .latency_max = 150ms, .loss = 0.2});
  Host& alpha = world.add_host("alpha");
  Host& beta = world.add_host("beta");
  EXPECT_TRUE(world.run_until([&] { return connections(alpha) == 1 && connections(beta) == 1; }, 10s));
}

/// Of as many nodes as all get their first guest at once, a few dozen say so; the others follow slowly.
TEST(Node, WhatAllSayToAllIsBoundedHoweverManyHaveGuests) {
  World world({.seed = 6});
  std::vector<Host*> hosts;
  for (int i = 0; i < 150; ++i) hosts.push_back(&world.add_host("h" + std::to_string(i)));
  world.run_for(8min);  // Claims among replicas that have just started are a question to all, each.
  const Host& listener = *hosts[149];  // The first is everybody's introducer, and linked to many.
  for (uint8_t i = 0; i < 149; ++i) {
    const Ipv4Address ip{kAliceIp.value + i};
    hosts[i]->send_frame(arp_request({{0x52, 0x54, 0, 0, 1, i}}, ip, ip));
  }
  const auto known_beyond_its_links = [&] {
    size_t out = 0;
    for (const Binding& binding : listener.node().vnet().bindings()) {
      out += !listener.node().links().all().contains(binding.node);
    }
    return out;
  };
  world.run_for(10s);
  EXPECT_GT(known_beyond_its_links(), 30u);
  EXPECT_LE(known_beyond_its_links(), kPresenceBurst + 10 + 10u) << "10 s, and what was on its way";
  const size_t links = listener.node().links().all().size();
  world.run_for(10min);
  EXPECT_GE(known_beyond_its_links() + links, 149u - 2) << "links come and go";
}

TEST(Node, TheSameSeedGivesTheSameRun) {
  const auto run = [] {
    World world({.seed = 6, .loss = 0.1});
    std::string trace;
    world.set_tap([&](const Endpoint& from, const Endpoint& to, ByteView datagram) {
      trace += std::to_string(world.now().time_since_epoch().count()) + from.to_string() + to.to_string() +
               to_hex(datagram);
    });
    for (const char* name : {"alpha", "beta", "gamma"}) world.add_host(name);
    world.run_for(8min);  // Claims among replicas that have just started are a question to all, each.
    return sha256({as_bytes(trace)});
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace ipop
