// The handshake as two machines, one for each role.  Neither has timers: link/dial.h repeats what is lost.
//
//   initiator                                        responder
//       -- Initiation   e, padding               -->     nobody yet
//       <- Response     e, ee, s, es, {payload}  ---     who we talk to: checked before we say who we are
//       -- Confirmation s, se, {payload}         -->     who they are; both hold the transport keys
//
// Noise XX, as in crypto/noise.h; the payloads carry certificate and signature (wire/handshake_payload.h).
#pragma once

#include <cstdint>
#include <optional>

#include "overlay/base/random.h"
#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/crypto/noise.h"
#include "overlay/session/credentials.h"
#include "overlay/wire/datagram.h"

namespace ipop {

/// What a completed handshake leaves: keys, and a peer whose certificate the network's CA signed.
struct Established {
  TransportKeys keys;
  uint32_t local_index = 0;
  uint32_t remote_index = 0;
  Certificate peer;
  std::array<uint8_t, 32>
      remote_static{};  ///< Fresh at each start of the peer: another one means that it restarted.
};

class InitiatorHandshake {
 public:
  /// `local_index`: the index under which the response is to come.  `credentials` must outlive the handshake.
  InitiatorHandshake(const Credentials& credentials, uint32_t local_index, Random& random);

  uint32_t local_index() const { return local_index_; }

  /// The Initiation, ready to send, also again; with the cookie if one was demanded.
  Bytes initiation();

  /// Remembers the cookie for the next initiation().  Error::BadAuthTag if the reply is not for our last one.
  Result<Done> handle_cookie(const wire::CookieReply& reply);

  /// Errors: UnexpectedMessage after the first genuine one; Self; those of Noise::read_message() and
  /// Network::check().  A refused response changes nothing, so that a forged one cannot stop the genuine one.
  Result<Established> handle_response(const wire::Response& response, UnixSeconds unix_now);

  /// The Confirmation, ready to send, also again.  REQUIRES: handle_response() succeeded.
  Bytes confirmation() const;

 private:
  const Credentials& credentials_;
  uint32_t local_index_;
  Noise noise_;
  Bytes initiation_;
  Bytes confirmation_;
  std::optional<Mac1> sent_mac1_;
  std::optional<Cookie> cookie_;
};

class ResponderHandshake {
 public:
  /// Reads an Initiation whose MACs were checked.
  static Result<ResponderHandshake> accept(const Credentials& credentials, const wire::Initiation& initiation,
                                           uint32_t local_index, Random& random);

  /// The Response, ready to send.
  const Bytes& response() const { return response_; }

  /// Errors: as handle_response().  A refused confirmation changes nothing.
  Result<Established> handle_confirmation(const wire::Confirmation& confirmation, UnixSeconds unix_now);

 private:
  ResponderHandshake(const Credentials& credentials, Noise noise, uint32_t local_index, uint32_t remote_index)
      : credentials_(&credentials),
        noise_(std::move(noise)),
        local_index_(local_index),
        remote_index_(remote_index) {}

  const Credentials* credentials_;
  Noise noise_;
  uint32_t local_index_;
  uint32_t remote_index_;
  Bytes response_;
};

}  // namespace ipop
