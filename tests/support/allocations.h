// Counts what this thread takes from the heap with new; the counter itself is in fastpath/sealer_test.cc.
#pragma once

#include <cstdint>

namespace ipop::test {

uint64_t allocations();

}  // namespace ipop::test
