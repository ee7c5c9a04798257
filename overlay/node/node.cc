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
      log_(log),
      unix_offset_(unix_offset_of(now, unix_now)),
      links_(config_.credentials, config_.link, random, log, refused_),
      router_(config_.credentials.id, links_, random, refused_),
      ring_(config_.credentials.id, now, links_, router_, random, log),
      herald_(config_.credentials.id, now, links_, router_, ring_, random),
      explorer_(config_.credentials.id, config_.credentials.certificate.host_name(), ring_, router_, random),
      vnet_({.network_name = config_.credentials.network.name(),
             .subnet = config_.credentials.network.subnet(),
             .network_hash = network_hash_of(config_.credentials.network),
             .own = config_.credentials.id,
             .mtu = kGuestMtu,
             .allowed = config_.credentials.certificate.addresses()},
            random, log),
      directory_(config_.credentials, vnet_, random, refused_, now),
      settings_(config_.credentials.network, log, refused_),
      introducers_(config_.introducers, now, random),
      hash_key_(random.u64()) {
  directory_.set_distortion(config_.distortion);
  call_introducers(now);
}

void Node::handle_clock(Instant now, UnixSeconds unix_now) { unix_offset_ = unix_offset_of(now, unix_now); }

void Node::handle_datagram(Instant now, const Endpoint& from, ByteView datagram) {
  links_.handle_datagram(now, unix_time(now), from, datagram);
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

void Node::handle_too_big(Instant now, const NodeId& node) {
  links_.handle_too_big(now, node);
  pump(now);
}

void Node::handle_too_long(Instant now, ByteView head, size_t max_frame) {
  vnet_.handle_too_long(head, max_frame);
  pump(now);
}

void Node::handle_guest_frame(Instant now, ByteView frame) {
  (void)vnet_.handle_guest_frame(now, frame);  // Counts its refusals itself.
  pump(now);
}

Result<Done> Node::expect_guest(Instant now, const MacAddress& mac) {
  const auto expected = vnet_.expect(now, mac);
  pump(now);
  return expected;
}

void Node::handle_known_peer(Instant now, const Contact& peer) {
  ring_.handle_known_peer(now, peer);
  pump(now);
}

Result<uint64_t, Problem> Node::load_settings(Instant now, std::string_view file) {
  if (const auto settings = wire::SignedSettings::decode(file)) {
    const auto understood =
        Settings::parse(settings->document, config_.credentials.network.subnet(), kGuestMtu);
    if (!understood) return understood.error();
  }
  if (const auto taken = take_settings(now, file); !taken) return taken.error();
  return settings_.version();
}

Result<Done, Problem> Node::recall_settings(Instant now, std::string_view file) {
  return take_settings(now, file);
}

Result<Done, Problem> Node::take_settings(Instant now, std::string_view file) {
  const std::string ours = "version " + std::to_string(settings_.version());
  const auto taken = settings_.load(now, file);
  pump(now);
  if (taken) return Done{};
  switch (taken.error()) {
    case Error::BadAuthTag:
      return Problem{"it is not signed by the CA of this network, " + config_.credentials.network.name()};
    case Error::Replayed:
      return Problem{"it is older than the settings in use, which are " + ours + "; sign it again"};
    case Error::Conflict:
      return Problem{"other settings are in use that are " + ours + ", too; sign it again"};
    default:
      return Problem{"it is no file of settings: ipopctl network sign-settings makes one"};
  }
}

/// What somebody signed who knows more than we do is kept for the others.
void Node::use_settings() {
  settings_seen_ = settings_.version();
  const wire::SignedSettings& held = *settings_.held();
  const std::string name = "settings of " + format_time(static_cast<UnixSeconds>(held.version)) +
                           " (version " + std::to_string(held.version) + ")";
  auto settings = Settings::parse(held.document, config_.credentials.network.subnet(), kGuestMtu);
  if (settings) {
    settings_problem_.clear();
    log_.info(name + " are in use");
    vnet_.use_settings(std::make_shared<const Settings>(std::move(*settings)));
  } else {
    settings_problem_ = settings.error().text;
    log_.warning(name + " are kept, and not used: " + settings_problem_);
  }
}

void Node::handle_shutdown(Instant now) {
  for (const NodeId& node : herald_.linked_nodes()) links_.send_control(now, node, wire::Goodbye{});
}

uint64_t Node::start_trace(Instant now, const NodeId& target, bool exact) {
  const uint64_t id = explorer_.start_trace(now, target, exact);
  pump(now);
  return id;
}

uint64_t Node::start_crawl(Instant now) {
  const uint64_t id = explorer_.start_crawl(now);
  pump(now);
  return id;
}

uint64_t Node::start_explanation(Instant now, const wire::DhtAddress& address) {
  const uint64_t id = directory_.start_explanation(now, wall_time(now), address);
  pump(now);
  return id;
}

std::optional<Node::Datagram> Node::poll_datagram() {
  const auto datagram = links_.poll_datagram();
  if (!datagram) return std::nullopt;
  return Datagram{.to = *datagram->to.endpoint, .bytes = std::move(datagram->bytes)};
}

std::shared_ptr<const Snapshot> Node::poll_snapshot() {
  const AddressMap& map = vnet_.map();
  const std::tuple versions{links_.version(), map.version(), map.address_version()};
  if (versions == snapshot_of_) return nullptr;
  if (!addresses_ || std::get<2>(versions) != std::get<2>(snapshot_of_)) {
    addresses_ = std::make_shared<const AddressBook>(
        AddressBook{.service = vnet_.service(), .guests = map.local_addresses()});
  }
  snapshot_of_ = versions;
  ++snapshot_version_;
  return make_snapshot();
}

std::vector<Contact> Node::peers() const {
  std::vector<Contact> out;
  for (const auto& [node, link] : links_.all()) {
    if (link.path().is_direct()) out.push_back({.node = node, .endpoint = *link.path().endpoint});
  }
  for (const auto& [node, known] : ring_.contacts().all()) {
    if (known.is_lost && known.has_endpoint()) out.push_back({.node = node, .endpoint = known.endpoint});
  }
  return out;
}

Instant Node::next_timeout() const {
  return std::min({links_.next_timeout(), router_.next_timeout(), ring_.next_timeout(),
                   explorer_.next_timeout(), directory_.next_timeout(), vnet_.next_timeout(),
                   settings_.next_timeout(), introducers_.next_timeout(company()), hold_.next_timeout(),
                   herald_.next_timeout()});
}

void Node::handle_timeout(Instant now) {
  links_.handle_timeout(now);
  router_.handle_timeout(now);
  pump(now);  // Who has died is to be known before anybody is called.
  ring_.handle_timeout(now);
  explorer_.handle_timeout(now);
  directory_.handle_ring(now, ring_, herald_.linked_nodes());
  directory_.handle_timeout(now, wall_time(now));
  vnet_.handle_timeout(now);
  settings_.handle_timeout(now);
  (void)hold_.handle_timeout(now);
  call_introducers(now);
  if (now >= herald_.next_timeout()) herald_.handle_timeout(now, directory_.told_bindings());
  pump(now);
}

UnixSeconds Node::unix_time(Instant now) const {
  return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch() + unix_offset_).count();
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
    while (const auto datagram = links_.poll_ring_datagram()) {
      herald_.tell(now, datagram->to.node, wire::Carried{.datagram = datagram->bytes});
      busy = true;
    }
    while (const auto delivered = router_.poll_delivered()) {
      handle_delivered(now, *delivered);
      busy = true;
    }
    while (const auto query = vnet_.poll_query()) {
      directory_.handle_query(now, wall_time(now), *query);
      busy = true;
    }
    while (const auto guest = vnet_.poll_departure()) directory_.handle_departure(now, *guest);
    while (const auto binding = vnet_.poll_announcement()) {
      handle_announcement(now, *binding);
      busy = true;
    }
    while (const auto notice = vnet_.poll_notice()) {
      send_notice(now, *notice);
      busy = true;
    }
    while (const auto host = vnet_.poll_host_of_expected()) ring_.want(now, *host);
    // A new link, an announcement or an answer may have given it something to do at once.
    if (directory_.next_timeout() <= now) directory_.handle_timeout(now, wall_time(now));
    while (const auto outgoing = directory_.poll_outgoing()) {
      send_directory(now, *outgoing);
      busy = true;
    }
    while (const auto outgoing = vnet_.poll_outgoing()) {
      send_outgoing(now, *outgoing);
      busy = true;
    }
    while (const auto outgoing = settings_.poll_outgoing()) {
      links_.send_control(now, outgoing->to, outgoing->message);
      busy = true;
    }
    if (settings_.version() != settings_seen_) use_settings();
  }
}

