// Whatever a file holds, it is an invite whose text can be read again, or a Problem that says something.
#include <cstdlib>

#include "overlay/crypto/invite.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto invite = ipop::parse_invite(ipop::as_text({data, size}));
  if (!invite) {
    if (invite.error().text.empty()) std::abort();
    return 0;
  }
  const auto again = ipop::parse_invite(ipop::format(*invite));
  if (!again || again->introducers != invite->introducers ||
      again->certificate.to_der() != invite->certificate.to_der()) {
    std::abort();
  }
  return 0;
}
