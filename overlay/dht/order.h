// Which of two records of one address is kept: the same comparison on every replica and every holder's host,
// so that all end up with the same record whatever came first.  docs/addresses.md, "Records".
#pragma once

#include <cstdint>

#include "overlay/wire/dht.h"

namespace ipop {

/// The higher sequence, then the lower node, then (both are the same node's) what was written later.  A total
/// order; vnet/address_map.h compares likewise.
bool beats(const wire::DhtRecord& a, const wire::DhtRecord& b);

/// Whether `record` takes the place of `held`, as a put or a repair.
///   - Of one guest, the better one stays.
///   - Another guest's reservation or withdrawal takes the place of nothing that lives: it was not granted.
///   - A bound record was granted by a quorum.  It takes the place of another guest's mere reservation; of
///   two
///     bound ones, which only two sides of a partition can have granted, the better one stays.
bool replaces(const wire::DhtRecord& record, const wire::DhtRecord& held);

/// Whether `record` may be created where there is `held`: that is the same guest's, or withdrawn, and worse.
bool may_create(const wire::DhtRecord& record, const wire::DhtRecord& held);

/// Tells versions of a record apart.
uint64_t stamp_of(const wire::DhtRecord& record);

}  // namespace ipop
