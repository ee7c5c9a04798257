// IPOP_ASSERT stays on in release, like ovs_assert: for our own mistakes only.  No byte from a peer, a guest
// or a file may reach one, since a crash here stops a switch.
#pragma once

#include <cstdio>
#include <cstdlib>

#define IPOP_ASSERT(condition)                                                               \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (0)
