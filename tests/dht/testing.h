// A ring of replicas and their clients as the test's own hands: messages arrive in order and at once, unless
// the test says otherwise; neighbourhoods are right at once, unless it holds them back.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "overlay/dht/client.h"
#include "overlay/dht/replica.h"
#include "overlay/ring/distance.h"
#include "tests/support/grid.h"

namespace ipop::test {

inline const Grid& dht_grid() {
  static const Grid grid;
  return grid;
}

inline const MacAddress kMacA = {{0x52, 0x54, 0, 0, 0, 0xa}};
inline const MacAddress kMacB = {{0x52, 0x54, 0, 0, 0, 0xb}};
inline const Ipv4Address kIp = {0x0a800105};  // 10.128.1.5.

inline wire::DhtRecord ip_record(Ipv4Address ip, const MacAddress& mac, Duration wall,
                                 wire::DhtRecord::State state = wire::DhtRecord::State::Bound,
                                 uint64_t sequence = 1, Duration life = 1h) {
  wire::DhtRecord out;
  out.kind = wire::DhtAddress::Kind::Ip;
  out.state = state;
  out.ip = ip;
  out.mac = mac;
  out.sequence = sequence;
  out.expires_s = static_cast<uint64_t>((wall + life) / 1s);
  return out;
}

struct DhtNode {
  DhtNode(uint64_t member, Instant now)
      : credentials(dht_grid().member(member)),
        random(500 + member),
        notary(credentials),
        replica(notary, random, refused, now),
        client(notary, random) {}

  const NodeId& id() const { return credentials.id; }

  Credentials credentials;
  SeededRandom random;
  ErrorCounters refused;
  Notary notary;
  Replica replica;
  Client client;
  std::vector<Client::Outcome> outcomes;
  std::vector<wire::DhtRecord> notices;  ///< Good ones that came.
  bool is_alive = true;
};

class DhtRing {
 public:
  explicit DhtRing(size_t n) {
    for (size_t i = 0; i < n; ++i) nodes_.push_back(std::make_unique<DhtNode>(first_member_ + i, now));
    tell_neighbours();
    advance(8min);  // Synchronised, and sure.
  }

  Duration wall() const { return std::chrono::seconds(testing::kNow) + now.time_since_epoch(); }
  DhtNode& node(size_t i) { return *nodes_[i]; }
  size_t size() const { return nodes_.size(); }

  DhtNode& add() {
    nodes_.push_back(std::make_unique<DhtNode>(first_member_ + nodes_.size(), now));
    tell_neighbours();
    return *nodes_.back();
  }
  /// Dies without a word, and everybody knows.
  void kill(DhtNode& node) {
    node.is_alive = false;
    tell_neighbours();
  }
  /// Everybody's view of the ring is right; of those that can reach each other.
  void tell_neighbours() {
    for (const auto& node : nodes_) {
      if (!node->is_alive) continue;
      std::vector<NodeId> ids;
      for (const auto& other : nodes_) {
        if (other->is_alive && can_reach(*node, *other)) ids.push_back(other->id());
      }
      std::sort(ids.begin(), ids.end());
      const Neighbourhood near = neighbourhood_of(node->id(), ids);
      node->replica.handle_neighbours(now, true, false, near);
      node->client.set_replica_count(replica_count(near));
    }
  }
  /// In the order of distance from the key.
  std::vector<DhtNode*> by_distance(const wire::DhtAddress& address) {
    std::vector<DhtNode*> out;
    for (const auto& node : nodes_) {
      if (node->is_alive) out.push_back(node.get());
    }
    const NodeId key = key_of(address);
    std::sort(out.begin(), out.end(), [&](const DhtNode* a, const DhtNode* b) {
      return ring_distance(a->id(), key) < ring_distance(b->id(), key);
    });
    return out;
  }
  /// Those that have a record of the address.
  std::vector<DhtNode*> holders(const wire::DhtAddress& address) {
    std::vector<DhtNode*> out;
    for (const auto& node : nodes_) {
      if (node->is_alive && node->replica.store().find(key_of(address))) out.push_back(node.get());
    }
    return out;
  }

