#include "tools/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <utility>

namespace shmatch::tools {

namespace {

// A number that RapidJSON would refuse because no double can hold it, although its text is all we
// want. It is replaced by a 0 in the text that RapidJSON sees.
struct HugeNumber {
  std::size_t offset;
  std::string text;
};

// Builds the tree. `path_` holds the chain of open containers; pointers into it stay valid because
// a container grows only while it is the innermost one.
class TreeBuilder {
 public:
  TreeBuilder(JsonValue& root, const rapidjson::MemoryStream& stream,
              const std::vector<HugeNumber>& huge_numbers)
      : root_(root), stream_(stream), huge_numbers_(huge_numbers) {
    path_.reserve(kJsonDepthMax);
  }

  bool Null() {
    add(JsonValue::Kind::kNull);
    return true;
  }
  bool Bool(bool value) {
    add(JsonValue::Kind::kBool).boolean = value;
    return true;
  }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const std::size_t offset = stream_.Tell() - size;
    const auto huge = std::find_if(huge_numbers_.begin(), huge_numbers_.end(),
                                   [&](const HugeNumber& h) { return h.offset == offset; });
    JsonValue& value = add(JsonValue::Kind::kNumber);
    if (huge != huge_numbers_.end()) {
      value.text = huge->text;
    } else {
      value.text.assign(text, size);
    }
    return true;
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    add(JsonValue::Kind::kString).text.assign(text, size);
    return true;
  }
  bool StartObject() { return open(JsonValue::Kind::kObject); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    path_.back()->members.push_back(JsonMember{std::string(text, size), {}});
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() { return open(JsonValue::Kind::kArray); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  // RapidJSON asks for these, but hands every number to RawNumber.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

 private:
  JsonValue& add(JsonValue::Kind kind) {
    JsonValue* value = &root_;
    if (!path_.empty()) {
      JsonValue& parent = *path_.back();
      value = parent.kind == JsonValue::Kind::kObject ? &parent.members.back().value
                                                      : &parent.items.emplace_back();
    }
    value->kind = kind;
    return *value;
  }
  bool open(JsonValue::Kind kind) {
    if (path_.size() == kJsonDepthMax) return false;
    path_.push_back(&add(kind));
    return true;
  }
  bool close() {
    path_.pop_back();
    return true;
  }

  JsonValue& root_;
  const rapidjson::MemoryStream& stream_;
  const std::vector<HugeNumber>& huge_numbers_;
  std::vector<JsonValue*> path_;
};

rapidjson::ParseResult parse_once(std::string_view text,
                                  const std::vector<HugeNumber>& huge_numbers, JsonValue& value) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseValidateEncodingFlag;
  value = JsonValue{};
  rapidjson::MemoryStream stream(text.data(), text.size());
  TreeBuilder builder(value, stream, huge_numbers);
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  // A zero byte ends the text for RapidJSON, but not for us.
  if (!result.IsError() && stream.Tell() != text.size()) {
    return {rapidjson::kParseErrorDocumentRootNotSingular, stream.Tell()};
  }
  return result;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// The length of the JSON number that `text` starts with; 0 when it starts with none.
std::size_t number_size(std::string_view text) noexcept {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t start = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > start;
  };
  if (at < text.size() && text[at] == '-') ++at;
  if (!digits()) return 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return 0;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return 0;
  }
  return at;
}

// Moves the number at `offset` out of `text`. False when there is none, or too many were moved
// already.
bool move_out_number(std::string& text, std::size_t offset, std::vector<HugeNumber>& huge_numbers) {
  if (huge_numbers.size() == kJsonHugeNumbersMax) return false;
  const std::size_t size = number_size(std::string_view(text).substr(offset));
  if (size == 0) return false;
  huge_numbers.push_back({offset, text.substr(offset, size)});
  text.replace(offset, size, size, ' ');
  text[offset] = '0';
  return true;
}

}  // namespace

bool parse_json(std::string_view text, JsonValue& value, std::string& fault) {
  std::vector<HugeNumber> huge_numbers;
  rapidjson::ParseResult result = parse_once(text, huge_numbers, value);
  std::string rewritten;
  while (result.Code() == rapidjson::kParseErrorNumberTooBig) {
    if (rewritten.empty()) rewritten = text;
    if (!move_out_number(rewritten, result.Offset(), huge_numbers)) break;
    result = parse_once(rewritten, huge_numbers, value);
  }
  if (!result.IsError()) return true;
  if (result.Code() == rapidjson::kParseErrorTermination) {
    fault = "arrays and objects are nested deeper than " + std::to_string(kJsonDepthMax);
  } else {
    fault = rapidjson::GetParseError_En(result.Code());
    if (!fault.empty() && fault.back() == '.') fault.pop_back();
  }
  fault += " (at byte " + std::to_string(result.Offset() + 1) + ")";
  return false;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace shmatch::tools
