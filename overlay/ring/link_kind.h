// Why a link exists.
#pragma once

#include <cstdint>
#include <string_view>

namespace ipop {

/// What a link is to us, the first that applies.  The peer may see it otherwise: our shortcut is a leaf to it.
enum class LinkKind : uint8_t {
  Near,      ///< One of the nearest nodes on either side.
  Shortcut,  ///< Drawn by us, far away.
  OnDemand,  ///< Guests of both hosts talk.
  Leaf,      ///< Wanted by the peer, or left over and about to be closed.
};

constexpr std::string_view to_string(LinkKind kind) {
  switch (kind) {
    case LinkKind::Near:
      return "near";
    case LinkKind::Shortcut:
      return "shortcut";
    case LinkKind::OnDemand:
      return "on-demand";
    case LinkKind::Leaf:
      return "leaf";
  }
  return "";
}

}  // namespace ipop