void Node::handle_event(Instant now, const Links::Event& event) {
  if (const auto* answered = std::get_if<Links::Answered>(&event)) {
    introducers_.handle_answered(*answered->path.endpoint, answered->node);
  } else if (const auto* connected = std::get_if<Links::Connected>(&event)) {
    handle_connected(now, *connected);
  } else if (const auto* disconnected = std::get_if<Links::Disconnected>(&event)) {
    handle_disconnected(now, *disconnected);
  } else if (const auto* failed = std::get_if<Links::Failed>(&event)) {
    ring_.handle_failed(now, *failed);
    if (failed->reason == Error::Self && failed->target.path.is_direct()) {
      introducers_.handle_self(now, *failed->target.path.endpoint);
    }
  } else if (const auto* message = std::get_if<Links::Message>(&event)) {
    handle_message(now, *message);
  } else if (const auto* frame = std::get_if<Links::Frame>(&event)) {
    (void)vnet_.handle_member_frame(now, frame->from, frame->frame);
  }
}

void Node::handle_connected(Instant now, const Links::Connected& connected) {
  if (connected.path.is_direct()) introducers_.handle_answered(*connected.path.endpoint, connected.node);
  if (const auto here = links_.public_endpoint()) introducers_.handle_here(*here);
  ring_.handle_connected(now, connected);
  directory_.handle_ring(now, ring_, herald_.linked_nodes());
  directory_.handle_connected(connected.node);
  settings_.handle_connected(now, connected.node);
  for (const Binding& binding : directory_.told_bindings()) {
    herald_.tell(now, connected.node, wire::Announcement{.binding = to_record(binding, now)});
  }
  for (const Bytes& frame : hold_.release(connected.node)) links_.send_frame(now, connected.node, frame);
}

