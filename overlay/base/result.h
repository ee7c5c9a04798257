// Result<T, E>: a value or the reason why there is none, spelled like C++23's std::expected.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ipop {

/// Why something that a peer or a guest sent was refused.  Each has a counter (base/counters.h) of its own
/// name.
enum class Error {
  Malformed,           ///< Too short, too long, or fields that contradict each other.
  UnknownType,         ///< A message type this version does not speak.
  UnknownSession,      ///< A receiver index that belongs to no keypair here.
  BadAuthTag,          ///< AES-GCM refused it: forged, corrupted, or sealed with another key.
  Replayed,            ///< A counter that was seen already, or is too old to tell.
  BadMac,              ///< A handshake message from somebody who does not know the network.
  CookieRequired,      ///< We are under load and asked the sender to prove its address first.
  UnexpectedMessage,   ///< Nothing waits for it: late, duplicated or out of order.
  BadCertificate,      ///< Not signed by the network's CA, or not for the key that presented it.
  ExpiredCertificate,  ///< Outside its validity.
  WrongPeer,           ///< Authentic, but not the node we wanted to talk to.
  Self,                ///< We reached ourselves.
  RateLimited,         ///< More than its share.
  Full,                ///< A bounded table or queue has no room.
  NotAllowed,          ///< The sender's certificate does not cover what it claims.
  Conflict,            ///< Somebody else holds it.
};
inline constexpr size_t kErrorCount = static_cast<size_t>(Error::Conflict) + 1;

/// The name under which an error is counted and shown, for example "bad_auth_tag".
std::string_view to_string(Error error);

/// A sentence for the administrator: what is wrong and what to do about it.
struct Problem {
  std::string text;
};

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// REQUIRES: !has_value().
  const E& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, E> state_;
};

/// The value of a Result that has nothing to say but "done".
struct Done {};

}  // namespace ipop
