// A FIX message as logs hold it: the fields that an importer needs, whatever separates them and
// whatever stands in front of it.
//
// Thread: pure functions, any thread. Views point into the text that was parsed.
#pragma once

#include <cstdint>
#include <string_view>

namespace shmatch::tools {

// An empty field was not given.
struct FixMessage {
  std::string_view type;            // 35
  std::string_view sender;          // 49
  std::string_view target;          // 56
  std::string_view possible_dup;    // 43
  std::string_view sending_time;    // 52
  std::string_view transact_time;   // 60
  std::string_view account;         // 1
  std::string_view cl_ord_id;       // 11
  std::string_view orig_cl_ord_id;  // 41
  std::string_view order_id;        // 37
  std::string_view order_status;    // 39
  std::string_view symbol;          // 55
  std::string_view side;            // 54
  std::string_view order_type;      // 40
  std::string_view time_in_force;   // 59
  std::string_view quantity;        // 38
  std::string_view price;           // 44
  // The message ends with field 10, of three digits.
  bool whole = false;
  // Field 10 is the sum of the bytes. True where it cannot be judged: fields that anything but SOH
  // separates are not what was sent.
  bool checksum_right = true;
};

// Finds the first message in `text` and moves `text` behind it. A message begins with
// "8=FIX", and what stands between its first two fields separates all of them: SOH, "|", "^A", ...
// False when there is none.
bool take_fix_message(std::string_view& text, FixMessage& message);

// The size of the record that `bytes` begin with: a line, or a message whose end shows before the
// line's. As LineReader's FindEnd.
std::size_t find_fix_end(std::string_view bytes, std::size_t looked_at);

}  // namespace shmatch::tools
