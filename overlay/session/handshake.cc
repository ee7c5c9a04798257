#include "overlay/session/handshake.h"

#include "overlay/base/assert.h"
#include "overlay/wire/handshake_payload.h"

namespace ipop {
namespace {

/// Whoever sent `payload` holds the identity of the certificate in it, and that is a member's.
Result<Certificate> check_payload(const Credentials& credentials, const Noise& noise, ByteView payload,
                                  UnixSeconds unix_now) {
  const auto claim = wire::HandshakePayload::decode(payload);
  if (!claim) return claim.error();
  const auto certificate = Certificate::from_der(claim->certificate);
  if (!certificate) return Error::BadCertificate;
  if (const auto member = credentials.network.check(*certificate, unix_now); !member) return member.error();
  if (!verify(certificate->public_key(), wire::HandshakePayload::signed_part(noise.remote_static()),
              claim->signature)) {
    return Error::BadCertificate;
  }
  if (certificate->public_key() == credentials.certificate.public_key()) return Error::Self;
  return *certificate;
}

}  // namespace

InitiatorHandshake::InitiatorHandshake(const Credentials& credentials, uint32_t local_index, Random& random)
    : credentials_(credentials),
      local_index_(local_index),
      noise_(Role::Initiator, credentials.prologue, credentials.noise_static, DhKey::generate(random)) {
  const Bytes padding(wire::Initiation::kNoiseSize - Noise::overhead(0), 0);
  const wire::Initiation message{.sender_index = local_index, .noise = noise_.write_message(padding)};
  initiation_ = message.encode();
}

Bytes InitiatorHandshake::initiation() {
  Bytes out = credentials_.keys.finish(initiation_, cookie_);
  sent_mac1_ = mac1_of(out);
  return out;
}

Result<Done> InitiatorHandshake::handle_cookie(const wire::CookieReply& reply) {
  if (!sent_mac1_ || noise_.complete()) return Error::UnexpectedMessage;
  const auto cookie = credentials_.keys.open_cookie(reply, *sent_mac1_);
  if (!cookie) return cookie.error();
  cookie_ = *cookie;
  return Done{};
}

Result<Established> InitiatorHandshake::handle_response(const wire::Response& response,
                                                        UnixSeconds unix_now) {
  if (noise_.complete()) return Error::UnexpectedMessage;
  Noise noise = noise_;
  const auto payload = noise.read_message(response.noise);
  if (!payload) return payload.error();
  const auto peer = check_payload(credentials_, noise, *payload, unix_now);
  if (!peer) return peer.error();

  const wire::Confirmation message{.receiver_index = response.sender_index,
                                   .noise = noise.write_message(credentials_.payload)};
  confirmation_ = credentials_.keys.finish(message.encode(), cookie_);
  noise_ = noise;
  return Established{.keys = noise_.split(),
                     .local_index = local_index_,
                     .remote_index = response.sender_index,
                     .peer = *peer,
                     .remote_static = noise_.remote_static()};
}

Bytes InitiatorHandshake::confirmation() const {
  IPOP_ASSERT(noise_.complete());
  return confirmation_;
}

Result<ResponderHandshake> ResponderHandshake::accept(const Credentials& credentials,
                                                      const wire::Initiation& initiation,
                                                      uint32_t local_index, Random& random) {
  Noise noise(Role::Responder, credentials.prologue, credentials.noise_static, DhKey::generate(random));
  if (const auto padding = noise.read_message(initiation.noise); !padding) return padding.error();
  ResponderHandshake out(credentials, std::move(noise), local_index, initiation.sender_index);
  const wire::Response message{.sender_index = local_index,
                               .receiver_index = initiation.sender_index,
                               .noise = out.noise_.write_message(credentials.payload)};
  out.response_ = credentials.keys.finish(message.encode(), std::nullopt);
  return out;
}

Result<Established> ResponderHandshake::handle_confirmation(const wire::Confirmation& confirmation,
                                                            UnixSeconds unix_now) {
  if (noise_.complete()) return Error::UnexpectedMessage;
  Noise noise = noise_;
  const auto payload = noise.read_message(confirmation.noise);
  if (!payload) return payload.error();
  const auto peer = check_payload(*credentials_, noise, *payload, unix_now);
  if (!peer) return peer.error();
  noise_ = noise;
  return Established{.keys = noise_.split(),
                     .local_index = local_index_,
                     .remote_index = remote_index_,
                     .peer = *peer,
                     .remote_static = noise_.remote_static()};
}

}  // namespace ipop
