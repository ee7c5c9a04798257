#include "overlay/io/questions.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "overlay/crypto/settings.h"
#include "overlay/sim/world.h"
#include "tests/support/guest_frames.h"

namespace ipop {
namespace {

bool is_readable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) == 1;
}

/// Two nodes; alpha is asked.  What its thread would do is done by hand.
struct AskedQuestions : testing::Test {
  AskedQuestions() { world.run_for(5s); }

  void run_for(Duration duration) {
    questions.start_new(world.now(), alpha.node());
    world.run_for(duration);
    questions.take_answers(alpha.node());
  }

  sim::World world{{.seed = 1}};
  sim::Host& alpha = world.add_host("alpha");
  sim::Host& beta = world.add_host("beta");
  Wakeup core;
  Questions questions{core};
};

TEST_F(AskedQuestions, AnAnswerIsCollectedOnce) {
  const auto trace = questions.ask(Questions::TraceTo{beta.id()});
  const auto crawl = questions.ask(Questions::CrawlAll{});
  ASSERT_TRUE(trace && crawl);
  EXPECT_TRUE(is_readable(core.fd())) << "the core's thread is woken";
  EXPECT_FALSE(questions.collect(*trace)) << "not yet";
  EXPECT_TRUE(questions.is_open(*trace));
  EXPECT_FALSE(is_readable(questions.fd()));

  run_for(2s);
  EXPECT_TRUE(is_readable(questions.fd()));
  const auto traced = questions.collect(*trace);
  ASSERT_TRUE(traced);
  EXPECT_TRUE(std::get<Trace>(*traced).reached);
  EXPECT_EQ(std::get<Trace>(*traced).hops.back().node, beta.id());
  EXPECT_TRUE(is_readable(questions.fd())) << "the other one is still there";
  const auto crawled = questions.collect(*crawl);
  ASSERT_TRUE(crawled);
  EXPECT_EQ(std::get<Crawl>(*crawled).stops.size(), 2u);
  EXPECT_FALSE(is_readable(questions.fd()));
  EXPECT_FALSE(questions.collect(*crawl));
  EXPECT_FALSE(questions.is_open(*crawl));
}

TEST_F(AskedQuestions, WhoseAnAddressIsIsExplained) {
  beta.send_frame(test::arp_request(test::kBob, test::kBobIp, test::kBobIp));
  world.run_for(20s);
  const auto number =
      questions.ask(Questions::Explain{{.kind = wire::DhtAddress::Kind::Ip, .ip = test::kBobIp, .mac = {}}});
  run_for(1s);
  const auto answer = questions.collect(*number);
  ASSERT_TRUE(answer);
  const auto& explanation = std::get<Explanation>(*answer);
  EXPECT_EQ(explanation.votes.size(), 2u);
  EXPECT_EQ(explanation.known->mac, test::kBob);
}

TEST_F(AskedQuestions, SettingsAreLoadedOrRefused) {
  const std::string file = sign_settings(world.authority(), 7, R"({"mtu": 1300})").encode();
  const auto good = questions.ask(Questions::LoadSettings{.path = "/x", .file = file});
  const auto bad = questions.ask(Questions::LoadSettings{.path = "/y", .file = "noise"});
  ASSERT_TRUE(good && bad);
  EXPECT_FALSE(questions.collect(*good));
  questions.start_new(world.now(), alpha.node());
  EXPECT_TRUE(is_readable(questions.fd())) << "nobody else has to be asked";
  const auto loaded = questions.collect(*good);
  ASSERT_TRUE(loaded);
  const auto& answer = std::get<Questions::SettingsLoaded>(*loaded);
  EXPECT_EQ(answer.path, "/x");
  ASSERT_TRUE(answer.version);
  EXPECT_EQ(*answer.version, 7u);
  EXPECT_EQ(answer.peers, 1u);
  const auto refused = questions.collect(*bad);
  ASSERT_TRUE(refused);
  EXPECT_FALSE(std::get<Questions::SettingsLoaded>(*refused).version);
  world.run_for(1s);
  EXPECT_EQ(beta.node().settings().version(), 7u);
}

TEST_F(AskedQuestions, AGuestIsExpected) {
  beta.send_frame(test::arp_request(test::kBob, test::kBobIp, test::kBobIp));
  world.run_for(5s);
  const auto good = questions.ask(Questions::ExpectGuest{{.mac = test::kBob, .name = "bob"}});
  const auto bad = questions.ask(Questions::ExpectGuest{{.mac = MacAddress::broadcast()}});
  questions.start_new(world.now(), alpha.node());
  const auto expected = questions.collect(*good);
  ASSERT_TRUE(expected);
  EXPECT_TRUE(std::get<Questions::GuestExpected>(*expected).result);
  EXPECT_EQ(std::get<Questions::GuestExpected>(*expected).at, beta.id());
  const auto refused = questions.collect(*bad);
  ASSERT_TRUE(refused);
  const auto& why = std::get<Questions::GuestExpected>(*refused).result;
  ASSERT_FALSE(why);
  EXPECT_EQ(why.error().text, "no guest can have this address");
  EXPECT_EQ(alpha.node().vnet().service().name_for(test::kBob), "bob");
}

TEST_F(AskedQuestions, WhoIsNotThereIsGivenUp) {
  const auto trace = questions.ask(Questions::TraceTo{NodeId{}});
  run_for(kTracePatience + 1s);
  const auto answer = questions.collect(*trace);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(std::get<Trace>(*answer).reached);
}

TEST_F(AskedQuestions, AFewAreOpenAtATime) {
  std::vector<uint64_t> numbers;
  while (const auto number = questions.ask(Questions::TraceTo{beta.id()})) numbers.push_back(*number);
  EXPECT_EQ(numbers.size(), Questions::kMaxOpen);
  run_for(2s);
  EXPECT_FALSE(questions.ask(Questions::CrawlAll{})) << "answered, but not collected";
  for (const uint64_t number : numbers) EXPECT_TRUE(questions.collect(number));
  EXPECT_TRUE(questions.ask(Questions::CrawlAll{}));
}

TEST_F(AskedQuestions, NumbersAreOfTheProcess) {
  Questions successor{core};
  const auto number = questions.ask(Questions::CrawlAll{});
  EXPECT_NE(successor.ask(Questions::CrawlAll{}), number);
  EXPECT_FALSE(successor.is_open(*number));
}

}  // namespace
}  // namespace ipop
