// The whole way of a super-frame between two hosts, without the switch: sealed, through a UDP socket each,
// opened, joined.  Beside it what cannot be less: the same octets through the same system calls with the same
// cipher.  The share of the one in the other is what the engine costs.
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "overlay/crypto/aead.h"
#include "overlay/io/system.h"
#include "overlay/ipop.h"
#include "overlay/session/keypair.h"
#include "overlay/wire/checksum.h"
#include "tests/fastpath/frames.h"
#include "tests/support/guest_frames.h"
#include "tests/support/loopback_ports.h"
#include "tests/support/member_files.h"

namespace ipop {
namespace {

constexpr size_t kSegmentSize = 1348;
constexpr size_t kHeaders = 66;   // Ethernet, IPv4, TCP with timestamps.
constexpr size_t kSegments = 44;  // As many as fit one train.

/// From Alice to Bob.
Bytes super_frame() {
  Bytes out = test::FrameSpec{.tcp_options = Bytes(12, 1), .payload = test::pattern(kSegments * kSegmentSize)}
                  .build();
  std::copy(test::kBob.bytes.begin(), test::kBob.bytes.end(), out.begin());
  std::copy(test::kAlice.bytes.begin(), test::kAlice.bytes.end(), out.begin() + 6);
  return out;
}

void report(benchmark::State& state, size_t octets) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(octets));
}

/// A socket on the loopback device with the options that ours have.
struct Socket {
  Socket() : fd(socket(AF_INET, SOCK_DGRAM, 0)) {
    const int on = 1, buffer = 8 << 20;
    setsockopt(fd.get(), SOL_UDP, UDP_GRO, &on, sizeof on);
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size);
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  }
  Descriptor fd;
  sockaddr_in address{};
};

/// GSO and GRO sockets and AES-256-GCM, and nothing else: no header but the counter's place, no lookup, no
/// window, no cutting and joining.
void PipelineBare(benchmark::State& state) {
  const auto batch = static_cast<size_t>(state.range(0));
  Socket sender, receiver;
  const uint16_t datagram_size = static_cast<uint16_t>(kSegmentSize + kHeaders + Keypair::kOverhead);
  const size_t plaintext_size = datagram_size - Keypair::kOverhead;
  const Bytes plaintext = test::pattern(kSegments * plaintext_size);
  Bytes train(kSegments * datagram_size), arrived(65536), opened(kSegments * plaintext_size);
  std::array<uint8_t, 32> key{};
  const AeadKey aead(key);
  Nonce nonce{};
  const auto send = [&] {
    for (size_t i = 0; i < kSegments; ++i) {
      uint8_t* const out = train.data() + i * datagram_size;
      aead.seal(nonce, ByteView(out, wire::DataHeader::kSize),
                ByteView(plaintext).subspan(i * plaintext_size, plaintext_size),
                out + wire::DataHeader::kSize);
    }
    iovec vector{.iov_base = train.data(), .iov_len = train.size()};
    alignas(8) std::array<uint8_t, CMSG_SPACE(sizeof datagram_size)> control{};
    msghdr header{};
    header.msg_name = &receiver.address;
    header.msg_namelen = sizeof receiver.address;
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = SOL_UDP;
    message->cmsg_type = UDP_SEGMENT;
    message->cmsg_len = CMSG_LEN(sizeof datagram_size);
    std::memcpy(CMSG_DATA(message), &datagram_size, sizeof datagram_size);
    return sendmsg(sender.fd.get(), &header, 0) == static_cast<ssize_t>(train.size());
  };
  /// How many octets came and opened.
  const auto receive = [&]() -> size_t {
    const ssize_t size = recv(receiver.fd.get(), arrived.data(), arrived.size(), 0);
    uint8_t* out = opened.data();
    for (ssize_t at = 0; at < size; at += datagram_size, out += plaintext_size) {
      const ByteView datagram = ByteView(arrived).subspan(static_cast<size_t>(at), datagram_size);
      if (!aead.open(nonce, datagram.first(wire::DataHeader::kSize),
                     datagram.subspan(wire::DataHeader::kSize), out)) {
        return 0;
      }
    }
    return size > 0 ? static_cast<size_t>(size) : 0;
  };
  for (auto _ : state) {
    for (size_t i = 0; i < batch; ++i) {
      if (!send()) return state.SkipWithError("the system did not take a train");
    }
    for (size_t left = batch * train.size(); left > 0;) {
      const size_t size = receive();
      if (size == 0) return state.SkipWithError("a datagram did not open");
      left -= size;
    }
  }
  report(state, batch * kSegments * kSegmentSize);
}
BENCHMARK(PipelineBare)->Arg(1)->Arg(4)->UseRealTime();

constexpr uint32_t kSuperFrame = IPOP_FRAME_TSO | IPOP_FRAME_CSUM_PARTIAL;

