#include "overlay/crypto/noise.h"

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "overlay/crypto/aead.h"
#include "tests/crypto/testing.h"

namespace ipop {
namespace {

namespace json = boost::json;
using testing::hex;
using testing::hex_array;

struct Vector {
  Bytes prologue;
  DhKey init_static, init_ephemeral, resp_static, resp_ephemeral;
  std::string handshake_hash;
  struct Message {
    Bytes payload, ciphertext;
  };
  std::vector<Message> messages;
};

// The published vectors of the cacophony project.
Vector xx_vector() {
  std::ifstream file(IPOP_SOURCE_DIR "/tests/crypto/data/noise-vectors.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const json::value all = json::parse(text);
  for (const json::value& entry : all.at("vectors").as_array()) {
    const auto field = [&](const char* name) { return std::string_view(entry.at(name).as_string()); };
    const auto key = [&](const char* name) { return DhKey::from_secret(hex_array<32>(field(name))); };
    if (field("protocol_name") != "Noise_XX_25519_AESGCM_SHA256") continue;
    EXPECT_EQ(field("init_prologue"), field("resp_prologue"));
    Vector vector{.prologue = hex(field("init_prologue")),
                  .init_static = key("init_static"),
                  .init_ephemeral = key("init_ephemeral"),
                  .resp_static = key("resp_static"),
                  .resp_ephemeral = key("resp_ephemeral"),
                  .handshake_hash = std::string(field("handshake_hash")),
                  .messages = {}};
    for (const json::value& message : entry.at("messages").as_array()) {
      vector.messages.push_back({hex(std::string_view(message.at("payload").as_string())),
                                 hex(std::string_view(message.at("ciphertext").as_string()))});
    }
    return vector;
  }
  throw std::runtime_error("no such vector");
}

// Both ends of a handshake with the keys of the published vector.
class NoiseXx : public ::testing::Test {
 protected:
  const Vector vector = xx_vector();
  Noise initiator{Role::Initiator, vector.prologue, vector.init_static, vector.init_ephemeral};
  Noise responder{Role::Responder, vector.prologue, vector.resp_static, vector.resp_ephemeral};

  Noise& writer(int message) { return message % 2 == 0 ? initiator : responder; }
  Noise& reader(int message) { return message % 2 == 0 ? responder : initiator; }
  Bytes step(int message) {
    const Bytes sent = writer(message).write_message(vector.messages[static_cast<size_t>(message)].payload);
    EXPECT_TRUE(reader(message).read_message(sent));
    return sent;
  }
};

TEST_F(NoiseXx, MatchesThePublishedVector) {
  ASSERT_EQ(vector.messages.size(), 6u);
  for (int i = 0; i < 3; ++i) {
    const auto& expected = vector.messages[static_cast<size_t>(i)];
    EXPECT_FALSE(initiator.complete() || responder.complete());
    EXPECT_TRUE(writer(i).is_our_turn());
    EXPECT_FALSE(reader(i).is_our_turn());
    const Bytes sent = writer(i).write_message(expected.payload);
    EXPECT_EQ(to_hex(sent), to_hex(expected.ciphertext)) << "message " << i;
    EXPECT_EQ(sent.size(), expected.payload.size() + Noise::overhead(i));
    const auto payload = reader(i).read_message(sent);
    ASSERT_TRUE(payload) << "message " << i;
    EXPECT_EQ(*payload, expected.payload);
  }
  ASSERT_TRUE(initiator.complete() && responder.complete());
  EXPECT_EQ(to_hex(initiator.handshake_hash()), vector.handshake_hash);
  EXPECT_EQ(to_hex(responder.handshake_hash()), vector.handshake_hash);
  EXPECT_EQ(initiator.remote_static(), vector.resp_static.public_key());
  EXPECT_EQ(responder.remote_static(), vector.init_static.public_key());

  // The rest are transport messages, by turns; a counter for each direction.
  const TransportKeys ours = initiator.split(), theirs = responder.split();
  EXPECT_EQ(ours.send, theirs.receive);
  EXPECT_EQ(ours.receive, theirs.send);
  for (size_t i = 3; i < 6; ++i) {
    const auto& expected = vector.messages[i];
    const AeadKey key(i % 2 == 0 ? ours.send : theirs.send);
    Nonce nonce{};
    nonce[11] = static_cast<uint8_t>((i - 3) / 2);
    Bytes sealed(expected.payload.size() + kTagSize);
    key.seal(nonce, {}, expected.payload, sealed.data());
    EXPECT_EQ(to_hex(sealed), to_hex(expected.ciphertext)) << "message " << i;
  }
}

// The first message is in the clear: what was changed there shows when the second arrives.
TEST_F(NoiseXx, RefusesATamperedFirstMessageAtTheSecond) {
  const Bytes first = initiator.write_message(vector.messages[0].payload);
  for (size_t i = 0; i < first.size(); ++i) {
    Bytes forged = first;
    forged[i] ^= 0x80;
    Noise victim = responder, sender = initiator;
    ASSERT_TRUE(victim.read_message(forged));
    const auto payload = sender.read_message(victim.write_message({}));
    ASSERT_FALSE(payload) << "octet " << i;
    EXPECT_EQ(payload.error(), Error::BadAuthTag);
  }
}

TEST_F(NoiseXx, RefusesATamperedSecondOrThirdMessage) {
  step(0);
  for (int message = 1; message <= 2; ++message) {
    const Bytes sent = writer(message).write_message(vector.messages[static_cast<size_t>(message)].payload);
    for (size_t i = 0; i < sent.size(); ++i) {
      Bytes forged = sent;
      forged[i] ^= 0x80;
      Noise victim = reader(message);
      const auto payload = victim.read_message(forged);
      ASSERT_FALSE(payload) << "octet " << i << " of message " << message;
      EXPECT_EQ(payload.error(), Error::BadAuthTag);
    }
    EXPECT_TRUE(reader(message).read_message(sent)) << "the genuine one still passes";
  }
}

TEST_F(NoiseXx, RefusesEveryTruncation) {
  for (int message = 0; message < 3; ++message) {
    const Bytes sent = writer(message).write_message({});
    for (size_t size = 0; size < sent.size(); ++size) {
      Noise victim = reader(message);
      const auto payload = victim.read_message(ByteView(sent).first(size));
      ASSERT_FALSE(payload) << "message " << message << " cut to " << size;
      EXPECT_EQ(payload.error(), Error::Malformed);
    }
    ASSERT_TRUE(reader(message).read_message(sent));
  }
}

TEST_F(NoiseXx, RefusesWhatIsTooLong) {
  const auto payload = responder.read_message(Bytes(65536));
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error(), Error::Malformed);
}

TEST_F(NoiseXx, RefusesAWorthlessEphemeralKey) {  // All DH results would be zero, whoever computes them.
  const auto at_responder = responder.read_message(Bytes(32, 0));
  ASSERT_FALSE(at_responder);
  EXPECT_EQ(at_responder.error(), Error::Malformed);

  initiator.write_message({});
  const auto at_initiator = initiator.read_message(Bytes(Noise::overhead(1), 0));
  ASSERT_FALSE(at_initiator);
  EXPECT_EQ(at_initiator.error(), Error::Malformed);
}

TEST_F(NoiseXx, RefusesMessagesOutOfTurn) {
  const Bytes first = initiator.write_message({});
  ASSERT_TRUE(responder.read_message(first));
  const auto twice = responder.read_message(first);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error(), Error::UnexpectedMessage);
  step(1);
  const Bytes third = initiator.write_message({});
  ASSERT_TRUE(responder.read_message(third));
  EXPECT_EQ(responder.read_message(third).error(), Error::UnexpectedMessage);
  EXPECT_EQ(initiator.read_message(third).error(), Error::UnexpectedMessage);
}

TEST_F(NoiseXx, NeedsTheSamePrologueOnBothSides) {
  Noise stranger(Role::Responder, as_bytes("another network"), vector.resp_static, vector.resp_ephemeral);
  ASSERT_TRUE(stranger.read_message(initiator.write_message({})));
  EXPECT_EQ(initiator.read_message(stranger.write_message({})).error(), Error::BadAuthTag);
}

TEST_F(NoiseXx, IsAValue) {  // A forged answer worked on in a copy does not disturb the genuine one.
  ASSERT_TRUE(responder.read_message(initiator.write_message({})));
  Noise copy = initiator;
  EXPECT_FALSE(copy.read_message(Bytes(Noise::overhead(1), 7)));
  EXPECT_TRUE(initiator.read_message(responder.write_message({})));
  EXPECT_EQ(initiator.remote_static(), vector.resp_static.public_key());
}

}  // namespace
}  // namespace ipop
