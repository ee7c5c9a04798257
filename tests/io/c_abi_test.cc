#include <gtest/gtest.h>

extern "C" const char* ipop_c_abi_check(void);

TEST(CAbi, WorksFromC) { EXPECT_STREQ(ipop_c_abi_check(), nullptr); }
