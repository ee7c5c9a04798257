#include "overlay/node/node.h"

#include <algorithm>
#include <chrono>

#include "overlay/node/records.h"

namespace ipop {
namespace {

Duration unix_offset_of(Instant now, UnixSeconds unix_now) {
  return std::chrono::seconds(unix_now) - now.time_since_epoch();
}

/// Two networks of one name differ in their keys, and so in the service MAC and where leases start.
uint64_t network_hash_of(const Network& network) {
  Reader in(network.id());
  return in.u64();
}

}  // namespace

Node::Node(NodeConfig config, Instant now, UnixSeconds unix_now, Random& random, Log& log)
    : config_(std::move(config)),
      random_(random),
      log_(log),
      unix_offset_(unix_offset_of(now, unix_now)),
      links_(config_.credentials, config_.link, random, log, refused_),
      mesh_(config_.credentials.id),
      lookup_(now),
      vnet_({.network_name = config_.credentials.network.name(),
             .subnet = config_.credentials.network.subnet(),
             .network_hash = network_hash_of(config_.credentials.network),
             .own = config_.credentials.id,
             .mtu = kGuestMtu},
            random, log),
      gossip_at_(now + kGossipInterval),
      hash_key_(random.u64()) {
  for (const Endpoint& endpoint : config_.introducers)
    introducers_.push_back({.endpoint = endpoint, .node = {}});
  call_introducers(now);
}

void Node::handle_clock(Instant now, UnixSeconds unix_now) { unix_offset_ = unix_offset_of(now, unix_now); }

void Node::handle_datagram(Instant now, const Endpoint& from, ByteView datagram) {
  const auto unix_now =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch() + unix_offset_).count();
  links_.handle_datagram(now, unix_now, from, datagram);
  pump(now);
}

void Node::handle_opened(Instant now, uint32_t local_index, const Endpoint& from, wire::Type type,
                         ByteView plaintext) {
  links_.handle_opened(now, local_index, from, type, plaintext);
  pump(now);
}

void Node::handle_received(Instant now, uint32_t local_index, const Endpoint& from) {
  links_.handle_received(now, local_index, from);
  pump(now);
}

void Node::handle_quiet(Instant now, const NodeId& node) {
  links_.handle_quiet(now, node);
  pump(now);
}

void Node::handle_guest_frame(Instant now, ByteView frame) {
  (void)vnet_.handle_guest_frame(now, frame);  // Counts its refusals itself.
  pump(now);
}

void Node::handle_known_peer(Instant now, const FullMesh::Member& peer) {
  mesh_.handle_heard_of(now, peer.node, peer.endpoint);
  pump(now);
}

void Node::handle_shutdown(Instant now) {
  for (const NodeId& node : connected_nodes()) links_.send_control(now, node, wire::Goodbye{});
}

std::shared_ptr<const Snapshot> Node::poll_snapshot() {
  const std::pair versions{links_.version(), vnet_.map().version()};
  if (versions == snapshot_of_) return nullptr;
  snapshot_of_ = versions;
  ++snapshot_version_;
  return make_snapshot();
}

Instant Node::next_timeout() const {
  return std::min({links_.next_timeout(), mesh_.next_timeout(), lookup_.next_timeout(), vnet_.next_timeout(),
                   gossip_at_});
}

void Node::handle_timeout(Instant now) {
  links_.handle_timeout(now);
  lookup_.handle_timeout(now);
  vnet_.handle_timeout(now);
  if (now >= gossip_at_) gossip(now);
  pump(now);
}

