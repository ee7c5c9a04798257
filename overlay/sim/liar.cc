#include "overlay/sim/liar.h"

#include <map>
#include <memory>

namespace ipop::sim {
namespace {

using Verdict = wire::DhtReply::Verdict;
using Operation = wire::DhtRequest::Operation;

class Liar {
 public:
  explicit Liar(uint64_t seed) : random_(seed) {}

  bool distort(const wire::DhtRequest& request, wire::DhtReply& reply) {
    if (reply.record) first_.emplace(request.address, *reply.record);
    if (request.record) first_.emplace(request.address, *request.record);
    reply.is_unsure = false;
    switch (random_.below(5)) {
      case 0:
        return false;
      case 1:  // Whatever it is, it is fine.
        set(reply, request.operation == Operation::Get ? Verdict::Nothing : Verdict::Accepted);
        break;
      case 2:
        set(reply, request.operation == Operation::Get ? Verdict::Nothing : Verdict::Refused);
        break;
      case 3:
        if (const auto old = first_.find(request.address); old != first_.end()) {
          set(reply, Verdict::Held);
          reply.record = old->second;
        }
        break;
      default:
        break;  // Honest for once.
    }
    return true;
  }

  bool distort_handover(wire::RingMessage& answer) {
    const uint64_t mood = random_.below(3);
    if (mood == 0) return false;
    auto* page = std::get_if<wire::DhtPage>(&answer);
    auto* notice = std::get_if<wire::DhtNotice>(&answer);
    if (page && mood == 1) {  // It has nothing.
      page->entries.clear();
      page->next.reset();
    }
    if (!notice) return true;
    const auto [old, is_new] = first_.emplace(notice->record.address(), notice->record);
    if (mood == 1) notice->record = old->second;
    return true;
  }

 private:
  static void set(wire::DhtReply& reply, Verdict verdict) {
    reply.verdict = verdict;
    reply.record.reset();
  }

  SeededRandom random_;
  std::map<wire::DhtAddress, wire::DhtRecord> first_;  ///< The first record of each that came by.
};

}  // namespace

Replica::Distortion make_liar(uint64_t seed) {
  const auto liar = std::make_shared<Liar>(seed);
  return {.reply = [liar](const wire::DhtRequest& request,
                          wire::DhtReply& reply) { return liar->distort(request, reply); },
          .handover = [liar](wire::RingMessage& answer) { return liar->distort_handover(answer); }};
}

}  // namespace ipop::sim
