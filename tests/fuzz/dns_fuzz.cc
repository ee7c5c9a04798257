// DNS questions, and the answers of a small network to them: an answer keeps to the client's limit, is an
// answer to that question, and its names point only backwards and end.
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/vnet/dns_responder.h"

using namespace ipop;

namespace {

/// The end of a name that stands at `at`, pointers followed to see that they lead back.
size_t end_of_name(ByteView message, size_t at) {
  size_t end = 0;
  for (size_t lowest = at;;) {
    IPOP_ASSERT(at < message.size());
    const size_t length = message[at];
    if (length == 0) return end == 0 ? at + 1 : end;
    if (length < 64) {
      at += 1 + length;
      continue;
    }
    IPOP_ASSERT(length >= 0xc0 && at + 1 < message.size());
    if (end == 0) end = at + 2;
    at = (length & 63) << 8 | message[at + 1];
    IPOP_ASSERT(at < lowest);
    lowest = at;
  }
}

uint16_t u16_at(ByteView message, size_t at) {
  IPOP_ASSERT(at + 2 <= message.size());
  return static_cast<uint16_t>(message[at] << 8 | message[at + 1]);
}

void check_answer(const DnsQuery& query, ByteView answer) {
  IPOP_ASSERT(answer.size() >= 12 && answer.size() <= query.limit && u16_at(answer, 0) == query.id);
  IPOP_ASSERT((answer[2] & 0x80) != 0);
  size_t at = 12;
  if (u16_at(answer, 4) == 1) at = end_of_name(answer, at) + 4;
  const size_t records = size_t{u16_at(answer, 6)} + u16_at(answer, 8) + u16_at(answer, 10);
  for (size_t i = 0; i < records; ++i) {
    at = end_of_name(answer, at) + 10;
    at += u16_at(answer, at - 2);
  }
  IPOP_ASSERT(at == answer.size());
}

struct Names {
  Names() {
    for (uint8_t i = 2; i < 10; ++i) {
      for (const IpAddress& ip : {IpAddress(Ipv4Address{0x0a800000u + i}),
                                  IpAddress(Ipv6Address{{0xfd, 0, 0, 0, 0, 0, 0, 0, i}})}) {
        (void)map.upsert(Instant(), {.ip = ip,
                                     .mac = {{2, 0, 0, 0, 0, static_cast<uint8_t>(i / 2)}},
                                     .node = {},
                                     .sequence = i,
                                     .expires = kNever,
                                     .name = "vm" + std::to_string(i / 3)});
      }
    }
  }
  Service service = Service::make("grid", {.network = {0x0a800000}, .prefix_length = 20}, 7, 1380);
  AddressMap map{NodeId{}};
  DnsResponder dns{service, map};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Names names;
  static Instant now{};
  now += 1s;
  const ByteView input(data, size);
  const auto query = DnsQuery::decode(input);
  const auto answer = names.dns.answer(now, input);
  IPOP_ASSERT(query.has_value() == answer.has_value());
  if (answer) check_answer(*query, *answer);
  return 0;
}
