#include "overlay/sim/moves.h"

#include <algorithm>
#include <map>

#include "overlay/base/assert.h"
#include "overlay/wire/arp.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/nd.h"

namespace ipop::sim {
namespace {

/// Hosts that everybody knows.
constexpr size_t kIntroducers = 3;
constexpr uint16_t kEtherType = 0x88b5;  ///< For local experiments (IEEE 802).
constexpr Duration kWarmUp = 20s;  ///< Addresses are published, and sessions with the first host set up.
constexpr Duration kDrain = 3s;    ///< As long as a frame may wait for anything.
/// Last in order, so that it is never the one guest of its host that all hear of.
constexpr MacAddress kMover{{0x52, 0x54, 0xff, 0, 0, 1}};
/// What the mover makes of its MAC (RFC 4291, appendix A).
constexpr Ipv6Address kMoverLinkLocal{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x50, 0x54, 0xff, 0xff, 0xfe, 0, 0, 1}};
constexpr Ipv6Address kAllNodes{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

MacAddress resident_mac(uint32_t host) {
  return {{0x52, 0x54, 0, 0, static_cast<uint8_t>(host >> 8), static_cast<uint8_t>(host)}};
}

/// A resident's, or the mover's behind all of them.
Ipv4Address address(const Ipv4Subnet& subnet, size_t number) {
  return {subnet.network.value + 2 + static_cast<uint32_t>(number)};
}

Bytes gratuitous_arp(const MacAddress& mac, Ipv4Address ip) {
  return arp_frame(MacAddress::broadcast(), mac,
                   {.operation = ArpPacket::Operation::Request,
                    .sender_mac = mac,
                    .sender_ip = ip,
                    .target_mac = {},
                    .target_ip = ip});
}

Bytes numbered_frame(const MacAddress& dst, const MacAddress& src, size_t talker, size_t number) {
  Writer payload;
  payload.u32(static_cast<uint32_t>(talker));
  payload.u64(number);
  const Bytes octets = payload.take();
  return EthernetFrame{.header = {.dst = dst, .src = src, .vlan_tci = {}, .ethertype = kEtherType},
                       .payload = octets}
      .encode();
}

double in_ms(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }
double ratio(Duration a, Duration b) { return in_ms(a) / in_ms(b); }

}  // namespace

Moves::Moves(const MovesOptions& options)
    : options_(options), random_(options.world.seed ^ 0x30e5), world_(options.world) {
  IPOP_ASSERT(options.hosts >= options.talkers + 2 && options.talkers > 0);
  std::vector<Host*> hosts;
  std::vector<Endpoint> introducers;
  for (size_t i = 0; i < options.hosts; ++i) {
    hosts.push_back(&world_.make_host("h" + std::to_string(i), {}));
    if (i < kIntroducers) introducers.push_back(hosts.back()->endpoint());
  }
  for (Host* host : hosts) {
    world_.set_introducers(*host, introducers);
    world_.start(*host);
  }
  world_.set_frame_tap([this](const Host& host, ByteView frame) { handle_frame(host, frame); });
  world_.run_for(options.settle);
  for (Host* host : hosts) {
    host->send_frame(
        gratuitous_arp(resident_mac(host->index()), address(options.world.subnet, host->index())));
  }
  for (size_t i = options.hosts - options.talkers; i < options.hosts; ++i) {
    const auto host = static_cast<uint32_t>(i);
    talkers_.push_back({.host = host, .mac = resident_mac(host), .frames = {}});
  }
  at_ = static_cast<uint32_t>(std::min(kIntroducers, options.hosts - options.talkers - 1));
  announce(world_.host(at_), Arrival::Arp);
  talk(kWarmUp);
}

void Moves::run() {
  const Duration notice = options_.notice.value_or(Duration::zero());
  for (size_t i = 0; i < options_.moves; ++i) {
    const uint32_t to = draw_place();
    Host& host = world_.host(to);
    if (options_.notice) (void)host.node().expect_guest(host.now(), kMover);
    talk(notice);
    move(i, to);
    talk(options_.pause - notice);
  }
  world_.run_for(kDrain);
}

/// One after the other, so that not all frames leave at once.
void Moves::talk(Duration length) {
  const Instant end = world_.now() + length;
  const Duration step = options_.interval / static_cast<int64_t>(talkers_.size());
  while (world_.now() < end) {
    for (Talker& talker : talkers_) {
      send(talker);
      world_.run_for(step);
      answer();
    }
    for (size_t i = 0; i < world_.size(); ++i) world_.host(i).take_frames();
  }
}

void Moves::send(Talker& talker) {
  Host& host = world_.host(talker.host);
  const auto known = std::as_const(host).node().vnet().map().find_mac(kMover);
  const auto to = known ? index_of(known->node) : std::nullopt;
  const auto number = static_cast<size_t>(&talker - talkers_.data());
  const Bytes frame = numbered_frame(kMover, talker.mac, number, talker.frames.size());
  talker.frames.push_back(
      {.at = world_.now(), .to = to.value_or(talker.host), .arrived = kNever, .missed = kNever});
  host.send_frame(frame);
}

void Moves::answer() {
  for (const size_t talker : std::exchange(to_answer_, {})) {
    world_.host(at_).send_frame(numbered_frame(talkers_[talker].mac, kMover, talker, 0));
  }
}

/// Another host than the one where the mover is.
uint32_t Moves::draw_place() {
  const size_t without = options_.hosts - options_.talkers;
  const size_t places = options_.places == 0 ? without : std::min(options_.places, without);
  return static_cast<uint32_t>((at_ + 1 + random_.below(places - 1)) % places);
}

void Moves::move(size_t number, uint32_t to) {
  const auto known = std::as_const(world_).host(to).node().vnet().map().find_mac(kMover);
  const auto arrival = static_cast<Arrival>(number % kArrivals);
  const bool was_known = known && known->node == world_.host(at_).id();
  moves_.push_back({.at = world_.now(), .from = at_, .to = to, .arrival = arrival, .was_known = was_known});
  at_ = to;
  to_answer_.clear();
  announce(world_.host(at_), arrival);
}

void Moves::announce(Host& host, Arrival arrival) {
  switch (arrival) {
    case Arrival::Frame:
      return host.send_frame(numbered_frame(talkers_.front().mac, kMover, 0, 0));
    case Arrival::Rarp:
      return host.send_frame(arp_frame(MacAddress::broadcast(), kMover,
                                       {.operation = ArpPacket::Operation::ReverseRequest,
                                        .sender_mac = kMover,
                                        .sender_ip = {},
                                        .target_mac = kMover,
                                        .target_ip = {}}));
    case Arrival::Arp:
      return host.send_frame(gratuitous_arp(kMover, address(options_.world.subnet, options_.hosts)));
    case Arrival::Na: {
      const NeighbourAdvertisement word{.overrides = true, .target = kMoverLinkLocal, .target_mac = kMover};
      return host.send_frame(nd_frame(kAllNodes.multicast_mac(), kMover, kAllNodes, kMoverLinkLocal,
                                      word.encode(kMoverLinkLocal, kAllNodes)));
    }
  }
}

/// A node hands a frame to a switch; the mover gets it if it is there.
void Moves::handle_frame(const Host& host, ByteView bytes) {
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame || frame->header.dst != kMover || frame->header.ethertype != kEtherType) return;
  Reader in(frame->payload);
  const size_t talker = in.u32();
  const uint64_t number = in.u64();
  Sent& sent = talkers_.at(talker).frames.at(number);
  if (host.index() != at_) {
    sent.missed = world_.now();
    sent.by = host.index();
    return;
  }
  sent.arrived = std::min(sent.arrived, world_.now());
  if (talker < options_.answered) to_answer_.push_back(talker);
}

