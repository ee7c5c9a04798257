// Whatever a stranger sends as its certificate is refused, or can be read, written and checked.
#include <cstdlib>

#include "overlay/crypto/authority.h"
#include "overlay/crypto/network.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipop;
  static const Network network = [] {
    SeededRandom random(1);
    return *Network::from_authority(
        Authority::create("grid", *Ipv4Subnet::parse("10.128.0.0/16"), 86400, 1'800'000'000, random)
            .certificate());
  }();

  const auto certificate = Certificate::from_der({data, size});
  if (!certificate) return 0;
  const auto from_pem = Certificate::from_pem(certificate->to_pem());
  if (!from_pem || from_pem->host_name() != certificate->host_name()) std::abort();
  static_cast<void>(Network::from_authority(*certificate));
  static_cast<void>(network.check(*certificate, 1'800'000'000));
  return 0;
}
