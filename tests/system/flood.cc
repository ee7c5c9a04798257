// What strangers, wiretappers and mad guests send, quickly:
//
//   flood datagrams ADDRESS PORT COUNT SEED    garbage of all lengths to a UDP port; half of it begins like
//   ours flood replay INTERFACE PORT COUNT SEED     each datagram that leaves for a UDP port leaves again: as
//   it was,
//                                              cut short, or with an octet changed; COUNT in all
//   flood frames INTERFACE COUNT SEED          garbage DHCP, ARP and Ethernet, as from a guest
//
// Same arguments, same octets (but for what there is to replay).  Prints how many it sent.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Octets = std::vector<uint8_t>;

constexpr size_t kBatch = 32;
constexpr auto kPause =
    std::chrono::microseconds(200);  // 160 000 a second: what one core of a switch can look at.

std::mt19937_64 rng;

size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(rng); }
bool one_in(size_t n) { return below(n) == 0; }

Octets noise(size_t length) {
  Octets octets(length + sizeof(uint64_t));
  for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
    const uint64_t word = rng();
    std::memcpy(&octets[i], &word, sizeof word);
  }
  octets.resize(length);
  return octets;
}

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void send_batch(int fd, const std::vector<Octets>& batch) {
  std::array<iovec, kBatch> parts;
  std::array<mmsghdr, kBatch> messages{};
  for (size_t i = 0; i < batch.size(); i++) {
    parts[i] = {const_cast<uint8_t*>(batch[i].data()), batch[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (size_t sent = 0; sent < batch.size();) {
    const int n = sendmmsg(fd, &messages[sent], static_cast<unsigned>(batch.size() - sent), 0);
    // ECONNREFUSED and ENOBUFS are news about earlier datagrams and full queues, not about these.
    if (n < 0 && errno != ECONNREFUSED && errno != ENOBUFS && errno != EINTR) die("sendmmsg");
    if (n > 0) sent += static_cast<size_t>(n);
  }
}

template <typename Make>
void send_all(int fd, size_t count, Make make) {
  for (size_t sent = 0; sent < count;) {
    std::vector<Octets> batch;
    while (batch.size() < kBatch && sent + batch.size() < count) batch.push_back(make());
    send_batch(fd, batch);
    sent += batch.size();
    std::this_thread::sleep_for(kPause);
  }
}

// The message types of the overlay are small numbers followed by zeros; see docs/protocol.md.
Octets garbage_datagram() {
  Octets octets = noise(one_in(20) ? below(2) : below(1472));
  if (one_in(2) && octets.size() > 4) {
    octets[0] = static_cast<uint8_t>(below(16));
    octets[1] = octets[2] = octets[3] = 0;
  }
  return octets;
}

int packet_socket(const char* interface) {
  const int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
  if (fd < 0 || !address.sll_ifindex || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address)) {
    die(interface);
  }
  return fd;
}

void put16(Octets& octets, size_t offset, size_t value) {
  octets[offset] = static_cast<uint8_t>(value >> 8);
  octets[offset + 1] = static_cast<uint8_t>(value);
}

/// RFC 1071.
uint16_t internet_checksum(const uint8_t* data, size_t length) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < length; i += 2) sum += static_cast<uint32_t>(data[i] << 8 | data[i + 1]);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

constexpr size_t kIp = sizeof(ethhdr), kUdp = kIp + sizeof(iphdr), kPayload = kUdp + sizeof(udphdr);

// Makes the lengths and the IP checksum true for what is in `frame`, and leaves the UDP checksum out (RFC
// 768).
void seal_udp(Octets& frame) {
  put16(frame, kIp + 2, frame.size() - kIp);
  put16(frame, kIp + 10, 0);
  put16(frame, kIp + 10, internet_checksum(&frame[kIp], sizeof(iphdr)));
  put16(frame, kUdp + 4, frame.size() - kUdp);
  put16(frame, kUdp + 6, 0);
}

bool leaves_for(const Octets& frame, const sockaddr_ll& from, uint16_t port) {
  return from.sll_pkttype == PACKET_OUTGOING && frame.size() > kPayload && frame[12] == 0x08 &&
         frame[13] == 0 && frame[kIp] == 0x45 && frame[kIp + 9] == IPPROTO_UDP &&
         frame[kUdp + 2] == port >> 8 && frame[kUdp + 3] == (port & 0xff);
}

size_t replay(int fd, uint16_t port, size_t count) {
  size_t sent = 0;
  while (sent < count) {
    pollfd wait{fd, POLLIN, 0};
    if (poll(&wait, 1, 2000) <= 0) break;  // Nothing to replay any more.
    Octets frame(65536);
    sockaddr_ll from{};
    socklen_t from_length = sizeof from;
    const ssize_t n =
        recvfrom(fd, frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&from), &from_length);
    if (n < 0) die("recvfrom");
    frame.resize(static_cast<size_t>(n));
    if (!leaves_for(frame, from, port)) continue;
    if (frame.size() > ETH_FRAME_LEN) frame.resize(ETH_FRAME_LEN);

    std::vector<Octets> batch;
    for (int i = 0; i < 8; i++) {
      Octets again = frame;
      if (i >= 4) again.resize(kPayload + below(frame.size() - kPayload));
      if (i == 3) again[kPayload + below(frame.size() - kPayload)] ^= static_cast<uint8_t>(1 + below(255));
      seal_udp(again);
      batch.push_back(std::move(again));
    }
    send_batch(fd, batch);
    sent += batch.size();
  }
  return sent;
}

