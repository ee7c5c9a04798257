#include "overlay/fastpath/sealer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "overlay/link/link.h"
#include "overlay/wire/arp.h"
#include "overlay/wire/packet_too_big.h"
#include "tests/fastpath/cutting.h"
#include "tests/fastpath/frames.h"
#include "tests/support/allocations.h"
#include "tests/support/fast_path.h"

namespace {
thread_local uint64_t allocated = 0;
}

// Replaced for the whole program; only this thread's count is looked at.  Not inlined, or the compiler takes
// free() for the mistaken partner of new.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocated;
  if (void* const out = std::malloc(size == 0 ? 1 : size)) return out;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

uint64_t ipop::test::allocations() { return allocated; }

namespace ipop {
namespace {

using test::ethernet;
using test::FrameSpec;
using test::kElsewhere;
using test::kGuest1;
using test::kGuest2;
using test::kGuest3;
using test::kTheirEndpoint;

class SealerTest : public ::testing::Test {
 protected:
  SealerTest() {
    peer_ = path_.add_peer(ends_, kTheirEndpoint, kGuest2);
    other_ = path_.add_peer(other_ends_, kElsewhere, kGuest3);
  }
  /// The frames that arrive at the peer of guest 2.
  std::vector<Bytes> arrived() {
    std::vector<Bytes> out;
    for (const auto& datagram : path_.sent()) {
      EXPECT_EQ(datagram.to, kTheirEndpoint);
      auto opened = test::open(*ends_.them, datagram.bytes);
      EXPECT_TRUE(opened);
      if (!opened) continue;
      if (wire::DataHeader::decode(datagram.bytes)->has_partial_checksum()) complete_checksum(*opened);
      out.push_back(*opened);
    }
    return out;
  }
  uint64_t count(const std::atomic<uint64_t>& counter) { return counter.load(); }
  void use(AddressBook book) {
    path_.snapshot.addresses = std::make_shared<const AddressBook>(std::move(book));
  }

  test::FastPath path_;
  test::KeypairEnds ends_{1, 0x100, 0x200};
  test::KeypairEnds other_ends_{2, 0x101, 0x201};
  uint32_t peer_, other_;
};

TEST_F(SealerTest, FramesReachThePeerOfTheirDestination) {
  const Bytes to_2 = ethernet(kGuest2, kGuest1, 100), to_3 = ethernet(kGuest3, kGuest1, 200);
  path_.seal(to_2);
  path_.seal(to_3);
  EXPECT_TRUE(path_.sink.datagrams.empty()) << "nothing is sent before the batch is complete";
  const auto sent = path_.sent();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].to, kTheirEndpoint);
  EXPECT_EQ(sent[0].bytes.size(), 132u);
  EXPECT_EQ(*test::open(*ends_.them, sent[0].bytes), to_2);
  EXPECT_EQ(sent[1].to, kElsewhere);
  EXPECT_EQ(*test::open(*other_ends_.them, sent[1].bytes), to_3);
  EXPECT_TRUE(path_.inbox.empty());
  EXPECT_EQ(path_.sink.batches, 1u);
}

TEST_F(SealerTest, CountsWhatItSends) {
  path_.seal(ethernet(kGuest2, kGuest1, 100));
  path_.seal(ethernet(kGuest2, kGuest1, 60));
  path_.sent();
  EXPECT_EQ(path_.counters.tx_frames, 2u);
  EXPECT_EQ(path_.counters.tx_bytes, 160u);
  EXPECT_EQ(path_.counters.tx_datagrams, 2u);
  EXPECT_EQ(path_.counters.tx_dropped, 0u);
  EXPECT_EQ(ends_.our_activity->tx_frames, 2u);
  EXPECT_EQ(ends_.our_activity->tx_bytes, 160u);
  EXPECT_EQ(ends_.our_activity->last_sent, Instant{100s}.time_since_epoch().count());
  EXPECT_EQ(other_ends_.our_activity->tx_frames, 0u);
}

