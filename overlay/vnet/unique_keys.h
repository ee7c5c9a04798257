// A key that an object of a JSON text has twice: RFC 8259, section 4, leaves open what that means, and a
// parser takes one of the two without a word.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ipop {

/// The first key that comes a second time in one object; nothing if there is none, or if `text` is no JSON up
/// to there.
std::optional<std::string> find_repeated_key(std::string_view text);

}  // namespace ipop
