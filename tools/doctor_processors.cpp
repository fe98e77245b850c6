#include <algorithm>
#include <sstream>

#include "tools/doctor_parts.h"
#include "tools/whole_number.h"

namespace shmatch::tools::doctor {

namespace {

constexpr const char* kCpus = "/sys/devices/system/cpu/";

std::string cpu_text(int cpu) { return "cpu " + std::to_string(cpu); }

std::string cpu_folder(int cpu) { return kCpus + ("cpu" + std::to_string(cpu < 0 ? 0 : cpu)); }

std::set<int> cpus_in(const SystemFiles& files, const std::string& path) {
  return parse_cpu_list(files.read(path).value_or("")).value_or(std::set<int>{});
}

Finding check_processors(const std::set<int>& allowed, int cpu) {
  const std::string found = std::to_string(allowed.size()) + " for this process";
  if (cpu >= 0 && !allowed.contains(cpu)) {
    return costs(
        "processors", found + ", without " + cpu_text(cpu),
        "an engine with --cpu " + std::to_string(cpu) + " does not start",
        "choose another one, or widen the cpuset (taskset, cgroup) that this was started in");
  }
  if (allowed.size() < 2) {
    return costs("processors", found,
                 "engine and client take turns on one core: a round trip takes as long as the "
                 "scheduler pleases, milliseconds instead of a microsecond",
                 "use a machine with more cores, or start the engine with --idle yield or sleep");
  }
  if (allowed.size() == 2) {
    return costs(
        "processors", found,
        "a spinning engine and one spinning client fill them, and whatever else runs takes "
        "one of the two away for a while",
        "use a machine with more cores");
  }
  return ok("processors", found);
}

Finding check_isolation(const SystemFiles& files, int cpu) {
  const auto text = files.read(std::string(kCpus) + "isolated");
  const char* const cost =
      "other tasks may be put on the engine's core: gaps of microseconds to milliseconds";
  if (!text) return unknown("isolation", "the kernel does not say", cost);
  const std::set<int> isolated = parse_cpu_list(*text).value_or(std::set<int>{});
  if (cpu < 0 ? !isolated.empty() : isolated.contains(cpu)) {
    return ok("isolation", cpu < 0 ? "isolated: " + *text : cpu_text(cpu) + " is isolated");
  }
  const std::string number = cpu < 0 ? "N" : std::to_string(cpu);
  return costs("isolation", cpu < 0 ? "no core is isolated" : cpu_text(cpu) + " is not isolated",
               cost,
               "boot with isolcpus=" + number +
                   ", or make a cpuset with cpuset.cpus.partition = "
                   "isolated, and start the engine with --cpu " +
                   number);
}

Finding check_tick(const SystemFiles& files, int cpu) {
  const std::set<int> quiet = cpus_in(files, std::string(kCpus) + "nohz_full");
  if (cpu < 0 ? !quiet.empty() : quiet.contains(cpu)) {
    return ok("timer tick", cpu < 0 ? "off on some cores" : "off on " + cpu_text(cpu));
  }
  const std::string number = cpu < 0 ? "N" : std::to_string(cpu);
  return costs("timer tick", "on", "100 to 1000 gaps a second of a few microseconds",
               "boot with nohz_full=" + number + " rcu_nocbs=" + number +
                   ", where the kernel was built with NO_HZ_FULL");
}

// Tasks that run, or want to, and were last seen on the engine's core.
Finding check_company(const SystemFiles& files, int cpu) {
  constexpr std::size_t kState = 0;  // of the fields behind the name
  constexpr std::size_t kProcessor = 36;
  int running = 0;
  bool any = false;
  const std::string self = files.read("/proc/self/stat").value_or("").substr(0, 12);
  for (const std::string& name : files.list("/proc")) {
    int process = 0;
    if (!parse_whole(name, process) || self.starts_with(name + " ")) continue;
    const std::string stat = files.read("/proc/" + name + "/stat").value_or("");
    const std::size_t end = stat.rfind(')');  // a name may hold blanks and parentheses
    if (end == std::string::npos) continue;
    any = true;
    std::istringstream text(stat.substr(end + 1));
    std::vector<std::string> fields;
    for (std::string field; text >> field;) fields.push_back(field);
    if (fields.size() > kProcessor && fields[kState] == "R" &&
        fields[kProcessor] == std::to_string(cpu)) {
      ++running;
    }
  }
  const char* const cost = "the scheduler gives the core to each in turn: gaps of milliseconds";
  if (!any) return unknown("other tasks", "no task can be seen", cost);
  if (running == 0) return ok("other tasks", "none runs on " + cpu_text(cpu) + " just now");
  return costs("other tasks",
               std::to_string(running) + (running == 1 ? " process runs" : " processes run") +
                   " on " + cpu_text(cpu) + " just now",
               cost, "stop them, or keep them off it with taskset or a cpuset");
}

Finding check_siblings(const SystemFiles& files, int cpu) {
  const auto text = files.read(cpu_folder(cpu) + "/topology/thread_siblings_list");
  const char* const cost = "whatever runs on the sibling shares the core's caches and units";
  if (!text) return unknown("hyper-threads", "the machine does not say", cost);
  const std::size_t siblings = parse_cpu_list(*text).value_or(std::set<int>{}).size();
  if (siblings <= 1) return ok("hyper-threads", "each processor has a core of its own");
  return costs(
      "hyper-threads", cpu_text(cpu < 0 ? 0 : cpu) + " shares its core: " + *text, cost,
      "leave the sibling idle (isolate it, too), or echo off > /sys/devices/system/cpu/smt/"
      "control");
}

Finding check_governor(const SystemFiles& files, int cpu) {
  const auto governor = files.read(cpu_folder(cpu) + "/cpufreq/scaling_governor");
  const char* const cost = "the first round trips after a pause run at a lower frequency";
  if (!governor) {
    return unknown("governor", "the machine does not show it, as virtual machines do", cost);
  }
  if (*governor == "performance") return ok("governor", *governor);
  return costs("governor", *governor, cost, "cpupower frequency-set -g performance");
}

Finding check_boost(const SystemFiles& files) {
  const auto boost = files.read(std::string(kCpus) + "cpufreq/boost");
  const auto no_turbo = files.read(std::string(kCpus) + "intel_pstate/no_turbo");
  const char* const cost = "everything is slower by the ratio of the frequencies, though steadier";
  if (!boost && !no_turbo) return unknown("frequency boost", "the machine does not show it", cost);
  if (boost ? *boost == "1" : *no_turbo == "0") return ok("frequency boost", "on");
  return costs("frequency boost", "off", cost,
               boost ? "echo 1 > /sys/devices/system/cpu/cpufreq/boost"
                     : "echo 0 > /sys/devices/system/cpu/intel_pstate/no_turbo");
}

Finding check_clock(const SystemFiles& files) {
  const auto source =
      files.read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  const std::string flags = line_value(files.read("/proc/cpuinfo").value_or(""), "flags");
  if (!source)
    return unknown("clock source", "the kernel does not say",
                   "each reading of the clock may take a system call");
  const bool steady =
      flags.empty() || (has_word(flags, "constant_tsc") && has_word(flags, "nonstop_tsc"));
  if (!steady) {
    return costs("clock source", *source + ", and the processor's counter does not run steadily",
                 "the engine reads the kernel's clock instead, for each request",
                 "use another machine");
  }
  if (*source == "tsc" || *source == "kvm-clock" || *source == "arch_sys_counter") {
    return ok("clock source", *source);
  }
  return costs("clock source", *source,
               "clients' readings of the clock take a system call and a slow device",
               "boot with tsc=reliable, and look in the kernel's log why it was given up");
}

}  // namespace

void examine_processors(const SystemFiles& files, const std::string& status, int cpu,
                        std::vector<Finding>& findings) {
  const auto allowed = parse_cpu_list(line_value(status, "Cpus_allowed_list"));
  if (allowed && !allowed->empty()) {
    findings.push_back(check_processors(*allowed, cpu));
  } else {
    findings.push_back(unknown("processors", "the kernel does not say",
                               "with one processor engine and client take turns"));
  }
  findings.push_back(check_isolation(files, cpu));
  findings.push_back(check_tick(files, cpu));
  if (cpu >= 0) findings.push_back(check_company(files, cpu));
  findings.push_back(check_siblings(files, cpu));
  findings.push_back(check_governor(files, cpu));
  findings.push_back(check_boost(files));
  findings.push_back(check_clock(files));
}

}  // namespace shmatch::tools::doctor
