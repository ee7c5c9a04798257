#include "overlay/session/cookie.h"

#include <algorithm>

#include "overlay/base/assert.h"

namespace ipop {
namespace {

template <class T>
T truncated(const Hash& hash) {
  T out;
  std::copy_n(hash.begin(), out.size(), out.begin());
  return out;
}

ByteView before_macs(ByteView message) { return message.first(message.size() - 2 * wire::kMacSize); }
ByteView before_mac2(ByteView message) { return message.first(message.size() - wire::kMacSize); }

Cookie mac2_of(const Cookie& cookie, ByteView up_to_mac1) {
  return truncated<Cookie>(hmac_sha256(cookie, {up_to_mac1}));
}

}  // namespace

NetworkKeys::NetworkKeys(const Hash& network_id)
    : mac1_key_(sha256({as_bytes("ipop mac1 1:"), network_id})),
      cookie_key_(sha256({as_bytes("ipop cookie 1:"), network_id})) {}

Bytes NetworkKeys::finish(Bytes message, const std::optional<Cookie>& cookie) const {
  const auto mac1 = truncated<Mac1>(hmac_sha256(mac1_key_, {message}));
  message.insert(message.end(), mac1.begin(), mac1.end());
  const Cookie mac2 = cookie ? mac2_of(*cookie, message) : Cookie{};
  message.insert(message.end(), mac2.begin(), mac2.end());
  return message;
}

bool NetworkKeys::check_mac1(ByteView message) const {
  if (message.size() < 2 * wire::kMacSize) return false;
  const auto expected = truncated<Mac1>(hmac_sha256(mac1_key_, {before_macs(message)}));
  return equal_in_constant_time(expected, mac1_of(message));
}

wire::CookieReply NetworkKeys::seal_cookie(const Cookie& cookie, ByteView answered, uint32_t receiver_index,
                                           Random& random) const {
  wire::CookieReply reply{.receiver_index = receiver_index, .nonce = {}, .sealed = {}};
  random.fill(reply.nonce);
  cookie_key_.seal(reply.nonce, mac1_of(answered), cookie, reply.sealed.data());
  return reply;
}

Result<Cookie> NetworkKeys::open_cookie(const wire::CookieReply& reply, const Mac1& sent_mac1) const {
  Cookie cookie;
  if (!cookie_key_.open(reply.nonce, sent_mac1, reply.sealed, cookie.data())) return Error::BadAuthTag;
  return cookie;
}

Mac1 mac1_of(ByteView message) {
  IPOP_ASSERT(message.size() >= 2 * wire::kMacSize);
  Mac1 out;
  const ByteView mac1 = message.subspan(message.size() - 2 * wire::kMacSize, wire::kMacSize);
  std::copy(mac1.begin(), mac1.end(), out.begin());
  return out;
}

Cookie CookieJar::bake(Instant now, const Endpoint& from) {
  if (now >= valid_until_) {
    random_.fill(secret_);
    valid_until_ = now + kCookieLifetime;
  }
  Writer address;
  write(address, from);
  return truncated<Cookie>(hmac_sha256(secret_, {address.view()}));
}

bool CookieJar::check_mac2(Instant now, const Endpoint& from, ByteView message) {
  if (message.size() < 2 * wire::kMacSize) return false;
  return equal_in_constant_time(mac2_of(bake(now, from), before_mac2(message)), message.last(wire::kMacSize));
}

}  // namespace ipop
