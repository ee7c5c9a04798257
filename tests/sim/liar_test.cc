#include "overlay/sim/liar.h"

#include <gtest/gtest.h>

#include <set>

namespace ipop::sim {
namespace {

using Verdict = wire::DhtReply::Verdict;
using Operation = wire::DhtRequest::Operation;

wire::DhtRecord record(uint64_t sequence) {
  wire::DhtRecord out;
  out.ip = Ipv4Address{0x0a800005};
  out.mac = {{0x52, 0x54, 0, 0, 0, 1}};
  out.sequence = sequence;
  return out;
}

TEST(Liar, DeniesGrantsRefusesWithholdsAndShowsWhatWasTrueOnce) {
  const auto lie = make_liar(1);
  wire::DhtRequest create;
  create.operation = Operation::Create;
  create.record = record(1);
  create.address = create.record->address();
  std::set<Verdict> verdicts;
  bool was_silent = false;
  bool showed_the_first = false;
  for (uint64_t i = 0; i < 200; ++i) {
    wire::DhtReply held;
    held.verdict = Verdict::Held;
    held.record = record(2 + i);
    if (!lie.reply(create, held)) {
      was_silent = true;
      continue;
    }
    verdicts.insert(held.verdict);
    EXPECT_EQ(held.record.has_value(), held.verdict == Verdict::Held);
    showed_the_first |= held.record && held.record->sequence <= 2;
  }
  EXPECT_TRUE(was_silent);
  EXPECT_TRUE(showed_the_first);
  EXPECT_EQ(verdicts, (std::set{Verdict::Accepted, Verdict::Refused, Verdict::Held}));
}

TEST(Liar, OfAnAddressWithoutRecordsShowsNone) {
  const auto lie = make_liar(2);
  wire::DhtRequest get;
  get.address = record(1).address();
  for (uint64_t i = 0; i < 50; ++i) {
    wire::DhtReply nothing;
    nothing.verdict = Verdict::Nothing;
    (void)lie.reply(get, nothing);
    EXPECT_EQ(nothing.verdict, Verdict::Nothing);
    EXPECT_FALSE(nothing.record);
  }
}

TEST(Liar, KeepsRecordsFromOtherReplicasAndShowsThemOldOnes) {
  const auto lie = make_liar(3);
  size_t silences = 0;
  size_t old_records = 0;
  size_t empty_pages = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    wire::RingMessage notice = wire::DhtNotice{.record = record(1 + i)};
    silences += !lie.handover(notice);
    old_records += std::get<wire::DhtNotice>(notice).record.sequence < 1 + i;
    wire::RingMessage page = wire::DhtPage{.id = 1, .next = NodeId{}, .entries = {{.key = {}, .stamp = 7}}};
    silences += !lie.handover(page);
    empty_pages += std::get<wire::DhtPage>(page).entries.empty();
  }
  EXPECT_GT(silences, 30u);
  EXPECT_GT(old_records, 15u);
  EXPECT_GT(empty_pages, 15u);
}

}  // namespace
}  // namespace ipop::sim
