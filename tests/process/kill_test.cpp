// Engines that are killed at any instant, on files that lose their power as well: nothing that was
// acknowledged is lost with durability sync, nothing is done twice, and what comes back is what the
// journal says.
//
//   SHMATCH_KILL_ROUNDS=2000 build/release/bin/kill_test --gtest_filter='Kill.AtRandom*'
//   SHMATCH_KILL_SEED=77     where the rounds' seeds start; a round that fails names its own
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "ipc/journal_steps.h"
#include "tests/process/kill_run.h"
#include "tests/support/power_cut_layer.h"

namespace shmatch::process_test {
namespace {

constexpr std::uint64_t kRounds = 60;
constexpr std::uint64_t kLivesEach = 10;  // on one journal

std::uint64_t environment(const char* name, std::uint64_t usual) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : usual;
}

std::string text_of(const Findings& findings) {
  std::string text;
  for (const std::string& fault : findings.faults) text += fault + "\n";
  return text;
}

// What many rounds come to.
struct Sum {
  std::uint64_t deaths = 0;
  std::uint64_t inputs = 0;
  std::uint64_t reports = 0;
  std::uint64_t resumptions = 0;
  std::uint64_t lost_inputs = 0;
  core::TimeNs lost_time_max = 0;

  void add(const Findings& findings) {
    ++deaths;
    reports += findings.reports;
    lost_inputs += findings.lost_inputs;
    lost_time_max = std::max(lost_time_max, findings.lost_time);
  }
  void print() const {
    std::printf(
        "%llu deaths, %llu inputs, %llu comparisons of reports, %llu resumptions; %llu "
        "acknowledged inputs lost, at most the last %.3f ms\n",
        static_cast<unsigned long long>(deaths), static_cast<unsigned long long>(inputs),
        static_cast<unsigned long long>(reports), static_cast<unsigned long long>(resumptions),
        static_cast<unsigned long long>(lost_inputs), static_cast<double>(lost_time_max) / 1e6);
  }
};

// One journal through up to `rounds` deaths and a clean end.
void die_and_end(KillRun& run, std::uint64_t rounds, Sum& sum) {
  Findings findings;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    EnginePlan plan = run.random_plan();
    const bool recovers = findings.last_sequence != 0;
    if (recovers && run.random().one_in(4)) plan.dies_at = random_recovery_step(run.random());
    findings = run.live(plan, run.random_death());
    ASSERT_TRUE(findings.faults.empty()) << "life " << round << ": " << text_of(findings);
    sum.add(findings);
  }
  findings = run.end(run.plan());
  ASSERT_TRUE(findings.faults.empty()) << "the end: " << text_of(findings);
  sum.inputs += findings.last_sequence;
  for (const SessionStory& story : run.stories()) sum.resumptions += story.resumptions;
}

Sum die_at_random(std::uint64_t rounds, ipc::Durability durability, Clients clients) {
  Sum sum;
  for (std::uint64_t seed = environment("SHMATCH_KILL_SEED", 1); sum.deaths < rounds; ++seed) {
    SCOPED_TRACE("SHMATCH_KILL_SEED=" + std::to_string(seed));
    KillRun run(seed, durability, clients);
    die_and_end(run, std::min(kLivesEach, rounds - sum.deaths), sum);
    if (testing::Test::HasFatalFailure()) break;
  }
  sum.print();
  return sum;
}

std::uint64_t rounds() { return environment("SHMATCH_KILL_ROUNDS", kRounds); }

TEST(Kill, AtRandomInstantsLosesAndDoublesNothing) {
  const Sum sum = die_at_random(rounds(), ipc::Durability::kSync, Clients::kFresh);
  EXPECT_EQ(sum.lost_inputs, 0U);
}

TEST(Kill, OfEnginesAndClientsThatResumeLosesAndDoublesNothing) {
  const Sum sum = die_at_random(rounds() / 2, ipc::Durability::kSync, Clients::kResuming);
  EXPECT_EQ(sum.lost_inputs, 0U);
  EXPECT_GT(sum.resumptions, sum.deaths / 2);
}

