#include "overlay/io/udp_socket.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "overlay/io/udp_offload.h"

namespace ipop {
namespace {

/// Room for the bursts of a few gigabits a second while the switch does something else for a millisecond.
constexpr int kSocketBuffer = 8 << 20;

Endpoint to_endpoint(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address, sizeof in);
    return Endpoint::from_ipv4({ntohl(in.sin_addr.s_addr)}, ntohs(in.sin_port));
  }
  sockaddr_in6 in6;
  std::memcpy(&in6, &address, sizeof in6);
  Endpoint out;
  std::copy_n(in6.sin6_addr.s6_addr, out.address.size(), out.address.begin());
  out.port = ntohs(in6.sin6_port);
  return out;
}

bool is_unspecified(const Endpoint& endpoint) { return endpoint.address == std::array<uint8_t, 16>{}; }

void set_option(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

/// With CAP_NET_ADMIN beyond the system's limit, else up to it.
void set_buffer(int fd, int forced, int plain) {
  if (setsockopt(fd, SOL_SOCKET, forced, &kSocketBuffer, sizeof kSocketBuffer) != 0) {
    set_option(fd, SOL_SOCKET, plain, kSocketBuffer);
  }
}

std::string explain(const Endpoint& local, int error) {
  const std::string where =
      is_unspecified(local) ? "UDP port " + std::to_string(local.port) : local.to_string();
  if (error == EADDRINUSE) return where + " is taken by another program or port";
  if (error == EADDRNOTAVAIL) return where + " is not an address of this host";
  return "cannot listen on " + where + ": " + error_text(error);
}

void append_control(msghdr& header, std::array<uint8_t, CMSG_SPACE(sizeof(uint16_t))>& control,
                    uint16_t value) {
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* message = CMSG_FIRSTHDR(&header);
  message->cmsg_level = SOL_UDP;
  message->cmsg_type = UDP_SEGMENT;
  message->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(message), &value, sizeof value);
}

/// The size of the datagrams that the kernel joined, or 0 if it did not.
size_t joined_size(msghdr& header) {
  for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr;
       message = CMSG_NXTHDR(&header, message)) {
    if (message->cmsg_level != SOL_UDP || message->cmsg_type != UDP_GRO) continue;
    int size = 0;
    std::memcpy(&size, CMSG_DATA(message), sizeof size);
    return static_cast<size_t>(std::max(size, 0));
  }
  return 0;
}

}  // namespace

Result<UdpSocket, UdpSocket::OpenError> UdpSocket::open(const Endpoint& local) {
  return open(local, Sharing::None);
}

Result<std::vector<UdpSocket>, UdpSocket::OpenError> UdpSocket::open_group(const Endpoint& local, size_t n) {
  auto first = open(local);  // Alone, so that it fails if the address is anybody's, another port's too.
  if (!first) return first.error();
  const Endpoint bound = first->local();
  std::vector<UdpSocket> out;
  out.push_back(std::move(*first));
  if (n > 1) set_option(out.front().fd(), SOL_SOCKET, SO_REUSEPORT, 1);
  while (out.size() < n) {
    auto next = open(bound, Sharing::Group);
    if (!next) return next.error();
    out.push_back(std::move(*next));
  }
  return out;
}

