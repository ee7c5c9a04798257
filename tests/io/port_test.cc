// Ports of one process on loopback, through the C ABI, as the switch uses them: real sockets, real threads.
#include "overlay/io/port.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <functional>
#include <thread>
#include <utility>

#include "overlay/base/octets.h"
#include "overlay/crypto/settings.h"
#include "tests/fastpath/frames.h"
#include "tests/support/guest_frames.h"
#include "tests/support/loopback_ports.h"
#include "tests/support/member_files.h"

namespace ipop {
namespace {

using namespace test;

struct Ports : testing::Test, test::MemberFiles {
  int create(const std::string& name, const std::string& invite_path, const std::string& listen, PortPtr& out,
             std::string* error = nullptr) {
    return create_port(name, invite_path, listen, directory + "/" + name, out, error);
  }

  static void send(ipop_port& port, Bytes bytes) {
    const ipop_frame frame{.data = bytes.data(), .length = bytes.size(), .flags = 0, .segment_size = 0};
    ipop_port_send(&port, &frame, 1);
  }

  /// What the switch would get of that queue now.
  static std::vector<Bytes> receive(ipop_port& port, size_t queue = 0) {
    std::array<Bytes, 8> rooms;
    std::array<ipop_buffer, 8> buffers;
    for (size_t i = 0; i < rooms.size(); ++i) {
      rooms[i].resize(ipop_port_buffer_size(&port));
      buffers[i] = {
          .data = rooms[i].data(), .capacity = rooms[i].size(), .length = 0, .flags = 0, .segment_size = 0};
    }
    const size_t n = ipop_port_recv(&port, queue, buffers.data(), buffers.size());
    std::vector<Bytes> out;
    for (size_t i = 0; i < n; ++i) {
      rooms[i].resize(buffers[i].length);
      out.push_back(std::move(rooms[i]));
    }
    return out;
  }

  /// An ARP request: members ask whether a guest here has what one of theirs claims.
  static bool is_question_to_guests(const Bytes& frame) {
    return frame.size() >= 22 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 1;
  }

  /// Plays the switch's main loop until `done`; false after half a minute.
  bool run_until(const std::vector<ipop_port*>& ports, const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::vector<pollfd> entries;
      for (ipop_port* port : ports) {
        for (size_t queue = 0; queue < ipop_port_n_rxq(port); ++queue) {
          int fds[2];
          const size_t n = ipop_port_fds(port, queue, fds);
          for (size_t i = 0; i < n; ++i) entries.push_back({.fd = fds[i], .events = POLLIN, .revents = 0});
        }
      }
      poll(entries.data(), entries.size(), 50);
      for (ipop_port* port : ports) {
        for (size_t queue = 0; queue < ipop_port_n_rxq(port); ++queue) {
          for (auto& one : receive(*port, queue)) {
            if (!is_question_to_guests(one)) received[port].push_back(std::move(one));
          }
        }
      }
    }
    return true;
  }

