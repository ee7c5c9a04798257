// Guests with addresses of their own, what the DHT knows of them, and whether it is found there.
//
// A guest says by gratuitous ARP that it is there; its node then makes two records, of its IP and of its MAC.
// A lookup is a guest's ARP request on another host that does not know the address: its node asks the DHT
// and answers the guest.  It took from the request to the frame with the answer, in virtual time.  It counts
// as found only if the node's dht/client.h has found a record: what nobody has a record of is asked of
// everybody, so that the guest may have its answer all the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "overlay/dht/replica_set.h"
#include "overlay/sim/population.h"

namespace ipop::sim {

/// A lookup that found nothing by then never will: a node asks the DHT for Client::kGetPatience.
inline constexpr Duration kLookupLimit = Client::kGetPatience + 1s;

class Bindings {
 public:
  struct Results {
    size_t counted = 0;  ///< Those whose asker lived until the end.
    size_t found = 0;
    std::vector<double> took_s;  ///< Of those that were found.
  };
  /// What the DHT keeps.
  struct Load {
    size_t records = 0;  ///< Different ones, as their owners have them.
    size_t copies = 0;   ///< Kept by nodes that are replicas of them.
    size_t most = 0;     ///< Copies at one node.
  };
  /// Of a sampled address.
  struct Sample {
    size_t guest = 0;
    std::vector<Host*> victims;
  };

  /// The references must outlive it.  Guests have addresses of `subnet`, one after the other.
  Bindings(World& world, Population& population, Random& random, Ipv4Subnet subnet);
  Bindings(const Bindings&) = delete;  // The world's tap knows it.

  /// REQUIRES: the subnet has room.
  void add_guest(Host& host);
  size_t guests() const { return guests_.size(); }
  /// How many records the DHT should have, and how many the hosts of the guests know it to have.  Those that
  /// run count.
  std::pair<size_t, size_t> published() const;
  Load load() const;

  /// A host that has a guest, but neither the address in its map nor its record as a replica nor a lookup
  /// under way, asks for it.  False if a hundred random ones are none such.
  bool look_up(size_t guest);
  /// For the address of a random guest whose host runs, but not of the first one of a host, which its node
  /// tells everybody of.  REQUIRES: there are guests.
  bool look_up_random();
  /// Gives up on those that found nothing.  To be called often.
  void step();
  bool is_idle() const { return pending_.empty(); }
  Results take_results() { return std::exchange(results_, {}); }

  /// Draws up to `n` such addresses, and for each all but `survivors` of the replicas of its IP.  Theirs are
  /// different stretches of the ring, so that each loses no more than its own; none of their hosts is among
  /// the victims.  Fewer than `n` if the ring is too small.
  std::vector<Sample> draw_samples(size_t n, size_t survivors);
  /// How many of those that run keep the record of a guest's IP, and are its replicas as they see the ring.
  size_t copies_of(size_t guest) const;
  /// Whether all running nodes have from their neighbours what they should have.
  bool is_handed_over() const;

 private:
  struct Guest {
    uint32_t host = 0;
    Ipv4Address ip;
    MacAddress mac;
    bool is_first = false;  ///< Of its host.
  };
  struct Lookup {
    Ipv4Address ip;
    Instant asked_at;
    uint64_t found_before = 0;  ///< By the asker's client.
  };

  std::optional<size_t> draw_guest();
  bool has_found(const Host& asker, const Lookup& lookup) const;
  void handle_frame(const Host& host, ByteView frame);

  World& world_;
  Population& population_;
  Random& random_;
  Ipv4Subnet subnet_;
  std::vector<Guest> guests_;
  std::map<uint32_t, size_t> guest_of_;  ///< By host: one of its guests, to ask in its name.
  std::map<uint32_t, Lookup> pending_;   ///< By asker, which has one at a time.
  Results results_;
};

}  // namespace ipop::sim