  /// Delivers all there is, and what comes of it.
  void settle() {
    for (int turns = 0;; ++turns) {
      ASSERT_LT(turns, 10'000) << "it never ends";
      bool busy = false;
      for (const auto& node : nodes_) busy |= deliver_from(*node);
      if (!busy) return;
    }
  }
  void advance(Duration duration) {
    const Instant end = now + duration;
    settle();
    for (;;) {
      Instant next = end;
      for (const auto& node : nodes_) {
        if (node->is_alive) {
          next = std::min({next, node->replica.next_timeout(), node->client.next_timeout()});
        }
      }
      now = std::max(now, next);
      for (const auto& node : nodes_) {
        if (!node->is_alive) continue;
        node->replica.handle_timeout(now);
        node->client.handle_timeout(now, wall());
      }
      settle();
      if (now >= end) return;
    }
  }

  /// The outcome of a claim: reserve, then bind.
  Client::Outcome claim(DhtNode& node, Ipv4Address ip, const MacAddress& mac, uint64_t sequence = 1) {
    using Kind = Client::Outcome::Kind;
    auto reserved = run(
        [&](uint64_t id) {
          return node.client.create(
              now, wall(), id, ip_record(ip, mac, wall(), wire::DhtRecord::State::Reserved, sequence, 60s));
        },
        node);
    if (reserved.kind != Kind::Accepted) return reserved;
    return put(node, ip, mac, reserved.record->sequence);
  }
  Client::Outcome put(DhtNode& node, Ipv4Address ip, const MacAddress& mac, uint64_t sequence,
                      wire::DhtRecord::State state = wire::DhtRecord::State::Bound) {
    return run(
        [&](uint64_t id) {
          return node.client.put(now, wall(), id, ip_record(ip, mac, wall(), state, sequence));
        },
        node);
  }
  Client::Outcome get(DhtNode& node, const wire::DhtAddress& address) {
    return run([&](uint64_t id) { return node.client.get(now, id, address); }, node);
  }
  /// The last outcome of what `start` starts.
  Client::Outcome run(const std::function<Result<Done>(uint64_t)>& start, DhtNode& node) {
    const uint64_t id = ++last_id_;
    EXPECT_TRUE(start(id));
    for (int i = 0; i < 100 && node.client.pending() > 0; ++i) advance(50ms);
    advance(0s);
    for (auto outcome = node.outcomes.rbegin(); outcome != node.outcomes.rend(); ++outcome) {
      if (outcome->id == id) return *outcome;
    }
    ADD_FAILURE() << "no outcome";
    return {};
  }

  /// As its asker sent it.
  const wire::DhtRequest& request(uint64_t id) const { return requests_.at(id); }

  Instant now{10s};
  /// False: the message is lost, or was changed in place.
  std::function<bool(DhtNode& from, DhtNode& to, wire::RingMessage& message)> passes;
  /// Which pairs can talk.
  std::function<bool(const DhtNode& a, const DhtNode& b)> reaches;

 private:
  bool can_reach(const DhtNode& a, const DhtNode& b) const { return &a == &b || !reaches || reaches(a, b); }

  DhtNode* find(const NodeId& id) {
    for (const auto& node : nodes_) {
      if (node->id() == id) return node.get();
    }
    return nullptr;
  }
  void deliver(DhtNode& from, DhtNode* to, wire::RingMessage message) {
    if (!to || !to->is_alive || !can_reach(from, *to)) return;
    if (passes && !passes(from, *to, message)) return;
    if (const auto* request = std::get_if<wire::DhtRequest>(&message)) {
      to->replica.handle_request(now, wall(), *request);
    } else if (const auto* reply = std::get_if<wire::DhtReply>(&message)) {
      (void)to->client.handle_reply(now, wall(), *reply);
    } else if (const auto* pull = std::get_if<wire::DhtPull>(&message)) {
      to->replica.handle_pull(now, from.id(), true, *pull);
    } else if (const auto* page = std::get_if<wire::DhtPage>(&message)) {
      to->replica.handle_page(now, from.id(), *page);
    } else if (const auto* fetch = std::get_if<wire::DhtFetch>(&message)) {
      to->replica.handle_fetch(now, from.id(), true, *fetch);
    } else if (const auto* notice = std::get_if<wire::DhtNotice>(&message)) {
      if (to->replica.handle_notice(now, wall(), from.id(), true, notice->record)) {
        to->notices.push_back(notice->record);
      }
    }
  }
  bool deliver_from(DhtNode& node) {
    bool busy = false;
    while (const auto message = node.replica.poll_message()) {
      const Client::Question to_owner{wire::Routed::Mode::Owner, message->to, {}};
      deliver(node, message->is_for_owner ? next_hop(node, to_owner) : find(message->to), message->body);
      busy = true;
    }
    while (const auto question = node.client.poll_question()) {
      requests_[question->request.id] = question->request;
      deliver(node, next_hop(node, *question), question->request);
      busy = true;
    }
    while (const auto outcome = node.client.poll_outcome()) {
      node.outcomes.push_back(*outcome);
      busy = true;
    }
    return busy && node.is_alive;
  }
  DhtNode* next_hop(const DhtNode& from, const Client::Question& question) {
    DhtNode* best = nullptr;
    const auto distance = [&](const DhtNode& node) {
      switch (question.mode) {
        case wire::Routed::Mode::After:
          return clockwise_distance(question.key, node.id());
        case wire::Routed::Mode::Before:
          return clockwise_distance(node.id(), question.key);
        default:
          return ring_distance(question.key, node.id());
      }
    };
    for (const auto& node : nodes_) {
      if (!node->is_alive || !can_reach(from, *node)) continue;
      if (!best || distance(*node) < distance(*best)) best = node.get();
    }
    return best;
  }

  static constexpr uint64_t first_member_ = 40;
  std::vector<std::unique_ptr<DhtNode>> nodes_;
  std::map<uint64_t, wire::DhtRequest> requests_;
  uint64_t last_id_ = 0;
};

}  // namespace ipop::test
