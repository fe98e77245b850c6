// doctor on machines that are made up: trees of files in the places of /proc and /sys.
#include "tools/doctor.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "tests/support/json_member.h"
#include "tests/unit/test_server.h"

namespace shmatch::tools {
namespace {

using State = Finding::State;
using Files = std::map<std::string, std::string>;

// A machine on which nothing is wrong for an engine on cpu 3.
Files good_machine() {
  const std::string cpu = "sys/devices/system/cpu/";
  return {
      {"proc/self/status", "Name:\tshmatch\nCpus_allowed_list:\t0-7\n"},
      {"proc/self/stat", "900 (shmatch) R 1"},
      {"proc/self/limits", "Limit  Soft Limit\nMax locked memory   8388608   8388608   bytes\n"},
      {"proc/self/cgroup", "0::/engines/one\n"},
      {"proc/900/stat",
       "900 (shmatch) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 1 1 1 1 1 1 1 "
       "1 0 0 0 0 0 0 0 17 3 0 0\n"},
      {"proc/7/stat",
       "7 (a (strange) name) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 1 1 1 1 1 "
       "1 1 1 0 0 0 0 0 0 0 17 3 0 0\n"},
      {"proc/cpuinfo", "flags\t\t: fpu constant_tsc nonstop_tsc\n"},
      {"proc/stat", "cpu  1000 0 1000 8000 0 0 0 0 0 0\ncpu0 1 2\n"},
      {"proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"},
      {"proc/sys/vm/nr_hugepages", "0\n"},
      {"proc/sys/vm/overcommit_memory", "0\n"},
      {"sys/fs/cgroup/engines/one/cpu.max", "max 100000\n"},
      {"sys/fs/cgroup/engines/cpu.max", "max 100000\n"},
      {cpu + "isolated", "2-3\n"},
      {cpu + "nohz_full", "2-3\n"},
      {cpu + "cpu3/topology/thread_siblings_list", "3\n"},
      {cpu + "cpu3/cpufreq/scaling_governor", "performance\n"},
      {cpu + "cpufreq/boost", "1\n"},
      {"sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
      {"sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"},
      {"sys/kernel/mm/transparent_hugepage/shmem_enabled",
       "always [within_size] advise never deny force\n"}};
}

class Machine {
 public:
  explicit Machine(const Files& files) {
    for (const auto& [name, text] : files) {
      const std::filesystem::path path = folder_.file(name);
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path) << text;
    }
  }
  std::vector<Finding> examined(int cpu) const {
    return examine(SystemFiles(folder_.file("")), cpu);
  }

 private:
  TemporaryFolder folder_;
};

Finding find(const std::vector<Finding>& findings, const std::string& check) {
  for (const Finding& each : findings) {
    if (each.check == check) return each;
  }
  ADD_FAILURE() << "no finding " << check;
  return {};
}

// Cost and remedy belong to what costs something, and to nothing that is well.
void expect_complete(const Finding& finding) {
  EXPECT_FALSE(finding.found.empty()) << finding.check;
  EXPECT_EQ(finding.cost.empty(), finding.state == State::kOk) << finding.check;
  EXPECT_EQ(finding.fix.empty(), finding.state != State::kCosts) << finding.check;
}

TEST(Doctor, FindsNothingOnAGoodMachine) {
  const std::vector<Finding> findings = Machine(good_machine()).examined(3);
  EXPECT_EQ(findings.size(), 15U);
  for (const Finding& each : findings) {
    EXPECT_EQ(each.state, State::kOk) << each.check << ": " << each.found;
    expect_complete(each);
  }
}

struct Change {
  const char* file;
  const char* text;   // null: the file is missing
  const char* check;  // the finding that changes, alone
  State state;
  const char* found;  // words of it
};

class DoctorChange : public testing::TestWithParam<Change> {};

TEST_P(DoctorChange, IsSeenInOneFindingAlone) {
  const Change& change = GetParam();
  Files files = good_machine();
  files.erase(change.file);
  if (change.text != nullptr) files[change.file] = change.text;
  const std::vector<Finding> findings = Machine(files).examined(3);
  for (const Finding& each : findings) {
    expect_complete(each);
    EXPECT_EQ(each.state, each.check == change.check ? change.state : State::kOk) << each.check;
  }
  const Finding changed = find(findings, change.check);
  EXPECT_NE(changed.found.find(change.found), std::string::npos) << changed.found;
}

constexpr const char* kSiblings = "sys/devices/system/cpu/cpu3/topology/thread_siblings_list";
constexpr const char* kGovernor = "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor";
constexpr const char* kClock = "sys/devices/system/clocksource/clocksource0/current_clocksource";
constexpr const char* kShmem = "sys/kernel/mm/transparent_hugepage/shmem_enabled";

INSTANTIATE_TEST_SUITE_P(
    Changes, DoctorChange,
    testing::Values(
        Change{"proc/self/status", "Cpus_allowed_list:\t3\n", "processors", State::kCosts, "1 for"},
        Change{"proc/self/status", "Cpus_allowed_list:\t2-3\n", "processors", State::kCosts,
               "2 for"},
        Change{"proc/self/status", "Cpus_allowed_list:\t0-2\n", "processors", State::kCosts,
               "without cpu 3"},
        Change{"proc/self/status", "Name: x\n", "processors", State::kUnknown, "not say"},
        Change{"sys/devices/system/cpu/isolated", "2\n", "isolation", State::kCosts,
               "not isolated"},
        Change{"sys/devices/system/cpu/isolated", "\n", "isolation", State::kCosts, "not isolated"},
        Change{"sys/devices/system/cpu/isolated", nullptr, "isolation", State::kUnknown, "not say"},
        Change{"sys/devices/system/cpu/nohz_full", "(null)\n", "timer tick", State::kCosts, "on"},
        Change{"sys/devices/system/cpu/nohz_full", nullptr, "timer tick", State::kCosts, "on"},
        Change{"proc/7/stat",
               "7 (a (strange) name) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 1 1 1 1 1 1 1 1 0 0 "
               "0 0 0 0 0 17 3 0 0\n",
               "other tasks", State::kCosts, "1 process runs"},
        Change{kSiblings, "3,7\n", "hyper-threads", State::kCosts, "3,7"},
        Change{kSiblings, nullptr, "hyper-threads", State::kUnknown, "not say"},
        Change{kGovernor, "powersave\n", "governor", State::kCosts, "powersave"},
        Change{kGovernor, nullptr, "governor", State::kUnknown, "virtual"},
        Change{"sys/devices/system/cpu/cpufreq/boost", "0\n", "frequency boost", State::kCosts,
               "off"},
        Change{kClock, "hpet\n", "clock source", State::kCosts, "hpet"},
        Change{kClock, nullptr, "clock source", State::kUnknown, "not say"},
        Change{"proc/cpuinfo", "flags : fpu constant_tsc\n", "clock source", State::kCosts,
               "steadily"},
        Change{"sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n",
               "huge pages", State::kCosts, "never"},
        Change{kShmem, "always within_size [advise] never deny force\n", "shared huge pages",
               State::kCosts, "advise"},
        Change{"proc/sys/vm/nr_hugepages", "512\n", "reserved pages", State::kOk, "512"},
        Change{"proc/swaps", "Filename Type\n/dev/sda2 partition 1 0 -2\n", "memory lock",
               State::kCosts, "8388608 bytes; there is swap"},
        Change{"proc/sys/vm/overcommit_memory", "2\n", "overcommit", State::kCosts, "strict"},
        Change{"sys/fs/cgroup/engines/one/cpu.max", "50000 100000\n", "cgroup quota", State::kCosts,
               "50000 us"},
        Change{"sys/fs/cgroup/engines/cpu.max", "150000 100000\n", "cgroup quota", State::kCosts,
               "150000 us"},
        Change{"proc/stat", "cpu  1000 0 1000 7000 0 0 0 1000 0 0\n", "virtual machine",
               State::kCosts, "10.00 %"},
        Change{"proc/cpuinfo", "flags : constant_tsc nonstop_tsc hypervisor\n", "virtual machine",
               State::kUnknown, "yes"}));

TEST(Doctor, OldCgroupsHaveQuotasToo) {
  Files files = good_machine();
  files["proc/self/cgroup"] = "4:cpu,cpuacct:/box\n3:cpuset:/\n0::/\n";
  files["sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us"] = "20000\n";
  files["sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us"] = "100000\n";
  const Finding quota = find(Machine(files).examined(3), "cgroup quota");
  EXPECT_EQ(quota.state, State::kCosts);
  EXPECT_NE(quota.found.find("20000 us of processor time in each 100000 us"), std::string::npos);
  files["sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us"] = "-1\n";
  EXPECT_EQ(find(Machine(files).examined(3), "cgroup quota").state, State::kOk);
}

TEST(Doctor, WithoutACpuItAsksInGeneral) {
  Files files = good_machine();
  const std::vector<Finding> findings = Machine(files).examined(-1);
  EXPECT_EQ(find(findings, "isolation").found, "isolated: 2-3");
  for (const Finding& each : findings) EXPECT_NE(each.check, "other tasks");
  files["sys/devices/system/cpu/isolated"] = "\n";
  EXPECT_EQ(find(Machine(files).examined(-1), "isolation").state, State::kCosts);
}

TEST(Doctor, AMachineThatSaysNothingIsUnknownThroughout) {
  const std::vector<Finding> findings =
      Machine(Files{{"proc/self/status", "Name: x\n"}}).examined(3);
  for (const Finding& each : findings) expect_complete(each);
  EXPECT_EQ(find(findings, "huge pages").state, State::kUnknown);
  EXPECT_EQ(find(findings, "memory lock").state, State::kUnknown);
  EXPECT_TRUE(Machine(Files{{"proc/none", ""}}).examined(3).empty());
}

TEST(Doctor, ListsOfProcessorsAreRead) {
  EXPECT_EQ(parse_cpu_list("0-2,5"), (std::set<int>{0, 1, 2, 5}));
  EXPECT_EQ(parse_cpu_list("7"), std::set<int>{7});
  EXPECT_EQ(parse_cpu_list(""), std::set<int>{});
  for (const char* text : {"x", "1-", "-1", "3-1", "1-99999999", "(null)"}) {
    EXPECT_FALSE(parse_cpu_list(text)) << text;
  }
}

TEST(Doctor, JitterIsJudged) {
  EXPECT_EQ(judge_jitter({100, 0.0001, 20'000}).state, State::kOk);
  EXPECT_EQ(judge_jitter({100, 0.0001, 2'000'000}).state, State::kCosts);
  EXPECT_EQ(judge_jitter({100, 0.02, 20'000}).state, State::kCosts);
}

TEST(Doctor, PrintsWhatItFound) {
  Files files = good_machine();
  files[kGovernor] = "powersave\n";
  const std::vector<Finding> findings = Machine(files).examined(3);
  const std::string text = doctor_text(findings);
  EXPECT_NE(text.find("costs    governor           powersave\n"), std::string::npos) << text;
  EXPECT_NE(text.find("mend:  cpupower"), std::string::npos);
  EXPECT_NE(text.find("1 of 15 findings cost something"), std::string::npos);
  const JsonValue json = parsed(doctor_json(findings, {1, 0.5, 3}));
  EXPECT_EQ(member(json, "costly").text, "1");
  EXPECT_EQ(member(json, "findings").items.size(), 15U);
  EXPECT_EQ(member(json, "jitter.largest_ns").text, "3");
}

}  // namespace
}  // namespace shmatch::tools
