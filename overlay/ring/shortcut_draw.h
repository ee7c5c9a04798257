// Where shortcuts end and how many there should be: Symphony (Manku, Bawa and Raghavan, USITS 2003), as Brunet
// used it.
#pragma once

#include "overlay/base/node_id.h"
#include "overlay/base/random.h"

namespace ipop {

/// Half of log2 n, rounded down, as in Brunet; none where the neighbours are the whole ring.  Each shortcut is
/// a link of two nodes, so that a node has log2 n of them on average.
size_t wanted_shortcuts(double ring_size);

/// A point whose clockwise distance d from `self` is drawn with density 1 / (d ln n) from [1/n, 1] of the ring:
/// d = exp(ln(n) (u - 1)) for a uniform u (Symphony, section 3.1).  The logarithm is the natural one: mixing
/// bases leaves a gap of short distances.
NodeId draw_shortcut(const NodeId& self, double ring_size, Random& random);

}  // namespace ipop