void Node::handle_disconnected(Instant now, const Links::Disconnected& disconnected) {
  ring_.handle_disconnected(now, disconnected);
  directory_.handle_ring(now, ring_, herald_.linked_nodes());
  directory_.handle_disconnected(disconnected.node);
  settings_.handle_disconnected(now, disconnected.node);
  if (disconnected.end != Links::End::Unneeded) vnet_.handle_member_gone(now, disconnected.node);
  if (links_.all().empty()) {
    introducers_.hurry(now);
    call_introducers(now);
  }
}

void Node::handle_message(Instant now, const Links::Message& message) {
  if (const auto* members = std::get_if<wire::Members>(&message.body)) {
    ring_.handle_members(now, message.from, checked(*members));
  } else if (const auto* gone = std::get_if<wire::Gone>(&message.body)) {
    ring_.handle_gone(now, *gone);
  } else if (const auto* routed = std::get_if<wire::Routed>(&message.body)) {
    router_.handle_routed(now, message.from, *routed);
  } else if (const auto* ack = std::get_if<wire::Ack>(&message.body)) {
    router_.handle_ack(now, message.from, *ack);
  } else if (const auto* broadcast = std::get_if<wire::Broadcast>(&message.body)) {
    handle_broadcast(now, *broadcast);
  } else if (const auto* direct = std::get_if<wire::Direct>(&message.body)) {
    handle_direct(now, message.from, *direct);
  } else {
    (void)settings_.handle_message(now, message.from, message.body);
  }
}

void Node::handle_direct(Instant now, const NodeId& from, const wire::Direct& direct) {
  const auto message = wire::decode_ring_message(direct.body);
  if (!message) {
    refused_.add(message.error());
  } else if (!directory_.handle_message(now, wall_time(now), from, true, *message)) {
    handle_told(now, from, *message);  // A question of the directory to a peer.
  }
}

