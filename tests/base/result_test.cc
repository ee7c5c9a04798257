#include "overlay/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "overlay/base/counters.h"

namespace ipop {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return Error::Malformed;
  return value / 2;
}

TEST(Result, IsAValueOrAReason) {
  EXPECT_TRUE(half(4));
  EXPECT_EQ(*half(4), 2);
  EXPECT_FALSE(half(3));
  EXPECT_EQ(half(3).error(), Error::Malformed);
}

TEST(Result, CarriesWhatCanOnlyMove) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 5);
}

TEST(Error, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kErrorCount; ++i) names.insert(to_string(static_cast<Error>(i)));
  EXPECT_EQ(names.size(), kErrorCount);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(ErrorCounters, CountEachErrorForItself) {
  ErrorCounters counters;
  counters.add(Error::Malformed);
  counters.add(Error::Conflict, 41);
  counters.add(Error::Conflict);
  EXPECT_EQ(counters.get(Error::Malformed), 1u);
  EXPECT_EQ(counters.get(Error::Conflict), 42u);
  EXPECT_EQ(counters.get(Error::Replayed), 0u);
}

}  // namespace
}  // namespace ipop
