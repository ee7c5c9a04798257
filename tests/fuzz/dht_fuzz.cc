// What a member may do to a replica and to an asker: any sequence of messages, of records with a good and
// with a broken signature, at any time.  Nothing crashes or grows without bound, a replica's records are good
// ones, and a get that ends says so once.
#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "overlay/base/assert.h"
#include "overlay/crypto/authority.h"
#include "overlay/dht/client.h"
#include "overlay/dht/order.h"
#include "overlay/dht/replica.h"

namespace {

using namespace ipop;

constexpr UnixSeconds kStart = 1'800'000'000;

struct Members {
  Members()
      : random(1),
        authority(
            Authority::create("grid", *Ipv4Subnet::parse("10.128.0.0/16"), 365 * 86400, kStart, random)) {
    const Network network = *Network::from_authority(authority.certificate());
    for (int i = 0; i < 6; ++i) {
      const Identity identity = Identity::generate(random);
      const Certificate certificate =
          authority.issue("host" + std::to_string(i), identity.public_key(), 365 * 86400, kStart);
      all.push_back(Credentials::make(network, identity, certificate, random));
    }
  }
  SeededRandom random;
  Authority authority;
  std::vector<Credentials> all;
};

const Members& members() {
  static const Members members;
  return members;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader in(ByteView(data, size));
  const auto& all = members().all;
  SeededRandom random(7);
  ErrorCounters refused;
  Instant now{1s};
  const auto wall = [&] { return std::chrono::seconds(kStart) + now.time_since_epoch(); };
  Notary notary(all[0]);
  Replica replica(notary, random, refused, now);
  Client client(notary, random);
  std::vector<std::unique_ptr<Notary>> others;
  std::vector<NodeId> ids;
  for (const auto& member : all) {
    others.push_back(std::make_unique<Notary>(member));
    ids.push_back(member.id);
  }
  std::sort(ids.begin(), ids.end());
  const Neighbourhood near = neighbourhood_of(all[0].id, ids);
  replica.handle_neighbours(now, true, false, near);
  client.set_replica_count(replica_count(near));
  std::vector<uint64_t> asked{1};
  std::vector<wire::DhtRequest> questions;
  std::map<uint64_t, int> ended;

  const auto record = [&](size_t writer) {
    wire::DhtRecord out;
    const uint8_t what = in.u8();
    out.kind = (what & 1) != 0 ? wire::DhtAddress::Kind::Ip : wire::DhtAddress::Kind::Mac;
    out.state = static_cast<wire::DhtRecord::State>(1 + what / 2 % 3);
    out.ip = Ipv4Address{0x0a800000 + 1u + in.u8() % 4u};
    out.mac = {{0x52, 0x54, 0, 0, 0, static_cast<uint8_t>(1 + in.u8() % 4)}};
    out.sequence = (what & 64) != 0 ? in.u64() : in.u8();
    out.expires_s = (what & 128) != 0 ? in.u64() : static_cast<uint64_t>(wall() / 1s) + in.u16() % 7200;
    others[writer]->sign(wall(), out);
    if (in.u8() == 0) out.signature[0] ^= 1;
    return out;
  };
  for (int steps = 0; in.ok() && in.remaining() > 0 && steps < 200; ++steps) {
    const uint8_t action = in.u8();
    const size_t who = in.u8() % all.size();
    const NodeId& from = all[who].id;
    switch (action % 9) {
      case 0:
        now += std::chrono::milliseconds(in.u16());
        replica.handle_timeout(now);
        client.handle_timeout(now, wall());
        break;
      case 1: {
        wire::DhtRequest request;
        request.id = in.u64();
        request.asker = from;
        request.is_relayed = (action & 16) != 0;
        request.operation = static_cast<wire::DhtRequest::Operation>(1 + in.u8() % 3);
        if (request.operation == wire::DhtRequest::Operation::Get) {
          request.address = {.kind = wire::DhtAddress::Kind::Ip, .ip = Ipv4Address{0x0a800001}, .mac = {}};
        } else {
          request.record = record(who);
          request.address = request.record->address();
        }
        replica.handle_request(now, wall(), request);
        break;
      }
      case 2:
        (void)replica.handle_notice(now, wall(), from, in.u8() % 2 == 0, record(in.u8() % all.size()));
        break;
      case 3:
        replica.handle_pull(now, from, true, {.id = in.u64(), .from = {in.array<20>()}});
        break;
      case 4: {
        wire::DhtPage page{.id = (action & 16) != 0 ? asked.back() : in.u64(), .next = {}, .entries = {}};
        if ((action & 32) != 0) page.next = NodeId{in.array<20>()};
        for (int i = in.u8() % 36; i > 0; --i) page.entries.push_back({.key = {in.array<20>()}, .stamp = 1});
        replica.handle_page(now, from, page);
        break;
      }
      case 5: {
        wire::DhtFetch fetch;
        for (const auto& [key, entry] : replica.store().all()) {
          if (fetch.keys.size() < wire::DhtFetch::kMaxKeys) fetch.keys.push_back(key);
        }
        replica.handle_fetch(now, from, false, fetch);
        break;
      }
      case 6:
        (void)client.get(now, in.u8(),
                         {.kind = wire::DhtAddress::Kind::Ip, .ip = Ipv4Address{0x0a800001}, .mac = {}});
        break;
      case 7:
        (void)client.create(now, wall(), 256 + in.u8(), record(0));
        break;
      case 8: {
        wire::DhtReply reply;
        const wire::DhtRequest question =
            questions.empty() ? wire::DhtRequest() : questions[in.u8() % questions.size()];
        reply.id = question.id;
        reply.verdict = static_cast<wire::DhtReply::Verdict>(1 + in.u8() % 6);
        if (reply.verdict == wire::DhtReply::Verdict::Held) reply.record = record(in.u8() % all.size());
        others[who]->sign(question, reply);
        (void)client.handle_reply(now, wall(), reply);
        break;
      }
    }
    int messages = 0;
    while (const auto message = replica.poll_message()) {
      IPOP_ASSERT(++messages < 100);
      const Bytes encoded = wire::encode_ring_message(message->body);
      const auto decoded = wire::decode_ring_message(encoded);
      IPOP_ASSERT(decoded && *decoded == message->body);
      if (const auto* pull = std::get_if<wire::DhtPull>(&message->body)) asked.push_back(pull->id);
    }
    while (const auto question = client.poll_question()) questions.push_back(question->request);
    while (const auto outcome = client.poll_outcome()) {
      if (outcome->kind != Client::Outcome::Kind::Found) {
        IPOP_ASSERT(++ended[outcome->id] <= 1 || client.pending() < Client::kMaxOperations);
      }
    }
    if (asked.size() > 64) asked.erase(asked.begin(), asked.begin() + 32);
    if (questions.size() > 64) questions.erase(questions.begin(), questions.begin() + 32);
    for (const auto& [key, entry] : replica.store().all()) {
      IPOP_ASSERT(key == key_of(entry.record.address()) && entry.expires > now);
    }
    IPOP_ASSERT(client.pending() <= Client::kMaxOperations);
  }
  return 0;
}