Result<UdpSocket, UdpSocket::OpenError> UdpSocket::open(const Endpoint& local, Sharing sharing) {
  constexpr int kType = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  bool is_ipv6 = !local.is_ipv4();
  Descriptor fd(socket(is_ipv6 ? AF_INET6 : AF_INET, kType, 0));
  if (!fd.is_open() && errno == EAFNOSUPPORT && is_unspecified(local)) {  // A host without IPv6.
    is_ipv6 = false;
    fd = Descriptor(socket(AF_INET, kType, 0));
  }
  if (!fd.is_open()) return OpenError{errno, "cannot make a UDP socket: " + error_text(errno)};
  if (is_ipv6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, is_unspecified(local) ? 0 : 1);
  set_buffer(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF);
  set_buffer(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF);
  // No fragments, which NATs lose, and no heed to what ICMP told the kernel: link/path_mtu.h looks for
  // itself.
  set_option(fd.get(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  if (is_ipv6) set_option(fd.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  if (udp_offload().joins_trains) set_option(fd.get(), SOL_UDP, UDP_GRO, 1);

  if (sharing == Sharing::Group) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);

  UdpSocket out(std::move(fd), is_ipv6, local);
  sockaddr_storage address;
  const socklen_t size = out.to_sockaddr(local, address);
  if (bind(out.fd(), reinterpret_cast<sockaddr*>(&address), size) != 0) {
    return OpenError{errno, explain(local, errno)};
  }
  socklen_t bound_size = sizeof address;
  getsockname(out.fd(), reinterpret_cast<sockaddr*>(&address), &bound_size);
  out.local_.port = to_endpoint(address).port;
  return out;
}

std::optional<Endpoint> UdpSocket::local_towards(const Endpoint& remote) const {
  const Descriptor probe(socket(is_ipv6_ ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address;
  const socklen_t size = to_sockaddr(remote, address);
  if (size == 0 || connect(probe.get(), reinterpret_cast<sockaddr*>(&address), size) != 0)
    return std::nullopt;
  socklen_t local_size = sizeof address;
  if (getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &local_size) != 0) return std::nullopt;
  Endpoint out = to_endpoint(address);
  out.port = local_.port;
  return out;
}

bool UdpSocket::send(const Endpoint& to, ByteView datagram) const {
  sockaddr_storage address;
  const socklen_t size = to_sockaddr(to, address);
  if (size == 0) return false;
  return sendto(fd(), datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&address), size) >= 0;
}

UdpSocket::Sent UdpSocket::send(const SealedBatch& batch) const {
  constexpr size_t kMost = 64;
  struct Slot {
    sockaddr_storage address;
    iovec vector;
    alignas(8) std::array<uint8_t, CMSG_SPACE(sizeof(uint16_t))> control;
  };
  std::array<Slot, kMost> slots;
  std::array<mmsghdr, kMost> messages;
  Sent out;
  const auto& trains = batch.trains();
  if (!udp_offload().sends_trains) {
    for (const auto& train : trains) out.lost += send_singly(batch, train);
    return out;
  }
  for (size_t first = 0; first < trains.size();) {
    const size_t count = std::min(kMost, trains.size() - first);
    for (size_t i = 0; i < count; ++i) {
      const SealedBatch::Train& train = trains[first + i];
      Slot& slot = slots[i];
      const ByteView bytes = batch.bytes(train);
      slot.vector = {.iov_base = const_cast<uint8_t*>(bytes.data()), .iov_len = bytes.size()};
      msghdr& header = messages[i].msg_hdr;
      header = {};
      header.msg_name = &slot.address;
      header.msg_namelen = to_sockaddr(train.to, slot.address);
      header.msg_iov = &slot.vector;
      header.msg_iovlen = 1;
      if (train.size > train.segment_size) {
        append_control(header, slot.control, static_cast<uint16_t>(train.segment_size));
      }
    }
    const int sent = sendmmsg(fd(), messages.data(), static_cast<unsigned>(count), 0);
    if (sent > 0) {
      first += static_cast<size_t>(sent);
    } else if (errno != EINTR) {
      // A path that takes no segmentation (its MTU is below the segment, or its device cannot) takes single
      // ones.
      out.refused_trains += trains[first].size > trains[first].segment_size;
      out.lost += send_singly(batch, trains[first]);
      ++first;
    }
  }
  return out;
}

size_t UdpSocket::send_singly(const SealedBatch& batch, const SealedBatch::Train& train) const {
  size_t lost = 0;
  for (ByteView rest = batch.bytes(train); !rest.empty();) {
    const ByteView datagram = rest.first(std::min(train.segment_size, rest.size()));
    if (!send(train.to, datagram)) ++lost;
    rest = rest.subspan(datagram.size());
  }
  return lost;
}

/// 0 if this socket cannot reach such an address.
socklen_t UdpSocket::to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) const {
  if (!is_ipv6_) {
    if (!endpoint.is_ipv4() && !is_unspecified(endpoint)) return 0;
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    in.sin_addr.s_addr = is_unspecified(endpoint) ? htonl(INADDR_ANY) : htonl(endpoint.ipv4().value);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(endpoint.port);
  std::copy(endpoint.address.begin(), endpoint.address.end(), in6.sin6_addr.s6_addr);
  std::memcpy(&out, &in6, sizeof in6);
  return sizeof in6;
}

ReceiveRing::ReceiveRing() : slots_(std::make_unique_for_overwrite<Slot[]>(kSlots)) {
  for (size_t i = 0; i < kSlots; ++i) {
    Slot& slot = slots_[i];
    slot.vector = {.iov_base = slot.octets.data(), .iov_len = slot.octets.size()};
    msghdr& header = messages_[i].msg_hdr;
    header.msg_name = &slot.from;
    header.msg_iov = &slot.vector;
    header.msg_iovlen = 1;
    header.msg_control = slot.control.data();
  }
}

void ReceiveRing::refill(const UdpSocket& socket) {
  for (mmsghdr& message : messages_) {  // What the system writes into.
    message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    message.msg_hdr.msg_controllen = sizeof Slot::control;
  }
  current_ = filled_ = 0;
  const int received = recvmmsg(socket.fd(), messages_.data(), kSlots, MSG_DONTWAIT, nullptr);
  for (int i = 0; i < received; ++i) {
    Slot& slot = slots_[static_cast<size_t>(i)];
    slot.endpoint = to_endpoint(slot.from);
    slot.size = messages_[i].msg_len;
    slot.offset = 0;
    const size_t joined = joined_size(messages_[i].msg_hdr);
    slot.segment_size = joined > 0 ? joined : std::max<size_t>(slot.size, 1);
    ++filled_;
  }
}

}  // namespace ipop
