#include "overlay/io/system.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace ipop {
namespace {

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string pattern = testing::TempDir() + "ipop-XXXXXX";
    path = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::string path;
};

TEST(Files, WhatIsWrittenIsReadAndIsPrivate) {
  const TemporaryDirectory directory;
  const std::string path = directory.path + "/file";
  ASSERT_TRUE(write_file(path, "first"));
  ASSERT_TRUE(write_file(path, "second"));
  EXPECT_EQ(*read_file(path, 100), "second");
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST(Files, ProblemsNameTheFileAndTheReason) {
  const TemporaryDirectory directory;
  const auto missing = read_file(directory.path + "/none", 100);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text, "cannot read " + directory.path + "/none: No such file or directory");
  EXPECT_FALSE(read_file(directory.path, 100)) << "a directory";
  EXPECT_FALSE(write_file(directory.path + "/no/such", "text"));

  ASSERT_TRUE(write_file(directory.path + "/long", std::string(101, 'x')));
  EXPECT_TRUE(read_file(directory.path + "/long", 101));
  EXPECT_FALSE(read_file(directory.path + "/long", 100));
}

TEST(Files, AFifoThatNobodyWritesToDoesNotHoldUpTheSwitch) {
  const TemporaryDirectory directory;
  const std::string path = directory.path + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(read_file(path, 100));
}

TEST(SystemRandom, FillsAndDiffers) {
  SystemRandom random;
  EXPECT_NE(random.u64(), random.u64());
}

TEST(Wakeup, IsReadableFromSignalToClear) {
  Wakeup wakeup;
  pollfd entry{.fd = wakeup.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&entry, 1, 0), 0);
  wakeup.signal();
  wakeup.signal();
  EXPECT_EQ(poll(&entry, 1, 0), 1);
  wakeup.clear();
  EXPECT_EQ(poll(&entry, 1, 0), 0);
}

}  // namespace
}  // namespace ipop
