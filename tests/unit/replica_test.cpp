// The engine that records feed: what it takes, what it refuses, and how its state moves to disk and
// to other configurations.
#include "ipc/replica.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/configuration_bytes.h"
#include "core/input_record.h"
#include "tests/reference/twin_engine.h"
#include "tests/support/fake_files.h"
#include "tests/support/random_journal.h"

namespace shmatch::ipc {
namespace {

using tests::RandomJournal;
using tests::words_of;

constexpr const char* kFolder = "/journal";

class ReplicaTest : public testing::Test {
 protected:
  ReplicaTest() : journal_(files_, kFolder, 5) {
    files_.make_folder(kFolder);
    journal_.start();
    journal_.run(3'000);
  }

  static ReplicaOptions options() {
    return {.hash_salt = 99, .window_slots = RandomJournal::kWindowSlots, .keep_digest = true};
  }

  SnapshotStart start_of(Replica& replica) {
    configuration_ = core::encode_configuration(replica.configuration());
    return {.sequence = replica.engine().last_sequence(),
            .input_chain = 7,
            .digest = replica.engine().digest(),
            .build_digest = 0,
            .created = 0,
            .configuration = std::as_bytes(std::span(configuration_))};
  }

  // Saves the journal's state under what `start` says of it.
  void save(const SnapshotStart& start) {
    SnapshotWriter writer(files_, kFolder);
    ASSERT_FALSE(writer.create(start));
    ASSERT_FALSE(journal_.state().save(writer));
    ASSERT_FALSE(writer.commit());
  }

  Fault load(Replica& replica, core::Sequence sequence) {
    SnapshotReader reader(files_);
    if (FileFault fault = reader.open(kFolder, snapshot_name(sequence))) return fault;
    return replica.load(reader);
  }

  // Both replicas hear the same from now on.
  void expect_same_future(Replica& other) {
    tests::Listener listener(other);
    listener.listen();
    journal_.listener().take();
    listener.apply(journal_.imagine(1'500));
    EXPECT_TRUE(tests::same_received(listener.take(), journal_.listener().take()));
    EXPECT_EQ(other.engine().digest(), journal_.state().engine().digest());
    EXPECT_EQ(window_words(other), window_words(journal_.state()));
  }

  static std::vector<std::uint64_t> window_words(Replica& replica) {
    reference::WordBuffer words;
    EXPECT_TRUE(replica.windows().export_words(replica.engine(), words));
    return words.words();
  }

  tests::FakeFiles files_;
  RandomJournal journal_;
  std::string configuration_;
};

TEST_F(ReplicaTest, AStateThatWasSavedGoesOnLikeTheOneThatWasNot) {
  const SnapshotStart start = start_of(journal_.state());
  save(start);
  Replica loaded(options());
  const Fault fault = load(loaded, start.sequence);
  ASSERT_FALSE(fault) << fault.text;
  EXPECT_EQ(loaded.engine().last_sequence(), start.sequence);
  EXPECT_EQ(loaded.engine().digest(), start.digest);
  EXPECT_EQ(loaded.last_time(), journal_.state().last_time());
  EXPECT_EQ(loaded.configuration(), journal_.configuration());
  EXPECT_EQ(words_of(loaded), words_of(journal_.state()));
  loaded.engine().check_invariants();
  expect_same_future(loaded);
}

TEST_F(ReplicaTest, ADigestThatTheStateHasNotIsRefused) {
  SnapshotStart start = start_of(journal_.state());
  start.digest ^= 1;
  save(start);
  Replica loaded(options());
  const Fault fault = load(loaded, start.sequence);
  EXPECT_NE(fault.text.find(snapshot_name(start.sequence)), std::string::npos) << fault.text;
}

TEST_F(ReplicaTest, ASequenceThatTheStateHasNotIsRefused) {
  SnapshotStart start = start_of(journal_.state());
  ++start.sequence;
  save(start);
  Replica loaded(options());
  EXPECT_TRUE(load(loaded, start.sequence));
}

TEST_F(ReplicaTest, AConfigurationThatTheStateContradictsIsRefused) {
  SnapshotStart start = start_of(journal_.state());
  core::Configuration other = journal_.configuration();
  other.users.pop_back();
  configuration_ = core::encode_configuration(other);
  start.configuration = std::as_bytes(std::span(configuration_));
  save(start);
  Replica loaded(options());
  const Fault fault = load(loaded, start.sequence);
  EXPECT_NE(fault.text.find(snapshot_name(start.sequence)), std::string::npos) << fault.text;
}

TEST_F(ReplicaTest, ConfigurationBytesThatAreNoneAreRefused) {
  SnapshotStart start = start_of(journal_.state());
  configuration_.assign(40, 'x');
  start.configuration = std::as_bytes(std::span(configuration_));
  save(start);
  Replica loaded(options());
  EXPECT_TRUE(load(loaded, start.sequence));
}

TEST_F(ReplicaTest, MovesIntoALargerConfigurationAndGoesOn) {
  Replica moved(options());
  const SnapshotStart start = start_of(journal_.state());
  save(start);
  ASSERT_FALSE(load(moved, start.sequence));
  const core::Configuration larger = reference::enlarged(journal_.configuration());
  const Fault fault = moved.change_configuration(larger);
  ASSERT_FALSE(fault) << fault.text;
  EXPECT_EQ(moved.configuration(), larger);
  EXPECT_EQ(moved.engine().digest(), journal_.state().engine().digest());
  EXPECT_EQ(moved.last_time(), journal_.state().last_time());
  expect_same_future(moved);
}

TEST_F(ReplicaTest, AContradictionChangesNothing) {
  core::Configuration other = journal_.configuration();
  other.instruments.front().tick.mantissa *= 2;
  const std::vector<std::uint64_t> before = words_of(journal_.state());
  const Fault fault = journal_.state().change_configuration(other);
  EXPECT_NE(fault.text.find("tick"), std::string::npos) << fault.text;
  EXPECT_EQ(words_of(journal_.state()), before);
  EXPECT_EQ(journal_.state().configuration(), journal_.configuration());
}

TEST_F(ReplicaTest, ARecordThatCannotFollowChangesNothing) {
  Replica& state = journal_.state();
  const std::vector<std::uint64_t> before = words_of(state);
  std::uint64_t words[core::kInputRecordWordsMax];
  const auto refused = [&](std::uint32_t count) {
    return !state.apply({words, count}).text.empty();
  };
  const core::SessionSlot none = 1'000;
  EXPECT_TRUE(refused(core::encode_end_session(words, none, 1)));
  EXPECT_TRUE(refused(core::encode_forget_session(words, none, 1)));
  core::Logon logon{.user_id = 999'999};
  EXPECT_TRUE(refused(core::encode_logon(words, 0, logon, 1)));
  if (!state.engine().sweeping()) {
    EXPECT_TRUE(refused(core::encode_sweep(words, 1)));
  }
  words[0] = ~std::uint64_t{0};
  EXPECT_TRUE(refused(2));
  EXPECT_EQ(words_of(state), before);
}

TEST_F(ReplicaTest, ReportsGoToTheWindowsOfSessionsThatCanReturn) {
  Replica& state = journal_.state();
  std::size_t kept = 0;
  for (core::SessionSlot slot = 0; slot < state.engine().session_capacity(); ++slot) {
    if (state.engine().slot_free(slot)) continue;
    std::size_t reports = 0;
    state.windows().for_each_from(slot, {}, [&](const core::Report&) { ++reports; });
    if (!state.engine().session(slot).logon.resumable) {
      EXPECT_EQ(reports, 0U) << slot;
    }
    kept += reports;
  }
  EXPECT_GT(kept, 0U);
}

}  // namespace
}  // namespace shmatch::ipc
