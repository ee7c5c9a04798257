#include "overlay/dht/order.h"

#include "overlay/crypto/hash.h"

namespace ipop {

using State = wire::DhtRecord::State;

bool beats(const wire::DhtRecord& a, const wire::DhtRecord& b) {
  if (a.sequence != b.sequence) return a.sequence > b.sequence;
  if (a.node != b.node) return a.node < b.node;
  if (a.issued_ms != b.issued_ms) return a.issued_ms > b.issued_ms;
  return a.signed_part() > b.signed_part();
}

bool replaces(const wire::DhtRecord& record, const wire::DhtRecord& held) {
  if (record.mac == held.mac || held.state == State::Withdrawn) return beats(record, held);
  if (record.state != State::Bound) return false;
  return held.state == State::Reserved || beats(record, held);
}

bool may_create(const wire::DhtRecord& record, const wire::DhtRecord& held) {
  return (record.mac == held.mac || held.state == State::Withdrawn) && beats(record, held);
}

uint64_t stamp_of(const wire::DhtRecord& record) {
  const Hash hash = sha256({record.signed_part()});
  Reader in(hash);
  return in.u64();
}

}  // namespace ipop
