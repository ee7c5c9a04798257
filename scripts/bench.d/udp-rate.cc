// How many UDP packets a second get from one network namespace to another:
//
//   udp-rate FROM TO ADDRESS LENGTH SECONDS
//
// Prints the packets a second that arrived, and the share that was lost.  LENGTH is that of the IP packet.
// FROM and TO are names as `ip netns` knows them, ADDRESS is TO's.
//
// At most kWindow packets are under way, so the rate is what the whole path carries.  A sender that floods
// without regard would take the processor from the switches it measures, and the figure would be that of the
// scheduler.  The receiver tells the sender by shared memory, which costs the path nothing.
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr size_t kHeaders = 20 + 8;  // IPv4 (RFC 791) and UDP (RFC 768).
constexpr uint16_t kPort = 9;
constexpr size_t kBatch = 32;
// Less than the 1000 packets that a veth's receiving end queues (net.core.netdev_max_backlog): nothing is
// lost there.
constexpr uint64_t kWindow = 512;
constexpr int kStalledMs = 50;  // Without news for so long, what is under way counts as lost.

[[noreturn]] void die(const std::string& what) {
  std::perror(what.c_str());
  std::exit(1);
}

/// A UDP socket that lives in a network namespace, wherever its user is.
int socket_in(const std::string& netns) {
  const int ns = open(("/run/netns/" + netns).c_str(), O_RDONLY | O_CLOEXEC);
  if (ns < 0 || setns(ns, CLONE_NEWNET)) die(netns);
  close(ns);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  return fd;
}

/// A batch of equal datagrams, each with a sequence number of its own in front.
struct Batch {
  explicit Batch(size_t length) : octets(kBatch * length) {
    for (size_t i = 0; i < kBatch; i++) {
      parts[i] = {&octets[i * length], length};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
  uint64_t sequence(size_t i) const {
    uint64_t value;
    std::memcpy(&value, parts[i].iov_base, sizeof value);
    return value;
  }
  void set_sequence(size_t i, uint64_t value) { std::memcpy(parts[i].iov_base, &value, sizeof value); }

  std::vector<uint8_t> octets;
  std::array<iovec, kBatch> parts{};
  std::array<mmsghdr, kBatch> messages{};
};

std::atomic<uint64_t> arrived_up_to{0};  // One more than the highest sequence number seen.
std::atomic<bool> sender_waits{false};
std::atomic<bool> over{false};

uint64_t receive_all(int fd, int wake, size_t length) {
  Batch batch(length);
  uint64_t received = 0, next = 0;
  while (true) {
    const int n = recvmmsg(fd, batch.messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR) die("recvmmsg");
      if (over) return received;
      continue;
    }
    received += static_cast<uint64_t>(n);
    for (size_t i = 0; i < static_cast<size_t>(n); i++) next = std::max(next, batch.sequence(i) + 1);
    arrived_up_to = next;
    if (sender_waits.exchange(false) && eventfd_write(wake, 1)) die("eventfd");
  }
}

/// Returns when half the window is free.  `forgiven` is what is known to be lost, all below it.
void await_window(int wake, uint64_t sent, uint64_t& forgiven) {
  while (sent - std::max(arrived_up_to.load(), forgiven) > kWindow / 2) {
    sender_waits = true;
    const uint64_t before = arrived_up_to;
    if (sent - std::max(before, forgiven) <= kWindow / 2)
      break;  // It arrived before the receiver knew of us.
    pollfd event{wake, POLLIN, 0};
    eventfd_t ignored;
    if (poll(&event, 1, kStalledMs) > 0) {
      eventfd_read(wake, &ignored);
    } else if (arrived_up_to == before) {
      forgiven = sent;
    }
  }
}

uint64_t send_until(std::chrono::steady_clock::time_point end, int fd, int wake, size_t length) {
  Batch batch(length);
  uint64_t sent = 0, forgiven = 0;
  while (std::chrono::steady_clock::now() < end) {
    if (sent + kBatch - std::max(arrived_up_to.load(), forgiven) > kWindow)
      await_window(wake, sent, forgiven);
    for (size_t i = 0; i < kBatch; i++) batch.set_sequence(i, sent + i);
    const int n = sendmmsg(fd, batch.messages.data(), kBatch, 0);
    // These three are news of earlier datagrams, of full queues and of signals.
    if (n < 0 && errno != ECONNREFUSED && errno != ENOBUFS && errno != EINTR) die("sendmmsg");
    if (n > 0) sent += static_cast<uint64_t>(n);
  }
  return sent;
}

}  // namespace

int main(int argc, char** argv) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  const size_t length = argc == 6 ? std::stoul(argv[4]) : 0;
  if (argc != 6 || inet_pton(AF_INET, argv[3], &address.sin_addr) != 1 ||
      length < kHeaders + sizeof(uint64_t)) {
    std::fputs("usage: udp-rate FROM TO ADDRESS LENGTH SECONDS\n", stderr);
    return 2;
  }
  const size_t payload = length - kHeaders;
  const auto* name = reinterpret_cast<const sockaddr*>(&address);

  const int to = socket_in(argv[2]);
  const int buffer = 8 << 20;
  const timeval timeout{.tv_sec = 0, .tv_usec = 200'000};
  if (setsockopt(to, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) ||
      setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) || bind(to, name, sizeof address)) {
    die(argv[3]);
  }
  const int from = socket_in(argv[1]);
  if (connect(from, name, sizeof address)) die(argv[3]);
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) die("eventfd");

  uint64_t received = 0;
  std::thread receiver([&] { received = receive_all(to, wake, payload); });
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t sent = send_until(begin + std::chrono::seconds(std::stoul(argv[5])), from, wake, payload);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  over = true;
  receiver.join();
  const double lost = sent > received ? 1 - static_cast<double>(received) / static_cast<double>(sent) : 0;
  std::printf("%.0f %.4f\n", static_cast<double>(received) / took.count(), lost);
}
