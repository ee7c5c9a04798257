#include "overlay/node/records.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace ipop {

wire::BindingRecord to_record(const Binding& binding, Instant now) {
  // Rounded up, so that a binding does not look withdrawn in its last second.
  const auto left =
      std::chrono::ceil<std::chrono::seconds>(std::max(binding.expires - now, Duration::zero()));
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  return {.ip = binding.ip,
          .mac = binding.mac,
          .node = binding.node,
          .sequence = binding.sequence,
          .lifetime_s = static_cast<uint32_t>(std::min<int64_t>(left.count(), kMost)),
          .name = binding.name};
}

Binding to_binding(const wire::BindingRecord& record, Instant now) {
  return {.ip = record.ip,
          .mac = record.mac,
          .node = record.node,
          .sequence = record.sequence,
          .expires = now + std::chrono::seconds(record.lifetime_s),
          // A name that is no DNS label is as good as none; the address is what matters.
          .name = is_host_label(record.name) ? record.name : std::string()};
}

wire::Query to_message(const Query& query, Instant now) {
  wire::Query out{.id = query.id,
                  .kind = static_cast<wire::Query::Kind>(query.kind),
                  .ip = query.ip,
                  .mac = query.mac,
                  .name = query.name,
                  .claimant = std::nullopt,
                  .asker = std::nullopt};
  if (query.claim) out.claimant = query.claim->mac;
  if (query.asker) out.asker = to_record(*query.asker, now);
  return out;
}

Query to_query(const wire::Query& message, Instant now) {
  Query out{.id = message.id,
            .kind = static_cast<Query::Kind>(message.kind),
            .ip = message.ip,
            .mac = message.mac,
            .name = to_lower(message.name),
            .claim = std::nullopt,
            .asker = std::nullopt};
  if (message.claimant) out.claim = Query::Claim{.ip = message.ip, .mac = *message.claimant};
  if (message.asker) out.asker = to_binding(*message.asker, now);
  return out;
}

}  // namespace ipop
