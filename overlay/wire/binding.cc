#include "overlay/wire/binding.h"

#include "overlay/base/assert.h"

namespace ipop::wire {
namespace {

std::string read_name(Reader& in) {
  const size_t size = in.u8();
  if (size > BindingRecord::kMaxNameSize) in.fail();
  return std::string(as_text(in.bytes(in.ok() ? size : 0)));
}

void write_name(Writer& out, const std::string& name) {
  IPOP_ASSERT(name.size() <= BindingRecord::kMaxNameSize);
  out.u8(static_cast<uint8_t>(name.size()));
  out.bytes(as_bytes(name));
}

BindingRecord read_binding(Reader& in) {
  BindingRecord out;
  out.ip = read_ip(in);
  out.mac = read_mac(in);
  out.node = read_node(in);
  out.sequence = in.u64();
  out.lifetime_s = in.u32();
  out.name = read_name(in);
  if (out.mac.is_group()) in.fail();
  return out;
}

void write_binding(Writer& out, const BindingRecord& binding) {
  ipop::write(out, binding.ip);
  ipop::write(out, binding.mac);
  out.bytes(binding.node.bytes);
  out.u64(binding.sequence);
  out.u32(binding.lifetime_s);
  write_name(out, binding.name);
}

void write_optional(Writer& out, const std::optional<BindingRecord>& binding) {
  out.u8(binding ? 1 : 0);
  if (binding) write_binding(out, *binding);
}

}  // namespace

bool read_presence(Reader& in) {
  const uint8_t present = in.u8();
  if (present > 1) in.fail();
  return in.ok() && present == 1;
}

NodeId read_node(Reader& in) { return {in.array<NodeId::kSize>()}; }

Query read_query(Reader& in) {
  Query out;
  out.id = in.u64();
  const uint8_t kind = in.u8();
  if (kind < static_cast<uint8_t>(Query::Kind::Ip) || kind > static_cast<uint8_t>(Query::Kind::Name))
    in.fail();
  out.kind = static_cast<Query::Kind>(kind);
  out.ip = read_ip(in);
  out.mac = read_mac(in);
  if (out.kind == Query::Kind::Name) out.name = read_name(in);
  if (read_presence(in)) out.claimant = read_mac(in);
  if (read_presence(in)) out.asker = read_binding(in);
  return out;
}

Answer read_answer(Reader& in) {
  Answer out;
  out.id = in.u64();
  if (read_presence(in)) out.binding = read_binding(in);
  return out;
}

Announcement read_announcement(Reader& in) { return {.binding = read_binding(in)}; }

void write(Writer& out, const NodeId& node) { out.bytes(node.bytes); }

void write(Writer& out, const Query& query) {
  out.u64(query.id);
  out.u8(static_cast<uint8_t>(query.kind));
  ipop::write(out, query.ip);
  ipop::write(out, query.mac);
  if (query.kind == Query::Kind::Name) write_name(out, query.name);
  out.u8(query.claimant ? 1 : 0);
  if (query.claimant) ipop::write(out, *query.claimant);
  write_optional(out, query.asker);
}

void write(Writer& out, const Answer& answer) {
  out.u64(answer.id);
  write_optional(out, answer.binding);
}

void write(Writer& out, const Announcement& announcement) { write_binding(out, announcement.binding); }

}  // namespace ipop::wire
