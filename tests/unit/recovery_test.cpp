// From a folder back to the state: whole journals, several configurations, snapshots, and what is
// said when something cannot be right.
#include "ipc/recovery.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/configuration_bytes.h"
#include "core/input_record.h"
#include "ipc/make_snapshot.h"
#include "tests/reference/twin_engine.h"
#include "tests/support/fake_files.h"
#include "tests/support/random_journal.h"

namespace shmatch::ipc {
namespace {

using tests::RandomJournal;
using tests::words_of;

class RecoveryTest : public testing::Test {
 protected:
  RecoveryTest() { files_.make_folder(path()); }

  struct Recovered {
    Fault fault;
    RecoveryReport report;
    std::unique_ptr<Replica> replica;
  };

  Recovered recovered(const RecoveryOptions& options = {}) {
    Recovered result;
    result.replica = std::make_unique<Replica>(ReplicaOptions{
        .hash_salt = 17, .window_slots = RandomJournal::kWindowSlots, .keep_digest = true});
    JournalReader reader(files_, path());
    result.fault = recover(files_, reader, options, *result.replica, result.report);
    return result;
  }

  static std::string path() { return "/journal"; }

  void expect_the_same(Recovered& result) {
    ASSERT_FALSE(result.fault) << result.fault.text;
    Replica& replica = *result.replica;
    EXPECT_EQ(result.report.last_sequence, journal_.state().engine().last_sequence());
    EXPECT_EQ(replica.engine().digest(), journal_.state().engine().digest());
    EXPECT_EQ(words_of(replica), words_of(journal_.state()));
    EXPECT_EQ(replica.configuration(), journal_.state().configuration());
    EXPECT_EQ(replica.last_time(), journal_.state().last_time());
    replica.engine().check_invariants();
    // What comes next is answered word by word like what would have come next.
    tests::Listener listener(replica);
    listener.listen();
    journal_.listener().take();
    listener.apply(journal_.imagine(800));
    EXPECT_TRUE(tests::same_received(listener.take(), journal_.listener().take()));
    EXPECT_EQ(replica.engine().digest(), journal_.state().engine().digest());
  }

  core::Sequence snapshot(core::Sequence up_to = 0) {
    SnapshotReport report;
    const core::Sequence wanted = up_to == 0 ? journal_.writer().durable_sequence() : up_to;
    const Fault fault = make_snapshot(
        files_, path(), {.up_to = wanted, .window_slots = RandomJournal::kWindowSlots}, report);
    EXPECT_FALSE(fault) << fault.text;
    return report.sequence;
  }

  void damage(const std::string& name, std::size_t at) {
    files_.contents(path() + "/" + name).at(at) ^= std::byte{0x40};
  }

  std::vector<std::string> segments() {
    JournalListing listing;
    EXPECT_FALSE(list_journal(files_, path(), listing));
    std::vector<std::string> names;
    for (const JournalFile& file : listing.segments) names.push_back(file.name);
    return names;
  }

