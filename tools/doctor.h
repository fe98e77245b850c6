// What of this machine makes an engine and its clients slower or less steady than they could be:
// each thing looked at, what was found, what it costs in plain words, and how to mend it.
//
// Everything is read from /proc and /sys, below a folder that tests put in their place; only the
// jitter is measured. Nothing is changed.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shmatch::tools {

struct Finding {
  enum class State : std::uint8_t {
    kOk,
    kCosts,    // `cost` says what, `fix` how it is mended
    kUnknown,  // the machine does not say; `cost` says what it may cost
  };
  std::string check;  // "clock source"
  State state = State::kUnknown;
  std::string found;
  std::string cost;
  std::string fix;
};

// A folder that holds proc and sys; the machine's own when it is empty.
class SystemFiles {
 public:
  explicit SystemFiles(std::string root = {}) : root_(std::move(root)) {}

  // The file's text without blanks and line feeds at its end; nothing when it cannot be read.
  std::optional<std::string> read(const std::string& path) const;
  // Names of a folder's entries; empty when it cannot be read.
  std::vector<std::string> list(const std::string& path) const;

 private:
  std::string root_;
};

// The numbers of a list as the kernel writes them, "0-3,5"; nothing when it is none. At most
// 65,536.
std::optional<std::set<int>> parse_cpu_list(std::string_view text);

// All that is read. `cpu` is the engine's, or -1: then isolation is asked for in general. Empty
// when not even this process' own status can be read.
std::vector<Finding> examine(const SystemFiles& files, int cpu);

// Polls for `seconds` on `cpu`, or wherever it is when that is -1, and counts the gaps.
struct MeasuredJitter {
  double gaps_per_second = 0;
  double lost_share = 0;
  double largest_ns = 0;
};
MeasuredJitter measure_jitter(int cpu, double seconds);
Finding judge_jitter(const MeasuredJitter& jitter);

std::string doctor_text(const std::vector<Finding>& findings);
std::string doctor_json(const std::vector<Finding>& findings, const MeasuredJitter& jitter);

}  // namespace shmatch::tools
