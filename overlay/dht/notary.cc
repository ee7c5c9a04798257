#include "overlay/dht/notary.h"

#include <algorithm>

#include "overlay/base/assert.h"

namespace ipop {
namespace {

UnixSeconds seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

/// Guests choose their IPv6 addresses themselves: certificates say nothing of them.  One that is none of the
/// network's is of no use to anybody, and counts towards its writer's share.
bool allows(const std::vector<Ipv4Subnet>& blocks, const IpAddress& ip) {
  if (!ip.is_ipv4()) return true;
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](Ipv4Subnet block) { return block.contains(ip.ipv4()); });
}

/// Whether two hosts with tolerable clocks could see the record so.  Bounds first: the numbers are anybody's.
bool is_timely(const wire::DhtRecord& record, UnixSeconds now) {
  constexpr uint64_t kAbsurd = uint64_t{1} << 40;  // Seconds: the year 36812.
  if (record.expires_s > kAbsurd || record.issued_ms / 1000 > kAbsurd) return false;
  const auto issued = static_cast<UnixSeconds>(record.issued_ms / 1000);
  const auto expires = static_cast<UnixSeconds>(record.expires_s);
  return issued <= now + seconds(kClockTolerance) && expires > now - seconds(kClockTolerance);
}

bool is_short_enough(const wire::DhtRecord& record) {
  return record.expires_s <= record.issued_ms / 1000 + static_cast<uint64_t>(seconds(kLongestRecord)) + 1;
}

}  // namespace

Instant expiry_of(const wire::DhtRecord& record, Instant now, Duration wall) {
  const Duration left = std::chrono::seconds(record.expires_s) - wall + kClockTolerance;
  return now + std::clamp(left, Duration::zero(), kLongestRecord + 2 * kClockTolerance);
}

void Notary::sign(Duration wall, wire::DhtRecord& record) {
  const auto wall_ms =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(wall).count());
  // A clock that was far ahead and has been put right must not have its host refused until it has caught up.
  const auto tolerance_ms = static_cast<uint64_t>(kClockTolerance / 1ms);
  const bool was_ahead = last_issued_ms_ > wall_ms + tolerance_ms;
  last_issued_ms_ = was_ahead ? wall_ms : std::max(last_issued_ms_ + 1, wall_ms);
  record.node = credentials_.id;
  record.issued_ms = last_issued_ms_;
  record.certificate = credentials_.certificate.to_der();
  record.signature = credentials_.signatures->sign(credentials_.identity, text_of(record));
}

void Notary::sign(const wire::DhtRequest& request, wire::DhtReply& reply) const {
  reply.certificate = credentials_.certificate.to_der();
  reply.signature = credentials_.signatures->sign(credentials_.identity, text_of(request, reply));
}

Result<Done> Notary::check(Duration wall, const wire::DhtRecord& record) {
  if (record.sequence == 0 || record.sequence > kLastSequence) return Error::Malformed;
  if (!is_timely(record, seconds(wall))) return Error::Replayed;
  if (!is_short_enough(record)) return Error::NotAllowed;
  const auto checked = check_certificate(wall, record.certificate);
  if (!checked) return checked.error();
  const Member& writer = **checked;
  if (writer.node != record.node) return Error::WrongPeer;
  if (!record.ip.is_unspecified() && !allows(writer.addresses, record.ip)) return Error::NotAllowed;
  if (!credentials_.signatures->verify(writer.key, text_of(record), record.signature))
    return Error::BadAuthTag;
  return Done{};
}

Result<NodeId> Notary::check(Duration wall, const wire::DhtRequest& request, const wire::DhtReply& reply) {
  const auto checked = check_certificate(wall, reply.certificate);
  if (!checked) return checked.error();
  const Member& replica = **checked;
  if (!credentials_.signatures->verify(replica.key, text_of(request, reply), reply.signature))
    return Error::BadAuthTag;
  return replica.node;
}

Result<const Notary::Member*> Notary::check_certificate(Duration wall, const Bytes& der) {
  const Hash hash = sha256({der});
  const UnixSeconds now = seconds(wall);
  if (const auto known = checked_.find(hash); known != checked_.end()) {
    const Member& member = known->second;
    if (member.not_before > now || member.not_after < now) return Error::ExpiredCertificate;
    return &member;
  }
  const auto certificate = Certificate::from_der(der);
  if (!certificate) return certificate.error();
  if (const auto good = credentials_.network.check(*certificate, now); !good) return good.error();
  if (checked_.size() >= kMaxCertificates) checked_.clear();
  const Member member{.node = certificate->node_id(),
                      .key = certificate->public_key(),
                      .addresses = certificate->addresses(),
                      .not_before = certificate->not_before(),
                      .not_after = certificate->not_after()};
  return &checked_.emplace(hash, member).first->second;
}

Bytes Notary::text_of(const wire::DhtRecord& record) const {
  Writer out;
  out.bytes(as_bytes("ipop dht record 1:"));
  out.bytes(credentials_.network.id());
  out.bytes(record.signed_part());
  return out.take();
}

Bytes Notary::text_of(const wire::DhtRequest& request, const wire::DhtReply& reply) const {
  wire::DhtRequest question = request;
  question.is_relayed = false;
  Writer text;
  write(text, question);
  Writer out;
  out.bytes(as_bytes("ipop dht reply 1:"));
  out.bytes(credentials_.network.id());
  out.bytes(reply.signed_part(sha256({text.view()})));
  return out.take();
}

}  // namespace ipop
