// The two MACs at the end of a handshake message, and the cookie that makes a sender prove its address when a
// node is under load.  After the WireGuard paper, sections 5.3 and 5.4.4 and 5.4.7.
//
// mac1 is keyed by the network: a stranger who does not hold an invite gets no answer to one, whatever it
// sends. mac2 is keyed by a cookie, which is a MAC over the sender's address under a secret that changes
// every two minutes. The cookie travels sealed under the network's key and bound to the mac1 it answers.
#pragma once

#include <array>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/base/random.h"
#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/crypto/aead.h"
#include "overlay/crypto/hash.h"
#include "overlay/wire/address.h"
#include "overlay/wire/datagram.h"

namespace ipop {

using Cookie = std::array<uint8_t, 16>;
using Mac1 = std::array<uint8_t, wire::kMacSize>;

inline constexpr Duration kCookieLifetime = 120s;  ///< As WireGuard's COOKIE_SECRET_MAX_AGE.

/// The keys that every holder of an invite can derive from the network's identifier.
class NetworkKeys {
 public:
  explicit NetworkKeys(const Hash& network_id);

  /// Appends mac1, and mac2 (zeros without a cookie), to an encoded handshake message.
  Bytes finish(Bytes message, const std::optional<Cookie>& cookie) const;
  /// Whether mac1 of a complete message is right.
  bool check_mac1(ByteView message) const;

  wire::CookieReply seal_cookie(const Cookie&, ByteView answered, uint32_t receiver_index, Random&) const;
  /// `sent_mac1` is that of the message which the reply answers.
  Result<Cookie> open_cookie(const wire::CookieReply&, const Mac1& sent_mac1) const;

 private:
  Hash mac1_key_;
  AeadKey cookie_key_;
};

/// The mac1 of a complete message.  REQUIRES: message.size() >= 2 * wire::kMacSize.
Mac1 mac1_of(ByteView message);

/// The responder's side: makes and checks cookies.
class CookieJar {
 public:
  explicit CookieJar(Random& random) : random_(random) {}

  Cookie bake(Instant now, const Endpoint& from);
  /// Whether mac2 of a complete message was made with the cookie of `from`.
  bool check_mac2(Instant now, const Endpoint& from, ByteView message);

 private:
  Random& random_;
  Hash secret_{};
  Instant valid_until_{};  ///< Zero: no secret yet.
};

}  // namespace ipop
