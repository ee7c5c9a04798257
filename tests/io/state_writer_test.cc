#include "overlay/io/state_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "overlay/io/system.h"
#include "tests/support/member_files.h"

namespace ipop {
namespace {

struct StateWriterTest : testing::Test, test::MemberFiles {
  std::string path(const std::string& name) const { return directory + "/" + name; }
  static std::string content(const std::string& path) {
    const auto text = read_file(path, 1 << 20);
    return text ? *text : text.error().text;
  }
};

TEST_F(StateWriterTest, TheLastWordOnAFileIsWhatItHas) {
  StateWriter writer;
  for (int i = 0; i <= 1000; ++i) {
    writer.write(path("a"), std::to_string(i));
    if (i % 100 == 0) writer.write(path("b"), std::to_string(-i));
  }
  writer.finish();
  EXPECT_EQ(content(path("a")), "1000");
  EXPECT_EQ(content(path("b")), "-1000");
  EXPECT_FALSE(writer.poll_failure());
}

// A pipe without a reader in the place of the draft: opening it lasts until there is one.
TEST_F(StateWriterTest, NobodyWaitsForASlowDisk) {
  const std::string draft = path("slow.new");
  ASSERT_EQ(mkfifo(draft.c_str(), 0600), 0);
  StateWriter writer;
  writer.write(path("slow"), "1");
  writer.write(path("z"), "2");
  EXPECT_FALSE(std::filesystem::exists(path("z"))) << "it comes after the slow one";
  const Descriptor reader(open(draft.c_str(), O_RDONLY));
  ASSERT_TRUE(reader.is_open());
  writer.finish();
  EXPECT_EQ(content(path("z")), "2");
  const auto failure = writer.poll_failure();
  ASSERT_TRUE(failure) << "a pipe cannot be synchronised";
  EXPECT_EQ(failure->path, path("slow"));
}

TEST_F(StateWriterTest, SaysWhatItCouldNotWrite) {
  StateWriter writer;
  writer.write(path("nowhere/a"), "1");
  writer.finish();
  const auto failure = writer.poll_failure();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->path, path("nowhere/a"));
  EXPECT_EQ(failure->problem.text, "cannot create " + path("nowhere/a.new") + ": No such file or directory");
  EXPECT_FALSE(writer.poll_failure());
}

}  // namespace
}  // namespace ipop
