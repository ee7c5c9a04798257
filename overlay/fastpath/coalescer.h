// Joins the TCP segments that arrive together back into super-frames, as a network card's receive offload
// does: a switch in TSO mode classifies and copies one frame of 64 KB for the price of one of 1.4.
//
// What is joined would be cut into the very same segments again, so nothing is lost by it: headers equal but
// for sequence, length, identification and PSH; every checksum right or not yet filled in; sizes equal, only
// the last shorter. The rules are those of Linux's tcp_gro_receive() and inet_gro_receive(), and the window
// must be equal, too.  Several flows are joined side by side, and no frame of a flow overtakes another.
//
// Decryption is still the only copy: place() guesses that the next datagram carries on where the last one
// ended, and has it opened so that its payload falls into place and its headers over the octets before, which
// are kept aside and put back.  A wrong guess costs one copy.
#pragma once

#include <boost/container/static_vector.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "overlay/base/bytes.h"
#include "overlay/wire/checksum.h"

namespace ipop {

/// The largest frame that is made: with its headroom it has to fit the 16-bit sizes of the switch's packets.
inline constexpr size_t kMaxSuperFrame = 65000;

/// One batch of frames on its way to the switch.  One thread, on the stack.
class Coalescer {
 public:
  struct Frame {
    uint8_t* data = nullptr;
    size_t capacity = 0;
    size_t size = 0;          ///< Out.
    size_t segment_size = 0;  ///< Out: TCP payload of its segments if it is a super-frame, else 0.
  };
  static constexpr size_t kMaxFrames = 32;  ///< Used of those that are given: a batch of the switch.

  /// `is_enabled`: else frames are only put one after the other.
  Coalescer(std::span<Frame> frames, bool is_enabled)
      : frames_(frames.first(std::min(frames.size(), kMaxFrames))), is_enabled_(is_enabled) {}

  bool has_room() const { return entries_.size() < frames_.size(); }

  /// Where to write the next frame of `size` octets; followed by add() if it is there, else by cancel().
  /// REQUIRES: has_room(), and the capacity of each frame is at least `size`.
  uint8_t* place(size_t size);
  /// `partial_checksum`: the TCP or UDP checksum holds nothing of value.
  void add(size_t size, bool partial_checksum);
  void cancel();

  /// place() and add() of a frame that lies elsewhere.  REQUIRES: as place().
  void add_whole(ByteView frame, bool partial_checksum);

  /// Completes the headers of super-frames (the TCP checksum becomes that of the pseudo-header alone, as TSO
  /// wants it) and the checksums of other frames, and returns how many frames there are, from the first on.
  size_t finish();

 private:
  /// Where the parts of a TCP segment are that could be joined to another.
  struct Layout {
    TransportPlace place;
    size_t header_size = 0;  ///< Octets before the payload, at most kMaxHeader.
  };
  struct Entry {
    Layout layout;
    size_t payload_size = 0;  ///< Of the first segment; at least 1.
    uint32_t next_sequence = 0;
    uint16_t next_id = 0;
    size_t segments = 0;      ///< 0: not TCP that could be joined.
    bool is_open = false;     ///< May grow.
    bool is_intact = false;   ///< The first segment's checksums are known to be right.
    bool is_partial = false;  ///< The first segment's TCP or UDP checksum is not filled in.
    bool is_pushed = false;   ///< The last segment had PSH.
  };
  static constexpr size_t kNobody = ~size_t{0};
  static constexpr size_t kMaxHeader = 128;
  using Header = std::array<uint8_t, kMaxHeader>;

  static std::optional<Layout> parse(ByteView frame);
  static bool is_intact(ByteView frame, const TransportPlace& place, bool partial_checksum);
  static bool same_flow(const uint8_t* a, ByteView b, const TransportPlace& place);
  bool same_headers(const uint8_t* a, const uint8_t* b, const Layout& layout);
  bool continues(size_t entry, ByteView frame, bool partial_checksum);
  bool is_first_intact(size_t entry);
  void join(size_t entry, size_t payload_size, bool is_pushed);
  void add_new(size_t size, bool partial_checksum);

  std::span<Frame> frames_;
  bool is_enabled_;
  boost::container::static_vector<Entry, kMaxFrames> entries_;  ///< Of the frames that are used so far.
  size_t last_ = kNobody;     ///< The entry that the last datagram belongs to.
  size_t guessed_ = kNobody;  ///< The entry that place() put the next datagram behind.
  Header aside_;              ///< What it was put over.
};

}  // namespace ipop