std::optional<uint32_t> Moves::index_of(const NodeId& id) const {
  for (size_t i = 0; i < world_.size(); ++i) {
    if (world_.host(i).id() == id) return static_cast<uint32_t>(i);
  }
  return std::nullopt;
}

Duration Moves::round_trip(const Move& move) const {
  const Internet& internet = world_.internet();
  Duration way = internet.delay(move.from, move.to);
  for (const Talker& talker : talkers_) {
    way = std::max({way, internet.delay(talker.host, move.from), internet.delay(talker.host, move.to)});
  }
  return 2 * way;
}

Moves::Result Moves::result(size_t number) const {
  const Move& move = moves_[number];
  const Instant end = number + 1 < moves_.size() ? moves_[number + 1].at : world_.now();
  Result out{.arrival = move.arrival, .was_known = move.was_known, .round_trip = round_trip(move)};
  for (const Talker& talker : talkers_) {
    auto frame = std::lower_bound(talker.frames.begin(), talker.frames.end(), move.at,
                                  [](const Sent& sent, Instant at) { return sent.at < at; });
    Instant reached = kNever;
    for (; frame != talker.frames.end() && frame->at < end; ++frame) {
      const Duration after = frame->at - move.at;
      if (frame->to != move.to) out.switched = std::max(out.switched, after);
      reached = std::min(reached, frame->arrived);
      const bool is_lost = frame->arrived == kNever;
      const bool came_too_late =
          is_lost && frame->missed != kNever && frame->missed >= end && frame->by == move.to;
      if (after < 2 * out.round_trip) {
        out.lost_before += is_lost;
      } else if (!came_too_late) {
        ++out.sent_after;
        out.lost_after += is_lost;
      }
    }
    if (reached >= end) {
      out.is_frozen = true;
    } else {
      out.reached = std::max(out.reached, reached - move.at);
    }
  }
  return out;
}

