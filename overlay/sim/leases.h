// Guests with and without DHCP in a world where hosts crash, guests move and sleep, and the Internet falls
// apart and heals; with a History that watches.  What happens is drawn from the seed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "overlay/sim/figures.h"
#include "overlay/sim/guest.h"
#include "overlay/sim/history.h"
#include "overlay/sim/world.h"

namespace ipop::sim {

struct LeasesOptions {
  WorldOptions world;  ///< With the seed.
  size_t hosts = 10;
  size_t guests = 20;
  size_t liars = 0;        ///< Of the hosts; an address bears one among its replicas.
  double statics = 0;      ///< Share of the guests that use an address of the subnet without asking anybody.
  Duration sleep{};        ///< The longest that a guest is paused; zero: none is.
  Duration settle{};       ///< The hosts run for so long before the first guest starts.
  Duration arrival{};      ///< Guests start within this time.
  Duration length = 5min;  ///< Of run().
  Duration pause = 40s;    ///< Between two events.
};

/// Hosts that everybody knows; they crash like others.
inline constexpr size_t kIntroducers = 3;
/// Between two looks at who holds what.
inline constexpr Duration kObservation = 1s;
/// So long after the Internet has healed its parts still count as partitions: a ring settles some 5 s after
/// the last change, and what was granted before may be taken meanwhile (docs/addresses.md).
inline constexpr Duration kSettling = 5s;

class Leases {
 public:
  explicit Leases(const LeasesOptions& options);

  /// All of it: run(), then calm() for so long that what is in dispute is decided.
  void run();
  /// Events for so long.
  void run(Duration length);
  /// All hosts run, all are one network, and nothing happens for so long.
  void calm(Duration length);
  /// All guests end, for good.
  void end_guests();
  /// As many new ones.
  void add_guests(size_t n);

  const History& history() const { return history_; }
  /// How many guests use an address now that DHCP gave them.
  size_t leased() const;

  struct Counts {
    size_t crashes = 0, moves = 0, migrations = 0, reboots = 0, replacements = 0, sleeps = 0, splits = 0;
    size_t releases = 0;
    size_t grants = 0;  ///< Times that a guest came by an address.
  };
  const Counts& counts() const { return counts_; }
  /// Of the run so far: "violations" first.
  Figures figures() const;
  World& world() { return world_; }

 private:
  struct Resident {
    uint32_t number;
    Guest guest;
    size_t host;
    bool had_address = false;
  };

  void step();
  void happen();
  void crash();
  void start(Host& host);
  UnixSeconds wall_now() const;
  Resident make_resident();
  Ipv4Address random_address();
  void shut_down(const Resident& resident);
  void reboot(Resident& resident, size_t host);
  void migrate(Resident& resident);
  void put_to_sleep(Resident& resident);
  void replace(Resident& resident);
  void split();
  void heal();
  void note_settled();
  std::vector<size_t> running(bool want) const;
  size_t random_of(const std::vector<size_t>& choices) { return choices[random_.below(choices.size())]; }
  std::vector<History::Holding> holdings();

  LeasesOptions options_;
  SeededRandom random_;
  World world_;
  std::vector<Host*> hosts_;
  std::vector<Resident> guests_;
  uint32_t next_guest_ = 0;
  bool is_split_ = false;
  std::vector<uint32_t> parts_;  ///< By host: the partition that it counts as in.
  /// By host: what one that died has on its disk.
  std::vector<std::vector<Contact>> peers_;
  std::vector<std::string> lease_files_;
  Instant settled_at_ = kNever;  ///< When parts_ become one.
  Instant next_event_;
  Instant next_observation_{};
  Instant last_observation_{};
  History history_;
  Counts counts_;
};

}  // namespace ipop::sim
