// overlay/ipop.h over io/port.h: translates types, and lets no exception out.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "overlay/io/answer_view.h"
#include "overlay/io/dht_view.h"
#include "overlay/io/lease_view.h"
#include "overlay/io/port.h"
#include "overlay/io/ring_view.h"
#include "overlay/io/settings_view.h"
#include "overlay/io/why_view.h"
#include "overlay/ipop.h"

using ipop::Port;

struct ipop_port {
  std::unique_ptr<Port> port;
};

namespace {

char* copy_string(const std::string& text) { return strdup(text.c_str()); }

void set_error(char** errp, const std::string& text) {
  if (errp != nullptr) *errp = copy_string(text);
}

}  // namespace

void ipop_set_log(ipop_log_function* log) { ipop::set_log(log); }

int ipop_port_create(const ipop_config* config, ipop_port** out, char** errp) {
  *out = nullptr;
  if (errp != nullptr) *errp = nullptr;
  try {
    const auto options = ipop::PortOptions::parse(*config);
    if (!options) {
      set_error(errp, options.error().text);
      return EINVAL;
    }
    auto port = Port::open(*options);
    if (!port) {
      set_error(errp, port.error().text);
      return port.error().error;
    }
    *out = new ipop_port{std::move(*port)};
    return 0;
  } catch (const std::exception& exception) {  // No memory, or no thread to be had.
    set_error(errp, exception.what());
    return ENOMEM;
  }
}

void ipop_port_destroy(ipop_port* port) { delete port; }

void ipop_port_send(ipop_port* port, const ipop_frame* frames, size_t n) { port->port->send(frames, n); }

size_t ipop_port_n_rxq(const ipop_port* port) { return port->port->n_queues(); }

size_t ipop_port_recv(ipop_port* port, size_t queue, ipop_buffer* buffers, size_t n) {
  return port->port->receive(queue, buffers, n);
}

size_t ipop_port_buffer_size(const ipop_port* port) { return port->port->buffer_size(); }

size_t ipop_port_fds(const ipop_port* port, size_t queue, int fds[2]) { return port->port->fds(queue, fds); }

bool ipop_port_ready(const ipop_port* port, size_t queue) { return port->port->is_ready(queue); }

void ipop_port_mac(const ipop_port* port, uint8_t mac[6]) {
  std::memcpy(mac, port->port->mac().bytes.data(), 6);
}

int ipop_port_mtu(const ipop_port*) { return ipop::kGuestMtu; }

bool ipop_port_carrier(const ipop_port* port) {
  const auto report = port->port->runtime().report().get();
  for (const auto& peer : report->peers) {
    if (peer.is_up) return true;
  }
  return false;
}

uint64_t ipop_port_change_seq(const ipop_port* port) { return port->port->runtime().report_seq(); }

void ipop_port_status(const ipop_port* port, ipop_status_function* emit, void* aux) {
  const auto report = port->port->runtime().report().get();
  const auto facts = port->port->facts();
  size_t up = 0;
  for (const auto& peer : report->peers) up += peer.is_up ? 1 : 0;
  const auto say = [&](const char* key, const std::string& value) { emit(aux, key, value.c_str()); };
  say("network", report->network);
  say("host", report->host);
  say("node_id", report->node.to_string());
  say("listen", facts.listen.to_string());
  if (facts.local_endpoint) say("local_endpoint", facts.local_endpoint->to_string());
  if (report->public_endpoint) say("public_endpoint", report->public_endpoint->to_string());
  say("ring", report->place.is_joined ? "joined" : "joining");
  say("peers", std::to_string(up));
  say("bindings", std::to_string(report->bindings.size()));
  say("certificate_expires", ipop::format_time(report->certificate_expires));
}

void ipop_port_counters(const ipop_port* port, ipop_counter_function* emit, void* aux) {
  const auto report = port->port->runtime().report().get();
  for (const auto& counter : all_counters(*report, port->port->facts())) {
    emit(aux, counter.name.c_str(), counter.value);
  }
}

void ipop_port_stats(const ipop_port* port, ipop_stats* out) {
  const ipop::PortCounters& counters = port->port->counters();
  out->rx_frames = counters.rx_frames;
  out->rx_bytes = counters.rx_bytes;
  out->rx_dropped = counters.rx_dropped;
  out->tx_frames = counters.tx_frames;
  out->tx_bytes = counters.tx_bytes;
  out->tx_dropped = counters.tx_dropped;
}

char* ipop_port_view(const ipop_port* port, ipop_view view, bool json) {
  const auto report = port->port->runtime().report().get();
  const ipop::Instant now = ipop::monotonic_now();
  switch (view) {
    case IPOP_VIEW_SHOW:
      return copy_string(show(*report, port->port->facts(), now, json));
    case IPOP_VIEW_PEERS:
      return copy_string(show_peers(*report, now, json));
    case IPOP_VIEW_BINDINGS:
      return copy_string(show_bindings(*report, now, json));
    case IPOP_VIEW_RING:
      return copy_string(show_ring(*report, now, json));
    case IPOP_VIEW_DHT:
      return copy_string(show_dht(*report, now, json));
    case IPOP_VIEW_LEASES:
      return copy_string(show_leases(*report, now, json));
    case IPOP_VIEW_SETTINGS:
      return copy_string(show_settings(*report, json));
  }
  return copy_string("");
}

int ipop_port_ask(ipop_port* port, ipop_question question, const char* target, uint64_t* number,
                  char** errp) {
  if (errp != nullptr) *errp = nullptr;
  try {
    ipop::Runtime& runtime = port->port->runtime();
    ipop::Questions::Question asked = ipop::Questions::CrawlAll{};
    if (question == IPOP_QUESTION_WHY) {
      const auto address = ipop::parse_address(target);
      if (!address) {
        set_error(errp, address.error().text);
        return EINVAL;
      }
      asked = ipop::Questions::Explain{*address};
    } else if (question == IPOP_QUESTION_LOAD_SETTINGS) {
      const auto file = ipop::read_settings(target);
      if (!file) {
        set_error(errp, file.error().text);
        return EINVAL;
      }
      asked = ipop::Questions::LoadSettings{.path = target, .file = *file};
    } else if (question == IPOP_QUESTION_EXPECT) {
      const auto guest = ipop::Introduction::parse(target);
      if (!guest) {
        set_error(errp, guest.error().text);
        return EINVAL;
      }
      asked = ipop::Questions::ExpectGuest{*guest};
    } else if (question == IPOP_QUESTION_TRACE) {
      const auto node = find_node(*runtime.report().get(), target);
      if (!node) {
        set_error(errp, node.error().text);
        return EINVAL;
      }
      asked = ipop::Questions::TraceTo{*node};
    }
    const auto taken = runtime.questions().ask(asked);
    if (!taken) {
      set_error(errp, "too many questions wait for an answer; ask again in some seconds");
      return EBUSY;
    }
    *number = *taken;
    return 0;
  } catch (const std::exception& exception) {
    set_error(errp, exception.what());
    return ENOMEM;
  }
}

int ipop_port_collect(ipop_port* port, uint64_t number, bool json, char** answer) {
  ipop::Runtime& runtime = port->port->runtime();
  if (const auto collected = runtime.questions().collect(number)) {
    const auto shown = show_answer(*runtime.report().get(), *collected, json);
    *answer = copy_string(shown ? *shown : shown.error().text);
    return shown ? 0 : EINVAL;
  }
  return runtime.questions().is_open(number) ? EAGAIN : ENOENT;
}

int ipop_port_answer_fd(const ipop_port* port) { return port->port->runtime().questions().fd(); }

void ipop_free(char* text) { std::free(text); }
