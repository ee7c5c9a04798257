#include "overlay/io/udp_offload.h"

#include <gtest/gtest.h>

#include <string>

namespace ipop {
namespace {

/// What the kernel of this machine does is no secret; a kernel that spoils trains is
/// tests/system/test-trains.
TEST(UdpOffload, AKernelOfTodayHasBoth) {
  const UdpOffload found = try_udp_offload();
  EXPECT_TRUE(found.sends_trains);
  EXPECT_TRUE(found.joins_trains);
  EXPECT_EQ(to_string(udp_offload()), std::string("GSO and GRO"));
}

TEST(UdpOffload, HasNames) {
  EXPECT_EQ(to_string({.sends_trains = true, .joins_trains = false}), std::string("GSO"));
  EXPECT_EQ(to_string({.sends_trains = false, .joins_trains = true}), std::string("GRO"));
  EXPECT_EQ(to_string({.sends_trains = false, .joins_trains = false}), std::string("none"));
}

}  // namespace
}  // namespace ipop
