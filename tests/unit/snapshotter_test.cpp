// Snapshots of a journal that is being written: when they are made, that each is verified before
// anything is removed, and that their failure harms nothing.
#include "ipc/snapshotter.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/configuration_bytes.h"
#include "core/input_record.h"
#include "ipc/journal_folder.h"
#include "ipc/journal_steps.h"
#include "ipc/make_snapshot.h"
#include "tests/support/fake_files.h"
#include "tests/support/random_journal.h"
#include "tests/unit/test_server.h"

namespace shmatch::ipc {
namespace {

using tests::RandomJournal;

constexpr const char* kFolder = "/journal";
constexpr std::uint64_t kEvery = 400;

// A journal thread without an engine, which gets the inputs of a made-up run.
class SnapshotterTest : public testing::Test {
 protected:
  SnapshotterTest() {
    files_.make_folder(kFolder);
    files_.on_step = [this](const char* step) {
      const std::lock_guard lock(hook_mutex_);
      if (hook_) hook_(step);
    };
    shadow_files_.make_folder(kFolder);
    story_.start();
    options_.journal = kFolder;
    options_.snapshot_every = kEvery;
    options_.resume_window_slots = RandomJournal::kWindowSlots;
    options_.log = [this](LogLevel level, std::string_view sentence) {
      const std::lock_guard lock(mutex_);
      if (level == LogLevel::kError) errors_.emplace_back(sentence);
    };
    const std::string configuration = core::encode_configuration(story_.configuration());
    SegmentStart start;
    start.configuration = std::as_bytes(std::span(configuration));
    const FileFault fault = writer_.open(start);
    EXPECT_FALSE(fault) << fault.text;
    journal_ = std::make_unique<JournalThread>(writer_, queue_, Durability::kSync,
                                               std::chrono::milliseconds(1), options_.log);
    journal_->start(-1);
  }
  ~SnapshotterTest() override {
    snapshotter_.reset();
    journal_->stop();
  }

  void start_snapshots(core::Sequence last = 0) {
    snapshotter_ = std::make_unique<Snapshotter>(files_, options_, *journal_, last);
    snapshotter_->start();
  }

  // So many inputs more, which are durable afterwards.
  void feed(std::uint32_t inputs) {
    const std::vector<std::uint64_t> records = story_.imagine(inputs);
    for (std::span<const std::uint64_t> left = records; !left.empty();) {
      const std::uint32_t words = core::input_words(left.front());
      ASSERT_TRUE(eventually([&] { return queue_.room(1); }));
      std::copy_n(left.begin(), words, queue_.place());
      queue_.put(words);
      queue_.publish();
      left = left.subspan(words);
    }
    const core::Sequence last = story_.state().engine().last_sequence();
    ASSERT_TRUE(eventually([&] { return journal_->durable() == last; }));
  }

