// The fields of one line of comma-separated values. Quotes and blanks around a field are left out;
// a comma inside quotes is not understood, because no format here has one.
//
// Thread: pure functions, any thread.
#pragma once

#include <string_view>
#include <vector>

namespace shmatch::tools {

inline std::string_view trimmed_field(std::string_view field) {
  constexpr std::string_view kAround = " \t\"";
  const std::size_t begin = field.find_first_not_of(kAround);
  if (begin == std::string_view::npos) return {};
  return field.substr(begin, field.find_last_not_of(kAround) - begin + 1);
}

// Puts the fields of `line` into `fields`; they point into `line`. At most `max` of them: what
// follows is left out.
inline void split_csv(std::string_view line, std::size_t max,
                      std::vector<std::string_view>& fields) {
  fields.clear();
  while (fields.size() < max) {
    const std::size_t comma = line.find(',');
    fields.push_back(trimmed_field(line.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    line.remove_prefix(comma + 1);
  }
}

}  // namespace shmatch::tools
