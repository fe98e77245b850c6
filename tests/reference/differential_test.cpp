// The fast engine against the plain reference on seeded random streams, after every command:
// replies, the events of each session, trades, best prices, depth, open orders.
//
// SHMATCH_SEED (default 1) is the first seed, SHMATCH_COMMANDS (default 24000) the number of
// commands of each profile. A difference is printed with its seed and the command's number, then
// with a stream made as short as it gets.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "core/check.h"
#include "tests/reference/lockstep.h"
#include "tests/reference/random_stream.h"

namespace shmatch::reference {

// What GoogleTest prints for a test's parameter.
static void PrintTo(const Profile& profile, std::ostream* out) { *out << profile.name; }

namespace {

constexpr std::uint64_t kStreamSize = 4000;
constexpr std::uint64_t kCommandsDefault = 24'000;
constexpr std::uint64_t kSeedDefault = 1;
constexpr int kShrinkRunsMax = 3000;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Where the run is, for the message of a broken invariant, which ends the process.
struct Place {
  const char* profile = "";
  std::uint64_t seed = 0;
  std::uint32_t command = 0;
};
Place place;

void print_broken_invariant(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: broken invariant %s; profile %s, seed %llu, command #%u\n", file,
               line, condition, place.profile, static_cast<unsigned long long>(place.seed),
               place.command);
}

struct Failure {
  std::uint32_t command = 0;
  std::string difference;
};

// Runs `commands` that apply; the first difference.
std::optional<Failure> run_again(const Profile& profile, const std::vector<Command>& commands) {
  Lockstep lockstep(profile.configuration, profile.observer(), profile.full_check_every);
  core::TimeNs now = 0;
  for (const Command& command : commands) {
    if (!lockstep.applicable(command)) continue;
    place.command = command.id;
    now = command.now;
    if (Difference difference = lockstep.apply(command)) return Failure{command.id, *difference};
  }
  if (Difference difference = lockstep.check_everything(now)) return Failure{0, *difference};
  return {};
}

// Leaves out ever smaller parts of a failing stream as long as it goes on failing.
std::vector<Command> shrink(const Profile& profile, std::vector<Command> commands) {
  int runs = 0;
  for (std::size_t part = commands.size() / 2; part > 0; part /= 2) {
    for (std::size_t begin = 0; begin < commands.size() && runs < kShrinkRunsMax;) {
      std::vector<Command> shorter = commands;
      const auto first = shorter.begin() + static_cast<std::ptrdiff_t>(begin);
      const std::size_t size = std::min(part, commands.size() - begin);
      shorter.erase(first, first + static_cast<std::ptrdiff_t>(size));
      ++runs;
      if (run_again(profile, shorter)) {
        commands = std::move(shorter);
      } else {
        begin += part;
      }
    }
  }
  return commands;
}

std::string story_of(const Profile& profile, std::uint64_t seed, const Failure& failure,
                     const std::vector<Command>& commands) {
  std::string text = std::string("profile ") + profile.name + ", seed " + std::to_string(seed) +
                     ", command #" + std::to_string(failure.command) + ": " + failure.difference +
                     "\nThe shortest stream found that shows a difference:\n";
  const std::vector<Command> shortest = shrink(profile, commands);
  for (const Command& command : shortest) text += "  " + to_text(command) + "\n";
  const std::optional<Failure> again = run_again(profile, shortest);
  return text +
         (again ? again->difference : "It does not fail again: the engine is not deterministic");
}

std::optional<std::string> run_stream(const Profile& profile, std::uint64_t seed,
                                      std::uint64_t size) {
  Lockstep lockstep(profile.configuration, profile.observer(), profile.full_check_every);
  RandomStream stream(profile, seed);
  std::vector<Command> commands;
  commands.reserve(size);
  while (commands.size() < size) {
    const Command command = stream.next();
    if (!lockstep.applicable(command)) continue;
    place = {profile.name, seed, command.id};
    commands.push_back(command);
    if (Difference difference = lockstep.apply(command)) {
      return story_of(profile, seed, {command.id, *difference}, commands);
    }
    stream.applied(command);
    if (lockstep.accepted()) stream.accepted();
  }
  if (Difference difference = lockstep.check_everything(commands.back().now)) {
    return story_of(profile, seed, {commands.back().id, *difference}, commands);
  }
  return {};
}

// All sessions of an engine may be swept at once, and no other command goes then.
TEST(RandomStreams, SweepWhereNoLogonGoes) {
  const std::vector<Profile> profiles = all_profiles();
  RandomStream stream(profiles.front(), kSeedDefault);
  bool swept = false;
  for (int i = 0; i < 1'000 && !swept; ++i) swept = stream.next().kind == Command::Kind::kSweep;
  EXPECT_TRUE(swept);
}

// Tests of the streams themselves: what they never reach, they cannot compare. All look at one run.
class Streams : public testing::Test {
 protected:
  using State = core::SessionState;
  using Kind = Command::Kind;

  static void SetUpTestSuite() {
    for (const Profile& profile : all_profiles()) {
      Lockstep lockstep(profile.configuration, profile.observer(), profile.full_check_every);
      RandomStream stream(profile, kSeedDefault);
      for (std::uint64_t i = 0; i < kStreamSize; ++i) {
        const Command command = stream.next();
        if (!lockstep.applicable(command)) continue;
        inputs_.insert({lockstep.fast().session(command.slot).state, command.kind});
        ASSERT_EQ(lockstep.apply(command), Difference()) << profile.name;
        stream.applied(command);
        if (lockstep.accepted()) stream.accepted();
        refusals_.insert(lockstep.refusal().detail);
        if (command.replacement && lockstep.accepted()) ++replaced_;
      }
      // An engine that stops early trades little.
      if (profile.stop_permyriad > 0) continue;
      EXPECT_GT(lockstep.fast().trade_count(), kStreamSize / 200) << profile.name;
    }
  }

  static inline std::set<core::Detail> refusals_;
  static inline std::uint64_t replaced_ = 0;
  static inline std::set<std::pair<State, Kind>> inputs_;  // and the state of the session
};

TEST_F(Streams, reach_every_refusal_that_the_engine_can_give) {
  for (auto detail = core::Detail::kStopping; detail <= core::kDetailLast;
       detail = static_cast<core::Detail>(static_cast<int>(detail) + 1)) {
    // Every working order can be cancelled, order ids last for longer than any stream, and what is
    // malformed does not reach an engine.
    if (detail == core::Detail::kNotCancellable || detail == core::Detail::kMaxOrderIds ||
        detail == core::Detail::kMalformed) {
      continue;
    }
    EXPECT_TRUE(refusals_.contains(detail)) << "never seen: " << static_cast<int>(detail);
  }
}

TEST_F(Streams, replace_orders) { EXPECT_GT(replaced_, kStreamSize / 20); }

TEST_F(Streams, take_sessions_through_every_state_and_every_input) {
  for (const auto& [state, kind] :
       {std::pair(State::kFree, Kind::kLogon), std::pair(State::kOpen, Kind::kRequest),
        std::pair(State::kOpen, Kind::kEndSession), std::pair(State::kOpen, Kind::kRestart),
        std::pair(State::kOrphaned, Kind::kResume), std::pair(State::kOrphaned, Kind::kEndSession),
        std::pair(State::kDetached, Kind::kResume),
        std::pair(State::kDetached, Kind::kForgetSession),
        std::pair(State::kSweeping, Kind::kSweep)}) {
    EXPECT_TRUE(inputs_.contains({state, kind})) << "never: command " << static_cast<int>(kind)
                                                 << " in session state " << static_cast<int>(state);
  }
}

class Differential : public testing::TestWithParam<Profile> {};

TEST_P(Differential, the_engine_does_what_the_reference_does) {
  core::check_handler = print_broken_invariant;
  const std::uint64_t seed = from_environment("SHMATCH_SEED", kSeedDefault);
  const std::uint64_t commands = from_environment("SHMATCH_COMMANDS", kCommandsDefault);
  for (std::uint64_t stream = 0; stream * kStreamSize < commands; ++stream) {
    const std::optional<std::string> story = run_stream(GetParam(), seed + stream, kStreamSize);
    ASSERT_FALSE(story.has_value()) << *story;
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, Differential, testing::ValuesIn(all_profiles()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace shmatch::reference