  std::map<ipop_port*, std::vector<Bytes>> received;
};

TEST_F(Ports, TwoPortsConnectAndCarryFrames) {
  PortPtr alpha;
  PortPtr beta;
  ASSERT_EQ(create("alpha", invite("alpha"), "127.0.0.1:0", alpha), 0);
  ASSERT_EQ(create("beta", invite("beta", {endpoint_of(*alpha)}), "127.0.0.1:0", beta), 0);
  const std::vector<ipop_port*> both{alpha.get(), beta.get()};
  ASSERT_TRUE(
      run_until(both, [&] { return ipop_port_carrier(alpha.get()) && ipop_port_carrier(beta.get()); }));

  send(*alpha, arp_request(kAlice, kAliceIp, kAliceIp));
  send(*beta, arp_request(kBob, kBobIp, kBobIp));
  const Bytes hello = frame(kBob, kAlice, std::string(1386, 'x'));
  send(*alpha, hello);
  ASSERT_TRUE(run_until(both, [&] { return !received[beta.get()].empty(); }));
  EXPECT_EQ(received[beta.get()].front(), hello);

  // By now both know both guests; frames go by the fast path alone.
  ASSERT_TRUE(run_until(both, [&] { return shows(*alpha, IPOP_VIEW_BINDINGS, kBobIp.to_string()); }));
  received.clear();
  std::vector<Bytes> sent;
  for (size_t size = 46; size < 146; ++size) sent.push_back(frame(kBob, kAlice, std::string(size, 'y')));
  for (const Bytes& bytes : sent) send(*alpha, bytes);
  ASSERT_TRUE(run_until(both, [&] { return received[beta.get()].size() >= sent.size(); }));
  EXPECT_EQ(received[beta.get()], sent) << "whole, once, in order";
}

TEST_F(Ports, AQuestionIsAnsweredWithoutWaitingForIt) {
  PortPtr alpha;
  PortPtr beta;
  ASSERT_EQ(create("alpha", invite("alpha"), "127.0.0.1:0", alpha), 0);
  ASSERT_EQ(create("beta", invite("beta", {endpoint_of(*alpha)}), "127.0.0.1:0", beta), 0);
  const std::vector<ipop_port*> both{alpha.get(), beta.get()};
  ASSERT_TRUE(
      run_until(both, [&] { return ipop_port_carrier(alpha.get()) && ipop_port_carrier(beta.get()); }));

  uint64_t number = 0;
  char* text = nullptr;
  ASSERT_EQ(ipop_port_ask(alpha.get(), IPOP_QUESTION_CRAWL, nullptr, &number, nullptr), 0);
  EXPECT_EQ(ipop_port_collect(beta.get(), number, true, &text), ENOENT) << "it was not asked";
  ASSERT_TRUE(run_until(both, [&] {
    pollfd entry{.fd = ipop_port_answer_fd(alpha.get()), .events = POLLIN, .revents = 0};
    return poll(&entry, 1, 0) == 1;
  }));
  ASSERT_EQ(ipop_port_collect(alpha.get(), number, true, &text), 0);
  EXPECT_NE(std::string_view(text).find("\"complete\":"), std::string_view::npos) << text;
  ipop_free(text);
  EXPECT_EQ(ipop_port_collect(alpha.get(), number, true, &text), ENOENT) << "once only";

  ASSERT_EQ(ipop_port_ask(alpha.get(), IPOP_QUESTION_TRACE, "10.128.0.77", &number, &text), EINVAL);
  EXPECT_EQ(std::string_view(text), "no guest with address 10.128.0.77 is known here");
  ipop_free(text);
  const std::string nobody(40, '0');
  while (ipop_port_ask(alpha.get(), IPOP_QUESTION_TRACE, nobody.c_str(), &number, nullptr) == 0) {
    EXPECT_EQ(ipop_port_collect(alpha.get(), number, false, &text), EAGAIN);
  }
  EXPECT_EQ(ipop_port_ask(alpha.get(), IPOP_QUESTION_CRAWL, nullptr, &number, &text), EBUSY);
  EXPECT_NE(std::string_view(text).find("too many questions"), std::string_view::npos) << text;
  ipop_free(text);
}

TEST_F(Ports, SuperFramesArriveAsTheSameOctets) {
  constexpr MacAddress kServer{{0x52, 0x54, 0, 0, 0, 1}};  // The addresses of test::FrameSpec.
  constexpr MacAddress kClient{{0x52, 0x54, 0, 0, 0, 2}};
  PortPtr alpha;
  PortPtr beta;
  ASSERT_EQ(create("alpha", invite("alpha"), "127.0.0.1:0", alpha), 0);
  ASSERT_EQ(create("beta", invite("beta", {endpoint_of(*alpha)}), "127.0.0.1:0", beta), 0);
  const std::vector<ipop_port*> both{alpha.get(), beta.get()};
  send(*alpha, arp_request(kServer, kAliceIp, kAliceIp));
  send(*beta, arp_request(kClient, kBobIp, kBobIp));
  ASSERT_TRUE(run_until(both, [&] { return shows(*alpha, IPOP_VIEW_BINDINGS, kBobIp.to_string()); }));

  const test::FrameSpec spec{.payload = test::pattern(60000)};
  Bytes super = spec.build();
  const ipop_frame frame{.data = super.data(),
                         .length = super.size(),
                         .flags = IPOP_FRAME_TSO | IPOP_FRAME_CSUM_PARTIAL,
                         .segment_size = 1346};
  ipop_port_send(alpha.get(), &frame, 1);
  size_t payload = 0;
  ASSERT_TRUE(run_until(both, [&] {
    payload = 0;
    for (const Bytes& bytes : received[beta.get()]) payload += bytes.size() - spec.header_size();
    return payload >= spec.payload.size();
  }));
  Bytes joined;
  for (const Bytes& bytes : received[beta.get()]) {
    joined.insert(joined.end(), bytes.begin() + static_cast<ptrdiff_t>(spec.header_size()), bytes.end());
  }
  EXPECT_EQ(joined, spec.payload);
  EXPECT_LT(received[beta.get()].size(), 10u) << "45 segments came in a few super-frames";
}

/// Sends frames of different sizes, numbered, in batches of which no more than one is under way, so that no
/// socket overflows.
class Sender {
 public:
  Sender(ipop_port& port, uint8_t id, const MacAddress& guest = kAlice)
      : port_(port), id_(id), guest_(guest) {}