void Node::handle_delivered(Instant now, const Router::Delivered& delivered) {
  const NodeId& source = delivered.envelope.source;
  if (const auto* carried = std::get_if<wire::Carried>(&delivered.message)) {
    links_.handle_datagram(now, unix_time(now), Path::over_ring(source), carried->datagram);
  } else if (const auto* request = std::get_if<wire::Connect>(&delivered.message)) {
    wire::Connect checked = *request;
    // A node that does not know yet where it is: its first hop does.
    if (checked.subject.endpoint.port == 0 && checked.subject.node == delivered.from) {
      const auto link = links_.all().find(delivered.from);
      if (link != links_.all().end())
        checked.subject.endpoint = link->second.path().endpoint.value_or(Endpoint{});
    }
    if (!may_be_endpoint(checked.subject.endpoint)) checked.subject.endpoint = {};
    ring_.handle_connect(now, delivered.envelope, checked);
  } else if (const auto* reply = std::get_if<wire::ConnectReply>(&delivered.message)) {
    wire::ConnectReply checked = *reply;
    if (!may_be_endpoint(checked.responder.endpoint)) checked.responder.endpoint = {};
    ring_.handle_connect_reply(now, checked);
  } else if (const auto* trace = std::get_if<wire::TraceRequest>(&delivered.message)) {
    explorer_.handle_trace_request(now, delivered.envelope, *trace);
  } else if (const auto* traced = std::get_if<wire::TraceReply>(&delivered.message)) {
    explorer_.handle_trace_reply(now, *traced);
  } else if (const auto* asked = std::get_if<wire::NeighboursRequest>(&delivered.message)) {
    explorer_.handle_neighbours_request(now, delivered.envelope, *asked);
  } else if (const auto* neighbours = std::get_if<wire::NeighboursReply>(&delivered.message)) {
    explorer_.handle_neighbours_reply(now, delivered.envelope, *neighbours);
  } else if (const auto* sample = std::get_if<wire::Members>(&delivered.message)) {
    ring_.handle_sample(now, checked(*sample));
  } else if (!directory_.handle_message(now, wall_time(now), source, false, delivered.message)) {
    handle_told(now, source, delivered.message);
  }
}

/// What members tell each other of guests, to one or to all.
void Node::handle_told(Instant now, const NodeId& from, const wire::RingMessage& message) {
  if (from == config_.credentials.id) return;
  if (const auto* query = std::get_if<wire::Query>(&message)) {
    handle_query(now, from, *query);
  } else if (const auto* answer = std::get_if<wire::Answer>(&message)) {
    handle_answer(now, from, *answer);
  } else if (const auto* announcement = std::get_if<wire::Announcement>(&message)) {
    (void)vnet_.handle_announcement(now, from, to_binding(announcement->binding, now));
  } else {
    refused_.add(Error::UnexpectedMessage);
  }
}

void Node::handle_broadcast(Instant now, const wire::Broadcast& broadcast) {
  if (!herald_.handle_broadcast(now, broadcast)) return;
  const auto message = wire::decode_ring_message(broadcast.body);
  if (!message) {
    refused_.add(message.error());
  } else {
    if (std::holds_alternative<wire::Announcement>(*message)) herald_.note_presence(now);
    handle_told(now, broadcast.source, *message);
  }
}

void Node::handle_query(Instant now, const NodeId& from, const wire::Query& query) {
  const Query asked = to_query(query, now);
  const auto binding = vnet_.handle_query(now, from, asked);
  wire::Answer answer{.id = query.id, .binding = std::nullopt};
  if (binding) answer.binding = to_record(directory_.as_answer(now, asked.kind, *binding), now);
  // "Not I" is for those who know us all and wait for each; in a larger ring silence says it.
  if (binding || herald_.sees_whole_ring()) herald_.tell(now, from, answer);
}

/// A member answers for itself only: its word on another's guest counts as "not I".
void Node::handle_answer(Instant now, const NodeId& from, const wire::Answer& answer) {
  wire::Answer checked = answer;
  if (checked.binding && checked.binding->node != from) {
    refused_.add(Error::NotAllowed);
    checked.binding.reset();
  }
  directory_.handle_answer(from, checked);
  if (checked.binding && checked.binding->sequence > 0) {
    (void)vnet_.handle_announcement(now, from, to_binding(*checked.binding, now));
  }
}

