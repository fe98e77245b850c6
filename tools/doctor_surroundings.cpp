// The part of `examine` that is about memory, cgroups and the hypervisor.
#include <cstdio>
#include <sstream>

#include "tools/doctor_parts.h"
#include "tools/whole_number.h"

namespace shmatch::tools::doctor {

namespace {

Finding check_huge_pages(const SystemFiles& files) {
  const auto text = files.read("/sys/kernel/mm/transparent_hugepage/enabled");
  const char* const cost =
      "the book and the index lie on 4 KiB pages: with many orders lookups miss the "
      "processor's translation cache";
  if (!text) return unknown("huge pages", "the kernel does not say", cost);
  const std::string mode = chosen(*text);
  if (mode == "always" || mode == "madvise") return ok("huge pages", mode);
  return costs("huge pages", mode, cost,
               "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
}

Finding check_shared_huge_pages(const SystemFiles& files) {
  const auto text = files.read("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
  const char* const cost =
      "rings lie on 4 KiB pages: little for rings of the usual size, more with many sessions or "
      "large rings";
  if (!text) return unknown("shared huge pages", "the kernel does not say", cost);
  const std::string mode = chosen(*text);
  if (mode == "always" || mode == "within_size" || mode == "force") {
    return ok("shared huge pages", mode);
  }
  return costs("shared huge pages", mode, cost,
               "echo within_size > /sys/kernel/mm/transparent_hugepage/shmem_enabled");
}

Finding check_reserved_pages(const SystemFiles& files) {
  const auto text = files.read("/proc/sys/vm/nr_hugepages");
  std::uint64_t pages = 0;
  if (!text || !parse_whole(*text, pages)) {
    return unknown("reserved pages", "the kernel does not say", "nothing: transparent ones do");
  }
  if (pages == 0) return ok("reserved pages", "none; transparent ones do");
  return ok("reserved pages", *text + " huge pages, taken by an engine that fits into them");
}

Finding check_memory_lock(const SystemFiles& files) {
  const std::string limits = files.read("/proc/self/limits").value_or("");
  const std::string limit = line_value(limits, "Max locked memory");
  const auto swaps = files.read("/proc/swaps");
  const char* const cost =
      "when memory is short, pages of the engine may be written out, and a request that needs one "
      "waits for the disk, milliseconds";
  if (!swaps && limit.empty()) return unknown("memory lock", "the kernel does not say", cost);
  const std::string soft = limit.substr(0, limit.find(' '));
  const std::string found = "limit " + (soft.empty()          ? "unknown"
                                        : soft == "unlimited" ? soft
                                                              : soft + " bytes");
  // The first line is a heading.
  const bool swap = swaps && swaps->find('\n') != std::string::npos;
  if (!swap && swaps) return ok("memory lock", found + "; there is no swap");
  if (soft == "unlimited") return ok("memory lock", found);
  return costs("memory lock", found + (swap ? "; there is swap" : ""), cost,
               "swapoff -a, or run the engine in a cgroup with memory.swap.max = 0; ulimit -l "
               "unlimited for programs that lock their memory");
}

Finding check_overcommit(const SystemFiles& files) {
  const auto mode = files.read("/proc/sys/vm/overcommit_memory");
  const char* const cost =
      "a start, or a logon, may be refused for want of memory although much of it is free";
  if (!mode) return unknown("overcommit", "the kernel does not say", cost);
  if (*mode != "2") return ok("overcommit", "mode " + *mode);
  return costs("overcommit", "mode 2, strict", cost, "sysctl vm.overcommit_memory=0");
}

struct CgroupLine {
  std::string controllers;  // empty for version 2
  std::string path;
};

std::vector<CgroupLine> cgroups(const SystemFiles& files) {
  std::vector<CgroupLine> lines;
  std::istringstream text(files.read("/proc/self/cgroup").value_or(""));
  for (std::string line; std::getline(text, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    lines.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return lines;
}

std::string quota_text(const std::string& quota, const std::string& period) {
  return quota + " us of processor time in each " + period + " us";
}

// A limit of the cgroup at `path` or of one above it; empty for none. `seen` when there was a file.
std::string quota_of(const SystemFiles& files, const CgroupLine& cgroup, bool& seen) {
  for (std::string path = cgroup.path;; path.resize(path.rfind('/'))) {
    if (path == "/") path.clear();
    if (cgroup.controllers.empty()) {
      for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        const auto text = files.read(mount + path + "/cpu.max");
        if (!text) continue;
        seen = true;
        const std::size_t blank = text->find(' ');
        if (blank != std::string::npos && !text->starts_with("max")) {
          return quota_text(text->substr(0, blank), text->substr(blank + 1));
        }
      }
    } else if (("," + cgroup.controllers + ",").find(",cpu,") != std::string::npos) {
      for (const std::string mount : {"cpu", "cpu,cpuacct"}) {
        const std::string folder = "/sys/fs/cgroup/" + mount + path;
        const auto quota = files.read(folder + "/cpu.cfs_quota_us");
        if (!quota) continue;
        seen = true;
        if (!quota->starts_with('-')) {
          return quota_text(*quota, files.read(folder + "/cpu.cfs_period_us").value_or("?"));
        }
      }
    }
    if (path.empty()) return {};
  }
}

Finding check_quota(const SystemFiles& files) {
  bool seen = false;
  for (const CgroupLine& cgroup : cgroups(files)) {
    const std::string quota = quota_of(files, cgroup, seen);
    if (quota.empty()) continue;
    return costs("cgroup quota", quota,
                 "an engine that spins uses it up and then stands still until the period is over, "
                 "up to a tenth of a second, again and again",
                 "echo max > cpu.max in that cgroup (a container's --cpus), and use a cpuset");
  }
  // The topmost cgroup has no such file, because it has no limit.
  return ok("cgroup quota", seen ? "none" : "none that can be seen");
}

Finding check_steal(const SystemFiles& files) {
  constexpr std::size_t kSteal = 7;
  constexpr double kShareMax = 0.001;
  const auto stat = files.read("/proc/stat");
  const bool machine =
      has_word(line_value(files.read("/proc/cpuinfo").value_or(""), "flags"), "hypervisor");
  const char* const cost = "the host gives the core to others: gaps that nothing in here can mend";
  if (!stat) return unknown("virtual machine", "the kernel does not say", cost);
  std::istringstream text(line_value(*stat, "cpu "));
  double all = 0;
  double steal = 0;
  double value = 0;
  for (std::size_t i = 0; i <= kSteal && text >> value; ++i) {
    all += value;
    if (i == kSteal) steal = value;
  }
  const double share = all > 0 ? steal / all : 0;
  char found[120];
  std::snprintf(found, sizeof found, "%s, %.2f %% of the time since its start was stolen",
                machine ? "yes" : "none seen", 100 * share);
  if (share > kShareMax) {
    return costs("virtual machine", found, cost,
                 "use a machine of your own, or one whose host promises whole cores");
  }
  if (machine) return unknown("virtual machine", found, cost);
  return ok("virtual machine", found);
}

}  // namespace

void examine_memory(const SystemFiles& files, std::vector<Finding>& findings) {
  findings.push_back(check_huge_pages(files));
  findings.push_back(check_shared_huge_pages(files));
  findings.push_back(check_reserved_pages(files));
  findings.push_back(check_memory_lock(files));
  findings.push_back(check_overcommit(files));
}

void examine_surroundings(const SystemFiles& files, std::vector<Finding>& findings) {
  findings.push_back(check_quota(files));
  findings.push_back(check_steal(files));
}

}  // namespace shmatch::tools::doctor