std::optional<Endpoint> Node::public_endpoint() const {
  std::map<Endpoint, int> votes;
  for (const auto& [node, link] : links_.all()) {
    if (link.observed()) ++votes[*link.observed()];
  }
  const auto winner = std::max_element(votes.begin(), votes.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return winner == votes.end() ? std::nullopt : std::optional(winner->first);
}

/// Carries what one part has to say to the others until all are silent.  Ends, since every turn uses up
/// something that came from outside: no part answers a part's question with another question to it.
void Node::pump(Instant now) {
  bool busy = true;
  while (busy) {
    busy = false;
    while (const auto event = links_.poll_event()) {
      handle_event(now, *event);
      busy = true;
    }
    while (const auto member = mesh_.poll_connect(now)) {
      links_.call(now, {.endpoint = member->endpoint, .node = member->node}, kCallPatience);
      busy = true;
    }
    while (const auto query = vnet_.poll_query()) {
      const auto started = lookup_.start(now, to_message(*query, now), connected_nodes());
      if (!started && started.error() == Error::Full) (void)vnet_.handle_answer(now, query->id, std::nullopt);
      busy = true;
    }
    while (const auto question = lookup_.poll_question()) {
      links_.send_control(now, question->to, question->query);
      busy = true;
    }
    while (const auto outcome = lookup_.poll_outcome()) {
      std::optional<Binding> holder;
      if (outcome->holder) holder = to_binding(*outcome->holder, now);
      (void)vnet_.handle_answer(now, outcome->query.id, holder);
      busy = true;
    }
    while (const auto binding = vnet_.poll_announcement()) {
      const wire::Announcement announcement{.binding = to_record(*binding, now)};
      for (const NodeId& node : connected_nodes()) links_.send_control(now, node, announcement);
      busy = true;
    }
    while (const auto outgoing = vnet_.poll_outgoing()) {
      send_frame(now, *outgoing);
      busy = true;
    }
  }
}

void Node::handle_event(Instant now, const Links::Event& event) {
  if (const auto* answered = std::get_if<Links::Answered>(&event)) {
    for (Introducer& introducer : introducers_) {
      if (introducer.endpoint == answered->endpoint) introducer.node = answered->node;
    }
  } else if (const auto* connected = std::get_if<Links::Connected>(&event)) {
    handle_connected(now, *connected);
  } else if (const auto* disconnected = std::get_if<Links::Disconnected>(&event)) {
    handle_disconnected(now, disconnected->node);
  } else if (const auto* failed = std::get_if<Links::Failed>(&event)) {
    handle_failed(now, *failed);
  } else if (const auto* message = std::get_if<Links::Message>(&event)) {
    handle_message(now, *message);
  } else if (const auto* frame = std::get_if<Links::Frame>(&event)) {
    (void)vnet_.handle_member_frame(now, frame->from, frame->frame);
  }
}

void Node::handle_connected(Instant now, const Links::Connected& connected) {
  mesh_.handle_connected(connected.node, connected.endpoint);
  lookup_.handle_connected(connected.node);
  send_bindings(now, connected.node);
  // Both sides learn of each other now and start calling: that is what opens two NATs.
  send_members(now, connected.node);
  const wire::Members newcomer{.members = {{.node = connected.node, .endpoint = connected.endpoint}}};
  for (const NodeId& node : connected_nodes()) {
    if (node != connected.node) links_.send_control(now, node, newcomer);
  }
}

void Node::handle_disconnected(Instant now, const NodeId& node) {
  mesh_.handle_disconnected(now, node);
  lookup_.handle_disconnected(node);
  vnet_.handle_member_gone(now, node);
  call_introducers(now);
}

void Node::handle_failed(Instant now, const Links::Failed& failed) {
  if (failed.target.node) mesh_.handle_unreachable(now, *failed.target.node);
  if (failed.reason != Error::Self) return;
  for (Introducer& introducer : introducers_) {
    if (introducer.endpoint == failed.target.endpoint) introducer.is_self_until = now + kSelfPatience;
  }
}

void Node::handle_message(Instant now, const Links::Message& message) {
  if (const auto* members = std::get_if<wire::Members>(&message.body)) {
    handle_members(now, *members);
  } else if (const auto* query = std::get_if<wire::Query>(&message.body)) {
    const auto binding = vnet_.handle_query(now, message.from, to_query(*query, now));
    wire::Answer answer{.id = query->id, .binding = std::nullopt};
    if (binding) answer.binding = to_record(*binding, now);
    links_.send_control(now, message.from, answer);
  } else if (const auto* answer = std::get_if<wire::Answer>(&message.body)) {
    handle_answer(now, message.from, *answer);
  } else if (const auto* announcement = std::get_if<wire::Announcement>(&message.body)) {
    (void)vnet_.handle_announcement(now, message.from, to_binding(announcement->binding, now));
  }
}

/// A member answers for itself only: its word on another's guest counts as "not I".
void Node::handle_answer(Instant now, const NodeId& from, const wire::Answer& answer) {
  wire::Answer checked = answer;
  if (checked.binding && checked.binding->node != from) {
    refused_.add(Error::NotAllowed);
    checked.binding.reset();
  }
  lookup_.handle_answer(from, checked);
  if (checked.binding && checked.binding->sequence > 0) {
    (void)vnet_.handle_announcement(now, from, to_binding(*checked.binding, now));
  }
}

void Node::handle_members(Instant now, const wire::Members& list) {
  for (const auto& member : list.members) {
    // An address of the virtual network must not carry the network itself.
    const bool is_inside =
        member.endpoint.is_ipv4() && config_.credentials.network.subnet().contains(member.endpoint.ipv4());
    if (is_inside || member.endpoint.port == 0) {
      refused_.add(Error::NotAllowed);
      continue;
    }
    mesh_.handle_heard_of(now, member.node, member.endpoint);
  }
}

void Node::call_introducers(Instant now) {
  for (const Introducer& introducer : introducers_) {
    const bool is_connected = introducer.node && links_.all().contains(*introducer.node);
    if (now < introducer.is_self_until || is_connected) continue;
    links_.call(now, {.endpoint = introducer.endpoint, .node = std::nullopt}, Duration::max());
  }
}

/// What was lost on the way is said again.
void Node::gossip(Instant now) {
  for (const NodeId& node : connected_nodes()) {
    send_members(now, node);
    send_bindings(now, node);
  }
  call_introducers(now);
  // Give or take a sixth: nodes that started together drift apart.
  gossip_at_ = now + kGossipInterval * 5 / 6 + Duration(random_.below((kGossipInterval / 3).count()));
}

void Node::send_members(Instant now, const NodeId& to) {
  wire::Members list;
  const auto flush = [&] {
    if (!list.members.empty()) links_.send_control(now, to, list);
    list.members.clear();
  };
  for (const auto& member : mesh_.connected()) {
    if (member.node == to) continue;
    list.members.push_back({.node = member.node, .endpoint = member.endpoint});
    if (list.members.size() == wire::Members::kMaxCount) flush();
  }
  flush();
}

void Node::send_bindings(Instant now, const NodeId& to) {
  for (const Binding& binding : vnet_.local_bindings()) {
    links_.send_control(now, to, wire::Announcement{.binding = to_record(binding, now)});
  }
}

void Node::send_frame(Instant now, const Vnet::Outgoing& outgoing) {
  if (!outgoing.to) {
    for (const NodeId& node : connected_nodes()) links_.send_frame(now, node, outgoing.frame);
  } else if (const auto next = mesh_.next_hop(*outgoing.to)) {
    links_.send_frame(now, *next, outgoing.frame);
  }
}

std::vector<NodeId> Node::connected_nodes() const {
  std::vector<NodeId> out;
  for (const auto& member : mesh_.connected()) out.push_back(member.node);
  return out;
}

std::shared_ptr<const Snapshot> Node::make_snapshot() const {
  auto out = std::make_shared<Snapshot>(hash_key_);
  out->version = snapshot_version_;
  std::map<NodeId, uint32_t> places{{config_.credentials.id, Snapshot::kHere}};
  for (const auto& [node, link] : links_.all()) {
    const auto peer = static_cast<uint32_t>(out->peers.size());
    places[node] = peer;
    out->peers.push_back(
        {.node = node, .endpoint = link.endpoint(), .sending = link.sending(), .activity = link.activity()});
    for (const auto& keypair : link.receiving()) {
      out->receiving[keypair->local_index()] = {
          .keypair = keypair, .peer = peer, .unconfirmed = keypair == link.unconfirmed()};
    }
  }
  for (const auto& forward : vnet_.map().forwarding()) {
    const auto place = places.find(forward.node);
    if (place != places.end()) out->places[forward.mac] = place->second;
  }
  return out;
}

}  // namespace ipop
