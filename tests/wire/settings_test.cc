#include "overlay/wire/settings.h"

#include <gtest/gtest.h>

namespace ipop::wire {
namespace {

SignedSettings example() {
  SignedSettings out{.version = 1764086400, .document = "{\"mtu\": 1300}\n", .signature = {}};
  for (size_t i = 0; i < out.signature.size(); ++i) out.signature[i] = static_cast<uint8_t>(0xa0 + i);
  return out;
}

std::string digits() { return to_hex(example().signature); }

TEST(SignedSettings, ReadsAndWritesAsDrawn) {
  const std::string file =
      "ipop-settings 1\nVersion: 1764086400\nSignature: " + digits() + "\n\n{\"mtu\": 1300}\n";
  EXPECT_EQ(example().encode(), file);
  const auto decoded = SignedSettings::decode(file);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, example());
}

TEST(SignedSettings, TheDocumentIsAnyOctets) {
  SignedSettings settings = example();
  for (const std::string& document : {std::string(), std::string("\n\n"), std::string("\0\xff", 2)}) {
    settings.document = document;
    const auto decoded = SignedSettings::decode(settings.encode());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->document, document);
  }
}

TEST(SignedSettings, EveryTruncationOfTheHeadIsRefused) {
  const std::string file = example().encode();
  const size_t head = file.size() - example().document.size();
  for (size_t n = 0; n < head; ++n) {
    EXPECT_FALSE(SignedSettings::decode(std::string_view(file).substr(0, n))) << n;
  }
  EXPECT_TRUE(SignedSettings::decode(std::string_view(file).substr(0, head)));
}

TEST(SignedSettings, ThereIsOneWayToWriteEach) {
  const auto file = [](const std::string& version, const std::string& signature) {
    return "ipop-settings 1\nVersion: " + version + "\nSignature: " + signature + "\n\n{}";
  };
  ASSERT_TRUE(SignedSettings::decode(file("7", digits())));
  EXPECT_TRUE(SignedSettings::decode(file(std::to_string(SignedSettings::kLastVersion), digits())));
  for (const char* version :
       {"", "0", "07", "+7", "-7", " 7", "7 ", "0x7", "18446744073709551616", "1099511627777"}) {
    EXPECT_FALSE(SignedSettings::decode(file(version, digits()))) << version;
  }
  std::string upper = digits();
  upper[0] = 'A';
  EXPECT_FALSE(SignedSettings::decode(file("7", upper)));
  EXPECT_FALSE(SignedSettings::decode(file("7", digits().substr(2))));
  EXPECT_FALSE(SignedSettings::decode(file("7", digits() + "00")));
  EXPECT_FALSE(SignedSettings::decode("ipop-settings 2" + file("7", digits()).substr(15)));
}

TEST(SignedSettings, TheLargestDocumentFitsTheLargestFile) {
  SignedSettings settings = example();
  settings.version = SignedSettings::kLastVersion;
  settings.document = std::string(SignedSettings::kMaxDocumentSize, 'x');
  const std::string file = settings.encode();
  EXPECT_LE(file.size(), SignedSettings::kMaxFileSize);
  EXPECT_TRUE(SignedSettings::decode(file));
  EXPECT_FALSE(SignedSettings::decode(file + "x"));
}

TEST(SignedSettings, ASignatureIsOverLabelNetworkVersionAndDocument) {
  std::array<uint8_t, 32> network{};
  network[0] = 0xc0;
  EXPECT_EQ(to_hex(example().signed_part(network)),
            "69706f702073657474696e677320313a"  // "ipop settings 1:"
            "c000000000000000000000000000000000000000000000000000000000000000"
            "000000006925d280"
            "7b226d7475223a20313330307d0a");
}

}  // namespace
}  // namespace ipop::wire