  void run() {
    std::vector<Bytes> batch(kBatch);
    std::vector<ipop_frame> frames(kBatch);
    for (uint32_t sent = 0; sent < kFrames; sent += kBatch) {
      while (arrived_.load() < sent && !stopped_) std::this_thread::yield();
      for (uint32_t i = 0; i < kBatch; ++i) {
        Writer out;
        write(out, kBob);
        write(out, guest_);
        out.u16(0x88b5);
        out.u8(id_);
        out.u32(sent + i);
        out.zeros(46 + (sent * 7 + i * 131) % 1200);
        batch[i] = out.take();
        frames[i] = {.data = batch[i].data(), .length = batch[i].size(), .flags = 0, .segment_size = 0};
      }
      ipop_port_send(&port_, frames.data(), frames.size());
    }
  }
  /// Another of this sender's came, with this number; false if it was not the next.
  bool note_arrived(uint32_t number) { return arrived_++ == number; }
  bool is_done() const { return arrived_.load() == kFrames; }
  void stop() { stopped_ = true; }

 private:
  static constexpr uint32_t kBatch = 32, kFrames = 50 * kBatch;

  ipop_port& port_;
  const uint8_t id_;
  const MacAddress guest_;
  std::atomic<uint32_t> arrived_{0};
  std::atomic<bool> stopped_{false};
};

TEST_F(Ports, FourThreadsSendAtOnceAndEachOnesFramesArriveInOrder) {
  PortPtr alpha;
  PortPtr beta;
  ASSERT_EQ(create("alpha", invite("alpha"), "127.0.0.1:0", alpha), 0);
  ASSERT_EQ(create("beta", invite("beta", {endpoint_of(*alpha)}), "127.0.0.1:0", beta), 0);
  const std::vector<ipop_port*> both{alpha.get(), beta.get()};
  send(*alpha, arp_request(kAlice, kAliceIp, kAliceIp));
  send(*beta, arp_request(kBob, kBobIp, kBobIp));
  ASSERT_TRUE(run_until(both, [&] {
    return shows(*alpha, IPOP_VIEW_BINDINGS, kBobIp.to_string()) &&
           shows(*beta, IPOP_VIEW_BINDINGS, kAliceIp.to_string());
  }));
  // One frame by the core, so that those that follow do not overtake others there.
  send(*alpha, frame(kBob, kAlice, std::string(46, 'x')));
  ASSERT_TRUE(run_until(both, [&] { return !received[beta.get()].empty(); }));

  std::deque<Sender> senders;
  for (uint8_t id = 0; id < 4; ++id) senders.emplace_back(*alpha, id);
  std::vector<std::thread> threads;
  for (Sender& sender : senders) threads.emplace_back([&] { sender.run(); });
  bool in_order = true;
  const bool all = run_until(both, [&] {
    for (const Bytes& bytes : std::exchange(received[beta.get()], {})) {
      if (bytes.size() < 60 || bytes[14] >= senders.size()) continue;  // Not theirs.
      in_order &= senders[bytes[14]].note_arrived(number_of<uint32_t>(&bytes[15]));
    }
    return std::all_of(senders.begin(), senders.end(), [](const Sender& sender) { return sender.is_done(); });
  });
  for (Sender& sender : senders) sender.stop();  // Who waits for what was lost would wait for ever.
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(all);
  EXPECT_TRUE(in_order);
}

TEST_F(Ports, ThreadsReceiveAtOnceAndEachPeerComesToOneOfThem) {
  constexpr size_t kQueues = 4, kPeers = 8;
  PortPtr hub;
  std::string error;
  ASSERT_EQ(create_port("hub", invite("hub"), "127.0.0.1:0", directory + "/hub", hub, &error, "4"), 0)
      << error;
  ASSERT_EQ(ipop_port_n_rxq(hub.get()), kQueues);
  send(*hub, arp_request(kBob, kBobIp, kBobIp));
  struct Peer {
    PortPtr port;
    MacAddress guest;
    Ipv4Address ip;
  };
  std::vector<Peer> peers(kPeers);
  std::vector<ipop_port*> all{hub.get()};
  std::vector<ipop_port*> without_hub;
  for (uint8_t i = 0; i < kPeers; ++i) {
    Peer& peer = peers[i];
    const std::string name = "peer" + std::to_string(i);
    ASSERT_EQ(create(name, invite(name, {endpoint_of(*hub)}), "127.0.0.1:0", peer.port), 0);
    peer.guest = {{0x52, 0x54, 0, 0, 1, i}};
    peer.ip = {kBobIp.value + 100 + i};
    send(*peer.port, arp_request(peer.guest, peer.ip, peer.ip));
    all.push_back(peer.port.get());
    without_hub.push_back(peer.port.get());
  }
  ASSERT_TRUE(run_until(all, [&] {
    return std::all_of(peers.begin(), peers.end(), [&](const Peer& peer) {
      return shows(*hub, IPOP_VIEW_BINDINGS, peer.ip.to_string()) &&
             shows(*peer.port, IPOP_VIEW_BINDINGS, kBobIp.to_string());
    });
  }));
  // One frame of each by the cores, so that those that follow do not overtake it there.
  for (const Peer& peer : peers) send(*peer.port, frame(kBob, peer.guest, std::string(46, 'x')));
  const auto is_first = [](const Bytes& bytes) { return bytes.size() == 60 && bytes[14] == 'x'; };
  ASSERT_TRUE(run_until(all, [&] {
    return std::count_if(received[hub.get()].begin(), received[hub.get()].end(), is_first) == kPeers;
  }));

  std::deque<Sender> senders;
  for (uint8_t i = 0; i < kPeers; ++i) senders.emplace_back(*peers[i].port, i, peers[i].guest);
  std::array<std::array<size_t, kPeers>, kQueues> frames{};  // Each row by one thread.
  std::atomic<bool> in_order{true};
  std::atomic<bool> stopped{false};
  std::vector<std::thread> threads;
  for (size_t queue = 0; queue < kQueues; ++queue) {
    threads.emplace_back([&, queue] {
      while (!stopped) {
        for (const Bytes& bytes : receive(*hub, queue)) {
          if (bytes.size() < 60 || bytes[14] >= kPeers) continue;  // Not theirs.
          ++frames[queue][bytes[14]];
          if (!senders[bytes[14]].note_arrived(number_of<uint32_t>(&bytes[15]))) in_order = false;
        }
        std::this_thread::yield();
      }
    });
  }
  for (Sender& sender : senders) threads.emplace_back([&] { sender.run(); });
  EXPECT_TRUE(run_until(without_hub, [&] {
    return std::all_of(senders.begin(), senders.end(), [](const Sender& sender) { return sender.is_done(); });
  }));
  for (Sender& sender : senders) sender.stop();
  stopped = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(in_order);
  size_t busy_queues = 0;
  for (const auto& of_queue : frames) {
    busy_queues += std::any_of(of_queue.begin(), of_queue.end(), [](size_t n) { return n > 0; });
  }
  EXPECT_GT(busy_queues, 1u) << "by chance in one of 16 000 runs";
  for (size_t peer = 0; peer < kPeers; ++peer) {
    size_t its_queues = 0;
    for (const auto& of_queue : frames) its_queues += of_queue[peer] > 0;
    EXPECT_EQ(its_queues, 1u) << "peer " << peer;
  }
}

TEST_F(Ports, TheSocketIsReadHoweverManyFramesTheCoreHas) {
  auto options = PortOptions::parse({.name = "alpha",
                                     .invite = invite("alpha").c_str(),
                                     .listen = "127.0.0.1:0",
                                     .introducers = nullptr,
                                     .rekey = nullptr,
                                     .state_dir = directory.c_str(),
                                     .n_rxq = nullptr,
                                     .tso = true});
  ASSERT_TRUE(options);
  auto opened = Port::open(*options);
  ASSERT_TRUE(opened);
  Port& port = **opened;
  for (int i = 0; i < 20; ++i) port.runtime().guest_frames().put(Bytes(60));
  const auto stranger = UdpSocket::open(*Endpoint::parse("127.0.0.1:0"));
  ASSERT_TRUE(stranger->send(port.facts().listen, Bytes{1}));
  int fds[2];
  port.fds(0, fds);
  pollfd entry{.fd = fds[0], .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&entry, 1, 30'000), 1);

  std::array<Bytes, 8> rooms;
  std::array<ipop_buffer, 8> buffers;
  for (size_t i = 0; i < rooms.size(); ++i) {
    rooms[i].resize(port.buffer_size());
    buffers[i] = {
        .data = rooms[i].data(), .capacity = rooms[i].size(), .length = 0, .flags = 0, .segment_size = 0};
  }
  EXPECT_EQ(port.receive(0, buffers.data(), buffers.size()), 8u) << "the core has what the socket leaves";
  EXPECT_EQ(port.runtime().refused().get(Error::Malformed), 1u) << "the datagram was read";
}

TEST_F(Ports, WhatCannotWorkIsRefusedWithASentence) {
  PortPtr port;
  std::string error;
  EXPECT_EQ(create("ipop0", directory + "/none.ipop", ":0", port, &error), EINVAL);
  EXPECT_NE(error.find("No such file"), std::string::npos) << error;
  EXPECT_EQ(create("ipop0", "", ":0", port, &error), EINVAL);
  EXPECT_NE(error.find("options:invite"), std::string::npos) << error;
  EXPECT_EQ(create("ipop0", invite("alpha"), "nonsense", port, &error), EINVAL);
  EXPECT_NE(error.find("options:listen"), std::string::npos) << error;
  EXPECT_EQ(port, nullptr);
}

TEST_F(Ports, AnInviteServesOnePortAtATime) {
  const std::string path = invite("alpha");
  PortPtr first;
  PortPtr second;
  std::string error;
  ASSERT_EQ(create("ipop0", path, "127.0.0.1:0", first), 0);
  EXPECT_EQ(create("ipop1", path, "127.0.0.1:0", second, &error), EBUSY);
  EXPECT_NE(error.find("in use by port ipop0"), std::string::npos) << error;
  first.reset();
  EXPECT_EQ(create("ipop1", path, "127.0.0.1:0", second), 0);
}

/// What the node answers to a request to load this file: an errno and a text.
std::pair<int, std::string> load_settings(ipop_port& port, const std::string& path) {
  uint64_t number = 0;
  char* text = nullptr;
  int result = ipop_port_ask(&port, IPOP_QUESTION_LOAD_SETTINGS, path.c_str(), &number, &text);
  if (result == 0) {
    pollfd entry{.fd = ipop_port_answer_fd(&port), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&entry, 1, 30'000), 1);
    result = ipop_port_collect(&port, number, false, &text);
  }
  const std::string answer = text != nullptr ? text : "";
  ipop_free(text);
  return {result, answer};
}

std::string view_of(const ipop_port& port, ipop_view view) {
  char* text = ipop_port_view(&port, view, true);
  const std::string out = text;
  ipop_free(text);
  return out;
}

TEST_F(Ports, SettingsAreLoadedPassedOnAndRemembered) {
  PortPtr alpha;
  PortPtr beta;
  const std::string invite_of_beta = [&] {
    EXPECT_EQ(create("alpha", invite("alpha"), "127.0.0.1:0", alpha), 0);
    return invite("beta", {endpoint_of(*alpha)});
  }();
  ASSERT_EQ(create("beta", invite_of_beta, "127.0.0.1:0", beta), 0);
  const std::string path = directory + "/grid.settings";
  std::ofstream(path) << sign_settings(authority, 1764086400, R"({"mtu": 1300})").encode();

  const auto missing = load_settings(*alpha, directory + "/none");
  EXPECT_EQ(missing.first, EINVAL);
  EXPECT_NE(missing.second.find("No such file"), std::string::npos) << missing.second;
  const auto loaded = load_settings(*alpha, path);
  EXPECT_EQ(loaded.first, 0) << loaded.second;
  EXPECT_NE(loaded.second.find("version 1764086400"), std::string::npos) << loaded.second;
  const auto shows = [&](const PortPtr& port) {
    const std::string text = view_of(*port, IPOP_VIEW_SETTINGS);
    return text.find("\"version\":1764086400") != std::string::npos &&
           text.find("\"mtu\":1300") != std::string::npos;
  };
  ASSERT_TRUE(run_until({alpha.get(), beta.get()}, [&] { return shows(alpha) && shows(beta); }));

  const std::string old = directory + "/old.settings";
  std::ofstream(old) << sign_settings(authority, 1764086399, "{}").encode();
  const auto refused = load_settings(*beta, old);
  EXPECT_EQ(refused.first, EINVAL);
  EXPECT_NE(refused.second.find(old + ": it is older"), std::string::npos) << refused.second;

  alpha.reset();
  beta.reset();  // And alone it comes back.
  ASSERT_EQ(create("beta", invite_of_beta, "127.0.0.1:0", beta), 0);
  EXPECT_TRUE(run_until({beta.get()}, [&] { return shows(beta); }));
}

TEST_F(Ports, APortSurvivesGarbageFromBothSides) {
  PortPtr alpha;
  ASSERT_EQ(create("alpha", invite("alpha"), "127.0.0.1:0", alpha), 0);
  auto stranger = UdpSocket::open(*Endpoint::parse("127.0.0.1:0"));
  SeededRandom garbage(7);
  for (int i = 0; i < 5000; ++i) {
    Bytes bytes(garbage.below(1500));
    garbage.fill(bytes);
    if (bytes.size() > 4 && i % 2 == 0) bytes[1] = bytes[2] = bytes[3] = 0, bytes[0] %= 9;
    stranger->send(endpoint_of(*alpha), bytes);
    send(*alpha, bytes);
    receive(*alpha);
  }
  char* view = ipop_port_view(alpha.get(), IPOP_VIEW_SHOW, true);
  EXPECT_NE(std::string_view(view).find("\"peer_malformed\""), std::string_view::npos);
  ipop_free(view);
}

TEST(PortOptions, RekeyIsFiveToAHundredAndTwentySeconds) {
  ipop_config config{};
  config.invite = "x";
  for (const char* right : {"5", "120"}) {
    config.rekey = right;
    EXPECT_TRUE(PortOptions::parse(config)) << right;
  }
  for (const char* wrong : {"4", "121", "20s", "-20", "x"}) {
    config.rekey = wrong;
    EXPECT_FALSE(PortOptions::parse(config)) << wrong;
  }
}

TEST(PortOptions, QueuesAreOneToSixtyFour) {
  ipop_config config{};
  config.invite = "x";
  EXPECT_EQ(PortOptions::parse(config)->n_queues, 1u);
  for (const char* right : {"1", "64"}) {
    config.n_rxq = right;
    EXPECT_EQ(PortOptions::parse(config)->n_queues, static_cast<size_t>(std::stoi(right)));
  }
  for (const char* wrong : {"0", "65", "two", "1 "}) {
    config.n_rxq = wrong;
    EXPECT_FALSE(PortOptions::parse(config)) << wrong;
  }
}

}  // namespace
}  // namespace ipop
