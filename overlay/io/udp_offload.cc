#include "overlay/io/udp_offload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cstring>

#include "overlay/base/bytes.h"
#include "overlay/io/system.h"

namespace ipop {
namespace {

constexpr size_t kSegment = 1000;
constexpr size_t kSegments = 8;
constexpr size_t kLast = 300;
constexpr timeval kPatience{.tv_sec = 0, .tv_usec = 200'000};

/// No two octets that could change places unnoticed within a segment, or between two.
Bytes pattern() {
  Bytes out(kSegment * kSegments + kLast);
  uint32_t state = 1;
  for (uint8_t& octet : out) {
    state = state * 1664525 + 1013904223;  // Knuth, "Seminumerical algorithms", 3.3.4, table 1, line 16.
    octet = static_cast<uint8_t>(state >> 24);
  }
  return out;
}

/// Two sockets on the loopback device, the one connected to the other.
struct Loop {
  static Descriptor make() { return Descriptor(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }

  Loop() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    is_ready = receiver.is_open() && sender.is_open() &&
               bind(receiver.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
               getsockname(receiver.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
               connect(sender.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
               setsockopt(receiver.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) == 0;
  }

  bool send(ByteView bytes) const { return ::send(sender.get(), bytes.data(), bytes.size(), 0) >= 0; }
  bool send_train(ByteView bytes) const {
    const int segment = kSegment;
    if (setsockopt(sender.get(), SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0) return false;
    return send(bytes);
  }
  /// What comes next, one datagram or several that the kernel joined.
  Bytes receive() const {
    Bytes out(65536);
    const ssize_t size = recv(receiver.get(), out.data(), out.size(), 0);
    out.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return out;
  }
  /// All of `expected`, in order, in as many pieces as it takes.
  bool receives(ByteView expected) const {
    while (!expected.empty()) {
      const Bytes piece = receive();
      const bool fits = !piece.empty() && piece.size() <= expected.size() &&
                        std::memcmp(piece.data(), expected.data(), piece.size()) == 0;
      if (!fits) return false;
      expected = expected.subspan(piece.size());
    }
    return true;
  }

  Descriptor receiver = make();
  Descriptor sender = make();
  bool is_ready = false;
};

bool passes_singly() {
  const Loop loop;
  const Bytes one{1, 2, 3};
  return loop.is_ready && loop.send(one) && loop.receives(one);
}

bool sends_trains(ByteView train) {
  const Loop loop;
  if (!loop.is_ready || !loop.send_train(train)) return false;
  for (size_t i = 0; i <= kSegments; ++i) {  // Without UDP_GRO they arrive one by one.
    const ByteView expected = train.subspan(i * kSegment, i < kSegments ? kSegment : kLast);
    const Bytes datagram = loop.receive();
    if (!std::equal(datagram.begin(), datagram.end(), expected.begin(), expected.end())) return false;
  }
  return true;
}

bool joins_trains(ByteView train, bool in_a_train) {
  const Loop loop;
  const int on = 1;
  if (!loop.is_ready || setsockopt(loop.receiver.get(), SOL_UDP, UDP_GRO, &on, sizeof on) != 0) return false;
  if (in_a_train) return loop.send_train(train) && loop.receives(train);
  for (size_t i = 0; i < kSegments; ++i) {
    if (!loop.send(train.subspan(i * kSegment, kSegment))) return false;
  }
  return loop.receives(train.first(kSegments * kSegment));
}

}  // namespace

UdpOffload try_udp_offload() {
  if (!passes_singly()) return {};
  const Bytes train = pattern();
  UdpOffload out;
  out.sends_trains = sends_trains(train);
  out.joins_trains = joins_trains(train, out.sends_trains);
  return out;
}

const UdpOffload& udp_offload() {
  static const UdpOffload found = try_udp_offload();
  return found;
}

const char* to_string(const UdpOffload& offload) {
  if (offload.sends_trains) return offload.joins_trains ? "GSO and GRO" : "GSO";
  return offload.joins_trains ? "GRO" : "none";
}

}  // namespace ipop
