#include "bench/activity.h"

#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace shmatch::bench {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The number behind `name`, as in "voluntary_ctxt_switches:\t12".
std::uint64_t number_named(const std::filesystem::path& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    std::uint64_t number = 0;
    if (word == name && file >> number) return number;
  }
  return 0;
}

}  // namespace

Activity& Activity::operator+=(const Activity& more) noexcept {
  voluntary_switches += more.voluntary_switches;
  involuntary_switches += more.involuntary_switches;
  minor_faults += more.minor_faults;
  major_faults += more.major_faults;
  return *this;
}

Activity Activity::operator-(const Activity& earlier) const noexcept {
  return {voluntary_switches - earlier.voluntary_switches,
          involuntary_switches - earlier.involuntary_switches, minor_faults - earlier.minor_faults,
          major_faults - earlier.major_faults};
}

Activity own_activity() noexcept {
  rusage usage = {};
  if (getrusage(RUSAGE_THREAD, &usage) != 0) return {};
  return {static_cast<std::uint64_t>(usage.ru_nvcsw), static_cast<std::uint64_t>(usage.ru_nivcsw),
          static_cast<std::uint64_t>(usage.ru_minflt), static_cast<std::uint64_t>(usage.ru_majflt)};
}

Activity engine_activity(pid_t engine) {
  std::error_code ignored;
  const std::filesystem::path tasks = "/proc/" + std::to_string(engine) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, ignored)) {
    if (first_line(task.path() / "comm") != "shmatch-engine") continue;
    Activity result;
    result.voluntary_switches = number_named(task.path() / "status", "voluntary_ctxt_switches:");
    result.involuntary_switches =
        number_named(task.path() / "status", "nonvoluntary_ctxt_switches:");
    // Fields 10 and 12 of proc(5); the name before the third one is in brackets.
    const std::string stat = first_line(task.path() / "stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    std::string word;
    for (int field = 3; fields >> word; ++field) {
      if (field == 10) result.minor_faults = std::stoull(word);
      if (field == 12) result.major_faults = std::stoull(word);
    }
    return result;
  }
  return {};
}

}  // namespace shmatch::bench