/// Those that may be where they are said to be.
wire::Members Node::checked(const wire::Members& list) {
  wire::Members out;
  for (const auto& member : list.members) {
    if (may_be_endpoint(member.endpoint)) {
      out.members.push_back(member);
    } else {
      refused_.add(Error::NotAllowed);
    }
  }
  return out;
}

/// An address of the virtual network must not carry the network itself.
bool Node::may_be_endpoint(const Endpoint& endpoint) const {
  return !(endpoint.is_ipv4() && config_.credentials.network.subnet().contains(endpoint.ipv4()));
}

Introducers::Company Node::company() const {
  if (links_.all().empty()) return Introducers::Company::Nobody;
  if (!ring_.is_joined()) return Introducers::Company::Many;
  return herald_.sees_whole_ring() || introducers_.are_we() ? Introducers::Company::Few
                                                            : Introducers::Company::Many;
}

void Node::call_introducers(Instant now) {
  const auto is_linked = [&](const NodeId& node) { return links_.all().contains(node); };
  if (const auto endpoint = introducers_.take_call(now, company(), is_linked)) {
    links_.call(now, {.path = *endpoint, .node = std::nullopt}, kIntroductionInterval);
  }
}

void Node::handle_announcement(Instant now, const Binding& binding) {
  directory_.handle_announcement(now, binding);
  herald_.handle_guest(now);
}

void Node::send_directory(Instant now, const Directory::Outgoing& outgoing) {
  switch (outgoing.to) {
    case Directory::Outgoing::To::Key:
      if (links_.all().empty()) {  // A ring of one.
        (void)directory_.handle_message(now, wall_time(now), config_.credentials.id, false, outgoing.message);
      } else {
        (void)router_.send(now, outgoing.mode, outgoing.node, outgoing.message);
      }
      break;
    case Directory::Outgoing::To::Node:
      if (!links_.send_control(now, outgoing.node,
                               wire::Direct{.body = wire::encode_ring_message(outgoing.message)})) {
        herald_.tell(now, outgoing.node, outgoing.message);
      }
      break;
    case Directory::Outgoing::To::Everybody:
      herald_.tell_all(now, outgoing.message);
      break;
    case Directory::Outgoing::To::Peers:
      herald_.tell_linked(now, outgoing.message);
      break;
  }
}

void Node::send_outgoing(Instant now, const Vnet::Outgoing& outgoing) {
  if (outgoing.to) {
    send_frame(now, *outgoing.to, outgoing.frame);
  } else {
    for (const NodeId& node : herald_.sees_whole_ring() ? herald_.linked_nodes() : vnet_.map().nodes()) {
      if (node != config_.credentials.id) send_frame(now, node, outgoing.frame);
    }
  }
}

void Node::send_notice(Instant now, const Vnet::Notice& notice) {
  const wire::Announcement message{.binding = to_record(notice.binding, now)};
  if (notice.to) {
    herald_.tell(now, *notice.to, message);
  } else {
    herald_.tell_linked(now, message);
  }
}

/// To a node without a link the frame waits for the session, which the ring carries until there is a direct
/// path.
void Node::send_frame(Instant now, const NodeId& to, ByteView frame) {
  if (links_.send_frame(now, to, frame)) return;
  if (const auto held = hold_.hold(now, to, frame); !held) refused_.add(held.error());
  ring_.want(now, to);
}

std::shared_ptr<const Snapshot> Node::make_snapshot() const {
  auto out = std::make_shared<Snapshot>(hash_key_);
  out->version = snapshot_version_;
  out->departed = vnet_.movers().departed();
  out->addresses = addresses_;
  std::map<NodeId, uint32_t> places{{config_.credentials.id, Snapshot::kHere}};
  for (const auto& [node, link] : links_.all()) {
    const auto peer = static_cast<uint32_t>(out->peers.size());
    if (link.path().is_direct()) places[node] = peer;  // What goes over the ring goes by way of the core.
    out->peers.push_back({.node = node,
                          .endpoint = link.path().endpoint.value_or(Endpoint{}),
                          .sending = link.sending(),
                          .activity = link.activity(),
                          .allows_trains = link.trains().allows_trains(),
                          .max_datagram = link.max_datagram(),
                          .is_mtu_found = link.is_mtu_found()});
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
