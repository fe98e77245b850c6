// One JSON text as a small tree that keeps what the codec needs and ordinary trees lose: each
// number's own text (decimals are exact here), the difference between a number and a string, the
// order of keys, and keys that occur twice.
//
// The grammar is RFC 8259 and nothing more: no comments, no NaN, no trailing commas, valid UTF-8
// only.
//
// Thread: pure functions, any thread. Ownership: a JsonValue owns everything below it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace shmatch::tools {

// Arrays and objects may be nested this deep; a deeper text is refused, so that no input decides
// how much stack is used.
inline constexpr std::size_t kJsonDepthMax = 64;

// A text may hold this many numbers of more than 10^308 or 308 digits; one with more is refused.
inline constexpr std::size_t kJsonHugeNumbersMax = 16;

struct JsonMember;

struct JsonValue {
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;             // kBool
  std::string text;                 // kNumber: as written; kString: decoded UTF-8
  std::vector<JsonValue> items;     // kArray
  std::vector<JsonMember> members;  // kObject, as written, duplicates included
};

struct JsonMember {
  std::string key;
  JsonValue value;
};

// Parses the whole of `text`. False when it is not one JSON value; then `fault` says why and where,
// in words for a person, and `value` is unspecified.
bool parse_json(std::string_view text, JsonValue& value, std::string& fault);

// Equal without regard to the case of ASCII letters; names in the API are compared this way.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace shmatch::tools
