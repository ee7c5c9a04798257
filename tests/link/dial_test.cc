#include "overlay/link/dial.h"

#include <gtest/gtest.h>

#include "tests/support/grid.h"

namespace ipop {
namespace {

using ::ipop::testing::kNow;
using test::Grid;

const Endpoint kThere = Endpoint::from_ipv4({0xc6336401}, 1002);
const Endpoint kElsewhere = Endpoint::from_ipv4({0xc6336402}, 1003);

class DialTest : public ::testing::Test {
 protected:
  Dial dial(Duration patience = 10s) {
    return {alice_, {.path = kThere, .node = bob_.id}, 7, patience, start_, random_};
  }

  /// What `who` answers to an encoded Initiation.
  ResponderHandshake answer(const Credentials& who, const Bytes& initiation) {
    return *ResponderHandshake::accept(who, *wire::Initiation::decode(initiation), 9, random_);
  }
  static wire::Response response_of(const ResponderHandshake& responder) {
    return *wire::Response::decode(responder.response());
  }

  Grid grid_;
  SeededRandom random_{3};
  Credentials alice_ = grid_.member(1);
  Credentials bob_ = grid_.member(2);
  Instant start_{100s};
};

TEST_F(DialTest, SendsAtOnce) {
  Dial subject = dial();
  EXPECT_LE(subject.next_timeout(), start_);
  EXPECT_EQ(subject.poll_datagram()->size(), wire::Initiation::kSize);
  EXPECT_FALSE(subject.poll_datagram());
  EXPECT_TRUE(subject.is_calling());
}

TEST_F(DialTest, RepeatsWithGrowingPauses) {
  Dial subject = dial(Duration::max());
  const Bytes first = *subject.poll_datagram();
  Instant last = start_;
  // Two thirds to four thirds of 300 ms, 600 ms, 1.2 s, 2 s, 2 s ...
  const Duration pauses[] = {300ms, 600ms, 1200ms, 2s, 2s, 2s, 2s, 2s};
  for (const Duration pause : pauses) {
    const Instant next = subject.next_timeout();
    EXPECT_GE(next - last, pause * 2 / 3);
    EXPECT_LE(next - last, pause * 4 / 3 + 1us);
    subject.handle_timeout(next - 1us);
    EXPECT_FALSE(subject.poll_datagram()) << "early";
    subject.handle_timeout(next);
    EXPECT_EQ(*subject.poll_datagram(), first);
    last = next;
  }
}

TEST_F(DialTest, OverTheRingLeavesTheRingItsTime) {
  Dial subject(alice_, {.path = Path::over_ring(bob_.id), .node = bob_.id, .first_retry = 3s}, 7,
               Duration::max(), start_, random_);
  (void)subject.poll_datagram();
  Instant last = start_;
  for (int i = 0; i < 5; ++i) {  // Longer than the slowest of its own accord: it grows no further.
    const Instant next = subject.next_timeout();
    EXPECT_GE(next - last, 2s);
    EXPECT_LE(next - last, 4s + 1us);
    subject.handle_timeout(next);
    EXPECT_TRUE(subject.poll_datagram());
    last = next;
  }
}

TEST_F(DialTest, GrowsFromAFirstPauseOfItsOwn) {
  Dial subject(alice_, {.path = kThere, .node = bob_.id, .first_retry = 900ms}, 7, Duration::max(), start_,
               random_);
  (void)subject.poll_datagram();
  Instant last = start_;
  for (const Duration pause : {900ms, 1800ms, 2000ms, 2000ms}) {
    const Instant next = subject.next_timeout();
    EXPECT_GE(next - last, pause * 2 / 3);
    EXPECT_LE(next - last, pause * 4 / 3 + 1us);
    subject.handle_timeout(next);
    EXPECT_TRUE(subject.poll_datagram());
    last = next;
  }
}

TEST_F(DialTest, OfTwoNodesDoNotStayInStep) {
  Dial one = dial(Duration::max()), other = dial(Duration::max());
  (void)one.poll_datagram();
  (void)other.poll_datagram();
  EXPECT_NE(one.next_timeout(), other.next_timeout());
}

TEST_F(DialTest, GivesUpWhenItsPatienceEnds) {
  Dial subject = dial(10s);
  while (subject.next_timeout() < start_ + 10s) {
    subject.handle_timeout(std::max(start_, subject.next_timeout()));
    (void)subject.poll_datagram();
  }
  EXPECT_EQ(subject.next_timeout(), start_ + 10s);
  EXPECT_FALSE(subject.finished());
  subject.handle_timeout(start_ + 10s);
  EXPECT_TRUE(subject.finished());
  EXPECT_FALSE(subject.poll_datagram());
  EXPECT_EQ(subject.next_timeout(), kNever);
}

TEST_F(DialTest, WithEndlessPatienceNeverGivesUp) {
  Dial subject = dial(Duration::max());
  (void)subject.poll_datagram();
  for (int i = 0; i < 1000; ++i) {
    subject.handle_timeout(subject.next_timeout());
    ASSERT_TRUE(subject.poll_datagram());
  }
  EXPECT_GT(subject.next_timeout(), start_ + 1000s);
  EXPECT_FALSE(subject.finished());
}

TEST_F(DialTest, ConfirmsToWhereTheAnswerCameFrom) {
  Dial subject = dial();
  ResponderHandshake responder = answer(bob_, *subject.poll_datagram());
  const auto established = subject.handle_response(start_ + 50ms, kElsewhere, response_of(responder), kNow);
  ASSERT_TRUE(established);
  EXPECT_EQ(established->local_index, 7u);
  EXPECT_FALSE(subject.is_calling());
  EXPECT_EQ(subject.target().path, kElsewhere);
  const auto confirmation = subject.poll_datagram();
  ASSERT_TRUE(confirmation);
  EXPECT_TRUE(responder.handle_confirmation(*wire::Confirmation::decode(*confirmation), kNow));
}

TEST_F(DialTest, RepeatsTheConfirmationForThreeSeconds) {
  Dial subject = dial();
  ResponderHandshake responder = answer(bob_, *subject.poll_datagram());
  const Instant confirmed = start_ + 9s;  // Patience for an answer does not count any more.
  ASSERT_TRUE(subject.handle_response(confirmed, kThere, response_of(responder), kNow));
  const Bytes confirmation = *subject.poll_datagram();
  int repeated = 0;
  while (subject.next_timeout() < confirmed + 3s) {
    subject.handle_timeout(subject.next_timeout());
    EXPECT_EQ(*subject.poll_datagram(), confirmation);
    ++repeated;
  }
  EXPECT_GE(repeated, 2);
  EXPECT_LE(repeated, 5);
  subject.handle_timeout(confirmed + 3s);
  EXPECT_TRUE(subject.finished());
}

// The pauses of the Confirmation are those of the way that the Response came.
TEST_F(DialTest, RepeatsTheConfirmationAtThePaceOfItsPath) {
  for (const bool is_direct : {true, false}) {
    Dial subject(alice_, {.path = Path::over_ring(bob_.id), .node = bob_.id, .first_retry = 2s}, 7, 6s,
                 start_, random_);
    const ResponderHandshake responder = answer(bob_, *subject.poll_datagram());
    const Path from = is_direct ? Path(kThere) : Path::over_ring(bob_.id);
    ASSERT_TRUE(subject.handle_response(start_, from, response_of(responder), kNow));
    ASSERT_TRUE(subject.poll_datagram());
    const Duration first = is_direct ? 300ms : 2s;
    EXPECT_GE(subject.next_timeout(), start_ + first * 2 / 3);
    EXPECT_LE(subject.next_timeout(), start_ + first * 4 / 3 + 1us);
    EXPECT_EQ(subject.target().path, from);
  }
}

TEST_F(DialTest, EndsAtAnotherPeer) {
  Dial subject = dial();
  const auto established = subject.handle_response(
      start_, kThere, response_of(answer(grid_.member(3), *subject.poll_datagram())), kNow);
  EXPECT_EQ(established.error(), Error::WrongPeer);
  EXPECT_TRUE(subject.finished());
  EXPECT_FALSE(subject.poll_datagram()) << "the wrong peer must not learn who we are";
}

TEST_F(DialTest, TakesAnybodyIfNobodyWasNamed) {
  Dial subject(alice_, {.path = kThere, .node = {}}, 7, 10s, start_, random_);
  const Credentials carol = grid_.member(3);
  const auto established =
      subject.handle_response(start_, kThere, response_of(answer(carol, *subject.poll_datagram())), kNow);
  ASSERT_TRUE(established);
  EXPECT_EQ(established->peer.node_id(), carol.id);
  EXPECT_EQ(subject.target().node, carol.id) << "whoever it was, the link that waits for it has a name now";
}

TEST_F(DialTest, EndsAtItself) {
  Dial subject(alice_, {.path = kThere, .node = {}}, 7, Duration::max(), start_, random_);
  const auto established =
      subject.handle_response(start_, kThere, response_of(answer(alice_, *subject.poll_datagram())), kNow);
  EXPECT_EQ(established.error(), Error::Self);
  EXPECT_TRUE(subject.finished());
}

TEST_F(DialTest, GoesOnAfterAForgedResponse) {
  Dial subject = dial();
  const ResponderHandshake responder = answer(bob_, *subject.poll_datagram());
  wire::Response forged = response_of(responder);
  forged.noise.back() ^= 1;
  EXPECT_EQ(subject.handle_response(start_, kElsewhere, forged, kNow).error(), Error::BadAuthTag);
  EXPECT_TRUE(subject.is_calling());
  EXPECT_EQ(subject.target().path, kThere);
  EXPECT_TRUE(subject.handle_response(start_, kThere, response_of(responder), kNow));
  EXPECT_EQ(subject.handle_response(start_, kThere, response_of(responder), kNow).error(),
            Error::UnexpectedMessage);
}

TEST_F(DialTest, ShowsACookieAtOnceButOnlyTheFirst) {
  CookieJar jar(random_);
  Dial subject = dial();
  const Bytes plain = *subject.poll_datagram();
  const auto reply = bob_.keys.seal_cookie(jar.bake(start_, kElsewhere), plain, 7, random_);
  ASSERT_TRUE(subject.handle_cookie(start_ + 20ms, reply));
  const auto again = subject.poll_datagram();
  ASSERT_TRUE(again);
  EXPECT_TRUE(jar.check_mac2(start_, kElsewhere, *again));

  // Whoever repeats a reply of 52 octets must not make us send 1200 each time.
  for (int i = 0; i < 10; ++i) {
    (void)subject.handle_cookie(start_ + 21ms, reply);
    EXPECT_FALSE(subject.poll_datagram());
  }
  EXPECT_GT(subject.next_timeout(), start_ + 21ms);
}

TEST_F(DialTest, RefusesAForgedCookie) {
  CookieJar jar(random_);
  Dial subject = dial();
  auto reply = bob_.keys.seal_cookie(jar.bake(start_, kElsewhere), *subject.poll_datagram(), 7, random_);
  reply.sealed[0] ^= 1;
  EXPECT_EQ(subject.handle_cookie(start_, reply).error(), Error::BadAuthTag);
  EXPECT_FALSE(subject.poll_datagram());
}

}  // namespace
}  // namespace ipop
