#include "overlay/vnet/resolver.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

Query who_has(const char* address) {
  Query query;
  query.ip = ip(address);
  return query;
}

TEST(Resolver, AsksTheSameThingOnceAtATime) {
  SeededRandom random(1);
  Resolver resolver(random);
  EXPECT_TRUE(resolver.ask(at(0s), who_has("10.128.0.2")));
  EXPECT_TRUE(resolver.ask(at(0s), who_has("10.128.0.2")));
  const auto query = resolver.poll_query();
  ASSERT_TRUE(query);
  EXPECT_EQ(resolver.poll_query(), std::nullopt);
  EXPECT_EQ(resolver.find(query->id)->ip, ip("10.128.0.2"));
  EXPECT_EQ(resolver.handle_answer(query->id)->ip, ip("10.128.0.2"));
  EXPECT_EQ(resolver.handle_answer(query->id), std::nullopt) << "It is closed.";
  EXPECT_TRUE(resolver.ask(at(0s), who_has("10.128.0.2")));
  EXPECT_TRUE(resolver.poll_query());
}

TEST(Resolver, RepeatsAndThenGivesUp) {
  SeededRandom random(1);
  Resolver resolver(random);
  (void)resolver.ask(at(0s), who_has("10.128.0.2"));
  const auto first = resolver.poll_query();
  EXPECT_EQ(resolver.next_timeout(), at(1s));
  for (const Instant now : {at(1s), at(2s)}) {
    EXPECT_TRUE(resolver.handle_timeout(now).empty());
    EXPECT_EQ(resolver.poll_query(), first);
  }
  const auto given_up = resolver.handle_timeout(at(3s));
  ASSERT_EQ(given_up.size(), 1u);
  EXPECT_EQ(given_up[0], *first);
  EXPECT_EQ(resolver.pending(), 0u);
  EXPECT_EQ(resolver.next_timeout(), kNever);
}

TEST(Resolver, WhatIsAnsweredIsNotSentAnyMore) {
  SeededRandom random(1);
  Resolver resolver(random);
  (void)resolver.ask(at(0s), who_has("10.128.0.2"));
  const auto query = resolver.poll_query();
  (void)resolver.handle_timeout(at(1s));
  (void)resolver.handle_answer(query->id);
  EXPECT_EQ(resolver.poll_query(), std::nullopt);
}

TEST(Resolver, IsBoundedInRateAndRoom) {
  SeededRandom random(1);
  Resolver resolver(random);
  Query query;
  Result<Done> result = Done{};
  size_t asked = 0;
  while ((result = resolver.ask(at(0s), query))) query.ip = Ipv4Address{static_cast<uint32_t>(++asked)};
  EXPECT_EQ(asked, 1000u);
  EXPECT_EQ(result.error(), Error::RateLimited);
  for (const Duration passed : {1s, 2s, 3s}) {
    while ((result = resolver.ask(at(passed), query))) query.ip = Ipv4Address{static_cast<uint32_t>(++asked)};
  }
  EXPECT_EQ(result.error(), Error::Full);
  EXPECT_EQ(resolver.pending(), Resolver::kMaxPending);
}

}  // namespace
}  // namespace ipop
