// A hub that takes its time: what arrives at one of its devices leaves by all others after a delay.  For
// kernels without netem.
//
//   delay MILLISECONDS DEVICE DEVICE...
//
// Headers of checksum and segmentation offload go with the frames (PACKET_VNET_HDR), so that what a veth left
// to be completed arrives as it left.  UDP super-frames have no such header: devices must not send any.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxFrame =
    10 + 65550;  // struct virtio_net_hdr, which C++ cannot include, and a super-frame.
constexpr int kBuffer = 8 << 20;

struct Frame {
  Clock::time_point due;
  size_t from;
  std::vector<uint8_t> octets;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void set(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) die("setsockopt");
}

int open_device(const char* name) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  set(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
  set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  set(fd, SOL_SOCKET, SO_RCVBUFFORCE, kBuffer);
  set(fd, SOL_SOCKET, SO_SNDBUFFORCE, kBuffer);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(name));
  packet_mreq all{};
  all.mr_ifindex = address.sll_ifindex;
  all.mr_type = PACKET_MR_PROMISC;
  if (address.sll_ifindex == 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0) {
    die(name);
  }
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: delay MILLISECONDS DEVICE DEVICE...\n", stderr);
    return 2;
  }
  const auto delay = std::chrono::milliseconds(std::strtol(argv[1], nullptr, 10));
  std::vector<pollfd> devices;
  for (int i = 2; i < argc; ++i)
    devices.push_back({.fd = open_device(argv[i]), .events = POLLIN, .revents = 0});
  std::deque<Frame> waiting;  // In the order of arrival, and so of departure.
  std::vector<uint8_t> buffer(kMaxFrame);
  while (true) {
    for (size_t i = 0; i < devices.size(); ++i) {
      ssize_t n;
      while ((n = recv(devices[i].fd, buffer.data(), buffer.size(), 0)) > 0) {
        waiting.push_back({Clock::now() + delay, i, {buffer.begin(), buffer.begin() + n}});
      }
    }
    for (; !waiting.empty() && waiting.front().due <= Clock::now(); waiting.pop_front()) {
      const Frame& frame = waiting.front();
      for (size_t i = 0; i < devices.size(); ++i) {
        // Refused where the other end is down, or its queue full: lost, as on any wire.
        if (i != frame.from) (void)!write(devices[i].fd, frame.octets.data(), frame.octets.size());
      }
    }
    timespec timeout{};
    if (!waiting.empty()) {
      const auto left =
          std::max<Clock::duration>(waiting.front().due - Clock::now(), Clock::duration::zero());
      timeout.tv_nsec = std::chrono::nanoseconds(left).count() % 1'000'000'000;
      timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
    }
    if (ppoll(devices.data(), devices.size(), waiting.empty() ? nullptr : &timeout, nullptr) < 0 &&
        errno != EINTR) {
      die("ppoll");
    }
  }
}
