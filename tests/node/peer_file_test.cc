#include "overlay/node/peer_file.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

const char kText[] =
    "ipop-peers 1\n"
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3 203.0.113.7:51128\n"
    "00000000000000000000000000000000000000ff [2001:db8::7]:4500\n";

TEST(PeerFile, WhatIsSavedIsLoaded) {
  const auto peers = load_peers(kText);
  ASSERT_TRUE(peers);
  ASSERT_EQ(peers->size(), 2u);
  EXPECT_EQ((*peers)[0].node.to_short_string(), "a0a1a2a3");
  EXPECT_EQ((*peers)[1].endpoint.to_string(), "[2001:db8::7]:4500");
  EXPECT_EQ(save_peers(*peers), kText);
  EXPECT_TRUE(load_peers(save_peers({}))->empty());
}

TEST(PeerFile, AWrongLineSpoilsTheWhole) {
  const std::string node = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3";
  for (const std::string& text :
       {std::string(), std::string("ipop-peers 2\n"), "ipop-peers 1\n" + node,
        "ipop-peers 1\n" + node + " \n", "ipop-peers 1\n" + node + " 203.0.113.7:0\n",
        "ipop-peers 1\n" + node.substr(2) + " 203.0.113.7:1\n",
        "ipop-peers 1\nx" + node.substr(1) + " 203.0.113.7:1\n", std::string("ipop-peers 1\n\n")}) {
    EXPECT_FALSE(load_peers(text)) << text;
  }
}

TEST(PeerFile, IsBounded) {
  const std::string line = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3 203.0.113.7:1\n";
  std::string text = "ipop-peers 1\n";
  for (size_t i = 0; i < kMaxSavedPeers; ++i) text += line;
  auto peers = load_peers(text + line);
  ASSERT_TRUE(peers) << "more are no reason to forget all";
  EXPECT_EQ(peers->size(), kMaxSavedPeers);
  peers->push_back(peers->front());
  EXPECT_EQ(save_peers(*peers), text);
}

}  // namespace
}  // namespace ipop
