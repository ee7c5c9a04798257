#include "overlay/io/udp_socket.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>

namespace ipop {
namespace {

constexpr int kPatience = 10'000;  // Milliseconds; only a failure waits so long.

UdpSocket open_on(const char* address) {
  auto socket = UdpSocket::open(*Endpoint::parse(address));
  EXPECT_TRUE(socket) << socket.error().text;
  return std::move(*socket);
}

/// The next datagram, as soon as it is there.
std::optional<Bytes> receive(ReceiveRing& ring, const UdpSocket& socket, Endpoint* from = nullptr) {
  if (!ring.has_more()) {
    pollfd entry{.fd = socket.fd(), .events = POLLIN, .revents = 0};
    poll(&entry, 1, kPatience);
  }
  const auto datagram = ring.next(socket);
  if (!datagram) return std::nullopt;
  if (from != nullptr) *from = datagram->from;
  return Bytes(datagram->bytes.begin(), datagram->bytes.end());
}

void add(SealedBatch& batch, const Endpoint& to, size_t size, uint8_t fill) {
  uint8_t* room = batch.reserve(size);
  ASSERT_NE(room, nullptr);
  std::fill_n(room, size, fill);
  batch.commit(to, size);
}

TEST(UdpSocket, ATrainArrivesAsTheDatagramsItIsMadeOf) {
  const UdpSocket sender = open_on("127.0.0.1:0");
  const UdpSocket receiver = open_on("127.0.0.1:0");
  SealedBatch batch;
  for (uint8_t i = 0; i < 10; ++i) add(batch, receiver.local(), 1000, i);
  add(batch, receiver.local(), 300, 10);
  ASSERT_EQ(batch.trains().size(), 1u);
  EXPECT_EQ(sender.send(batch).lost, 0u);
  ReceiveRing ring;
  for (uint8_t i = 0; i <= 10; ++i) {
    Endpoint from;
    EXPECT_EQ(receive(ring, receiver, &from), Bytes(i < 10 ? 1000 : 300, i));
    EXPECT_EQ(from, sender.local());
  }
  EXPECT_FALSE(ring.next(receiver));
}

TEST(UdpSocket, SegmentsLargerThanThePathTravelAllTheSame) {
  const UdpSocket sender = open_on("127.0.0.1:0");
  const UdpSocket receiver = open_on("127.0.0.1:0");
  SealedBatch batch;
  add(batch, receiver.local(), 32000, 1);
  add(batch, receiver.local(), 32000, 2);
  EXPECT_EQ(sender.send(batch).lost, 0u);
  ReceiveRing ring;
  EXPECT_EQ(receive(ring, receiver), Bytes(32000, 1));
  EXPECT_EQ(receive(ring, receiver), Bytes(32000, 2));
}

TEST(UdpSocket, OneSocketForAllAddressesServesIpv4AndIpv6) {
  const UdpSocket all = open_on(":0");
  const UdpSocket peer = open_on("127.0.0.1:0");
  ASSERT_NE(all.local().port, 0);
  const Endpoint to = *Endpoint::parse("127.0.0.1:" + std::to_string(all.local().port));
  EXPECT_TRUE(peer.send(to, Bytes{1, 2, 3}));
  ReceiveRing ring;
  Endpoint from;
  EXPECT_EQ(receive(ring, all, &from), (Bytes{1, 2, 3}));
  EXPECT_EQ(from, peer.local()) << "IPv4 looks the same through either kind of socket";
  EXPECT_TRUE(all.send(from, Bytes{4}));
  EXPECT_EQ(receive(ring, peer), Bytes{4});
}

TEST(UdpSocket, ATakenPortAndAForeignAddressAreNamed) {
  const UdpSocket first = open_on("127.0.0.1:0");
  const auto second = UdpSocket::open(first.local());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().error, EADDRINUSE);
  EXPECT_EQ(second.error().text, first.local().to_string() + " is taken by another program or port");
  const auto foreign = UdpSocket::open(*Endpoint::parse("192.0.2.1:0"));
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().error, EADDRNOTAVAIL);
  EXPECT_EQ(foreign.error().text, "192.0.2.1:0 is not an address of this host");
}

TEST(UdpSocket, AGroupSharesItsAddressWithNobodyElse) {
  auto group = UdpSocket::open_group(*Endpoint::parse("127.0.0.1:0"), 3);
  ASSERT_TRUE(group) << group.error().text;
  ASSERT_EQ(group->size(), 3u);
  for (const UdpSocket& socket : *group) EXPECT_EQ(socket.local(), group->front().local());
  const auto other = UdpSocket::open_group(group->front().local(), 3);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().error, EADDRINUSE);
}

TEST(UdpSocket, WhatOneSenderSendsComesToOneSocketOfAGroup) {
  auto group = UdpSocket::open_group(*Endpoint::parse("127.0.0.1:0"), 2);
  ASSERT_TRUE(group) << group.error().text;
  const UdpSocket sender = open_on("127.0.0.1:0");
  for (uint8_t i = 0; i < 20; ++i) EXPECT_TRUE(sender.send(group->front().local(), Bytes{i}));
  std::array<ReceiveRing, 2> rings;
  std::array<uint8_t, 2> arrived{};
  for (size_t i = 0; i < 2; ++i) {
    while (const auto datagram = rings[i].next((*group)[i])) {
      EXPECT_EQ(datagram->bytes[0], arrived[i]++) << "in order";
    }
  }
  EXPECT_EQ(std::max(arrived[0], arrived[1]), 20);
  EXPECT_EQ(std::min(arrived[0], arrived[1]), 0);
}

TEST(UdpSocket, KnowsItsAddressTowardsAPeer) {
  const UdpSocket socket = open_on(":0");
  const auto local = socket.local_towards(*Endpoint::parse("127.0.0.1:9"));
  ASSERT_TRUE(local);
  EXPECT_EQ(local->to_string(), "127.0.0.1:" + std::to_string(socket.local().port));
}

}  // namespace
}  // namespace ipop
