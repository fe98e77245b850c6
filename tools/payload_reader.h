// Reads the fields of one payload object by the API's rules and remembers the first thing that is
// wrong with it.
//
// A key that occurs several times, in whatever case or by its synonym, must mean the same each
// time: values are compared after decoding, so "Buy" and 0 agree. Every reader returns a harmless
// value when it finds a fault, so that callers read all fields in a row and ask `fault` once at the
// end.
//
// Thread: one at a time. Ownership: the payload must outlive the reader.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/decimal.h"
#include "tools/enum_names.h"
#include "tools/json.h"

namespace shmatch::tools {

// True for a JSON integer: digits behind an optional minus, without fraction or exponent.
bool is_integer_text(std::string_view text) noexcept;

class PayloadReader {
 public:
  // `payload` must be an object.
  explicit PayloadReader(const JsonValue& payload) : payload_(payload) {}

  // An id in 0..2^63-1; 0 when it is absent, null or 0. `synonym`, if not empty, is another name of
  // the key.
  std::int64_t id(std::string_view key, std::string_view synonym = {});

  // The OMSId; its absence is a fault.
  std::int64_t required_oms_id();

  // A number, a string of digits or one of `names`. What no entry of `names` and no number up to
  // 254 stands for is `unknown`: it is the engine that refuses it, in its place among the rules.
  std::uint8_t enumeration(std::string_view key, std::span<const EnumName> names,
                           std::uint8_t unknown, std::uint8_t absent);

  // A number or a string that spells one; kDecimalAbsent when absent or null.
  core::Decimal decimal(std::string_view key);

  // true, false, their names as strings, 1 or 0; false when absent or null.
  bool flag(std::string_view key);

  // True when the key is there and not null.
  bool given(std::string_view key) const;

  // Records a fault unless there is one already.
  void refuse(std::string sentence);

  // The first fault, as a sentence for `detail`; empty when there is none.
  const std::string& fault() const noexcept { return fault_; }

 private:
  // What `decode` makes of the key's values; `absent` when there is none. `decode` returns nothing
  // for a value that counts as absent or is a fault.
  template <class Value, class Decode>
  Value read(std::string_view key, std::string_view synonym, Value absent, Decode decode);
  void refuse_value(std::string_view key, std::string_view expected);

  const JsonValue& payload_;
  std::string fault_;
};

}  // namespace shmatch::tools