  tests::FakeFiles files_;
  RandomJournal journal_{files_, path(), 11};
};

TEST_F(RecoveryTest, ANewFolderHasNothing) {
  Recovered result = recovered();
  EXPECT_FALSE(result.fault) << result.fault.text;
  EXPECT_EQ(result.report.last_sequence, 0U);
  EXPECT_EQ(result.report.records, 0U);
}

TEST_F(RecoveryTest, EveryRecordLeadsToTheSameState) {
  journal_.start();
  journal_.run(6'000);
  journal_.stop();
  Recovered result = recovered();
  EXPECT_EQ(result.report.records, result.report.last_sequence);
  EXPECT_EQ(result.report.snapshot_sequence, 0U);
  EXPECT_TRUE(result.report.notes.empty());
  EXPECT_GT(segments().size(), 10U);
  expect_the_same(result);
}

TEST_F(RecoveryTest, AnEndThatWasNotCleanLeadsThereToo) {
  journal_.start();
  journal_.run(2'000);
  Recovered result = recovered();
  expect_the_same(result);
}

TEST_F(RecoveryTest, OverRestartsAndConfigurationsThatGrow) {
  core::Configuration configuration = journal_.configuration();
  journal_.start(configuration);
  journal_.run(500);
  for (int restart = 0; restart < 4; ++restart) {
    journal_.stop();
    if (restart % 2 == 0) {
      const core::InstrumentId id = 800 + restart;
      configuration.instruments.push_back({id, "NEW" + std::to_string(id), {1, 0}, {1, 0}});
      configuration.accounts.push_back(900 + restart);
      configuration.capacities.sessions += 3;
    }
    journal_.start(configuration);
    journal_.run(500);
  }
  journal_.stop();
  Recovered result = recovered();
  expect_the_same(result);
}

TEST_F(RecoveryTest, AConfigurationCountsFromItsSegmentOn) {
  core::Configuration configuration = journal_.configuration();
  journal_.start(configuration);
  journal_.run(300);
  journal_.stop();
  const core::Sequence border = journal_.state().engine().last_sequence();
  configuration.instruments.push_back({800, "LATER", {1, 0}, {1, 0}});
  journal_.start(configuration);
  journal_.run(100);
  journal_.stop();
  Recovered before = recovered({.up_to = border});
  ASSERT_FALSE(before.fault) << before.fault.text;
  EXPECT_EQ(before.replica->configuration(), journal_.configuration());
  EXPECT_EQ(before.report.last_sequence, border);
  Recovered behind = recovered({.up_to = border + 1});
  ASSERT_FALSE(behind.fault) << behind.fault.text;
  EXPECT_EQ(behind.replica->configuration(), configuration);
}

TEST_F(RecoveryTest, ASegmentWhoseConfigurationContradictsIsRefused) {
  core::Configuration configuration = journal_.configuration();
  journal_.start(configuration);
  journal_.run(300);
  journal_.stop();
  // Another program might write such a segment; ours does not.
  configuration.instruments.pop_back();
  const std::string bytes = core::encode_configuration(configuration);
  SegmentStart start;
  start.first_sequence = journal_.writer().last_sequence() + 1;
  start.input_chain = journal_.writer().input_chain();
  start.configuration = std::as_bytes(std::span(bytes));
  JournalWriter writer(files_, path(), kSegmentBytesMin);
  ASSERT_FALSE(writer.open(start));
  std::uint64_t words[core::kInputRecordWordsMax];
  const std::uint32_t count = core::encode_restart(words, 1'000'000'000'000);
  ASSERT_FALSE(writer.append({words, count}, start.first_sequence));
  ASSERT_FALSE(writer.close());
  const Recovered result = recovered();
  EXPECT_TRUE(result.fault);
  EXPECT_NE(result.fault.text.find(segment_name(start.first_sequence)), std::string::npos)
      << result.fault.text;
}

TEST_F(RecoveryTest, StopsBehindTheInputAskedFor) {
  journal_.start();
  journal_.run(1'000);
  journal_.stop();
  for (const core::Sequence up_to : {core::Sequence{1}, core::Sequence{499}, core::Sequence{777}}) {
    Recovered result = recovered({.up_to = up_to});
    ASSERT_FALSE(result.fault) << result.fault.text;
    EXPECT_EQ(result.report.last_sequence, up_to);
    EXPECT_EQ(result.replica->engine().last_sequence(), up_to);
  }
}

// ---- digests

TEST_F(RecoveryTest, ComparesEveryDigestThatTheJournalHolds) {
  journal_.start();
  journal_.run(200);
  JournalWriter& writer = journal_.writer();
  Replica& state = journal_.state();
  std::uint64_t marks = 0;
  {
    JournalReader reader(files_, path(), ReadMode::kFollow);
    ASSERT_FALSE(reader.open());
    JournalGroup group;
    while (reader.next_group(group) == JournalNext::kGiven) {
      if (group.header.digest.sequence != 0) ++marks;
    }
  }
  ASSERT_GT(marks, 0U);
  // One that comes too late for its own group, and one at the very end.
  for (int i = 0; i < 2; ++i) {
    const DigestMark late{state.engine().last_sequence(), state.engine().digest()};
    const std::vector<std::uint64_t> more = journal_.imagine(1);
    if (i == 0) {
      ASSERT_FALSE(writer.append(more, writer.last_sequence() + 1, late));
      ++marks;
    } else {
      ASSERT_FALSE(writer.append(more, writer.last_sequence() + 1));
    }
  }
  ASSERT_FALSE(writer.close({state.engine().last_sequence(), state.engine().digest()}));
  ++marks;
  const Recovered result = recovered();
  ASSERT_FALSE(result.fault) << result.fault.text;
  // Each mark counts once; the late one may be that of the last random group as well.
  EXPECT_GE(result.report.marks + 1, marks);
  EXPECT_LE(result.report.marks, marks);
}

TEST_F(RecoveryTest, NamesTheFirstDigestThatDiffers) {
  for (const int place : {0, 1, 2}) {
    SCOPED_TRACE(place);
    for (const std::string& name : segments()) files_.remove(path() + "/" + name);
    RandomJournal journal(files_, path(), 11);
    journal.start();
    journal.run(100);
    JournalWriter& writer = journal.writer();
    const std::uint64_t wrong = journal.state().engine().digest() ^ 0xF00;
    core::Sequence sequence = writer.last_sequence();
    if (place == 0) {  // in its own group
      const std::vector<std::uint64_t> more = journal.imagine(1);
      sequence = journal.state().engine().last_sequence();
      ASSERT_FALSE(writer.append(more, writer.last_sequence() + 1, {sequence, wrong}));
      ASSERT_FALSE(writer.close());
    } else if (place == 1) {  // in the one behind
      ASSERT_FALSE(writer.append(journal.imagine(1), sequence + 1, {sequence, wrong}));
      ASSERT_FALSE(writer.close());
    } else {  // at the end
      const std::vector<std::uint64_t> more = journal.imagine(1);
      ASSERT_FALSE(writer.append(more, sequence + 1));
      ASSERT_FALSE(writer.close({++sequence, wrong}));
    }
    const Recovered result = recovered();
    ASSERT_TRUE(result.fault);
    const std::string& text = result.fault.text;
    EXPECT_NE(text.find("input " + std::to_string(sequence) + " "), std::string::npos) << text;
    char expected[32];
    std::snprintf(expected, sizeof expected, "%016llx", static_cast<unsigned long long>(wrong));
    EXPECT_NE(text.find(std::string("expected digest ") + expected), std::string::npos) << text;
    EXPECT_NE(text.find(segments().back()), std::string::npos) << text;
    EXPECT_NE(text.find("at byte "), std::string::npos) << text;
  }
}

TEST_F(RecoveryTest, NamesARecordThatCannotFollow) {
  journal_.start();
  journal_.run(100);
  JournalWriter& writer = journal_.writer();
  std::uint64_t words[core::kInputRecordWordsMax];
  const core::SessionSlot free_for_ever = 60'000;
  const std::uint32_t count = core::encode_end_session(words, free_for_ever, 2'000'000'000);
  const core::Sequence sequence = writer.last_sequence() + 1;
  ASSERT_FALSE(writer.append({words, count}, sequence));
  ASSERT_FALSE(writer.close());
  const Recovered result = recovered();
  ASSERT_TRUE(result.fault);
  EXPECT_NE(result.fault.text.find("record " + std::to_string(sequence)), std::string::npos)
      << result.fault.text;
  EXPECT_NE(result.fault.text.find(segments().back() + " at byte "), std::string::npos)
      << result.fault.text;
}

// ---- snapshots

TEST_F(RecoveryTest, ASnapshotAndTheRestAreAsGoodAsAllRecords) {
  journal_.start();
  journal_.run(3'000);
  const core::Sequence taken = snapshot();
  EXPECT_EQ(taken, journal_.writer().durable_sequence());
  journal_.run(700);
  journal_.stop();
  Recovered all = recovered({.use_snapshots = false});
  ASSERT_FALSE(all.fault) << all.fault.text;
  Recovered rest = recovered();
  ASSERT_FALSE(rest.fault) << rest.fault.text;
  EXPECT_EQ(rest.report.snapshot_sequence, taken);
  EXPECT_EQ(rest.report.records, rest.report.last_sequence - taken);
  EXPECT_EQ(words_of(*all.replica), words_of(*rest.replica));
  expect_the_same(rest);
}

TEST_F(RecoveryTest, ASnapshotInAnOlderConfigurationThanTheRest) {
  journal_.start();
  journal_.run(1'000);
  snapshot();
  journal_.stop();
  journal_.start(reference::enlarged(journal_.configuration()));
  journal_.run(500);
  journal_.stop();
  Recovered result = recovered();
  EXPECT_NE(result.report.snapshot_sequence, 0U);
  expect_the_same(result);
}

TEST_F(RecoveryTest, ASnapshotOfTheVeryEndNeedsNoRecord) {
  journal_.start();
  journal_.run(1'000);
  journal_.stop();
  const core::Sequence taken = snapshot(journal_.state().engine().last_sequence());
  Recovered result = recovered();
  EXPECT_EQ(result.report.records, 0U);
  EXPECT_EQ(result.report.last_sequence, taken);
  expect_the_same(result);
}

TEST_F(RecoveryTest, ADamagedSnapshotIsSkippedAndNamed) {
  journal_.start();
  journal_.run(1'000);
  const core::Sequence older = snapshot();
  journal_.run(500);
  const core::Sequence newer = snapshot();
  ASSERT_GT(newer, older);
  journal_.run(300);
  journal_.stop();
  damage(snapshot_name(newer), 20'000);
  Recovered result = recovered();
  ASSERT_FALSE(result.fault) << result.fault.text;
  EXPECT_EQ(result.report.snapshot_sequence, older);
  ASSERT_EQ(result.report.notes.size(), 1U);
  EXPECT_NE(result.report.notes[0].find(snapshot_name(newer)), std::string::npos)
      << result.report.notes[0];
  damage(snapshot_name(older), 100);
  Recovered none = recovered();
  ASSERT_FALSE(none.fault) << none.fault.text;
  EXPECT_EQ(none.report.snapshot_sequence, 0U);
  EXPECT_EQ(none.report.notes.size(), 2U);
  expect_the_same(none);
}

// A file that is whole and still not the state that it says: written by another program, or in
// failing memory.
TEST_F(RecoveryTest, ASnapshotThatContradictsItselfIsSkippedAndNamed) {
  journal_.start();
  journal_.run(1'000);
  const core::Sequence older = snapshot();
  journal_.run(500);
  Replica& state = journal_.state();
  const core::Sequence newer = state.engine().last_sequence();
  const std::string configuration = core::encode_configuration(state.configuration());
  SnapshotWriter writer(files_, path());
  ASSERT_FALSE(writer.create({.sequence = newer,
                              .input_chain = journal_.writer().input_chain(),
                              .digest = state.engine().digest() + 1,
                              .build_digest = 0,
                              .created = 0,
                              .configuration = std::as_bytes(std::span(configuration))}));
  ASSERT_FALSE(state.save(writer));
  ASSERT_FALSE(writer.commit());
  journal_.stop();
  Recovered result = recovered();
  ASSERT_FALSE(result.fault) << result.fault.text;
  EXPECT_EQ(result.report.snapshot_sequence, older);
  ASSERT_EQ(result.report.notes.size(), 1U);
  EXPECT_NE(result.report.notes[0].find(snapshot_name(newer)), std::string::npos)
      << result.report.notes[0];
  expect_the_same(result);
}

TEST_F(RecoveryTest, ASnapshotOfAnotherHistoryIsRefused) {
  journal_.start();
  journal_.run(600);
  journal_.stop();
  const core::Sequence taken = snapshot(journal_.state().engine().last_sequence());
  const std::string name = "/" + snapshot_name(taken);
  const std::string elsewhere = "/elsewhere";
  files_.make_folder(elsewhere);
  RandomJournal other(files_, elsewhere, 12);
  other.start();
  other.run(900);
  other.stop();
  const tests::FakeFiles::Bytes bytes = files_.contents(path() + name);
  File copy;
  ASSERT_FALSE(copy.open(files_, elsewhere + name, OpenMode::kCreate));
  ASSERT_FALSE(copy.write(bytes, 0));
  Replica replica({.hash_salt = 1, .window_slots = 64, .keep_digest = true});
  JournalReader reader(files_, elsewhere);
  RecoveryReport report;
  const Fault fault = recover(files_, reader, {}, replica, report);
  EXPECT_NE(fault.text.find("does not lead to record " + std::to_string(taken)), std::string::npos)
      << fault.text;
}

TEST_F(RecoveryTest, AMissingBeginningNeedsASnapshot) {
  journal_.start();
  journal_.run(2'000);
  const core::Sequence taken = snapshot();
  journal_.run(200);
  journal_.stop();
  const std::vector<std::string> names = segments();
  ASSERT_GT(names.size(), 3U);
  for (std::size_t i = 0; i < 2; ++i) files_.remove(path() + "/" + names[i]);
  Recovered result = recovered();
  EXPECT_EQ(result.report.snapshot_sequence, taken);
  expect_the_same(result);
  files_.remove(path() + "/" + snapshot_name(taken));
  const Recovered none = recovered();
  EXPECT_NE(none.fault.text.find("begins with record"), std::string::npos) << none.fault.text;
}

TEST_F(RecoveryTest, SaysWhatItDid) {
  journal_.start();
  journal_.run(1'000);
  const core::Sequence taken = snapshot();
  journal_.run(100);
  journal_.stop();
  const Recovered result = recovered();
  const std::string text = describe(result.report);
  for (const std::string& part :
       {"replayed " + std::to_string(result.report.records) + " records",
        "snapshot of input " + std::to_string(taken), std::string("a second"),
        std::to_string(result.report.marks) + " digests compared",
        "last input " + std::to_string(result.report.last_sequence)}) {
    EXPECT_NE(text.find(part), std::string::npos) << text << " lacks " << part;
  }
}

}  // namespace
}  // namespace shmatch::ipc
