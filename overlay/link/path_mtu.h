// How large a datagram to one peer may be: looked for with probes that must not be fragmented (RFC 8899), and
// only once somebody has sent a frame that needs more than every path carries.
//
// ICMP is not listened to: NATs lose it, and anybody can forge it.  What a probe's answer has not shown does
// not exist.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "overlay/base/time.h"

namespace ipop {

/// Sizes are octets of UDP payload.  A calculation on times.
class PathMtu {
 public:
  PathMtu();

  /// What every path is taken to carry, as by QUIC (RFC 9000, section 14).
  static constexpr size_t kBase = 1200;
  /// What an Ethernet carries over IPv6: a guest's frame of 1400 octets with a VLAN tag fits.
  static constexpr size_t kFull = 1452;
  /// A probe of a size is sent so often before that counts as too large (MAX_PROBES).
  static constexpr int kMaxProbes = 3;
  /// How often what is in use is probed again, in case that the path carries less by now.
  static constexpr Duration kConfirmInterval = 30s;
  /// How long a search's result holds if it was less than kFull (PMTU_RAISE_TIMER).
  static constexpr Duration kRaiseInterval = 10min;

  /// The largest datagram that arrives whole.
  size_t max_datagram() const;

  /// A search has ended: max_datagram() is what there will be, for minutes at least.
  bool is_found() const { return state_ == State::Found || state_ == State::Confirming; }

  /// A frame was sent that max_datagram() has no room for.
  void want(Instant now);
  /// Frames pass: what is in use is probed again if that is due.
  void note_use(Instant now);
  /// The peer is reached by another path now.
  void handle_new_path(Instant now);

  struct Probe {
    size_t size;
    uint64_t token;  ///< The same for all of one size, so that a late answer counts.
  };
  bool is_probe_due() const { return is_due_; }
  /// To be sent now; it has `patience` to be answered.  REQUIRES: is_probe_due().
  Probe start_probe(Instant now, Duration patience);
  /// An answer to something with that token came.
  void handle_answer(Instant now, uint64_t token);

  /// When to call handle_timeout(), whether or not a probe is due.
  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  enum class State {
    Base,       ///< Nobody has wanted more.
    Searching,  ///< Between confirmed_ and too_large_.
    Found,
    Confirming,  ///< Found, and asked again.
  };

  void search();
  void probe(size_t index);
  void handle_too_large(Instant now);
  void settle(Instant now);

  State state_ = State::Base;
  size_t confirmed_ = 0;  ///< Index of a size.
  size_t too_large_;      ///< Index of the smallest that did not arrive; or one past the last.
  size_t probing_ = 0;    ///< Index of the size of the probe that is due or under way.
  bool is_due_ = false;
  int sent_ = 0;  ///< Probes of this size.
  uint64_t last_token_ = 0;
  std::optional<uint64_t> token_;
  Instant give_up_at_ = kNever;
  Instant confirm_at_ = kNever;
  Instant raise_at_ = kNever;
};

}  // namespace ipop
