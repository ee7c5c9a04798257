#include "overlay/link/links.h"

#include <algorithm>
#include <string>

#include "overlay/wire/checksum.h"
#include "overlay/wire/slice.h"

namespace ipop {
namespace {

/// What a cookie vouches for: the endpoint of a direct path, a digest of the node of another.
Endpoint provable(const Path& path) {
  if (path.endpoint) return *path.endpoint;
  Endpoint out;
  std::copy_n(path.node.bytes.begin(), out.address.size(), out.address.begin());
  return out;
}

/// Whether one host may have both, whatever the port.
bool may_be_one_host(const Endpoint& a, const Endpoint& b) {
  const size_t octets = a.is_ipv4() ? 16 : 8;
  return std::equal(a.address.begin(), a.address.begin() + octets, b.address.begin());
}

template <class T>
std::optional<T> pop(std::deque<T>& queue) {
  if (queue.empty()) return std::nullopt;
  T out = std::move(queue.front());
  queue.pop_front();
  return out;
}

}  // namespace

Links::Links(const Credentials& credentials, Link::Options options, Random& random, Log& log,
             ErrorCounters& refused)
    : credentials_(credentials),
      options_(options),
      random_(random),
      log_(log),
      refused_(refused),
      cookies_(random) {}

void Links::call(Instant now, const Dial::Target& target, Duration patience) {
  for (const auto& [index, dial] : dials_) {
    if (dial.target().path == target.path && dial.target().node == target.node) return;
  }
  const uint32_t index = unused_index();
  dials_.try_emplace(index, credentials_, target, index, patience, now, random_);
  poll_dials();
}

void Links::hang_up(Instant now, const NodeId& node) {
  const auto link = links_.find(node);
  if (link == links_.end()) return;
  send(now, link->second, wire::Type::Control,
       encode_control(wire::Goodbye{.reason = wire::Goodbye::Reason::Unneeded}));
  drop(node, End::Unneeded);
}

void Links::look(Instant now) {
  for (auto& [node, link] : links_) {
    if (link.look(now)) touched_.push_back(node);
  }
  poll_links(now);
}

void Links::set_use(Instant now, const NodeId& node, bool wants_link, Duration keepalive) {
  const auto link = links_.find(node);
  if (link == links_.end()) return;
  link->second.set_use(now, wants_link, keepalive);
  touched_.push_back(node);
  poll_links(now);
}

void Links::ask_for_life(Instant now, const NodeId& node) { handle_quiet(now, node); }

void Links::handle_datagram(Instant now, UnixSeconds unix_now, const Path& from, ByteView datagram) {
  if (const auto done = dispatch(now, unix_now, from, datagram); !done) {
    refused_.add(done.error());
    const bool is_news = done.error() == Error::BadCertificate || done.error() == Error::ExpiredCertificate ||
                         done.error() == Error::WrongPeer;
    if (is_news && refusal_log_.take(now)) {
      log_.warning("refused a handshake with " + from.to_string() + ": " +
                   std::string(to_string(done.error())));
    }
  }
  poll_dials();
  poll_links(now);
}

Result<Done> Links::dispatch(Instant now, UnixSeconds unix_now, const Path& from, ByteView datagram) {
  const auto type = wire::peek_type(datagram);
  if (!type) return type.error();
  switch (*type) {
    case wire::Type::Initiation:
      return handle_initiation(now, from, datagram);
    case wire::Type::Response:
      return handle_response(now, unix_now, from, datagram);
    case wire::Type::Confirmation:
      return handle_confirmation(now, unix_now, from, datagram);
    case wire::Type::Data:
    case wire::Type::Control:
      return handle_data(now, from, datagram);
    case wire::Type::CookieReply:
      return handle_cookie_reply(now, datagram);
    case wire::Type::UnknownSession:
      return handle_unknown_session(now, from, datagram);
  }
  return Error::UnknownType;
}

Result<Done> Links::handle_initiation(Instant now, const Path& from, ByteView datagram) {
  const auto message = wire::Initiation::decode(datagram);
  if (!message) return message.error();
  if (!credentials_.keys.check_mac1(datagram)) return Error::BadMac;
  const Endpoint prover = provable(from);
  if (responders_.size() >= kBusyResponders) {
    if (!cookies_.check_mac2(now, prover, datagram)) {
      const auto reply =
          credentials_.keys.seal_cookie(cookies_.bake(now, prover), datagram, message->sender_index, random_);
      put(from, reply.encode());
      return Error::CookieRequired;
    }
    const bool is_full = responders_.size() >= kMaxResponders;
    if (is_full || responders_of(prover) >= kMaxRespondersOfOne) return Error::Full;
  }
  const uint32_t index = unused_index();
  auto handshake = ResponderHandshake::accept(credentials_, *message, index, random_);
  if (!handshake) return handshake.error();
  put(from, handshake->response());
  responders_.emplace(index, Responder{.handshake = std::move(*handshake),
                                       .prover = prover,
                                       .give_up_at = now + kResponderPatience});
  return Done{};
}

size_t Links::responders_of(const Endpoint& prover) const {
  return static_cast<size_t>(std::count_if(responders_.begin(), responders_.end(), [&](const auto& entry) {
    return may_be_one_host(entry.second.prover, prover);
  }));
}

Result<Done> Links::handle_response(Instant now, UnixSeconds unix_now, const Path& from, ByteView datagram) {
  const auto message = wire::Response::decode(datagram);
  if (!message) return message.error();
  const auto dial = dials_.find(message->receiver_index);
  if (dial == dials_.end()) return Error::UnexpectedMessage;
  if (!credentials_.keys.check_mac1(datagram)) return Error::BadMac;
  const Dial::Target called = dial->second.target();
  const auto established = dial->second.handle_response(now, from, *message, unix_now);
  if (!established) {
    if (dial->second.finished()) {
      dials_.erase(dial);
      fail(message->receiver_index, called, established.error());
    }
    return established.error();
  }
  if (!called.node) events_.push_back(Answered{.path = called.path, .node = established->peer.node_id()});
  return establish(now, *established, Link::Origin::Initiated, from);
}

Result<Done> Links::handle_confirmation(Instant now, UnixSeconds unix_now, const Path& from,
                                        ByteView datagram) {
  const auto message = wire::Confirmation::decode(datagram);
  if (!message) return message.error();
  const auto responder = responders_.find(message->receiver_index);
  if (responder == responders_.end()) return Error::UnexpectedMessage;
  if (!credentials_.keys.check_mac1(datagram)) return Error::BadMac;
  const auto established = responder->second.handshake.handle_confirmation(*message, unix_now);
  if (!established) return established.error();
  responders_.erase(responder);
  return establish(now, *established, Link::Origin::Accepted, from);
}

Result<Done> Links::handle_cookie_reply(Instant now, ByteView datagram) {
  const auto reply = wire::CookieReply::decode(datagram);
  if (!reply) return reply.error();
  const auto dial = dials_.find(reply->receiver_index);
  if (dial == dials_.end()) return Error::UnexpectedMessage;
  return dial->second.handle_cookie(now, *reply);
}

Result<Done> Links::handle_unknown_session(Instant now, const Path& from, ByteView datagram) {
  const auto message = wire::UnknownSession::decode(datagram);
  if (!message) return message.error();
  for (auto& [node, link] : links_) {
    if (link.path() != from || !link.sending()) continue;
    if (link.sending()->remote_index() != message->receiver_index) continue;
    link.handle_unknown_session(now);
    touched_.push_back(node);
    return Done{};
  }
  return Error::UnexpectedMessage;
}

Result<Done> Links::handle_data(Instant now, const Path& from, ByteView datagram) {
  const auto header = wire::DataHeader::decode(datagram);
  if (!header || datagram.size() < Keypair::kOverhead) return Error::Malformed;
  Link* link = find_by_index(header->receiver_index);
  if (link == nullptr) {
    // A handshake of ours may still be under way under that index; else the sender talks to a process that
    // died.
    const bool is_pending =
        responders_.contains(header->receiver_index) || dials_.contains(header->receiver_index);
    if (!is_pending && unknown_session_replies_.take(now)) {
      const wire::UnknownSession reply{.receiver_index = header->receiver_index};
      put(from, reply.encode());
    }
    return Error::UnknownSession;
  }
  Bytes plaintext(datagram.size() - Keypair::kOverhead);
  const auto keypair = link->find(header->receiver_index);
  if (const auto done = keypair->open(*header, datagram, plaintext.data()); !done) return done.error();
  if (header->type == wire::Type::Data) {
    link->activity()->rx_frames.fetch_add(1, std::memory_order_relaxed);
    link->activity()->rx_bytes.fetch_add(plaintext.size(), std::memory_order_relaxed);
  }
  ByteSpan whole = plaintext;
  if (header->is_slice()) {
    const auto frame = reassembly_.add(header->receiver_index, header->counter, plaintext);
    if (!frame) return frame.error();
    if (!*frame) {
      handle_received(now, header->receiver_index, from);
      return Done{};
    }
    whole = **frame;
  }
  if (header->has_partial_checksum()) complete_checksum(whole);
  handle_opened(now, header->receiver_index, from, header->type, whole);
  return Done{};
}

void Links::handle_opened(Instant now, uint32_t local_index, const Path& from, wire::Type type,
                          ByteView plaintext) {
  handle_received(now, local_index, from);
  Link* link = find_by_index(local_index);
  if (link == nullptr) return;  // Retired since the fast path looked.
  if (type == wire::Type::Data) {
    events_.push_back(Frame{.from = link->node(), .frame = {plaintext.begin(), plaintext.end()}});
    return;
  }
  touched_.push_back(link->node());
  if (const auto done = handle_control(now, *link, from, plaintext); !done) refused_.add(done.error());
  poll_links(now);
}

void Links::handle_received(Instant now, uint32_t local_index, const Path& from) {
  Link* link = find_by_index(local_index);
  if (link == nullptr) return;
  const Path before = link->path();
  if (link->handle_received(now, local_index, from)) ++version_;
  touched_.push_back(link->node());
  if (before != link->path() && roaming_log_.take(now)) {
    log_.info("peer " + link->node().to_short_string() + " moved from " + before.to_string() + " to " +
              from.to_string());
  }
  if (const auto dial = dials_.find(local_index); dial != dials_.end()) dials_.erase(dial);  // Confirmed.
  poll_links(now);
}

void Links::handle_quiet(Instant now, const NodeId& node) {
  if (const auto link = links_.find(node); link != links_.end()) {
    link->second.handle_quiet(now);
    touched_.push_back(node);
  }
  poll_links(now);
}

void Links::handle_too_big(Instant now, const NodeId& node) {
  if (const auto link = links_.find(node); link != links_.end()) {
    link->second.handle_too_big(now);
    touched_.push_back(node);
  }
  poll_links(now);
}

bool Links::send_frame(Instant now, const NodeId& node, ByteView frame) {
  const auto entry = links_.find(node);
  if (entry == links_.end()) return false;
  Link& link = entry->second;
  const size_t count = wire::slices_of(frame.size(), link.max_datagram() - Keypair::kOverhead);
  if (count > 1) {
    if (!send_slices(link, frame, count)) return false;
  } else if (!send(now, link, wire::Type::Data, frame)) {
    return false;
  }
  PeerActivity& activity = *link.activity();
  activity.last_sent.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  activity.tx_frames.fetch_add(count, std::memory_order_relaxed);
  activity.tx_bytes.fetch_add(frame.size(), std::memory_order_relaxed);
  if (count > 1) handle_too_big(now, node);  // Last: it visits the links, which may end with that.
  return true;
}

bool Links::send_slices(Link& link, ByteView frame, size_t count) {
  if (!link.sending() || count > wire::SliceHeader::kMaxCount) return false;
  const auto first = link.sending()->reserve(count);
  if (!first) return false;
  for (size_t i = 0; i < count; ++i) {
    Bytes datagram(Keypair::slice_datagram_size(frame.size(), count));
    datagram.resize(link.sending()->seal_slice(*first + i, 0, frame, i, count, datagram.data()));
    put(link.path(), std::move(datagram));
  }
  return true;
}

bool Links::send_control(Instant now, const NodeId& node, const wire::ControlMessage& message) {
  const auto link = links_.find(node);
  return link != links_.end() && send(now, link->second, wire::Type::Control, encode_control(message));
}

std::optional<Links::Event> Links::poll_event() { return pop(events_); }

std::optional<Links::Datagram> Links::poll_datagram() { return pop(datagrams_); }

std::optional<Links::Datagram> Links::poll_ring_datagram() { return pop(ring_datagrams_); }

std::optional<Endpoint> Links::public_endpoint() const {
  std::map<Endpoint, int> votes;
  for (const auto& [node, link] : links_) {
    if (link.observed()) ++votes[*link.observed()];
  }
  const auto winner = std::max_element(votes.begin(), votes.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return winner == votes.end() ? std::nullopt : std::optional(winner->first);
}

Instant Links::next_timeout() const {
  if (!events_.empty() || !datagrams_.empty() || !ring_datagrams_.empty()) return Instant::min();
  Instant next = link_timeout_;
  for (const auto& [index, dial] : dials_) next = std::min(next, dial.next_timeout());
  for (const auto& [index, responder] : responders_) next = std::min(next, responder.give_up_at);
  return next;
}

template <class Change>
void Links::change_path(const Link& link, Change change) {
  const size_t before = link.max_datagram();
  const bool was_found = link.is_mtu_found();
  change();
  if (link.max_datagram() == before && link.is_mtu_found() == was_found) return;
  ++version_;
  if (link.max_datagram() == before) return;
  log_.info("peer " + link.node().to_short_string() + ": the path carries datagrams of " +
            std::to_string(link.max_datagram()) + " octets");
}

void Links::handle_timeout(Instant now) {
  if (now >= link_timeout_) {
    link_timeout_ = kNever;
    for (auto& [node, link] : links_) {
      if (link.next_timeout() <= now) {
        const size_t keypairs = link.receiving().size();
        change_path(link, [&] { link.handle_timeout(now); });
        touched_.push_back(node);
        if (link.receiving().size() != keypairs) ++version_;
      } else {
        link_timeout_ = std::min(link_timeout_, link.next_timeout());
      }
    }
  }
  for (auto& [index, dial] : dials_) {
    if (dial.next_timeout() <= now) dial.handle_timeout(now);
  }
  std::erase_if(responders_, [&](const auto& entry) { return now >= entry.second.give_up_at; });
  poll_dials();
  poll_links(now);
}

Result<Done> Links::handle_control(Instant now, Link& link, const Path& from, ByteView plaintext) {
  auto message = wire::decode_control(plaintext);
  if (!message) return message.error();
  if (const auto* ping = std::get_if<wire::Ping>(&*message)) {
    link.handle_ping(ping->wants_link);
    send(now, link, wire::Type::Control,
         encode_control(
             wire::Pong{.token = ping->token,
                        .wants_link = link.wants_link(),
                        .observed = ping->asks_endpoint ? from.endpoint : std::nullopt,
                        .received = ping->asks_received ? std::optional(link.received()) : std::nullopt}));
  } else if (const auto* pong = std::get_if<wire::Pong>(&*message)) {
    change_path(link, [&] { handle_trial(link, link.handle_pong(now, *pong)); });
  } else if (const auto* goodbye = std::get_if<wire::Goodbye>(&*message)) {
    const bool stops = goodbye->reason == wire::Goodbye::Reason::Stopping;
    if (stops) log_.info("peer " + link.node().to_short_string() + " says goodbye");
    drop(link.node(), stops ? End::Stopped : End::Unneeded);
  } else {
    events_.push_back(Message{.from = link.node(), .body = std::move(*message), .path = from});
  }
  return Done{};
}

void Links::handle_trial(const Link& link, TrainTrial::Change change) {
  const std::string peer = "peer " + link.node().to_short_string();
  switch (change) {
    case TrainTrial::Change::None:
      return;
    case TrainTrial::Change::Suspected:
      log_.warning("most datagrams do not reach " + peer +
                   ": they leave one by one, not in trains, for a trial");
      break;
    case TrainTrial::Change::Convicted:
      ++train_fallbacks_;
      log_.warning("datagrams reach " + peer +
                   " one by one only: the path, or a kernel, loses or spoils trains");
      break;
    case TrainTrial::Change::Acquitted:
      log_.info("one by one datagrams do not reach " + peer + " either: they leave in trains again");
      break;
    case TrainTrial::Change::Retried:
      log_.info("datagrams to " + peer + " leave in trains again, for a trial");
      break;
  }
  ++version_;
}

Result<Done> Links::establish(Instant now, const Established& established, Link::Origin origin,
                              const Path& from) {
  const NodeId node = established.peer.node_id();
  if (links_.size() >= kMaxLinks && !links_.contains(node)) return Error::Full;
  const auto [entry, is_new] =
      links_.try_emplace(node, node, established.peer.host_name(), options_, random_);
  Link& link = entry->second;
  link.handle_established(now, established, origin, from);
  touched_.push_back(node);
  keypair_owners_[established.local_index] = node;
  std::erase_if(keypair_owners_, [&](const auto& owner) {  // Keypairs that the new one pushed out.
    return owner.second == node &&
           std::none_of(link.receiving().begin(), link.receiving().end(),
                        [&](const auto& keypair) { return keypair->local_index() == owner.first; });
  });
  // Other attempts to reach the same peer are pointless now.  Two are not: the one that is waiting for its
  // confirmation, and the one that may yet find a direct path.
  std::erase_if(dials_, [&](const auto& dial) {
    const auto& target = dial.second.target();
    if (!dial.second.is_calling() || (target.path.is_direct() && !from.is_direct())) return false;
    // Who looks for another node at this endpoint is to hear that it fails.
    return target.node ? target.node == node : target.path == from;
  });
  ++version_;
  return Done{};
}

void Links::poll_links(Instant now) {
  while (!touched_.empty()) {
    const NodeId node = touched_.back();
    touched_.pop_back();
    const auto entry = links_.find(node);
    if (entry == links_.end()) continue;
    Link& link = entry->second;
    while (const auto event = link.poll_event()) {
      if (*event == Link::Event::Dead) {
        log_.warning("peer " + node.to_short_string() + " at " + link.path().to_string() +
                     " does not answer");
        drop(node, End::Dead);
        break;
      }
      if (*event == Link::Event::Connected) {
        log_.info("connected to " + link.host_name() + " (" + node.to_short_string() + ") at " +
                  link.path().to_string());
        events_.push_back(Connected{.node = node, .path = link.path(), .origin = link.connected_as()});
      } else if (*event == Link::Event::Ping) {
        send(now, link, wire::Type::Control, encode_control(link.start_ping(now)));
      } else if (*event == Link::Event::Probe) {
        const Link::Probe probe = link.start_probe(now);
        Bytes padded = encode_control(probe.ping);
        padded.resize(probe.datagram_size - Keypair::kOverhead);  // What follows a Ping is ignored.
        send(now, link, wire::Type::Control, padded);
      } else {
        call(now, {.path = link.path(), .node = node, .is_rekey = true}, kRekeyPatience);
      }
    }
    if (const auto polled = links_.find(node); polled != links_.end()) {
      link_timeout_ = std::min(link_timeout_, polled->second.next_timeout());
    }
  }
}

void Links::poll_dials() {
  for (auto entry = dials_.begin(); entry != dials_.end();) {
    const auto current = entry++;
    Dial& dial = current->second;
    while (auto bytes = dial.poll_datagram()) put(dial.target().path, std::move(*bytes));
    if (!dial.finished()) continue;
    const Dial::Target target = dial.target();
    const uint32_t local_index = dial.local_index();
    dials_.erase(current);
    fail(local_index, target, std::nullopt);
  }
}

void Links::fail(uint32_t local_index, const Dial::Target& target, std::optional<Error> reason) {
  if (const auto entry = target.node ? links_.find(*target.node) : links_.end(); entry != links_.end()) {
    Link& link = entry->second;
    // A direct path that was looked for beside the ring does not matter to the session, nor to one that waits
    // for the confirmation of another handshake.
    const bool was_first = !link.sending() && !link.awaits_other(local_index);
    if (target.is_rekey || was_first) link.handle_handshake_failed(local_index);
    touched_.push_back(entry->first);
    if (target.is_rekey || was_first) return;  // The link says what becomes of it.
  }
  events_.push_back(Failed{.target = target, .reason = reason});
}

void Links::drop(NodeId node, End end) {
  const auto link = links_.find(node);
  if (link == links_.end()) return;
  events_.push_back(Disconnected{.node = node, .path = link->second.path(), .end = end});
  links_.erase(link);
  if (links_.empty()) link_timeout_ = kNever;
  std::erase_if(keypair_owners_, [&](const auto& owner) { return owner.second == node; });
  // Nothing can confirm a keypair that went with the link, and call() must not take its dial for an attempt.
  std::erase_if(dials_, [&](const auto& dial) {
    return !dial.second.is_calling() && dial.second.target().node == node;
  });
  ++version_;
}

Link* Links::find_by_index(uint32_t local_index) {
  const auto owner = keypair_owners_.find(local_index);
  if (owner == keypair_owners_.end()) return nullptr;
  const auto link = links_.find(owner->second);
  if (link == links_.end() || !link->second.find(local_index)) return nullptr;  // Its time was over.
  return &link->second;
}

uint32_t Links::unused_index() {
  for (;;) {
    const uint32_t index = random_.u32();
    if (!dials_.contains(index) && !responders_.contains(index) && !keypair_owners_.contains(index))
      return index;
  }
}

bool Links::send(Instant now, Link& link, wire::Type type, ByteView plaintext) {
  if (!link.sending()) return false;
  Bytes datagram(plaintext.size() + Keypair::kOverhead);
  if (!link.sending()->seal(type, plaintext, datagram.data())) return false;
  link.activity()->last_sent.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  put(link.path(), std::move(datagram));
  return true;
}

void Links::put(const Path& to, Bytes datagram) {
  (to.is_direct() ? datagrams_ : ring_datagrams_).push_back({to, std::move(datagram)});
}

}  // namespace ipop