std::vector<Moves::Result> Moves::results() const {
  std::vector<Result> out;
  for (size_t i = 0; i < moves_.size(); ++i) out.push_back(result(i));
  return out;
}

Figures Moves::figures() const {
  Figures out;
  size_t frozen = 0, known = 0, lost_before = 0, lost_after = 0, sent_after = 0;
  std::map<std::string, std::vector<double>> samples;
  for (const Result& result : results()) {
    frozen += result.is_frozen;
    known += result.was_known;
    lost_before += result.lost_before;
    lost_after += result.lost_after;
    sent_after += result.sent_after;
    samples["switch_rtt"].push_back(ratio(result.switched, result.round_trip));
    samples[result.was_known ? "switch_known_rtt" : "switch_unknown_rtt"].push_back(
        ratio(result.switched, result.round_trip));
    samples["switch_ms"].push_back(in_ms(result.switched));
    if (!result.is_frozen) samples["reach_rtt"].push_back(ratio(result.reached, result.round_trip));
    samples["rtt_ms"].push_back(in_ms(result.round_trip));
  }
  const auto set = [&](const char* name, size_t value) { out.set(name, static_cast<double>(value)); };
  set("moves", moves_.size());
  set("frozen", frozen);
  set("lost_after", lost_after);
  set("sent_after", sent_after);
  set("lost_before", lost_before);
  for (const char* name :
       {"switch_rtt", "switch_known_rtt", "switch_unknown_rtt", "reach_rtt", "switch_ms"}) {
    out.set(std::string(name) + "_p50", percentile(samples[name], 0.5));
    out.set(std::string(name) + "_p99", percentile(samples[name], 0.99));
    out.set(std::string(name) + "_max", percentile(samples[name], 1));
  }
  out.set("rtt_ms_p50", percentile(samples["rtt_ms"], 0.5));
  set("known", known);
  set("hosts", options_.hosts);
  set("talkers", talkers_.size());
  set("datagrams", world_.sent().datagrams);
  out.set("virtual_s", std::chrono::duration<double>(world_.now().time_since_epoch()).count());
  return out;
}

Plot Moves::plot() const {
  std::vector<double> samples;
  for (const Result& result : results()) samples.push_back(ratio(result.switched, result.round_trip));
  return {.title = "From a guest's first word at a new host to the last frame for the old one",
          .x_label = "round trips",
          .y_label = "share of moves",
          .series = {cdf("switched", samples)}};
}

}  // namespace ipop::sim
