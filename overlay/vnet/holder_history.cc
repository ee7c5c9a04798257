#include "overlay/vnet/holder_history.h"

namespace ipop {

void HolderHistory::add(Instant now, const Binding& binding) {
  const Key key = binding.ip.is_unspecified() ? Key{{}, binding.mac} : Key{binding.ip, {}};
  auto& holders = holders_[key];
  if (!holders.empty()) by_age_.erase({holders.back().until, key});
  const Holder holder{.mac = binding.mac, .node = binding.node, .sequence = binding.sequence, .until = now};
  if (!holders.empty() && holders.back().mac == holder.mac && holders.back().node == holder.node) {
    holders.back() = holder;
  } else {
    if (holders.size() == kMaxHolders) holders.erase(holders.begin());
    holders.push_back(holder);
  }
  by_age_.insert({now, key});
  if (holders_.size() <= kMaxAddresses) return;
  holders_.erase(by_age_.begin()->second);
  by_age_.erase(by_age_.begin());
}

std::vector<HolderHistory::Holder> HolderHistory::find(const Key& key) const {
  const auto found = holders_.find(key);
  if (found == holders_.end()) return {};
  return {found->second.rbegin(), found->second.rend()};
}

}  // namespace ipop
