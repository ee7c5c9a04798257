#include "overlay/vnet/unique_keys.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

TEST(UniqueKeys, FindsAKeyThatOneObjectHasTwice) {
  EXPECT_EQ(find_repeated_key(R"({"a": 1, "b": 2, "a": 1})"), "a");
  EXPECT_EQ(find_repeated_key(R"({"a": [{"b": {}}, {"b": 1, "c": 2, "b": 3}]})"), "b");
  EXPECT_EQ(find_repeated_key(R"({"abc": 1, "\u0061bc": 2})"), "abc") << "however it is written";
  EXPECT_EQ(find_repeated_key(R"({"": null, "": true})"), "");
}

TEST(UniqueKeys, ObjectsHaveKeysOfTheirOwn) {
  for (const char* text : {"{}", "[]", "1", R"({"a": {"a": {"a": 1.5}}})", R"([{"a": 1}, {"a": 2}])",
                           R"({"a": "b", "b": "a", "A": false})"}) {
    EXPECT_FALSE(find_repeated_key(text)) << text;
  }
}

TEST(UniqueKeys, WhatIsNoJsonHasNoneBehindTheFault) {
  for (const char* text : {"", "{", R"({"a": 1, "a)", R"({"a" 1, "a": 1})", R"({"a": nil, "a": 1})"}) {
    EXPECT_FALSE(find_repeated_key(text)) << text;
  }
}

}  // namespace
}  // namespace ipop
