// The control thread's picture of the slots: what it finds after a restart, and notices that arrive
// late.
#include "ipc/session_registry.h"

#include <gtest/gtest.h>

#include <string>

#include "ipc/logon.h"
#include "ipc/replica.h"
#include "tests/unit/test_server.h"

namespace shmatch::ipc {
namespace {

using Answer = SessionRegistry::Answer;

constexpr core::EngineRun kFirstRun{1, 77};

core::Logon logon(core::UserId user, const std::string& name = "", bool cancels = false) {
  core::Logon result{.user_id = user, .cancel_on_disconnect = cancels, .resumable = !name.empty()};
  set_text(result.name, name);
  return result;
}

// A core whose sessions a test puts into the states that it needs; four slots.
class SessionRegistryTest : public testing::Test {
 protected:
  SessionRegistryTest() {
    const Fault fault = state_.create(small_configuration());
    EXPECT_FALSE(fault) << fault.text;
  }
  core::MatchingEngine& engine() { return state_.engine(); }
  static SessionRegistry::Admission admit(SessionRegistry& registry, std::uint64_t owner,
                                          const core::Logon& logon, bool resume = false,
                                          const Mark& seen = {},
                                          const core::EngineRun& seen_run = kFirstRun) {
    return registry.admit(owner, logon, resume, seen, seen_run);
  }
  // Logs on as the control thread does.
  static core::SessionSlot open(SessionRegistry& registry, std::uint64_t owner,
                                const core::Logon& logon, bool resume = false) {
    const auto admission = admit(registry, owner, logon, resume);
    registry.open(admission.slot);
    return admission.slot;
  }

