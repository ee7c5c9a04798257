// What this system's kernel makes of trains of datagrams, found by trying.
//
// A kernel may say that it can and still lose or spoil them.  What happens on the way to one peer is another
// question: link/train_trial.h.
#pragma once

namespace ipop {

struct UdpOffload {
  bool sends_trains = true;  ///< UDP_SEGMENT: Linux 4.18.
  bool joins_trains = true;  ///< UDP_GRO: Linux 5.0.
};

/// Sends trains to itself over the loopback device.  Where nothing passes there, not even one datagram, all
/// is taken to be well.  Takes a millisecond, or a fifth of a second for each of what does not work.
UdpOffload try_udp_offload();

/// The same, tried once in a process.  Any thread.
const UdpOffload& udp_offload();

/// In words: "GSO and GRO", one of them, or "none".
const char* to_string(const UdpOffload& offload);

}  // namespace ipop
