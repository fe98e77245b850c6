#include "tools/fix_message.h"

#include <algorithm>

#include "tools/whole_number.h"

namespace shmatch::tools {

namespace {

constexpr std::size_t kNotFound = std::string_view::npos;
constexpr std::string_view kBegin = "8=FIX";
constexpr std::string_view kSecondField = "9=";
constexpr char kSoh = '\x01';
constexpr std::string_view kSohText("\x01", 1);
constexpr std::string_view kTrailer(
    "\x01"
    "10=",
    4);
constexpr std::string_view kChecksumField = "10=";
constexpr std::size_t kChecksumDigits = 3;
// "^A", "<SOH>", "\u0001": what people and loggers put in the place of SOH.
constexpr std::size_t kSeparatorMax = 8;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// Where a message's begin can be: "8=FIX" that is no part of a longer word.
std::size_t find_begin(std::string_view text) {
  std::size_t at = text.find(kBegin);
  while (at != kNotFound && at > 0 && (is_digit(text[at - 1]) || is_letter(text[at - 1]))) {
    at = text.find(kBegin, at + 1);
  }
  return at;
}

// What separates the fields of the message that `text` begins with; empty when it is none.
std::string_view find_separator(std::string_view text) {
  std::size_t end = kBegin.size();
  while (end < text.size() && (is_digit(text[end]) || is_letter(text[end]) || text[end] == '.')) {
    ++end;
  }
  const std::size_t second =
      text.substr(0, end + kSeparatorMax + kSecondField.size()).find(kSecondField, end);
  return second == kNotFound ? std::string_view() : text.substr(end, second - end);
}

// The field of `message` that holds `tag`; null when nobody asks for it.
std::string_view* find_field(FixMessage& message, std::uint32_t tag) {
  switch (tag) {
    case 1:
      return &message.account;
    case 11:
      return &message.cl_ord_id;
    case 35:
      return &message.type;
    case 37:
      return &message.order_id;
    case 38:
      return &message.quantity;
    case 39:
      return &message.order_status;
    case 40:
      return &message.order_type;
    case 41:
      return &message.orig_cl_ord_id;
    case 43:
      return &message.possible_dup;
    case 44:
      return &message.price;
    case 49:
      return &message.sender;
    case 52:
      return &message.sending_time;
    case 54:
      return &message.side;
    case 55:
      return &message.symbol;
    case 56:
      return &message.target;
    case 59:
      return &message.time_in_force;
    case 60:
      return &message.transact_time;
    default:
      return nullptr;
  }
}

void read_field(std::string_view field, FixMessage& message) {
  const std::size_t equals = field.find('=');
  std::uint32_t tag = 0;
  if (equals == kNotFound || !parse_whole(field.substr(0, equals), tag)) return;
  std::string_view* value = find_field(message, tag);
  // A tag that occurs once more belongs to a repeating group.
  if (value != nullptr && value->empty()) *value = field.substr(equals + 1);
}

bool checksum_fits(std::string_view body, std::string_view digits) {
  std::uint8_t sum = 0;
  for (const char c : body) sum = static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(c));
  std::uint32_t told = 0;
  return parse_whole(digits, told) && told == sum;
}

}  // namespace

bool take_fix_message(std::string_view& text, FixMessage& message) {
  std::string_view separator;
  while (separator.empty()) {
    const std::size_t begin = find_begin(text);
    if (begin == kNotFound) return false;
    text.remove_prefix(begin);
    separator = find_separator(text);
    if (separator.empty()) text.remove_prefix(kBegin.size());
  }
  message = {};
  std::size_t size = 0;  // of what was gone through
  while (size < text.size() && !message.whole) {
    const std::string_view field = text.substr(size, text.find(separator, size) - size);
    // The next message, without an end of this one.
    if (size > 0 && field.starts_with(kBegin)) break;
    if (field.starts_with(kChecksumField)) {
      const std::string_view digits = field.substr(kChecksumField.size(), kChecksumDigits);
      message.whole =
          digits.size() == kChecksumDigits && std::all_of(digits.begin(), digits.end(), is_digit);
      message.checksum_right = separator != kSohText || checksum_fits(text.substr(0, size), digits);
    } else {
      read_field(field, message);
    }
    size = std::min(size + field.size() + separator.size(), text.size());
  }
  text.remove_prefix(size);
  return true;
}

std::size_t find_fix_end(std::string_view bytes, std::size_t looked_at) {
  // The end of a message may lie across what was looked at.
  constexpr std::size_t kEndSize = kTrailer.size() + kChecksumDigits + 1;
  for (std::size_t i = looked_at - std::min(looked_at, kEndSize); i < bytes.size(); ++i) {
    if (bytes[i] == '\n') return i + 1;
    if (bytes[i] != kSoh || bytes.substr(i, kTrailer.size()) != kTrailer) continue;
    const std::size_t end = i + kEndSize;
    if (end <= bytes.size() && bytes[end - 1] == kSoh) return end;
  }
  return kNotFound;
}

}  // namespace shmatch::tools
