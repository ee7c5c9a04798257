// Bindings as the virtual network keeps them and as members tell them: the one has deadlines of this host's
// clock, the other remaining seconds.
#pragma once

#include "overlay/base/time.h"
#include "overlay/vnet/binding.h"
#include "overlay/vnet/resolver.h"
#include "overlay/wire/binding.h"

namespace ipop {

wire::BindingRecord to_record(const Binding& binding, Instant now);
Binding to_binding(const wire::BindingRecord& record, Instant now);
wire::Query to_message(const Query& query, Instant now);
Query to_query(const wire::Query& message, Instant now);

}  // namespace ipop
