#include "tools/payload_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace shmatch::tools {

namespace {

using Kind = JsonValue::Kind;

bool all_digits(std::string_view text) noexcept {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_leading_zeros(std::string_view digits) noexcept {
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view("0") : digits.substr(first);
}

// The digits of an integer that is not negative, given as a number or as a string; empty when
// `value` is anything else. JSON's -0 is 0.
std::string_view natural_digits(const JsonValue& value) noexcept {
  if (value.kind == Kind::kNumber && value.text == "-0") return "0";
  const bool text = value.kind == Kind::kNumber || value.kind == Kind::kString;
  if (!text || !all_digits(value.text)) return {};
  return without_leading_zeros(value.text);
}

// What an enum field of a request can carry; 255 is the engine's sign for absent.
std::optional<std::uint8_t> carried_number(std::string_view digits) noexcept {
  constexpr int kCarriedMax = 254;
  int number = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (result.ec != std::errc{} || number > kCarriedMax) return std::nullopt;
  return static_cast<std::uint8_t>(number);
}

}  // namespace

bool is_integer_text(std::string_view text) noexcept {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return all_digits(text);
}

template <class Value, class Decode>
Value PayloadReader::read(std::string_view key, std::string_view synonym, Value absent,
                          Decode decode) {
  std::optional<Value> found;
  for (const JsonMember& member : payload_.members) {
    const bool named = equal_ignoring_case(member.key, key) ||
                       (!synonym.empty() && equal_ignoring_case(member.key, synonym));
    if (!named || member.value.kind == Kind::kNull) continue;
    const std::optional<Value> value = decode(member.value);
    if (!value) continue;
    if (found && *found != *value) {
      refuse(std::string(key) + " is given twice with different values");
    }
    found = value;
  }
  return found.value_or(absent);
}

std::int64_t PayloadReader::id(std::string_view key, std::string_view synonym) {
  using Result = std::optional<std::int64_t>;
  return read<std::int64_t>(key, synonym, 0, [&](const JsonValue& value) -> Result {
    const std::string_view digits = natural_digits(value);
    std::int64_t number = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (result.ec != std::errc{}) {
      refuse_value(key, "an integer in 0..9223372036854775807");
      return std::nullopt;
    }
    return number == 0 ? std::nullopt : Result(number);
  });
}

std::int64_t PayloadReader::required_oms_id() {
  const std::int64_t oms_id = id("OMSId");
  if (oms_id == 0) refuse("OMSId is required");
  return oms_id;
}

std::uint8_t PayloadReader::enumeration(std::string_view key, std::span<const EnumName> names,
                                        std::uint8_t unknown, std::uint8_t absent) {
  using Result = std::optional<std::uint8_t>;
  return read<std::uint8_t>(key, {}, absent, [&](const JsonValue& value) -> Result {
    const std::string_view digits = natural_digits(value);
    if (!digits.empty()) return carried_number(digits).value_or(unknown);
    if (value.kind != Kind::kString) {
      refuse_value(key, "an integer or a name");
      return std::nullopt;
    }
    const auto known = std::find_if(names.begin(), names.end(), [&](const EnumName& name) {
      return equal_ignoring_case(name.name, value.text);
    });
    return known == names.end() ? unknown : known->value;
  });
}

core::Decimal PayloadReader::decimal(std::string_view key) {
  using Result = std::optional<core::Decimal>;
  return read<core::Decimal>(key, {}, core::kDecimalAbsent, [&](const JsonValue& value) -> Result {
    core::Decimal decimal;
    const bool text = value.kind == Kind::kNumber || value.kind == Kind::kString;
    if (!text || !core::parse_decimal(value.text, decimal)) {
      refuse_value(key, "a number");
      return std::nullopt;
    }
    return decimal;
  });
}

bool PayloadReader::flag(std::string_view key) {
  using Result = std::optional<bool>;
  return read<bool>(key, {}, false, [&](const JsonValue& value) -> Result {
    if (value.kind == Kind::kBool) return value.boolean;
    if (value.kind == Kind::kString && equal_ignoring_case(value.text, "true")) return true;
    if (value.kind == Kind::kString && equal_ignoring_case(value.text, "false")) return false;
    core::Decimal number;
    if (value.kind == Kind::kNumber && core::parse_decimal(value.text, number)) {
      if (number == core::Decimal{1, 0}) return true;
      if (number == core::Decimal{}) return false;
    }
    refuse_value(key, "true or false");
    return std::nullopt;
  });
}

bool PayloadReader::given(std::string_view key) const {
  return std::any_of(payload_.members.begin(), payload_.members.end(), [&](const JsonMember& m) {
    return m.value.kind != Kind::kNull && equal_ignoring_case(m.key, key);
  });
}

void PayloadReader::refuse(std::string sentence) {
  if (fault_.empty()) fault_ = std::move(sentence);
}

void PayloadReader::refuse_value(std::string_view key, std::string_view expected) {
  refuse(std::string(key) + " must be " + std::string(expected));
}

}  // namespace shmatch::tools
