#include "overlay/session/handshake.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "overlay/session/keypair.h"
#include "overlay/wire/handshake_payload.h"
#include "tests/support/grid.h"
#include "tests/support/keypairs.h"

namespace ipop {
namespace {

using ::ipop::testing::kNow;
using test::Grid;

Bytes text(std::string_view words) { return {words.begin(), words.end()}; }

class HandshakeTest : public ::testing::Test {
 protected:
  static wire::Initiation first(InitiatorHandshake& from) {
    return *wire::Initiation::decode(from.initiation());
  }
  static wire::Response second(const ResponderHandshake& from) {
    return *wire::Response::decode(from.response());
  }
  static wire::Confirmation third(const InitiatorHandshake& from) {
    return *wire::Confirmation::decode(from.confirmation());
  }
  ResponderHandshake accept(const Credentials& who, const wire::Initiation& initiation,
                            uint32_t index = 0xb0b) {
    auto accepted = ResponderHandshake::accept(who, initiation, index, random_);
    EXPECT_TRUE(accepted);
    return std::move(*accepted);
  }
  /// What the initiator says to the response of `peer`.
  Error error_of_response(const Credentials& us, const Credentials& peer, UnixSeconds now = kNow) {
    InitiatorHandshake initiator(us, 1, random_);
    const ResponderHandshake responder = accept(peer, first(initiator));
    const auto established = initiator.handle_response(second(responder), now);
    EXPECT_FALSE(established);
    return established ? Error::Malformed : established.error();
  }
  /// What the responder says to the confirmation of `peer`.
  Error error_of_confirmation(const Credentials& us, const Credentials& peer, UnixSeconds now = kNow) {
    InitiatorHandshake initiator(peer, 1, random_);
    ResponderHandshake responder = accept(us, first(initiator));
    EXPECT_TRUE(initiator.handle_response(second(responder), kNow));
    const auto established = responder.handle_confirmation(third(initiator), now);
    EXPECT_FALSE(established);
    return established ? Error::Malformed : established.error();
  }
  /// Member 2, with something of its payload changed.
  Credentials impostor(const std::function<void(wire::HandshakePayload&)>& change) {
    Credentials out = grid_.member(2);
    auto payload = *wire::HandshakePayload::decode(out.payload);
    change(payload);
    out.payload = payload.encode();
    return out;
  }