  Replica state_{ReplicaOptions{.hash_salt = 1, .window_slots = 256}};
};

TEST_F(SessionRegistryTest, AFreshEngineHasAllSlotsFree) {
  SessionRegistry registry(engine(), {kFirstRun});
  EXPECT_TRUE(registry.at_rest());
  for (std::uint64_t owner = 1; owner <= 4; ++owner) {
    const auto admission = admit(registry, owner, logon(kAliceUser));
    EXPECT_EQ(admission.answer, Answer::kFresh);
    EXPECT_EQ(admission.slot, owner - 1);
    EXPECT_FALSE(registry.open(admission.slot));
  }
  EXPECT_EQ(admit(registry, 5, logon(kAliceUser)).answer, Answer::kFull);
  EXPECT_FALSE(registry.at_rest());
  registry.ended(2);
  EXPECT_EQ(admit(registry, 5, logon(kAliceUser)).answer, Answer::kFull);
  registry.freed(2);
  EXPECT_EQ(admit(registry, 5, logon(kAliceUser)).slot, 2U);
}

TEST_F(SessionRegistryTest, ALogonThatIsNotFinishedLeavesNoTrace) {
  SessionRegistry registry(engine(), {kFirstRun});
  const auto first = admit(registry, 1, logon(kAliceUser, "desk"));
  ASSERT_EQ(first.answer, Answer::kFresh);
  EXPECT_EQ(admit(registry, 2, logon(kAliceUser, "desk"), true).answer, Answer::kInUse);
  registry.release(first.slot);
  EXPECT_TRUE(registry.at_rest());
  EXPECT_EQ(admit(registry, 2, logon(kAliceUser, "desk"), true).answer, Answer::kFresh);
}

TEST_F(SessionRegistryTest, AResumableSessionComesBackToItsSlot) {
  SessionRegistry registry(engine(), {kFirstRun});
  const core::SessionSlot slot = open(registry, 1, logon(kAliceUser, "desk"));
  EXPECT_EQ(admit(registry, 2, logon(kAliceUser, "desk"), true).answer, Answer::kInUse);
  registry.ended(slot);
  EXPECT_EQ(admit(registry, 2, logon(kAliceUser, "desk"), true).answer, Answer::kEnding);
  EXPECT_EQ(admit(registry, 2, logon(kAliceUser, "desk")).answer, Answer::kEnding);
  registry.detached(slot);
  EXPECT_TRUE(registry.at_rest());
  // Names belong to their users.
  const auto bob = admit(registry, 3, logon(kBobUser, "desk"), true);
  EXPECT_EQ(bob.answer, Answer::kFresh);
  EXPECT_NE(bob.slot, slot);
  const auto back = admit(registry, 2, logon(kAliceUser, "desk"), true, {7, 3});
  EXPECT_EQ(back.answer, Answer::kResumed);
  EXPECT_EQ(back.slot, slot);
  EXPECT_EQ(back.seen.sequence, 7U);
  EXPECT_EQ(back.seen.ordinal, 3U);
  EXPECT_EQ(back.lost_from, 0U);
  registry.release(slot);
  EXPECT_EQ(admit(registry, 4, logon(kAliceUser, "desk"), true).answer, Answer::kResumed);
  EXPECT_FALSE(registry.open(slot));
}

TEST_F(SessionRegistryTest, AFreshSessionOfTheSameNameTakesTheSlotOfTheEarlierOne) {
  SessionRegistry registry(engine(), {kFirstRun});
  const core::SessionSlot slot = open(registry, 1, logon(kAliceUser, "desk"));
  registry.ended(slot);
  registry.detached(slot);
  // Given up in the middle, the earlier one is still there.
  ASSERT_EQ(admit(registry, 2, logon(kAliceUser, "desk")).slot, slot);
  registry.release(slot);
  ASSERT_EQ(admit(registry, 3, logon(kAliceUser, "desk"), true).answer, Answer::kResumed);
  registry.release(slot);
  ASSERT_EQ(admit(registry, 4, logon(kAliceUser, "desk")).answer, Answer::kFresh);
  EXPECT_TRUE(registry.open(slot));  // the engine must forget the earlier one
  registry.freed(slot);              // it has, and the slot is in use again
  EXPECT_EQ(admit(registry, 5, logon(kAliceUser, "desk"), true).answer, Answer::kInUse);
  EXPECT_NE(admit(registry, 6, logon(kAliceUser)).slot, slot);
}

TEST_F(SessionRegistryTest, TheLongestWaitingGivesWay) {
  SessionRegistry registry(engine(), {kFirstRun});
  core::SessionSlot slots[4];
  const std::string names[4] = {"a", "b", "c", "d"};
  for (std::uint64_t i = 0; i < 4; ++i)
    slots[i] = open(registry, i + 1, logon(kAliceUser, names[i]));
  for (const int i : {2, 0, 3}) {
    registry.ended(slots[i]);
    registry.detached(slots[i]);
  }
  const auto taken = admit(registry, 9, logon(kBobUser, "x"));
  EXPECT_EQ(taken.answer, Answer::kFresh);
  EXPECT_EQ(taken.slot, slots[2]);
  // While the new one logs on, the other one can neither be resumed nor pushed aside again.
  EXPECT_EQ(admit(registry, 10, logon(kAliceUser, "c"), true).answer, Answer::kInUse);
  EXPECT_EQ(admit(registry, 11, logon(kBobUser)).slot, slots[0]);
  EXPECT_TRUE(registry.open(taken.slot));
  registry.freed(taken.slot);
  EXPECT_EQ(admit(registry, 12, logon(kBobUser, "x"), true).answer, Answer::kInUse);
  registry.ended(taken.slot);
  registry.detached(taken.slot);
  EXPECT_EQ(admit(registry, 13, logon(kBobUser, "x"), true).slot, taken.slot);
  // "c" is known no more, and the place that is left is that of "d".
  const auto last = admit(registry, 14, logon(kAliceUser, "c"), true);
  EXPECT_EQ(last.answer, Answer::kFresh);
  EXPECT_EQ(last.slot, slots[3]);
  EXPECT_EQ(admit(registry, 15, logon(kAliceUser)).answer, Answer::kFull);
}

TEST_F(SessionRegistryTest, AfterARestartEverySessionWaitsOrEnds) {
  engine().logon(0, logon(kAliceUser, "open"), 1);
  engine().logon(1, logon(kAliceUser, "left"), 1);
  engine().end_session(1, 1);
  engine().logon(2, logon(kBobUser), 1);
  engine().restart(2);
  SessionRegistry registry(engine(), {kFirstRun});
  EXPECT_FALSE(registry.at_rest());
  EXPECT_EQ(admit(registry, 1, logon(kAliceUser, "open")).answer, Answer::kWaiting);
  EXPECT_EQ(admit(registry, 1, logon(kAliceUser, "open"), true).slot, 0U);
  EXPECT_EQ(admit(registry, 2, logon(kAliceUser, "left"), true).slot, 1U);
  EXPECT_EQ(admit(registry, 3, logon(kBobUser)).slot, 3U);
  EXPECT_EQ(admit(registry, 4, logon(kBobUser)).answer, Answer::kFull);
  registry.freed(2);  // its grace is over
  EXPECT_EQ(admit(registry, 4, logon(kBobUser)).slot, 2U);
}

TEST_F(SessionRegistryTest, TheEndOfTheGraceMayCrossALogon) {
  engine().logon(0, logon(kAliceUser, "desk"), 1);
  engine().restart(2);
  {
    SessionRegistry registry(engine(), {kFirstRun});
    ASSERT_EQ(admit(registry, 1, logon(kAliceUser, "desk"), true).answer, Answer::kResumed);
    registry.detached(0);  // the grace ended while the client mapped its memory
    EXPECT_EQ(admit(registry, 2, logon(kAliceUser, "desk"), true).answer, Answer::kInUse);
    EXPECT_FALSE(registry.open(0));
    registry.ended(0);
    registry.detached(0);
    EXPECT_EQ(admit(registry, 3, logon(kAliceUser, "desk"), true).answer, Answer::kResumed);
  }
  {
    SessionRegistry registry(engine(), {kFirstRun});
    ASSERT_EQ(open(registry, 1, logon(kAliceUser, "desk"), true), 0U);
    registry.detached(0);  // told before the engine took the logon
    EXPECT_EQ(admit(registry, 2, logon(kAliceUser, "desk"), true).answer, Answer::kInUse);
    EXPECT_FALSE(registry.at_rest());
  }
}

// Runs that began with the inputs 1, 10 and 20. Marks of the first one reach up to 10, whatever has
// come between; of the present one, everywhere.
TEST_F(SessionRegistryTest, AMarkReachesNoFurtherThanItsRun) {
  engine().logon(0, logon(kAliceUser, "desk"), 1);
  engine().restart(2);
  constexpr core::EngineRun kSecond{10, 78};
  constexpr core::EngineRun kThird{20, 79};
  SessionRegistry registry(engine(), {kFirstRun, kSecond, kThird});
  const auto lost_from = [&](const Mark& seen, const core::EngineRun& run) {
    const auto admission = admit(registry, 1, logon(kAliceUser, "desk"), true, seen, run);
    registry.release(admission.slot);
    const Mark end{admission.lost_from, 0};
    const Mark& expected = admission.lost_from != 0 ? end : seen;
    EXPECT_EQ(admission.seen.sequence, expected.sequence);
    EXPECT_EQ(admission.seen.ordinal, expected.ordinal);
    return admission.lost_from;
  };
  EXPECT_EQ(lost_from({0, 0}, {}), 0U);
  EXPECT_EQ(lost_from({10, 0}, kFirstRun), 0U);
  EXPECT_EQ(lost_from({10, 1}, kFirstRun), 10U);
  EXPECT_EQ(lost_from({15, 0}, kFirstRun), 10U);
  EXPECT_EQ(lost_from({25, 0}, kFirstRun), 10U);
  EXPECT_EQ(lost_from({15, 0}, kSecond), 0U);
  EXPECT_EQ(lost_from({25, 0}, kSecond), 20U);
  EXPECT_EQ(lost_from({25, 0}, kThird), 0U);
  // One that began with the same number and left nothing behind; one that nobody knows any more.
  EXPECT_EQ(lost_from({25, 0}, {20, 80}), 20U);
  EXPECT_EQ(lost_from({25, 0}, {5, 76}), 5U);
  // That the session has had a client since changes nothing: it may have been another one, or one
  // that gave up before it heard of it.
  open(registry, 2, logon(kAliceUser, "desk"), true);
  registry.ended(0);
  registry.detached(0);
  EXPECT_EQ(lost_from({25, 0}, kFirstRun), 10U);
}

}  // namespace
}  // namespace shmatch::ipc
