#include "overlay/base/assert.h"
#include "overlay/node/peer_file.h"

using namespace ipop;

/// What loads is saved in a form that loads the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto peers = load_peers(as_text({data, size}));
  if (!peers) return 0;
  const std::string text = save_peers(*peers);
  const auto again = load_peers(text);
  IPOP_ASSERT(again && save_peers(*again) == text);
  return 0;
}
