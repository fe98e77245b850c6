// What the parts of `examine` (tools/doctor.h) share; only they include it.
//
// Thread: one.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/doctor.h"

namespace shmatch::tools::doctor {

inline Finding ok(std::string check, std::string found) {
  return {std::move(check), Finding::State::kOk, std::move(found), {}, {}};
}
inline Finding costs(std::string check, std::string found, std::string cost, std::string fix) {
  return {std::move(check), Finding::State::kCosts, std::move(found), std::move(cost),
          std::move(fix)};
}
inline Finding unknown(std::string check, std::string found, std::string cost) {
  return {std::move(check), Finding::State::kUnknown, std::move(found), std::move(cost), {}};
}

// The value behind "name:" or "name " in a text of lines; empty when there is none.
std::string line_value(const std::string& text, std::string_view name);
bool has_word(const std::string& text, const std::string& word);
// The chosen one of "always [madvise] never".
std::string chosen(const std::string& text);

// Each appends its findings; `cpu` as in `examine`, `status` is /proc/self/status.
void examine_processors(const SystemFiles& files, const std::string& status, int cpu,
                        std::vector<Finding>& findings);
void examine_memory(const SystemFiles& files, std::vector<Finding>& findings);
void examine_surroundings(const SystemFiles& files, std::vector<Finding>& findings);

}  // namespace shmatch::tools::doctor
