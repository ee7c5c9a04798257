// Ports on the loopback device, through the C ABI: as the switch makes them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "overlay/ipop.h"
#include "overlay/wire/address.h"

namespace ipop::test {

struct PortDelete {
  void operator()(ipop_port* port) const { ipop_port_destroy(port); }
};
using PortPtr = std::unique_ptr<ipop_port, PortDelete>;

/// A port in TSO mode.  An errno value, and why in `error`, or 0 and the port in `out`.
inline int create_port(const std::string& name, const std::string& invite, const std::string& listen,
                       const std::string& state, PortPtr& out, std::string* error = nullptr,
                       const char* n_rxq = nullptr) {
  const ipop_config config{.name = name.c_str(),
                           .invite = invite.c_str(),
                           .listen = listen.c_str(),
                           .introducers = nullptr,
                           .rekey = nullptr,
                           .state_dir = state.c_str(),
                           .n_rxq = n_rxq,
                           .tso = true};
  ipop_port* port = nullptr;
  char* text = nullptr;
  const int result = ipop_port_create(&config, &port, &text);
  out.reset(port);
  if (error != nullptr) *error = text != nullptr ? text : "";
  ipop_free(text);
  return result;
}

/// Where it listens.
inline Endpoint endpoint_of(const ipop_port& port) {
  Endpoint out;
  ipop_port_status(
      &port,
      [](void* aux, const char* key, const char* value) {
        if (std::string_view(key) == "listen") *static_cast<Endpoint*>(aux) = *Endpoint::parse(value);
      },
      &out);
  return out;
}

/// Whether its view has that text somewhere.
inline bool shows(const ipop_port& port, ipop_view view, std::string_view text) {
  char* const shown = ipop_port_view(&port, view, true);
  const bool has = std::string_view(shown).find(text) != std::string_view::npos;
  ipop_free(shown);
  return has;
}

}  // namespace ipop::test