TEST_F(SealerTest, UnplacedFramesGoToTheCore) {
  const MacAddress stranger = {{0x52, 0x54, 0, 9, 9, 9}};
  path_.snapshot.places[{{0x52, 0x54, 0, 0, 0, 8}}] = Snapshot::kHere;
  const Bytes frames[] = {
      ethernet(stranger, kGuest1, 60),                    // To whom nobody knows,
      ethernet(MacAddress::broadcast(), kGuest1, 60),     // to all,
      ethernet(kGuest2, stranger, 60),                    // from a guest that was not seen before,
      ethernet(kGuest2, kGuest3, 60),                     // from one that was, at another host: it has moved,
      ethernet({{0x52, 0x54, 0, 0, 0, 8}}, kGuest1, 60),  // and between two guests of this host.
  };
  for (const Bytes& frame : frames) path_.seal(frame);
  EXPECT_TRUE(path_.sent().empty());
  EXPECT_EQ(path_.inbox.frames, std::vector(std::begin(frames), std::end(frames)));
  EXPECT_EQ(path_.counters.to_core, 5u);
  EXPECT_EQ(path_.counters.tx_frames, 5u);
}

TEST_F(SealerTest, TheCoreJudgesWhatOnlyTheNetworkMaySay) {
  use({.service = {.ip = {0x0a800001}}, .guests = {{Ipv4Address{0x0a80000d}, kGuest1}}});
  ArpPacket arp{.operation = ArpPacket::Operation::Reply,
                .sender_mac = kGuest1,
                .sender_ip = {0x0a80000b},
                .target_mac = kGuest2,
                .target_ip = {0x0a80000c}};
  const Bytes lie = arp_frame(kGuest2, kGuest1, arp);
  arp.sender_ip = {0x0a80000d};
  const Bytes truth = arp_frame(kGuest2, kGuest1, arp);
  const Bytes data = FrameSpec{.protocol = 17, .payload = Bytes(10)}.build();
  Bytes offer = FrameSpec{.protocol = 17, .source_port = 67, .payload = Bytes(10)}.build();
  Bytes of_service = data;
  of_service[14 + 15] = 1;  // The last octet of its source.
  for (const Bytes& frame : {lie, offer, truth, data, of_service}) path_.seal(frame);
  EXPECT_EQ(arrived(), (std::vector{truth, data}));
  EXPECT_EQ(path_.inbox.frames, (std::vector{lie, offer, of_service}));
}

TEST_F(SealerTest, OfASuperFrameTheCoreJudgesEachSegment) {
  use({.service = {.ip = {0x0a80000b}}, .guests = {}});
  path_.seal(FrameSpec{.payload = test::pattern(3000)}.build(), true, 1000);
  EXPECT_TRUE(arrived().empty());
  EXPECT_EQ(path_.inbox.frames.size(), 3u);
}

TEST_F(SealerTest, WithoutAConfirmedKeypairTheCoreDecides) {
  path_.snapshot.peers[peer_].sending = nullptr;
  path_.seal(ethernet(kGuest2, kGuest1, 60));
  EXPECT_TRUE(path_.sent().empty());
  EXPECT_EQ(path_.inbox.frames.size(), 1u);
}

TEST_F(SealerTest, RefusesFramesOfAbsurdSize) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{13}, kMaxCarriedFrame + 1, size_t{65535}}) {
    path_.seal(size < 14 ? Bytes(size) : ethernet(kGuest2, kGuest1, size));
  }
  EXPECT_EQ(path_.counters.tx_dropped, 5u);
  EXPECT_EQ(path_.refused.get(Error::Malformed), 5u);
  EXPECT_TRUE(path_.inbox.empty());
  path_.seal(ethernet(kGuest2, kGuest1, 14));
  path_.seal(ethernet(kGuest2, kGuest1, kMaxCarriedFrame));
  EXPECT_EQ(arrived().size(), 2u);
}