TEST(Kill, InAsyncLosesOnlyWhatCameLast) {
  const Sum sum = die_at_random(rounds() / 4, ipc::Durability::kAsync, Clients::kFresh);
  EXPECT_GT(sum.reports, 0U);
}

TEST(Kill, InAsyncIsToldToClientsThatResume) {
  const Sum sum = die_at_random(rounds() / 4, ipc::Durability::kAsync, Clients::kResuming);
  EXPECT_GT(sum.resumptions, 0U);
}

// The program as it is shipped, on the kernel's own files: only the process dies.
void kill_program(ipc::Durability durability) {
  KillRun run(environment("SHMATCH_KILL_SEED", 1), durability);
  Sum sum;
  Findings findings;
  for (int life = 0; life < 5; ++life) {
    EnginePlan plan = run.random_plan();
    plan.program = true;
    plan.remove_old_segments = false;  // the judge wants them all
    findings = run.live(plan, {.replies = run.random().below(4000), .disk = Disk::kWhole});
    ASSERT_TRUE(findings.faults.empty()) << "life " << life << ": " << text_of(findings);
    sum.add(findings);
  }
  EnginePlan plan = run.plan();
  plan.program = true;
  findings = run.end(plan);
  ASSERT_TRUE(findings.faults.empty()) << text_of(findings);
  sum.inputs = findings.last_sequence;
  sum.print();
}

TEST(Kill, OfShmatchdInSyncLosesAndDoublesNothing) { kill_program(ipc::Durability::kSync); }

TEST(Kill, OfShmatchdInAsyncLosesOnlyWhatCameLast) { kill_program(ipc::Durability::kAsync); }

// ---- named steps

class KillAt : public testing::TestWithParam<const char*> {
 protected:
  bool in(std::string_view part) const { return std::string_view(GetParam()).starts_with(part); }

  // The engine dies there, comes back, dies again, and ends.
  void die(std::uint32_t occurrence, Disk disk) {
    KillRun run(environment("SHMATCH_KILL_SEED", 1) + occurrence);
    EnginePlan plan = run.plan();
    if (in("recovery.")) {
      const Findings before = run.live(plan, {.replies = 1000, .disk = Disk::kSome});
      ASSERT_TRUE(before.faults.empty()) << "before: " << text_of(before);
    }
    if (in("snapshot.") || in("file.")) {
      plan.snapshot_every = 300;
      plan.at_leisure = true;
    }
    plan.remove_old_segments = in("file.");
    plan.dies_at = GetParam();
    plan.occurrence = occurrence;
    Findings findings = run.live(plan, {.replies = 0, .disk = disk});
    ASSERT_TRUE(findings.faults.empty()) << text_of(findings);
    findings = run.live(run.plan(), {.replies = 500, .disk = Disk::kUnsynced});
    ASSERT_TRUE(findings.faults.empty()) << "after: " << text_of(findings);
    findings = run.end(run.plan());
    ASSERT_TRUE(findings.faults.empty()) << "the end: " << text_of(findings);
  }
};

TEST_P(KillAt, LosesAndDoublesNothing) {
  for (const Disk disk : {Disk::kWhole, Disk::kUnsynced, Disk::kSome}) {
    for (const std::uint32_t occurrence : {1U, 3U}) {
      // An engine recovers once.
      if (in("recovery.") && occurrence > 1) continue;
      SCOPED_TRACE("occurrence " + std::to_string(occurrence) + ", disk " +
                   std::to_string(static_cast<int>(disk)));
      die(occurrence, disk);
    }
  }
}

std::string name_of_step(const testing::TestParamInfo<const char*>& step) {
  std::string name = step.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Steps, KillAt, testing::ValuesIn(ipc::steps::kAll), name_of_step);

