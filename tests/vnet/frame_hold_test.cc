#include "overlay/vnet/frame_hold.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

TEST(FrameHold, ReleasesInOrder) {
  FrameHold<MacAddress> hold;
  (void)hold.hold(at(0s), mac(1), Bytes{1});
  (void)hold.hold(at(0s), mac(2), Bytes{2});
  (void)hold.hold(at(1s), mac(1), Bytes{3});
  EXPECT_EQ(hold.release(mac(1)), (std::vector<Bytes>{{1}, {3}}));
  EXPECT_TRUE(hold.release(mac(1)).empty());
  EXPECT_EQ(hold.size(), 1u);
}

TEST(FrameHold, DropsWhatIsTooOld) {
  FrameHold<MacAddress> hold;
  (void)hold.hold(at(0s), mac(1), Bytes{1});
  (void)hold.hold(at(1s), mac(1), Bytes{2});
  EXPECT_EQ(hold.next_timeout(), at(3s));
  EXPECT_EQ(hold.handle_timeout(at(3s) - 1us), 0u);
  EXPECT_EQ(hold.handle_timeout(at(3s)), 1u);
  EXPECT_EQ(hold.release(mac(1)), (std::vector<Bytes>{{2}}));
  EXPECT_EQ(hold.next_timeout(), kNever);
}

TEST(FrameHold, IsBoundedForEachKeyInAllAndInBytes) {
  FrameHold<MacAddress> hold;
  for (size_t i = 0; i < FrameHold<MacAddress>::kMaxFramesPerKey; ++i)
    EXPECT_TRUE(hold.hold(at(0s), mac(1), Bytes{1}));
  EXPECT_EQ(hold.hold(at(0s), mac(1), Bytes{1}).error(), Error::Full);
  size_t n = FrameHold<MacAddress>::kMaxFramesPerKey;
  for (uint8_t guest = 2; hold.hold(at(0s), mac(guest), Bytes{1}); ++guest) {
    ++n;
    while (hold.hold(at(0s), mac(guest), Bytes{1})) ++n;
  }
  EXPECT_EQ(n, FrameHold<MacAddress>::kMaxFrames);

  FrameHold<MacAddress> heavy;
  const Bytes large(60000);
  size_t bytes = 0;
  for (uint8_t guest = 1; heavy.hold(at(0s), mac(guest), large); ++guest) bytes += large.size();
  EXPECT_LE(bytes, FrameHold<MacAddress>::kMaxBytes);
  EXPECT_GT(bytes + large.size(), FrameHold<MacAddress>::kMaxBytes);
  EXPECT_EQ(heavy.release(mac(1)).size(), 1u);
  EXPECT_TRUE(heavy.hold(at(0s), mac(1), large)) << "What is released makes room.";
}

TEST(FrameHold, HoldsFramesForNodesAsWell) {
  FrameHold<NodeId> hold;
  const NodeId near{{1}}, far{{2}};
  EXPECT_TRUE(hold.hold(at(0s), near, Bytes{1}));
  EXPECT_TRUE(hold.hold(at(1s), far, Bytes{2}));
  EXPECT_EQ(hold.next_timeout(), at(3s));
  EXPECT_EQ(hold.release(near), (std::vector<Bytes>{{1}}));
  EXPECT_EQ(hold.handle_timeout(at(4s)), 1u);
  EXPECT_EQ(hold.size(), 0u);
}

}  // namespace
}  // namespace ipop
