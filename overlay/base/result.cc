#include "overlay/base/result.h"

namespace ipop {

std::string_view to_string(Error error) {
  switch (error) {
    case Error::Malformed:
      return "malformed";
    case Error::UnknownType:
      return "unknown_type";
    case Error::UnknownSession:
      return "unknown_session";
    case Error::BadAuthTag:
      return "bad_auth_tag";
    case Error::Replayed:
      return "replayed";
    case Error::BadMac:
      return "bad_mac";
    case Error::CookieRequired:
      return "cookie_required";
    case Error::UnexpectedMessage:
      return "unexpected_message";
    case Error::BadCertificate:
      return "bad_certificate";
    case Error::ExpiredCertificate:
      return "expired_certificate";
    case Error::WrongPeer:
      return "wrong_peer";
    case Error::Self:
      return "self";
    case Error::RateLimited:
      return "rate_limited";
    case Error::Full:
      return "full";
    case Error::NotAllowed:
      return "not_allowed";
    case Error::Conflict:
      return "conflict";
  }
  return "unknown";
}

}  // namespace ipop
