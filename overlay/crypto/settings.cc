#include "overlay/crypto/settings.h"

#include <utility>

namespace ipop {

wire::SignedSettings sign_settings(const Authority& authority, uint64_t version, std::string document) {
  wire::SignedSettings out{.version = version, .document = std::move(document), .signature = {}};
  out.signature = authority.sign(out.signed_part(sha256({authority.certificate().public_key()})));
  return out;
}

Result<Done> check_settings(const Network& network, const wire::SignedSettings& settings) {
  if (!verify(network.authority().public_key(), settings.signed_part(network.id()), settings.signature)) {
    return Error::BadAuthTag;
  }
  return Done{};
}

}  // namespace ipop