// A DHCPDISCOVER or DHCPREQUEST (RFC 2131) with options that are noise, and now and then an octet changed.
Octets garbage_dhcp() {
  Octets frame(kPayload + 240);
  std::fill_n(frame.begin(), 6, uint8_t{0xff});
  frame[6] = 0x02;
  for (size_t i = 7; i < 12; i++) frame[i] = static_cast<uint8_t>(rng());
  put16(frame, 12, ETH_P_IP);
  frame[kIp] = 0x45;
  frame[kIp + 8] = 64;
  frame[kIp + 9] = IPPROTO_UDP;
  std::fill_n(&frame[kIp + 16], 4, uint8_t{0xff});
  put16(frame, kUdp, 68);
  put16(frame, kUdp + 2, 67);
  frame[kPayload] = 1;      // BOOTREQUEST
  frame[kPayload + 1] = 1;  // Ethernet
  frame[kPayload + 2] = 6;
  std::copy_n(&frame[6], 6, &frame[kPayload + 28]);
  const std::array<uint8_t, 7> options{0x63, 0x82, 0x53, 0x63, 53, 1, static_cast<uint8_t>(1 + below(9))};
  std::copy(options.begin(), options.end() - 3, &frame[kPayload + 236]);
  frame.insert(frame.end(), options.end() - 3, options.end());
  const Octets rest = noise(below(300));
  frame.insert(frame.end(), rest.begin(), rest.end());
  if (one_in(2)) frame[kPayload + below(frame.size() - kPayload)] = static_cast<uint8_t>(rng());
  if (one_in(4)) frame.resize(kPayload + below(frame.size() - kPayload));
  seal_udp(frame);
  if (one_in(4)) frame[kIp + below(kPayload - kIp)] = static_cast<uint8_t>(rng());
  return frame;
}

// An ARP message (RFC 826) that is right in some fields only.
Octets garbage_arp() {
  Octets frame = noise(below(20) + 14);
  if (one_in(2)) std::fill_n(frame.begin(), 6, uint8_t{0xff});
  frame[6] = static_cast<uint8_t>((frame[6] & 0xfe) | 0x02);
  put16(frame, 12, ETH_P_ARP);
  const std::array<uint8_t, 8> head{0, 1, 8, 0, 6, 4, 0, static_cast<uint8_t>(below(4))};
  frame.resize(14);
  frame.insert(frame.end(), head.begin(), head.end());
  const Octets body = noise(one_in(4) ? below(20) : 20);
  frame.insert(frame.end(), body.begin(), body.end());
  if (one_in(2)) frame[14 + below(8)] = static_cast<uint8_t>(rng());
  if (one_in(2) && frame.size() >= 42)
    frame[28] = frame[38] = 10, frame[29] = frame[39] = 128;  // Our subnet.
  return frame;
}

Octets garbage_ethernet() {
  Octets frame = noise(14 + below(1501));
  if (one_in(2)) frame[0] |= 1;
  frame[6] = static_cast<uint8_t>(frame[6] & 0xfe);
  constexpr std::array<uint16_t, 7> kinds{ETH_P_IP,      ETH_P_IPV6, ETH_P_8021Q, ETH_P_RARP, ETH_P_ARP,
                                          ETH_P_MPLS_UC, 0};
  if (one_in(2)) put16(frame, 12, kinds[below(kinds.size())]);
  return frame;
}

Octets garbage_frame() {
  switch (below(3)) {
    case 0:
      return garbage_dhcp();
    case 1:
      return garbage_arp();
    default:
      return garbage_ethernet();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const size_t last = static_cast<size_t>(argc) - 1;
  if (!((what == "datagrams" && argc == 6) || (what == "replay" && argc == 6) ||
        (what == "frames" && argc == 5))) {
    std::fputs(
        "usage: flood datagrams ADDRESS PORT COUNT SEED\n       flood replay INTERFACE PORT COUNT SEED\n"
        "       flood frames INTERFACE COUNT SEED\n",
        stderr);
    return 2;
  }
  rng.seed(std::stoull(argv[last]));
  size_t count = std::stoull(argv[last - 1]);

  if (what == "datagrams") {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoul(argv[3])));
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
        connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to)) {
      die(argv[2]);
    }
    send_all(fd, count, garbage_datagram);
  } else if (what == "replay") {
    count = replay(packet_socket(argv[2]), static_cast<uint16_t>(std::stoul(argv[3])), count);
  } else {
    send_all(packet_socket(argv[2]), count, garbage_frame);
  }
  std::printf("%zu\n", count);
}