  Grid grid_;
  SeededRandom random_{42};
  Credentials alice_ = grid_.member(1);
  Credentials bob_ = grid_.member(2);
};

TEST_F(HandshakeTest, LeavesBothWithTheSameKeysAndEachOthersName) {
  InitiatorHandshake initiator(alice_, 0xa11ce, random_);
  ResponderHandshake responder = accept(bob_, first(initiator), 0xb0b);
  const auto at_alice = initiator.handle_response(second(responder), kNow);
  ASSERT_TRUE(at_alice);
  const auto at_bob = responder.handle_confirmation(third(initiator), kNow);
  ASSERT_TRUE(at_bob);

  EXPECT_EQ(at_alice->peer.node_id(), bob_.id);
  EXPECT_EQ(at_alice->peer.host_name(), "host2");
  EXPECT_EQ(at_bob->peer.node_id(), alice_.id);
  EXPECT_EQ(at_alice->remote_static, bob_.noise_static.public_key());
  EXPECT_EQ(at_bob->remote_static, alice_.noise_static.public_key());
  EXPECT_EQ(at_alice->local_index, 0xa11ceu);
  EXPECT_EQ(at_alice->remote_index, 0xb0bu);
  EXPECT_EQ(at_bob->local_index, 0xb0bu);
  EXPECT_EQ(at_bob->remote_index, 0xa11ceu);

  EXPECT_EQ(at_alice->keys.send, at_bob->keys.receive);
  EXPECT_EQ(at_alice->keys.receive, at_bob->keys.send);
  EXPECT_NE(at_alice->keys.send, at_alice->keys.receive);
}

TEST_F(HandshakeTest, OfTheSamePairNeverGivesTheSameKeysTwice) {
  InitiatorHandshake one(alice_, 1, random_), two(alice_, 2, random_);
  const ResponderHandshake to_one = accept(bob_, first(one)), to_two = accept(bob_, first(two));
  EXPECT_NE(one.handle_response(second(to_one), kNow)->keys.send,
            two.handle_response(second(to_two), kNow)->keys.send);
}

TEST_F(HandshakeTest, AnswersWithNoMoreThanThreeTimesWhatItWasSent) {
  InitiatorHandshake initiator(alice_, 1, random_);
  EXPECT_EQ(initiator.initiation().size(), wire::Initiation::kSize);
  const ResponderHandshake responder = accept(bob_, first(initiator));
  EXPECT_LE(responder.response().size(), 600u) << "of a certificate as ipopctl makes them: half as much again";
  static_assert(wire::kMaxHandshakeSize <= 3 * wire::Initiation::kSize, "of any: RFC 9000, section 8.1");
  ASSERT_TRUE(initiator.handle_response(second(responder), kNow));
  EXPECT_LE(initiator.confirmation().size(), 1200u);
}

TEST_F(HandshakeTest, EveryMessageHasTheMacOfTheNetwork) {
  InitiatorHandshake initiator(alice_, 1, random_);
  const ResponderHandshake responder = accept(bob_, first(initiator));
  ASSERT_TRUE(initiator.handle_response(second(responder), kNow));
  const NetworkKeys stranger = Grid(2).member(1).keys;
  for (const Bytes& message : {initiator.initiation(), responder.response(), initiator.confirmation()}) {
    EXPECT_TRUE(bob_.keys.check_mac1(message));
    EXPECT_FALSE(stranger.check_mac1(message));
  }
}

TEST_F(HandshakeTest, ShowsNobodysCertificateInTheClear) {
  InitiatorHandshake initiator(alice_, 1, random_);
  const ResponderHandshake responder = accept(bob_, first(initiator));
  ASSERT_TRUE(initiator.handle_response(second(responder), kNow));
  for (const Bytes& message : {initiator.initiation(), responder.response(), initiator.confirmation()}) {
    for (const Credentials* who : {&alice_, &bob_}) {
      const auto name = as_bytes(who->certificate.host_name());
      const auto& key = who->certificate.public_key();
      EXPECT_EQ(std::search(message.begin(), message.end(), name.begin(), name.end()), message.end());
      EXPECT_EQ(std::search(message.begin(), message.end(), key.begin(), key.end()), message.end());
    }
  }
}

TEST_F(HandshakeTest, DoesNotCompleteBetweenTwoNetworks) {
  const Credentials foreigner = Grid(2).member(2);
  EXPECT_EQ(error_of_response(alice_, foreigner), Error::BadAuthTag);  // The prologues differ.
}

TEST_F(HandshakeTest, RefusesAMemberOfAnotherAuthority) {  // It knows our network, but was not invited.
  const Grid other(2);
  Credentials mallory = grid_.credentials(testing::identity(1002), other.certificate(2));
  EXPECT_EQ(error_of_response(alice_, mallory), Error::BadCertificate);
  EXPECT_EQ(error_of_confirmation(alice_, mallory), Error::BadCertificate);
}

TEST_F(HandshakeTest, RefusesACertificateOutsideItsTime) {
  const UnixSeconds first_second = bob_.certificate.not_before();
  const UnixSeconds last_second = bob_.certificate.not_after();
  EXPECT_EQ(error_of_response(alice_, bob_, last_second + 1), Error::ExpiredCertificate);
  EXPECT_EQ(error_of_response(alice_, bob_, first_second - 1), Error::ExpiredCertificate);
  EXPECT_EQ(error_of_confirmation(alice_, bob_, last_second + 1), Error::ExpiredCertificate);
  EXPECT_EQ(error_of_confirmation(alice_, bob_, first_second - 1), Error::ExpiredCertificate);

  InitiatorHandshake initiator(alice_, 1, random_);
  const ResponderHandshake responder = accept(bob_, first(initiator));
  EXPECT_TRUE(initiator.handle_response(second(responder), last_second));
}

TEST_F(HandshakeTest, RefusesTheCertificateOfAnotherKey) {
  // A member shows a colleague's certificate above its own signature.
  const Credentials thief =
      impostor([&](auto& payload) { payload.certificate = grid_.certificate(3).to_der(); });
  EXPECT_EQ(error_of_response(alice_, thief), Error::BadCertificate);
  EXPECT_EQ(error_of_confirmation(alice_, thief), Error::BadCertificate);
}

TEST_F(HandshakeTest, RefusesASignatureOverAnotherNoiseKey) {
  // All of a colleague's payload, as it was shown to us in a handshake with it.
  Credentials thief = grid_.member(2);
  thief.payload = grid_.member(3).payload;
  EXPECT_EQ(error_of_response(alice_, thief), Error::BadCertificate);
  EXPECT_EQ(error_of_confirmation(alice_, thief), Error::BadCertificate);

  const Credentials blurred = impostor([](auto& payload) { payload.signature[63] ^= 1; });
  EXPECT_EQ(error_of_response(alice_, blurred), Error::BadCertificate);
}

TEST_F(HandshakeTest, RefusesTheAuthorityItself) {
  const auto authority_key = Identity::from_pem(grid_.authority().key_pem());
  ASSERT_TRUE(authority_key);
  const Credentials authority = grid_.credentials(*authority_key, grid_.authority().certificate());
  EXPECT_EQ(error_of_response(alice_, authority), Error::BadCertificate);
}

TEST_F(HandshakeTest, RefusesAPayloadThatIsNone) {
  Credentials mute = grid_.member(2);
  mute.payload.clear();
  EXPECT_EQ(error_of_response(alice_, mute), Error::Malformed);
  EXPECT_EQ(error_of_confirmation(alice_, mute), Error::Malformed);
  const Credentials babbling = impostor([](auto& payload) { payload.certificate = Bytes(300, 0x30); });
  EXPECT_EQ(error_of_response(alice_, babbling), Error::BadCertificate);
}

TEST_F(HandshakeTest, FindsItself) {
  EXPECT_EQ(error_of_response(alice_, alice_), Error::Self);
  EXPECT_EQ(error_of_response(alice_, grid_.member(1, 1)), Error::Self)
      << "or a twin that was given our invite";
}

TEST_F(HandshakeTest, SurvivesForgedResponses) {
  InitiatorHandshake initiator(alice_, 1, random_);
  const ResponderHandshake responder = accept(bob_, first(initiator));
  const wire::Response genuine = second(responder);
  for (size_t i = 0; i < genuine.noise.size(); ++i) {
    wire::Response forged = genuine;
    forged.noise[i] ^= 1;
    ASSERT_FALSE(initiator.handle_response(forged, kNow)) << "octet " << i;
  }
  for (size_t n = 0; n < genuine.noise.size(); n += 7) {
    wire::Response cut = genuine;
    cut.noise.resize(n);
    ASSERT_FALSE(initiator.handle_response(cut, kNow)) << n << " octets";
  }
  const Credentials thief =
      impostor([&](auto& payload) { payload.certificate = grid_.certificate(3).to_der(); });
  ASSERT_FALSE(initiator.handle_response(second(accept(thief, first(initiator))), kNow));
  wire::Response worthless = genuine;  // A key of small order, whose secret everybody knows.
  std::fill_n(worthless.noise.begin(), 32, uint8_t{0});
  EXPECT_EQ(initiator.handle_response(worthless, kNow).error(), Error::Malformed);

  EXPECT_TRUE(initiator.handle_response(genuine, kNow));
}

TEST_F(HandshakeTest, SurvivesForgedConfirmations) {
  InitiatorHandshake initiator(alice_, 1, random_);
  ResponderHandshake responder = accept(bob_, first(initiator));
  ASSERT_TRUE(initiator.handle_response(second(responder), kNow));
  const wire::Confirmation genuine = third(initiator);
  for (size_t i = 0; i < genuine.noise.size(); ++i) {
    wire::Confirmation forged = genuine;
    forged.noise[i] ^= 1;
    ASSERT_FALSE(responder.handle_confirmation(forged, kNow)) << "octet " << i;
  }
  wire::Confirmation cut = genuine;
  cut.noise.clear();
  EXPECT_EQ(responder.handle_confirmation(cut, kNow).error(), Error::Malformed);
  EXPECT_TRUE(responder.handle_confirmation(genuine, kNow));
}

TEST_F(HandshakeTest, RefusesAnInitiationWithAWorthlessKey) {
  InitiatorHandshake initiator(alice_, 1, random_);
  wire::Initiation worthless = first(initiator);
  std::fill_n(worthless.noise.begin(), 32, uint8_t{0});
  EXPECT_EQ(ResponderHandshake::accept(bob_, worthless, 1, random_).error(), Error::Malformed);
  worthless.noise[0] = 1;  // The other one of order two, in the notation of RFC 7748.
  EXPECT_EQ(ResponderHandshake::accept(bob_, worthless, 1, random_).error(), Error::Malformed);
}

TEST_F(HandshakeTest, TakesEachMessageOnce) {
  InitiatorHandshake initiator(alice_, 1, random_);
  ResponderHandshake responder = accept(bob_, first(initiator));
  ASSERT_TRUE(initiator.handle_response(second(responder), kNow));
  EXPECT_EQ(initiator.handle_response(second(responder), kNow).error(), Error::UnexpectedMessage);
  ASSERT_TRUE(responder.handle_confirmation(third(initiator), kNow));
  EXPECT_EQ(responder.handle_confirmation(third(initiator), kNow).error(), Error::UnexpectedMessage);
}

TEST_F(HandshakeTest, RepeatsTheSameMessages) {
  InitiatorHandshake initiator(alice_, 1, random_);
  const Bytes initiation = initiator.initiation();
  EXPECT_EQ(initiator.initiation(), initiation);
  const ResponderHandshake responder = accept(bob_, first(initiator));
  ASSERT_TRUE(initiator.handle_response(second(responder), kNow));
  const Bytes confirmation = initiator.confirmation();
  EXPECT_EQ(initiator.confirmation(), confirmation);
}

// The Initiation was repeated, and both copies were answered: each answer is good by itself, but not with the
// other's.
TEST_F(HandshakeTest, DoesNotMixTwoAnswers) {
  InitiatorHandshake initiator(alice_, 1, random_);
  ResponderHandshake early = accept(bob_, first(initiator), 10);
  ResponderHandshake late = accept(bob_, first(initiator), 11);
  ASSERT_TRUE(initiator.handle_response(second(late), kNow));
  EXPECT_EQ(initiator.handle_response(second(early), kNow).error(), Error::UnexpectedMessage);
  EXPECT_EQ(early.handle_confirmation(third(initiator), kNow).error(), Error::BadAuthTag);
  EXPECT_TRUE(late.handle_confirmation(third(initiator), kNow));
}

TEST_F(HandshakeTest, RefusesTheResponseToAnEarlierInitiation) {
  InitiatorHandshake earlier(alice_, 1, random_), later(alice_, 1, random_);
  const ResponderHandshake responder = accept(bob_, first(earlier));
  EXPECT_EQ(later.handle_response(second(responder), kNow).error(), Error::BadAuthTag);
}

TEST_F(HandshakeTest, ShowsTheCookieItWasGiven) {
  CookieJar jar(random_);
  const Endpoint here = Endpoint::from_ipv4({0xc0000201}, 4000);
  InitiatorHandshake initiator(alice_, 1, random_);
  const Bytes plain = initiator.initiation();
  EXPECT_FALSE(jar.check_mac2(Instant{1s}, here, plain));

  const auto reply = bob_.keys.seal_cookie(jar.bake(Instant{1s}, here), plain, 1, random_);
  ASSERT_TRUE(initiator.handle_cookie(reply));
  const Bytes with_cookie = initiator.initiation();
  EXPECT_TRUE(bob_.keys.check_mac1(with_cookie));
  EXPECT_TRUE(jar.check_mac2(Instant{1s}, here, with_cookie));
}

TEST_F(HandshakeTest, RefusesCookiesItDidNotAskFor) {
  CookieJar jar(random_);
  const Endpoint here = Endpoint::from_ipv4({0xc0000201}, 4000);
  InitiatorHandshake silent(alice_, 1, random_), other(alice_, 2, random_);
  const auto for_other = bob_.keys.seal_cookie(jar.bake(Instant{1s}, here), other.initiation(), 1, random_);
  EXPECT_EQ(silent.handle_cookie(for_other).error(), Error::UnexpectedMessage) << "nothing was sent";
  const Bytes sent = silent.initiation();
  EXPECT_EQ(silent.handle_cookie(for_other).error(), Error::BadAuthTag);

  const auto genuine = bob_.keys.seal_cookie(jar.bake(Instant{1s}, here), sent, 1, random_);
  ASSERT_TRUE(silent.handle_response(second(accept(bob_, first(silent))), kNow));
  EXPECT_EQ(silent.handle_cookie(genuine).error(), Error::UnexpectedMessage) << "it is too late for one";
}

TEST_F(HandshakeTest, KeysOpenDatagrams) {
  InitiatorHandshake initiator(alice_, 1, random_);
  ResponderHandshake responder = accept(bob_, first(initiator), 2);
  const auto at_alice = initiator.handle_response(second(responder), kNow);
  const auto at_bob = responder.handle_confirmation(third(initiator), kNow);
  ASSERT_TRUE(at_alice && at_bob);
  const auto activity = std::make_shared<PeerActivity>();
  Keypair alices(at_alice->keys, at_alice->local_index, at_alice->remote_index, Instant{1s}, activity);
  Keypair bobs(at_bob->keys, at_bob->local_index, at_bob->remote_index, Instant{1s}, activity);
  EXPECT_EQ(*test::open(bobs, test::seal(alices, text("hello"))), text("hello"));
  EXPECT_EQ(*test::open(alices, test::seal(bobs, text("hello"))), text("hello"));
}

}  // namespace
}  // namespace ipop
