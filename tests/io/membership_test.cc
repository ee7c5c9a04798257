#include "overlay/io/membership.h"

#include <gtest/gtest.h>

#include "tests/support/member_files.h"
#include "tests/support/recorders.h"

namespace ipop {
namespace {

TEST(Membership, AnInviteMakesAMemberWithTheIntroducersOfBothSources) {
  test::MemberFiles files;
  const Endpoint first = *Endpoint::parse("203.0.113.7:51128");
  const Endpoint second = *Endpoint::parse("[2001:db8::7]:51128");
  const auto member = read_membership(files.invite("alpha", {first}), {second, first}, files.random);
  ASSERT_TRUE(member) << member.error().text;
  EXPECT_EQ(member->credentials.certificate.host_name(), "alpha");
  EXPECT_EQ(member->credentials.network.name(), "grid");
  EXPECT_EQ(member->introducers, (std::vector<Endpoint>{first, second})) << "each once";
}

TEST(Membership, AFileThatIsNoInviteIsNamed) {
  test::MemberFiles files;
  const std::string path = files.directory + "/noise.ipop";
  std::ofstream(path) << "noise\n";
  const auto noise = read_membership(path, {}, files.random);
  ASSERT_FALSE(noise);
  EXPECT_TRUE(noise.error().text.starts_with(path + ": ")) << noise.error().text;
  EXPECT_FALSE(read_membership(files.directory + "/none.ipop", {}, files.random));
}

TEST(Membership, TakesAListOfIntroducersAndNothingElse) {
  const auto list = parse_introducers("203.0.113.7:51128, [2001:db8::7]:4500\t198.51.100.1:1");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ((*list)[1].to_string(), "[2001:db8::7]:4500");
  EXPECT_EQ(parse_introducers(" , ")->size(), 0u);
  for (const char* wrong :
       {"example.org:51128", "203.0.113.7", ":51128", "203.0.113.7:0", "203.0.113.7:99999"}) {
    EXPECT_FALSE(parse_introducers(wrong)) << wrong;
  }
}

TEST(Membership, AFileOfSettingsIsReadByItsWholePath) {
  test::MemberFiles files;
  const std::string path = files.directory + "/grid.settings";
  std::ofstream(path) << "hello\n";
  const auto text = read_settings(path);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "hello\n");
  EXPECT_EQ(read_settings("grid.settings").error().text, "grid.settings: say the whole path, from / on");
  EXPECT_FALSE(read_settings(files.directory + "/none"));
  std::ofstream(path) << std::string(32 * 1024 + 1, 'x');
  EXPECT_FALSE(read_settings(path)) << "larger than any";
}

TEST(Membership, TheStateOfAMemberIsCalledAfterItsNode) {
  test::MemberFiles files;
  test::LogLines log;
  EXPECT_EQ(state_path(files.directory + "/state", NodeId{}, log),
            files.directory + "/state/0000000000000000000000000000000000000000");
  EXPECT_TRUE(std::filesystem::is_directory(files.directory + "/state"));
  EXPECT_TRUE(log.lines.empty());
  EXPECT_EQ(state_path(files.directory + "/not/there", NodeId{}, log), "");
  EXPECT_EQ(log.lines.size(), 1u);
}

}  // namespace
}  // namespace ipop