// A person, or an engine that died at once, has made the folder: its name is not durable yet.
TEST(Kill, OfAnEngineInAFolderThatWasMadeBeforeLosesNothing) {
  KillRun run(1);
  tests::PowerCutLayer files(run.plan().root);
  ASSERT_EQ(files.make_folder(tests::journal_folder(run.plan().root)), 0);
  const Findings findings = run.live(run.plan(), {.replies = 300, .disk = Disk::kUnsynced});
  EXPECT_TRUE(findings.faults.empty()) << text_of(findings);
}

// ---- that these tests can fail

TEST(KillJudge, SeesThatADiskLied) {
  KillRun run(1);
  EnginePlan plan = run.plan();
  plan.pretend_syncs = true;
  const Findings findings = run.live(plan, {.replies = 300, .disk = Disk::kUnsynced});
  ASSERT_FALSE(findings.faults.empty());
  EXPECT_TRUE(findings.faults.back().starts_with("lost: ")) << text_of(findings);
  EXPECT_GT(findings.lost_inputs, 0U);
}

class KillJudgeOf : public testing::Test {
 protected:
  void SetUp() override {
    // An engine may die before it has come to writing a digest mark, and then lives again.
    Findings findings;
    for (int life = 0; life < 20 && findings.marks == 0; ++life) {
      findings = run_.live(run_.plan(), {.replies = 500});
      ASSERT_TRUE(findings.faults.empty()) << text_of(findings);
    }
    const auto& stories = run_.stories();
    // A trader's, not the operator's.
    story_ = std::ranges::find_if(stories, [](const SessionStory& story) {
      return story.inputs.size() > 20 && story.heard.size() > 20;
    });
    ASSERT_NE(story_, stories.end());
  }

  Findings judge() {
    return judge_journal(tests::journal_folder(run_.plan().root),
                         tests::removed_folder(run_.plan().root), run_.stories());
  }
  SessionStory& story() { return const_cast<SessionStory&>(*story_); }

  KillRun run_{1};
  std::vector<SessionStory>::const_iterator story_;
};

TEST_F(KillJudgeOf, AnHonestRunFindsNothing) {
  const Findings findings = judge();
  EXPECT_TRUE(findings.faults.empty()) << text_of(findings);
  EXPECT_GT(findings.reports, 500U);
  EXPECT_GT(findings.answers, 0U);
  EXPECT_GT(findings.marks, 0U);
}

TEST_F(KillJudgeOf, OneBitSeesIt) {
  story().heard[10].report.words[3] ^= 1;
  EXPECT_FALSE(judge().faults.empty());
}

TEST_F(KillJudgeOf, AMissingReportSeesIt) {
  story().heard.erase(story().heard.begin() + 10);
  EXPECT_FALSE(judge().faults.empty());
}

TEST_F(KillJudgeOf, AReportHeardTwiceSeesIt) {
  story().heard.insert(story().heard.begin() + 10, story().heard[10]);
  EXPECT_FALSE(judge().faults.empty());
}

TEST_F(KillJudgeOf, ARequestThatNobodySentSeesIt) {
  story().inputs.erase(story().inputs.begin() + 5);
  EXPECT_FALSE(judge().faults.empty());
}

TEST_F(KillJudgeOf, AReportOfALaterInputCountsItAsLost) {
  // Behind a clean end, where clients have heard everything.
  const Findings whole = run_.end(run_.plan());
  ASSERT_TRUE(whole.faults.empty()) << text_of(whole);
  story_ = std::prev(run_.stories().end());
  ASSERT_FALSE(story_->heard.empty());
  Report later = story().heard.back().report;
  later.words[1] += 1'000'000;
  story().heard.push_back({later});
  const Findings findings = judge();
  EXPECT_TRUE(findings.faults.empty()) << text_of(findings);
  EXPECT_EQ(findings.lost_reports, 1U);
}

}  // namespace
}  // namespace shmatch::process_test
