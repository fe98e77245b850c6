#include "tools/doctor.h"

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/doctor_parts.h"
#include "tools/jitter.h"
#include "tools/json_object.h"
#include "tools/measure.h"
#include "tools/whole_number.h"

namespace shmatch::tools {

namespace doctor {

std::string line_value(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t begin = line.find_first_not_of(": \t", name.size());
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return {};
}

bool has_word(const std::string& text, const std::string& word) {
  return (" " + text + " ").find(" " + word + " ") != std::string::npos;
}

std::string chosen(const std::string& text) {
  const std::size_t begin = text.find('[');
  const std::size_t end = text.find(']');
  return begin == std::string::npos || end < begin ? text : text.substr(begin + 1, end - begin - 1);
}

}  // namespace doctor

std::optional<std::string> SystemFiles::read(const std::string& path) const {
  std::ifstream file(root_ + path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return std::nullopt;
  std::string result = text.str();
  while (!result.empty() && (result.back() == '\n' || result.back() == ' ')) result.pop_back();
  return result;
}

std::vector<std::string> SystemFiles::list(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(root_ + path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::set<int>> parse_cpu_list(std::string_view text) {
  constexpr int kMax = 65'536;
  std::set<int> cpus;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const std::size_t dash = part.find('-');
    int first = 0;
    int last = 0;
    if (!parse_whole(part.substr(0, dash), first)) return std::nullopt;
    last = first;
    if (dash != std::string_view::npos && !parse_whole(part.substr(dash + 1), last)) {
      return std::nullopt;
    }
    if (first < 0 || last < first || last >= kMax) return std::nullopt;
    for (int cpu = first; cpu <= last; ++cpu) cpus.insert(cpu);
  }
  return cpus;
}

std::vector<Finding> examine(const SystemFiles& files, int cpu) {
  std::vector<Finding> findings;
  const auto status = files.read("/proc/self/status");
  if (!status) return findings;
  doctor::examine_processors(files, *status, cpu, findings);
  doctor::examine_memory(files, findings);
  doctor::examine_surroundings(files, findings);
  return findings;
}

MeasuredJitter measure_jitter(int cpu, double seconds) {
  cpu_set_t before;
  const bool pinned =
      cpu >= 0 && ::sched_getaffinity(0, sizeof before, &before) == 0 && pin_to_cpu(cpu);
  const double ns_per_tick = nanoseconds_per_tick();
  HdrHistogram gaps;
  const std::uint64_t begin = loose_ticks();
  const auto end = begin + static_cast<std::uint64_t>(seconds * 1e9 / ns_per_tick);
  JitterRecorder jitter(begin, ns_per_tick);
  for (std::uint64_t now = begin; static_cast<std::int64_t>(end - now) > 0; now = loose_ticks()) {
    jitter.turn(now, gaps);
  }
  if (pinned) ::sched_setaffinity(0, sizeof before, &before);
  return {jitter.gaps_per_second(), jitter.lost_share(), jitter.largest_ns()};
}

Finding judge_jitter(const MeasuredJitter& jitter) {
  constexpr double kShareMax = 0.001;
  constexpr double kGapMaxNs = 100'000;
  char found[200];
  std::snprintf(found, sizeof found,
                "%.0f gaps above 1 us a second, %.3f %% of the time, largest %.1f us",
                jitter.gaps_per_second, 100 * jitter.lost_share, jitter.largest_ns / 1e3);
  if (jitter.lost_share <= kShareMax && jitter.largest_ns <= kGapMaxNs) {
    return doctor::ok("jitter, measured", found);
  }
  return doctor::costs("jitter, measured", found,
                       "every request that falls into a gap waits for its end; this is the tail "
                       "that no program can go below here",
                       "mend what stands above, and measure again");
}

namespace {

const char* state_name(Finding::State state) {
  switch (state) {
    case Finding::State::kOk:
      return "ok";
    case Finding::State::kCosts:
      return "costs";
    default:
      return "unknown";
  }
}

}  // namespace

std::string doctor_text(const std::vector<Finding>& findings) {
  std::string text;
  const auto line = [&text](const std::string& state, const std::string& check,
                            const std::string& rest) {
    char head[64];
    std::snprintf(head, sizeof head, "%-8s %-18s ", state.c_str(), check.c_str());
    text += head + rest + "\n";
  };
  std::size_t costly = 0;
  for (const Finding& each : findings) {
    costly += each.state == Finding::State::kCosts ? 1 : 0;
    line(state_name(each.state), each.check, each.found);
    if (!each.cost.empty()) line("", "", "costs: " + each.cost);
    if (!each.fix.empty()) line("", "", "mend:  " + each.fix);
  }
  return text + "\n" + std::to_string(costly) + " of " + std::to_string(findings.size()) +
         " findings cost something\n";
}

std::string doctor_json(const std::vector<Finding>& findings, const MeasuredJitter& jitter) {
  std::string list;
  std::size_t costly = 0;
  for (const Finding& each : findings) {
    costly += each.state == Finding::State::kCosts ? 1 : 0;
    JsonObject finding;
    finding.add_text("check", each.check).add_text("state", state_name(each.state));
    finding.add_text("found", each.found).add_text("cost", each.cost).add_text("fix", each.fix);
    list += (list.empty() ? "" : ",") + finding.text();
  }
  JsonObject measured;
  measured.add_decimal("gaps_per_second", jitter.gaps_per_second, 3);
  measured.add_decimal("lost_share", jitter.lost_share, 6);
  measured.add_decimal("largest_ns", jitter.largest_ns, 0);
  JsonObject json;
  json.add("findings", "[" + list + "]").add("costly", costly).add("jitter", measured);
  return json.text();
}

}  // namespace shmatch::tools
