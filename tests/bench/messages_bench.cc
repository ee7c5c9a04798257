// What reading a message costs that is not a frame of a live session.
#include <benchmark/benchmark.h>

#include "overlay/wire/dhcp.h"
#include "overlay/wire/dns.h"
#include "overlay/wire/ring_message.h"

namespace ipop {
namespace {

void ParseDhcp(benchmark::State& state) {
  DhcpMessage discover;
  discover.op = DhcpMessage::Op::Request;
  discover.type = DhcpMessage::Type::Discover;
  discover.chaddr = {{0x52, 0x54, 0, 0, 0, 1}};
  discover.host_name = "vm1";
  discover.parameter_list = {1, 3, 6, 12, 15, 26, 28, 119};
  const Bytes message = discover.encode();
  for (auto _ : state) benchmark::DoNotOptimize(DhcpMessage::decode(message));
}
BENCHMARK(ParseDhcp);

void ParseDhtRequest(benchmark::State& state) {
  wire::DhtRequest request;
  request.operation = wire::DhtRequest::Operation::Put;
  request.record.emplace();
  request.record->state = wire::DhtRecord::State::Bound;
  request.record->sequence = 1;
  request.record->ip = Ipv4Address{0x0a800102};
  request.record->mac = {{0x52, 0x54, 0, 0, 0, 1}};
  request.record->name = "vm1";
  request.record->certificate = Bytes(360);
  request.address = request.record->address();
  const Bytes message = wire::encode_ring_message(request);
  if (!wire::decode_ring_message(message)) return state.SkipWithError("the request is not one");
  for (auto _ : state) benchmark::DoNotOptimize(wire::decode_ring_message(message));
}
BENCHMARK(ParseDhtRequest);

}  // namespace
}  // namespace ipop
