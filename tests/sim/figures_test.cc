#include "overlay/sim/figures.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace ipop::sim {
namespace {

TEST(Figures, AreOneFlatJsonObject) {
  Figures figures;
  figures.set("join_s_p50", 0.75);
  figures.set("events", 12345678901.0);
  figures.set("converged_s", std::nullopt);
  figures.add("violations", 2);
  figures.add("violations", 1);
  figures.set("join_s_p50", 0.5);
  EXPECT_EQ(figures.to_json("join-600", 7),
            R"({"scenario": "join-600", "seed": 7, "join_s_p50": 0.5, "events": 12345678901, )"
            R"("converged_s": null, "violations": 3})");
  EXPECT_TRUE(boost::json::parse(figures.to_json("a", 1)).is_object());
  EXPECT_EQ(figures.get("violations"), 3);
  EXPECT_EQ(figures.get("converged_s"), std::nullopt);
  EXPECT_EQ(figures.get("other"), std::nullopt);
}

TEST(Figures, PercentilesAreSamples) {
  EXPECT_EQ(percentile({}, 0.5), std::nullopt);
  EXPECT_EQ(percentile({4}, 0.01), 4);
  EXPECT_EQ(percentile({3, 1, 2, 4}, 0.5), 2);
  EXPECT_EQ(percentile({3, 1, 2, 4}, 0.51), 3);
  EXPECT_EQ(percentile({3, 1, 2, 4}, 1), 4);
  std::vector<double> hundred;
  for (int i = 1; i <= 100; ++i) hundred.push_back(i);
  EXPECT_EQ(percentile(hundred, 0.99), 99);
}

TEST(Figures, TheMeanOfNothingIsNothing) {
  EXPECT_EQ(mean({}), std::nullopt);
  EXPECT_EQ(mean({1, 2, 6}), 3);
}

}  // namespace
}  // namespace ipop::sim
