#include "overlay/vnet/introduction.h"

#include <algorithm>

#include "overlay/vnet/binding.h"

namespace ipop {
namespace {

/// The next word, which is taken off `text`.
std::string take_word(std::string_view& text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string word(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

}  // namespace

Result<Introduction, Problem> Introduction::parse(std::string_view text) {
  const std::string first = take_word(text);
  const auto mac = MacAddress::parse(first);
  if (!mac) return Problem{first + ": no MAC address; write it like 52:54:00:12:34:56"};
  Introduction out{.mac = *mac};
  std::string word = take_word(text);
  if (const auto ip = Ipv4Address::parse(word)) {
    out.ip = *ip;
    word = take_word(text);
  }
  if (!word.empty() && !is_host_label(word)) {
    return Problem{word + ": neither an IPv4 address nor a name; a name is 1 to 63 letters, digits and -"};
  }
  out.name = word;
  if (!text.empty()) return Problem{std::string(text) + ": one word too many after MAC ADDRESS NAME"};
  return out;
}

Result<Done, Problem> Introductions::add(const Introduction& guest) {
  const auto holder = guest.ip ? whose(*guest.ip) : std::nullopt;
  if (holder && *holder != guest.mac) {
    return Problem{guest.ip->to_string() + " is to be that of " + holder->to_string()};
  }
  const bool says_nothing = !guest.ip && guest.name.empty();
  if (!says_nothing && !find(guest.mac) && guests_.size() >= kMax) {
    return Problem{"too many guests of this host have addresses or names of their own"};
  }
  forget(guest.mac);
  if (says_nothing) return Done{};
  guests_.emplace(guest.mac, guest);
  if (guest.ip) by_ip_.emplace(*guest.ip, guest.mac);
  return Done{};
}

const Introduction* Introductions::find(const MacAddress& guest) const {
  const auto found = guests_.find(guest);
  return found == guests_.end() ? nullptr : &found->second;
}

std::optional<MacAddress> Introductions::whose(Ipv4Address ip) const {
  const auto found = by_ip_.find(ip);
  return found == by_ip_.end() ? std::nullopt : std::optional(found->second);
}

void Introductions::forget(const MacAddress& guest) {
  const auto found = guests_.find(guest);
  if (found == guests_.end()) return;
  if (found->second.ip) by_ip_.erase(*found->second.ip);
  guests_.erase(found);
}

}  // namespace ipop
