#include "overlay/vnet/unique_keys.h"

#include <boost/json/basic_parser_impl.hpp>
#include <set>
#include <vector>

namespace ipop {
namespace {

namespace json = boost::json;

/// What the parser calls as it reads; false ends it.
struct KeyWatch {
  static constexpr size_t max_object_size = size_t(-1);
  static constexpr size_t max_array_size = size_t(-1);
  static constexpr size_t max_key_size = size_t(-1);
  static constexpr size_t max_string_size = size_t(-1);
  using Text = json::string_view;
  using Code = json::error_code;

  bool on_object_begin(Code&) {
    objects.emplace_back();
    return true;
  }
  bool on_object_end(size_t, Code&) {
    objects.pop_back();
    return true;
  }
  bool on_key_part(Text part, size_t, Code&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, size_t, Code& error) {
    key.append(part.data(), part.size());
    if (!objects.back().insert(key).second) {
      repeated = key;
      error = json::error::syntax;
      return false;
    }
    key.clear();
    return true;
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(size_t, Code&) { return true; }
  bool on_string_part(Text, size_t, Code&) { return true; }
  bool on_string(Text, size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(int64_t, Text, Code&) { return true; }
  bool on_uint64(uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  std::vector<std::set<std::string>> objects;  ///< Those that we are in, the innermost last.
  std::string key;                             ///< As far as it has been read.
  std::optional<std::string> repeated;
};

}  // namespace

std::optional<std::string> find_repeated_key(std::string_view text) {
  json::basic_parser<KeyWatch> parser{json::parse_options()};
  json::error_code error;
  (void)parser.write_some(false, text.data(), text.size(), error);
  return parser.handler().repeated;
}

}  // namespace ipop
