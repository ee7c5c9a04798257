#include "libvirt-hook/names.h"

#include <algorithm>

namespace ipop::hook {
namespace {

// Not <cctype>: its answers depend on the locale.
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool is_device_name(std::string_view text) {
  constexpr size_t kLongest = 15;  // IFNAMSIZ - 1.
  if (text.empty() || text.size() > kLongest) return false;
  const auto is_word = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return is_word(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_uuid(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(text, kShape,
                            [](char c, char shape) { return shape == '-' ? c == '-' : is_lower_hex(c); });
}

std::string normal_mac(std::string_view text) {
  constexpr std::string_view kShape = "xx:xx:xx:xx:xx:xx";
  std::string mac(text.substr(0, kShape.size() + 1));
  std::ranges::transform(mac, mac.begin(), lower);
  const bool ok = std::ranges::equal(
      mac, kShape, [](char c, char shape) { return shape == ':' ? c == ':' : is_lower_hex(c); });
  return ok ? mac : std::string();
}

bool is_ipv4(std::string_view text) {
  for (int number = 0; number < 4; ++number) {
    const std::string_view digits = text.substr(0, text.find('.'));
    const bool is_last = number == 3;
    const bool is_number = !digits.empty() && digits.size() <= 3 && std::ranges::all_of(digits, is_digit) &&
                           (digits[0] != '0' || digits.size() == 1);
    if (!is_number || std::stoi(std::string(digits)) > 255 || is_last != (digits.size() == text.size()))
      return false;
    if (!is_last) text.remove_prefix(digits.size() + 1);
  }
  return true;
}

bool is_host_name(std::string_view text) {
  constexpr size_t kLongest = 63;  // RFC 1035, section 2.3.4.
  const auto is_word = [](char c) { return is_letter(c) || is_digit(c); };
  return !text.empty() && text.size() <= kLongest && is_word(text.front()) && is_word(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return is_word(c) || c == '-'; });
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 200));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

}  // namespace ipop::hook
