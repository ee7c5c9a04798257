#include "overlay/wire/ring_message.h"

#include "overlay/base/assert.h"

namespace ipop::wire {
namespace {

enum class Kind : uint8_t {
  Carried = 1,
  Connect,
  ConnectReply,
  TraceRequest,
  TraceReply,
  NeighboursRequest,
  NeighboursReply,
  Query,
  Answer,
  Announcement,
  DhtRequest,
  DhtReply,
  DhtPull,
  DhtPage,
  DhtFetch,
  DhtNotice,
  Members,
};

bool is_kind(ByteView body, Kind kind) { return !body.empty() && body[0] == static_cast<uint8_t>(kind); }

constexpr size_t kTraceCountAt = 1 + 8;  // After kind and id.
constexpr size_t kHopSize = NodeId::kSize + 4;

Purpose read_purpose(Reader& in) {
  const uint8_t purpose = in.u8();
  if (purpose < static_cast<uint8_t>(Purpose::Near) || purpose > static_cast<uint8_t>(Purpose::Traffic))
    in.fail();
  return static_cast<Purpose>(purpose);
}

Member read_member(Reader& in) {
  const NodeId node = read_node(in);
  return {.node = node, .endpoint = read_endpoint(in)};
}

Connect read_connect(Reader& in) {
  Connect out;
  out.purpose = read_purpose(in);
  out.subject = read_member(in);
  if (read_presence(in)) out.via = read_node(in);
  return out;
}

ConnectReply read_connect_reply(Reader& in) {
  ConnectReply out;
  out.purpose = read_purpose(in);
  out.responder = read_member(in);
  return out;
}

TraceRequest read_trace(Reader& in) {
  TraceRequest out{.id = in.u64(), .hops = {}};
  const size_t count = in.u8();
  if (count > TraceRequest::kMaxHops) in.fail();
  for (size_t i = 0; i < count && in.ok(); ++i) {
    const NodeId node = read_node(in);
    out.hops.push_back({.node = node, .round_trip_us = in.u32()});
  }
  return out;
}

std::vector<NodeId> read_nodes(Reader& in) {
  std::vector<NodeId> out;
  const size_t count = in.u8();
  if (count > NeighboursReply::kMaxCount) in.fail();
  for (size_t i = 0; i < count && in.ok(); ++i) out.push_back(read_node(in));
  return out;
}

NeighboursReply read_neighbours(Reader& in) {
  NeighboursReply out;
  out.id = in.u64();
  const size_t host_size = in.u8();
  if (host_size > BindingRecord::kMaxNameSize) in.fail();
  out.host = as_text(in.bytes(in.ok() ? host_size : 0));
  out.successors = read_nodes(in);
  out.predecessors = read_nodes(in);
  return out;
}

void write_nodes(Writer& out, const std::vector<NodeId>& nodes) {
  IPOP_ASSERT(nodes.size() <= NeighboursReply::kMaxCount);
  out.u8(static_cast<uint8_t>(nodes.size()));
  for (const NodeId& node : nodes) write(out, node);
}

void write_member(Writer& out, const Member& member) {
  write(out, member.node);
  ipop::write(out, member.endpoint);
}

void write_trace(Writer& out, const TraceRequest& trace) {
  IPOP_ASSERT(trace.hops.size() <= TraceRequest::kMaxHops);
  out.u64(trace.id);
  out.u8(static_cast<uint8_t>(trace.hops.size()));
  for (const auto& hop : trace.hops) {
    write(out, hop.node);
    out.u32(hop.round_trip_us);
  }
}

struct Encoder {
  Writer out;

  void kind(Kind kind) { out.u8(static_cast<uint8_t>(kind)); }