// --- Super-frames and checksums

FrameSpec super_frame(size_t payload) {
  FrameSpec spec;  // From guest 1 to guest 2.
  spec.payload = test::pattern(payload);
  return spec;
}

TEST_F(SealerTest, CutsASuperFrameAsTheSegmenterDoes) {
  const Bytes frame = super_frame(20'000).build();
  path_.seal(frame, true, 1346);
  const auto frames = arrived();
  ASSERT_EQ(frames.size(), 15u);  // 14 x 1346 and 1156.
  EXPECT_EQ(frames, test::cut(frame, 1346));
  ASSERT_EQ(path_.sink.trains.size(), 1u) << "they form one train";
  EXPECT_EQ(path_.counters.tx_datagrams, 15u);
  EXPECT_EQ(path_.counters.tx_frames, 1u);
  EXPECT_EQ(ends_.our_activity->tx_frames, 15u);
}

TEST_F(SealerTest, ChecksumsAreLeftOpenAndTheDatagramSaysSo) {
  for (const uint8_t protocol : Bytes{6, 17}) {
    FrameSpec spec = super_frame(500);
    spec.protocol = protocol;
    const Bytes frame = spec.build();
    ASSERT_FALSE(test::transport_verifies(spec, frame));
    path_.seal(frame, true);
    const auto sent = path_.sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_TRUE(wire::DataHeader::decode(sent[0].bytes)->has_partial_checksum());
    EXPECT_EQ(*test::open(*ends_.them, sent[0].bytes), frame);
  }
}

TEST_F(SealerTest, LeavesACompleteChecksumAlone) {  // Right or wrong: it is the guest's.
  const Bytes frame = super_frame(500).build();
  path_.seal(frame);
  const auto sent = path_.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_FALSE(wire::DataHeader::decode(sent[0].bytes)->has_partial_checksum());
  EXPECT_EQ(*test::open(*ends_.them, sent[0].bytes), frame);
}

TEST_F(SealerTest, TheCoreGetsWholeFramesToo) {
  path_.snapshot.places.erase(kGuest2);
  FrameSpec spec = super_frame(3000);
  const Bytes frame = spec.build();
  path_.seal(frame, true, 1000);
  ASSERT_EQ(path_.inbox.frames.size(), 3u);
  for (const Bytes& one : path_.inbox.frames) {
    EXPECT_EQ(one.size(), 1054u);
    EXPECT_TRUE(test::transport_verifies(spec, one));
  }
  spec = super_frame(100);
  const Bytes small = spec.build();
  path_.seal(small, true);
  EXPECT_TRUE(test::transport_verifies(spec, path_.inbox.frames.back()));
  EXPECT_TRUE(path_.sent().empty());
}

TEST_F(SealerTest, RefusesASuperFrameThatCannotBeCut) {
  const Bytes no_tcp = ethernet(kGuest2, kGuest1, 5000);
  path_.seal(no_tcp, true, 1000);
  const Bytes frame = super_frame(20'000).build();
  path_.seal(frame, true, 1);
  path_.seal(frame, true, 9500);  // Its parts are too big to carry.
  EXPECT_EQ(path_.counters.tx_dropped, 3u);
  EXPECT_EQ(path_.refused.get(Error::Malformed), 3u);
  EXPECT_TRUE(path_.sent().empty());
  EXPECT_TRUE(path_.inbox.empty());
}

TEST_F(SealerTest, ManySuperFramesOverflowTheBatchAndLoseNothing) {
  const Bytes frame = super_frame(60'000).build();
  for (int i = 0; i < 32; ++i) path_.seal(frame, true, 1346);
  EXPECT_GE(path_.sink.batches, 6u) << "each time the batch was full";
  const auto frames = arrived();
  ASSERT_EQ(frames.size(), 32u * 45u);  // 44 x 1346 = 59224, and 776.
  size_t payload = 0;
  for (const Bytes& one : frames) payload += one.size() - 54;
  EXPECT_EQ(payload, 32u * 60'000u);
  for (const auto& train : path_.sink.trains) {
    EXPECT_LE(train.size, SealedBatch::kMaxTrainSize);
    EXPECT_LE((train.size + train.segment_size - 1) / train.segment_size, SealedBatch::kMaxTrainSegments);
  }
}

TEST_F(SealerTest, SmallestSegmentsOverflowTheBatchAndLoseNothing) {
  const Bytes frame = super_frame(60'000).build();
  path_.seal(frame, true, 8);
  EXPECT_EQ(arrived().size(), 7500u);
}

// --- Frames that do not fit the path

TEST_F(SealerTest, AFrameThatDoesNotFitIsSlicedAndTheCoreHearsOfItOnce) {
  path_.snapshot.peers[peer_].max_datagram = 1200;
  const Bytes fits = ethernet(kGuest2, kGuest1, 1168), frame = ethernet(kGuest2, kGuest1, 1169);
  path_.seal(fits);
  EXPECT_TRUE(path_.inbox.empty());
  EXPECT_EQ(arrived(), std::vector<Bytes>{fits});
  EXPECT_EQ(path_.counters.tx_sliced, 0u);
  for (const Bytes& larger : {frame, ethernet(kGuest2, kGuest1, kMaxCarriedFrame)}) {
    path_.seal(larger);
    Reassembly reassembly;
    Bytes whole;
    for (const auto& datagram : path_.sent()) {
      EXPECT_LE(datagram.bytes.size(), 1200u);
      const auto header = wire::DataHeader::decode(datagram.bytes);
      ASSERT_TRUE(header && header->is_slice());
      EXPECT_FALSE(header->has_partial_checksum());
      const auto added = reassembly.add(1, header->counter, *test::open(*ends_.them, datagram.bytes));
      ASSERT_TRUE(added);
      if (*added) whole.assign((*added)->begin(), (*added)->end());
    }
    EXPECT_EQ(whole, larger);
  }
  EXPECT_EQ(path_.inbox.too_bigs, (std::vector{path_.snapshot.peers[peer_].node}));
  EXPECT_EQ(path_.counters.tx_sliced, 2u);
  EXPECT_EQ(path_.counters.tx_datagrams, 1u + 2u + 8u);
  EXPECT_EQ(path_.counters.tx_frames, 3u);
}

TEST_F(SealerTest, ASenderIsToldOnceInAWhileIfItsFramesWillBeSlicedForLong) {
  path_.snapshot.peers[peer_].max_datagram = 1300;
  const Bytes frame = ethernet(kGuest2, kGuest1, 1400);
  path_.seal(frame);
  EXPECT_TRUE(path_.inbox.too_longs.empty()) << "perhaps the path carries more";

  path_.snapshot.peers[peer_].is_mtu_found = true;
  path_.seal(frame);
  path_.seal(frame);
  path_.now += 99ms;
  path_.seal(frame);
  const Bytes head(frame.begin(), frame.begin() + kTooBigHead);
  EXPECT_EQ(path_.inbox.too_longs, (std::vector{std::pair{head, size_t{1300 - 32}}}));
  path_.now += 1ms;
  path_.seal(ethernet(kGuest2, kGuest1, 1268));
  EXPECT_EQ(path_.inbox.too_longs.size(), 1u) << "it fits";
  path_.seal(frame);
  EXPECT_EQ(path_.inbox.too_longs.size(), 2u);
  EXPECT_EQ(path_.counters.tx_sliced, 5u) << "they are carried all the same";
}

TEST_F(SealerTest, SlicesKeepTheFlagOfTheirFrame) {
  path_.snapshot.peers[peer_].max_datagram = 1200;
  path_.seal(super_frame(1300).build(), true);
  const auto sent = path_.sent();
  ASSERT_EQ(sent.size(), 2u);
  for (const auto& datagram : sent) {
    const auto header = wire::DataHeader::decode(datagram.bytes);
    EXPECT_TRUE(header && header->is_slice() && header->has_partial_checksum());
  }
}

TEST_F(SealerTest, ASuperFrameIsCutForThePathAndNothingOfItSliced) {
  path_.snapshot.peers[peer_].max_datagram = 1300;
  const Bytes frame = super_frame(20'000).build();
  path_.seal(frame, true, 1346);
  for (const auto& train : path_.sink.trains) EXPECT_LE(train.segment_size, 1300u);
  EXPECT_EQ(arrived(), test::cut(frame, 1300 - 32 - 54));
  EXPECT_EQ(path_.counters.tx_sliced, 0u);
  EXPECT_EQ(path_.inbox.too_bigs.size(), 1u);
  path_.snapshot.peers[peer_].is_mtu_found = true;
  path_.seal(super_frame(20'000).build(), true, 1346);
  EXPECT_TRUE(path_.inbox.too_longs.empty()) << "nobody has to be told";
}

// --- What the core must know

TEST_F(SealerTest, SaysOnceThatAPeerIsQuiet) {
  ends_.our_activity->last_received = (Instant{100s} - 2s + 1us).time_since_epoch().count();
  path_.seal(ethernet(kGuest2, kGuest1, 60));
  EXPECT_TRUE(path_.inbox.quiets.empty());
  path_.now += 1us;
  path_.seal(ethernet(kGuest2, kGuest1, 60));
  path_.now += 500ms;
  path_.seal(ethernet(kGuest2, kGuest1, 60));
  EXPECT_EQ(path_.inbox.quiets, (std::vector{path_.snapshot.peers[peer_].node}));

  ends_.our_activity->quiet = false;  // The core has looked after it.
  ends_.our_activity->last_received = path_.now.time_since_epoch().count();
  path_.now += 2s;
  path_.seal(ethernet(kGuest2, kGuest1, 60));
  EXPECT_EQ(path_.inbox.quiets.size(), 2u);
}

TEST_F(SealerTest, FlushesNothingIfThereIsNothing) {
  path_.flush();
  EXPECT_EQ(path_.sink.batches, 0u);
}

// --- The heap

/// Counts, and forgets.
struct NullSink : DatagramSink {
  void send(const SealedBatch& batch) override { trains += batch.trains().size(); }
  size_t trains = 0;
};

TEST_F(SealerTest, TakesNothingFromTheHeapInTheSteadyState) {
  NullSink sink;
  const SealContext context{path_.snapshot, path_.now,      path_.batch,  sink,
                            path_.inbox,    path_.counters, path_.refused};
  Bytes small = ethernet(kGuest2, kGuest1, 1400), other = ethernet(kGuest3, kGuest1, 1000);
  const Bytes fresh = super_frame(60'000).build();
  Bytes super = fresh;
  const auto batch = [&] {
    for (int i = 0; i < 16; ++i) {
      seal_frame(context, {.data = small, .partial_checksum = false, .segment_size = 0});
      seal_frame(context, {.data = other, .partial_checksum = true, .segment_size = 0});
    }
    std::copy(fresh.begin(), fresh.end(), super.begin());
    seal_frame(context, {.data = super, .partial_checksum = true, .segment_size = 1346});
    flush(context);
  };
  batch();  // Whatever grows to its size does so now.
  const uint64_t before = test::allocations();
  for (int i = 0; i < 20; ++i) batch();
  EXPECT_EQ(test::allocations(), before);
  EXPECT_GT(sink.trains, 20u);
  EXPECT_TRUE(path_.inbox.empty());

  ::operator delete(::operator new(1));  // The counter does count.
  EXPECT_EQ(test::allocations(), before + 1);
}

}  // namespace
}  // namespace ipop
