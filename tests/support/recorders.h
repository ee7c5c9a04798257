// The other ends of what the code under test calls: each keeps what it was told.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/log.h"
#include "overlay/fastpath/core_inbox.h"
#include "overlay/fastpath/sealed_batch.h"

namespace ipop::test {

struct LogLines : Log {
  void write(Level, std::string_view line) override { lines.emplace_back(line); }
  /// How many lines contain `text`.
  size_t count(std::string_view text) const {
    return static_cast<size_t>(std::count_if(
        lines.begin(), lines.end(), [&](const auto& line) { return line.find(text) != std::string::npos; }));
  }

  std::vector<std::string> lines;
};

struct RecordingInbox : CoreInbox {
  struct Datagram {
    Endpoint from;
    Bytes bytes;
  };
  struct Opened {
    uint32_t local_index;
    Endpoint from;
    wire::Type type;
    Bytes plaintext;
  };
  struct Received {
    uint32_t local_index;
    Endpoint from;
    bool operator==(const Received&) const = default;
  };

  void guest_frame(ByteView frame) override { frames.emplace_back(frame.begin(), frame.end()); }
  void datagram(const Endpoint& from, ByteView bytes) override {
    datagrams.push_back({from, {bytes.begin(), bytes.end()}});
  }
  void opened(uint32_t local_index, const Endpoint& from, wire::Type type, ByteView plaintext) override {
    openeds.push_back({local_index, from, type, {plaintext.begin(), plaintext.end()}});
  }
  void received(uint32_t local_index, const Endpoint& from) override {
    receiveds.push_back({local_index, from});
  }
  void quiet(const NodeId& node) override { quiets.push_back(node); }
  void too_big(const NodeId& node) override { too_bigs.push_back(node); }
  void too_long(ByteView head, size_t max_frame) override {
    too_longs.emplace_back(Bytes(head.begin(), head.end()), max_frame);
  }

  bool empty() const {
    return frames.empty() && datagrams.empty() && openeds.empty() && receiveds.empty() && quiets.empty() &&
           too_bigs.empty() && too_longs.empty();
  }

  std::vector<Bytes> frames;
  std::vector<Datagram> datagrams;
  std::vector<Opened> openeds;
  std::vector<Received> receiveds;
  std::vector<NodeId> quiets;
  std::vector<NodeId> too_bigs;
  std::vector<std::pair<Bytes, size_t>> too_longs;
};

/// Takes trains apart as the kernel would.
struct RecordingSink : DatagramSink {
  struct Datagram {
    Endpoint to;
    Bytes bytes;
  };

  void send(const SealedBatch& batch) override {
    ++batches;
    for (const auto& train : batch.trains()) {
      trains.push_back(train);
      ByteView rest = batch.bytes(train);
      while (!rest.empty()) {
        const ByteView datagram = rest.first(std::min(rest.size(), train.segment_size));
        datagrams.push_back({train.to, {datagram.begin(), datagram.end()}});
        rest = rest.subspan(datagram.size());
      }
    }
  }

  size_t batches = 0;
  std::vector<SealedBatch::Train> trains;
  std::vector<Datagram> datagrams;
};

}  // namespace ipop::test
