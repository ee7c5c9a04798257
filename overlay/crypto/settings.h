// Who may say what the settings of a network are: its CA.  The file is wire/settings.h.
#pragma once

#include "overlay/base/result.h"
#include "overlay/crypto/authority.h"
#include "overlay/crypto/network.h"
#include "overlay/wire/settings.h"

namespace ipop {

/// The document, signed.  REQUIRES: 0 < version <= SignedSettings::kLastVersion, and not more than
/// SignedSettings::kMaxDocumentSize octets.
wire::SignedSettings sign_settings(const Authority& authority, uint64_t version, std::string document);

/// Error::BadAuthTag unless the CA of this network signed just this.  Any thread.
Result<Done> check_settings(const Network& network, const wire::SignedSettings& settings);

}  // namespace ipop
