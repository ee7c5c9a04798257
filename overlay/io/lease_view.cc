#include "overlay/io/lease_view.h"

#include <algorithm>
#include <boost/json.hpp>

#include "overlay/io/text.h"

namespace ipop {
namespace {

Duration left(Instant expires, Instant now) { return std::max(expires - now, Duration::zero()); }

/// The living ones first; each part in the order of MACs.
std::vector<Report::GivenLease> in_order(const Report& report, Instant now) {
  std::vector<Report::GivenLease> out = report.leases;
  std::stable_partition(out.begin(), out.end(), [&](const auto& lease) { return lease.expires > now; });
  return out;
}

std::string show_json(const Report& report, Instant now) {
  boost::json::array leases;
  for (const auto& lease : in_order(report, now)) {
    leases.push_back(boost::json::object{{"mac", lease.mac.to_string()},
                                         {"ip", lease.ip.to_string()},
                                         {"name", lease.name},
                                         {"sequence", lease.sequence},
                                         {"living", lease.expires > now},
                                         {"expires_s", whole_seconds(left(lease.expires, now))},
                                         {"published", lease.is_published}});
  }
  boost::json::array reservations;
  for (const auto& reservation : report.reservations) {
    reservations.push_back(boost::json::object{{"mac", reservation.mac.to_string()},
                                               {"ip", reservation.ip.to_string()},
                                               {"offered", reservation.is_offered},
                                               {"expires_s", whole_seconds(left(reservation.expires, now))}});
  }
  const boost::json::object out{{"leases", std::move(leases)}, {"reservations", std::move(reservations)}};
  return boost::json::serialize(out) + "\n";
}

}  // namespace

std::string show_leases(const Report& report, Instant now, bool json) {
  if (json) return show_json(report, now);
  std::string out;
  if (!report.leases.empty()) {
    out += format("  %-18s %-16s %-20s %-10s %-10s %s\n", "MAC", "IP", "NAME", "EXPIRES", "IN THE DHT",
                  "SEQUENCE");
  }
  for (const auto& lease : in_order(report, now)) {
    const bool is_living = lease.expires > now;
    out += format("  %-18s %-16s %-20s %-10s %-10s %llu\n", lease.mac.to_string().c_str(),
                  lease.ip.to_string().c_str(), or_dash(lease.name).c_str(),
                  is_living ? roughly(left(lease.expires, now)).c_str() : "ended",
                  lease.is_published ? "yes" : (is_living ? "NO" : "-"),
                  static_cast<unsigned long long>(lease.sequence));
  }
  if (!report.reservations.empty()) out += "reserved for clients that have not taken it yet\n";
  for (const auto& reservation : report.reservations) {
    out +=
        format("  %-18s %-16s %s, for %s\n", reservation.mac.to_string().c_str(),
               reservation.ip.to_string().c_str(), reservation.is_offered ? "offered" : "asking the network",
               roughly(left(reservation.expires, now)).c_str());
  }
  return out;
}

}  // namespace ipop