  JournalListing listing() {
    JournalListing listing;
    EXPECT_FALSE(list_journal(files_, kFolder, listing));
    return listing;
  }
  core::Sequence newest_snapshot() {
    const JournalListing found = listing();
    return found.snapshots.empty() ? 0 : found.snapshots.back().sequence;
  }
  std::vector<std::string> errors() {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

  // What an engine would come to that starts on the folder now.
  void expect_recovery_to_the_present(core::Sequence snapshot) {
    Replica replica({.hash_salt = 3, .window_slots = RandomJournal::kWindowSlots});
    JournalReader reader(files_, kFolder, ReadMode::kFollow);
    RecoveryReport report;
    const Fault fault = recover(files_, reader, {}, replica, report);
    ASSERT_FALSE(fault) << fault.text;
    EXPECT_EQ(report.snapshot_sequence, snapshot);
    EXPECT_EQ(tests::words_of(replica), tests::words_of(story_.state()));
  }

  // Called at each step of journal and snapshots, from now on.
  void hook(std::function<void(std::string_view)> call) {
    const std::lock_guard lock(hook_mutex_);
    hook_ = std::move(call);
  }

  std::mutex hook_mutex_;
  std::function<void(std::string_view)> hook_;
  tests::FakeFiles files_;
  tests::FakeFiles shadow_files_;  // where the made-up run believes to write
  RandomJournal story_{shadow_files_, kFolder, 21};
  ServerOptions options_;
  JournalWriter writer_{files_, kFolder, kSegmentBytesMin};
  JournalQueue queue_{1U << 16};
  std::mutex mutex_;
  std::vector<std::string> errors_;
  std::unique_ptr<JournalThread> journal_;
  std::unique_ptr<Snapshotter> snapshotter_;
};

TEST_F(SnapshotterTest, MakesOneWheneverEnoughInputsAreDurable) {
  start_snapshots();
  feed(kEvery / 2);
  EXPECT_EQ(newest_snapshot(), 0U);
  for (int i = 0; i < 3; ++i) {
    const core::Sequence before = newest_snapshot();
    feed(kEvery);
    ASSERT_TRUE(eventually([&] { return newest_snapshot() > before; }));
    EXPECT_GE(newest_snapshot(), before + kEvery);
    EXPECT_LE(newest_snapshot(), journal_->durable());
  }
  snapshotter_->stop();
  // Everything stays, unless it is configured otherwise.
  EXPECT_EQ(listing().segments.front().sequence, 1U);
  EXPECT_EQ(listing().snapshots.size(), 3U);
  EXPECT_TRUE(errors().empty());
  expect_recovery_to_the_present(newest_snapshot());
}

TEST_F(SnapshotterTest, CountsFromTheSnapshotThatThereIs) {
  feed(kEvery);
  start_snapshots(journal_->durable());
  feed(kEvery / 2);
  feed(kEvery / 2 + 1);
  ASSERT_TRUE(eventually([&] { return newest_snapshot() != 0; }));
  EXPECT_GE(newest_snapshot(), 2 * kEvery);
}

TEST_F(SnapshotterTest, RemovesSegmentsOnlyBehindAVerifiedSnapshot) {
  options_.remove_old_segments = true;
  // When a segment goes, a snapshot that holds all of it can be loaded: its name says up to where,
  // and it has been read back.
  std::vector<std::string> faults;
  bool verified = false;
  hook([&](std::string_view step) {
    if (step == steps::kSnapshotCreated) verified = false;
    if (step == steps::kSnapshotFolderSynced) verified = true;
    if (step != steps::kFileRemoved) return;
    if (!verified) faults.emplace_back("a file went before the snapshot had its name");
    const JournalListing left = listing();
    if (left.snapshots.empty() || left.segments.empty() ||
        left.segments.front().sequence > left.snapshots.back().sequence + 1) {
      faults.emplace_back("records are gone that no snapshot holds");
    }
  });
  start_snapshots();
  for (int i = 0; i < 4; ++i) {
    const core::Sequence before = newest_snapshot();
    feed(kEvery + 50);
    ASSERT_TRUE(eventually([&] { return newest_snapshot() > before; }));
  }
  snapshotter_->stop();
  hook({});
  const JournalListing left = listing();
  EXPECT_GT(left.segments.front().sequence, 1U);
  EXPECT_LE(left.segments.front().sequence, left.snapshots.back().sequence + 1);
  // The one before the last is of no use without the segments behind it.
  EXPECT_EQ(left.snapshots.size(), 1U);
  EXPECT_TRUE(errors().empty());
  EXPECT_EQ(faults, std::vector<std::string>{});
  expect_recovery_to_the_present(newest_snapshot());
}

TEST_F(SnapshotterTest, OneThatCannotBeReadBackRemovesNothingButItself) {
  options_.remove_old_segments = true;
  hook([&](std::string_view step) {
    if (step != steps::kSnapshotFolderSynced) return;
    auto& bytes = files_.contents(std::string(kFolder) + "/" + listing().snapshots.back().name);
    bytes.at(bytes.size() / 2) ^= std::byte{1};
  });
  start_snapshots();
  feed(kEvery);
  ASSERT_TRUE(eventually([&] { return !errors().empty(); }));
  EXPECT_NE(errors()[0].find("snapshot"), std::string::npos) << errors()[0];
  EXPECT_EQ(listing().segments.front().sequence, 1U);
  EXPECT_TRUE(listing().snapshots.empty());
  // The journal does not mind, and the next one may be good.
  hook({});
  feed(kEvery);
  ASSERT_TRUE(eventually([&] { return newest_snapshot() != 0; }));
  snapshotter_->stop();
  EXPECT_EQ(journal_->error(), 0);
  expect_recovery_to_the_present(newest_snapshot());
}

TEST_F(SnapshotterTest, AFullDiskUnderASnapshotIsNotAnErrorOfTheJournal) {
  feed(kEvery);
  // The journal is at rest: what fails next is the snapshot's.
  ASSERT_TRUE(eventually([&] {
    JournalReader reader(files_, kFolder, ReadMode::kFollow);
    JournalGroup group;
    if (reader.open()) return false;
    while (reader.next_group(group) == JournalNext::kGiven) {
    }
    return reader.group().header.record_count == 0;
  }));
  hook([&](std::string_view step) {
    if (step != steps::kSnapshotCreated) return;
    files_.fail_at(files_.operations() + 1, tests::FileFailure::kNoSpace, false);
  });
  start_snapshots();
  ASSERT_TRUE(eventually([&] { return !errors().empty(); }));
  EXPECT_NE(errors()[0].find("No space left on device"), std::string::npos) << errors()[0];
  EXPECT_TRUE(listing().snapshots.empty());
  EXPECT_TRUE(listing().unfinished.empty());
  hook({});
  files_.heal();
  EXPECT_EQ(journal_->error(), 0);
  feed(kEvery);
  ASSERT_TRUE(eventually([&] { return newest_snapshot() != 0; }));
  snapshotter_->stop();
  expect_recovery_to_the_present(newest_snapshot());
}

TEST_F(SnapshotterTest, ASecondOneOfTheSameStateIsNotMade) {
  feed(kEvery);
  const SnapshotOptions options{.up_to = journal_->durable(),
                                .window_slots = RandomJournal::kWindowSlots};
  SnapshotReport report;
  ASSERT_FALSE(make_snapshot(files_, kFolder, options, report));
  EXPECT_EQ(report.sequence, journal_->durable());
  EXPECT_EQ(report.digest, story_.state().engine().digest());
  EXPECT_GT(report.bytes, 4096U);
  SnapshotReport again;
  ASSERT_FALSE(make_snapshot(files_, kFolder, options, again));
  EXPECT_EQ(again.sequence, 0U);
}

}  // namespace
}  // namespace shmatch::ipc