  void operator()(const Carried& carried) {
    kind(Kind::Carried);
    out.bytes(carried.datagram);
  }
  void operator()(const Connect& connect) {
    kind(Kind::Connect);
    out.u8(static_cast<uint8_t>(connect.purpose));
    write_member(out, connect.subject);
    out.u8(connect.via ? 1 : 0);
    if (connect.via) write(out, *connect.via);
  }
  void operator()(const ConnectReply& reply) {
    kind(Kind::ConnectReply);
    out.u8(static_cast<uint8_t>(reply.purpose));
    write_member(out, reply.responder);
  }
  void operator()(const TraceRequest& trace) {
    kind(Kind::TraceRequest);
    write_trace(out, trace);
  }
  void operator()(const TraceReply& reply) {
    kind(Kind::TraceReply);
    write_trace(out, reply.trace);
  }
  void operator()(const NeighboursRequest& request) {
    kind(Kind::NeighboursRequest);
    out.u64(request.id);
  }
  void operator()(const NeighboursReply& reply) {
    kind(Kind::NeighboursReply);
    out.u64(reply.id);
    IPOP_ASSERT(reply.host.size() <= BindingRecord::kMaxNameSize);
    out.u8(static_cast<uint8_t>(reply.host.size()));
    out.bytes(as_bytes(reply.host));
    write_nodes(out, reply.successors);
    write_nodes(out, reply.predecessors);
  }
  void operator()(const Query& query) {
    kind(Kind::Query);
    write(out, query);
  }
  void operator()(const Answer& answer) {
    kind(Kind::Answer);
    write(out, answer);
  }
  void operator()(const Announcement& announcement) {
    kind(Kind::Announcement);
    write(out, announcement);
  }
  void operator()(const DhtRequest& request) {
    kind(Kind::DhtRequest);
    write(out, request);
  }
  void operator()(const DhtReply& reply) {
    kind(Kind::DhtReply);
    write(out, reply);
  }
  void operator()(const DhtPull& pull) {
    kind(Kind::DhtPull);
    write(out, pull);
  }
  void operator()(const DhtPage& page) {
    kind(Kind::DhtPage);
    write(out, page);
  }
  void operator()(const DhtFetch& fetch) {
    kind(Kind::DhtFetch);
    write(out, fetch);
  }
  void operator()(const DhtNotice& notice) {
    kind(Kind::DhtNotice);
    write(out, notice.record);
  }
  void operator()(const Members& list) {
    kind(Kind::Members);
    write(out, list);
  }
};

}  // namespace

Result<RingMessage> decode_ring_message(ByteView body) {
  Reader in(body);
  RingMessage out;
  switch (static_cast<Kind>(in.u8())) {
    case Kind::Carried: {
      const ByteView rest = in.rest();
      out = Carried{.datagram = {rest.begin(), rest.end()}};
      break;
    }
    case Kind::Connect:
      out = read_connect(in);
      break;
    case Kind::ConnectReply:
      out = read_connect_reply(in);
      break;
    case Kind::TraceRequest:
      out = read_trace(in);
      break;
    case Kind::TraceReply:
      out = TraceReply{.trace = read_trace(in)};
      break;
    case Kind::NeighboursRequest:
      out = NeighboursRequest{.id = in.u64()};
      break;
    case Kind::NeighboursReply:
      out = read_neighbours(in);
      break;
    case Kind::Query:
      out = read_query(in);
      break;
    case Kind::Answer:
      out = read_answer(in);
      break;
    case Kind::Announcement:
      out = read_announcement(in);
      break;
    case Kind::DhtRequest:
      out = read_dht_request(in);
      break;
    case Kind::DhtReply:
      out = read_dht_reply(in);
      break;
    case Kind::DhtPull:
      out = read_dht_pull(in);
      break;
    case Kind::DhtPage:
      out = read_dht_page(in);
      break;
    case Kind::DhtFetch:
      out = read_dht_fetch(in);
      break;
    case Kind::DhtNotice:
      out = DhtNotice{.record = read_dht_record(in)};
      break;
    case Kind::Members:
      out = read_members(in);
      break;
    default:
      return in.ok() ? Error::UnknownType : Error::Malformed;
  }
  if (!in.ok()) return Error::Malformed;
  return out;
}

Bytes encode_ring_message(const RingMessage& message) {
  Encoder encoder;
  std::visit(encoder, message);
  return encoder.out.take();
}

bool is_carried(ByteView body) { return is_kind(body, Kind::Carried); }
bool is_trace_request(ByteView body) { return is_kind(body, Kind::TraceRequest); }

void append_trace_hop(Bytes& body, const TraceRequest::Hop& hop) {
  if (!is_kind(body, Kind::TraceRequest) || body.size() <= kTraceCountAt) return;
  const size_t count = body[kTraceCountAt];
  if (count >= TraceRequest::kMaxHops || body.size() != kTraceCountAt + 1 + count * kHopSize) return;
  body[kTraceCountAt] = static_cast<uint8_t>(count + 1);
  Writer out;
  write(out, hop.node);
  out.u32(hop.round_trip_us);
  body.insert(body.end(), out.view().begin(), out.view().end());
}

}  // namespace ipop::wire
