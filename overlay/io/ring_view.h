// How the ring is shown, for people and for programs: a node's neighbours, the way to another node, and all
// nodes in their order; and how a person names one of them.
#pragma once

#include <string>
#include <string_view>

#include "overlay/base/result.h"
#include "overlay/io/report.h"
#include "overlay/ring/trace.h"

namespace ipop {

/// "joined, about 42 nodes".
std::string ring_summary(const Report& report);

/// Neighbours first, in the order of the ring; then shortcuts, on-demand links and leaves.
std::string show_ring(const Report& report, Instant now, bool json);

/// Hosts are named as far as `report`, which is of the node that asked, knows them.
std::string show_trace(const Report& report, const Trace& trace, bool json);
std::string show_crawl(const Crawl& crawl, bool json);

/// The node that `text` means: 40 hexadecimal digits; or the first 8 of a node that `report` knows; or the IP
/// address of a guest, for the node where it is.
Result<NodeId, Problem> find_node(const Report& report, std::string_view text);

}  // namespace ipop