/// Two ports, as the switch uses them, each with its core's thread.
class TwoPorts : test::MemberFiles {
 public:
  TwoPorts() {
    alpha_ = create("alpha", invite("alpha"));
    beta_ = create("beta", invite("beta", {test::endpoint_of(*alpha_)}));
    for (size_t i = 0; i < rooms_.size(); ++i) {
      rooms_[i].resize(ipop_port_buffer_size(beta_.get()));
      buffers_[i] = {
          .data = rooms_[i].data(), .capacity = rooms_[i].size(), .length = 0, .flags = 0, .segment_size = 0};
    }
    is_ready_ = run_until([&] { return ipop_port_carrier(alpha_.get()) && ipop_port_carrier(beta_.get()); });
    send(*alpha_, test::arp_request(test::kAlice, test::kAliceIp, test::kAliceIp), 0);
    send(*beta_, test::arp_request(test::kBob, test::kBobIp, test::kBobIp), 0);
    // By then both know both, and no frame takes the way of the core.
    is_ready_ &= run_until([&] { return knows(*alpha_, test::kBobIp) && knows(*beta_, test::kAliceIp); });
    const Bytes frame = super_frame();
    is_ready_ &= run_until([&] {
      send(*alpha_, frame, kSegmentSize);
      return receive(*beta_) >= frame.size();
    });
    // By now alpha wants to know what the path carries.
    is_ready_ &= run_until([&] { return test::shows(*alpha_, IPOP_VIEW_SHOW, "\"max_datagram\":1452"); });
    while (receive(*beta_) > 0) continue;
  }

  bool is_ready() const { return is_ready_; }
  /// Takes the frames that hold nothing of value afterwards.
  void send_all(std::span<Bytes> supers) {
    std::array<ipop_frame, 32> frames;
    for (size_t i = 0; i < supers.size(); ++i) {
      frames[i] = {.data = supers[i].data(),
                   .length = supers[i].size(),
                   .flags = kSuperFrame,
                   .segment_size = kSegmentSize};
    }
    ipop_port_send(alpha_.get(), frames.data(), supers.size());
  }
  /// Octets of frames that beta's switch gets now.  Now and then alpha's looks as well: without an answer for
  /// seconds alpha would hold beta for gone.
  size_t receive() {
    if (++calls_ % 1024 == 0) receive(*alpha_);
    return receive(*beta_);
  }

 private:
  test::PortPtr create(const std::string& name, const std::string& invite_path) {
    test::PortPtr out;
    test::create_port(name, invite_path, "127.0.0.1:0", directory + "/" + name, out);
    return out;
  }
  static bool knows(const ipop_port& port, const Ipv4Address& ip) {
    return test::shows(port, IPOP_VIEW_BINDINGS, ip.to_string());
  }
  static void send(ipop_port& port, Bytes bytes, uint32_t segment_size) {
    const ipop_frame frame{.data = bytes.data(),
                           .length = bytes.size(),
                           .flags = segment_size > 0 ? kSuperFrame : 0u,
                           .segment_size = segment_size};
    ipop_port_send(&port, &frame, 1);
  }
  size_t receive(ipop_port& port) {
    const size_t n = ipop_port_recv(&port, 0, buffers_.data(), buffers_.size());
    size_t out = 0;
    for (size_t i = 0; i < n; ++i) out += buffers_[i].length;
    return out;
  }
  template <class Done>
  bool run_until(Done done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      poll(nullptr, 0, 1);
      receive(*alpha_);
      receive(*beta_);
    }
    return true;
  }

  std::array<Bytes, 32> rooms_;
  std::array<ipop_buffer, 32> buffers_;
  test::PortPtr alpha_, beta_;
  bool is_ready_ = false;
  size_t calls_ = 0;
};

/// For all runs: it takes seconds until they know what the path carries.
TwoPorts& two_ports() {
  static TwoPorts ports;
  return ports;
}

void PipelinePort(benchmark::State& state) {
  const auto batch = static_cast<size_t>(state.range(0));
  TwoPorts& ports = two_ports();
  if (!ports.is_ready()) return state.SkipWithError("the ports do not carry frames");
  const Bytes frame = super_frame();
  std::vector<Bytes> frames(batch, frame);
  for (auto _ : state) {
    // Cutting in place writes headers over payload; only those in front must be there again.
    for (Bytes& one : frames) std::copy_n(frame.begin(), kHeaders, one.begin());
    ports.send_all(frames);
    size_t empty = 0;
    for (size_t left = batch * frame.size(); left > 0;) {
      const size_t size = ports.receive();
      // A segment that was not joined comes with headers of its own.
      left -= std::min(left, size);
      if (size == 0 && ++empty > 1'000'000) return state.SkipWithError("a frame did not arrive");
    }
  }
  report(state, batch * kSegments * kSegmentSize);
}
BENCHMARK(PipelinePort)->Arg(1)->Arg(4)->UseRealTime();

}  // namespace
}  // namespace ipop
