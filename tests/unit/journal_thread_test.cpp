// The journal thread: how records become groups, when they are called durable, what a quiet journal
// and a clean stop leave behind, and what the first error does.
#include "ipc/journal_thread.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "core/input_record.h"
#include "ipc/journal_reader.h"
#include "tests/support/scripted_files.h"
#include "tests/unit/test_server.h"

namespace shmatch::ipc {
namespace {

using std::chrono::milliseconds;
using tests::ScriptedFiles;

constexpr std::size_t kQueueWords = 1U << 12;

class JournalThreadTest : public testing::Test {
 protected:
  void start(Durability durability, milliseconds interval = milliseconds(1)) {
    const std::byte configuration[8] = {};
    SegmentStart start;
    start.configuration = configuration;
    const FileFault fault = writer_.open(start);
    ASSERT_FALSE(fault) << fault.text;
    thread_ = std::make_unique<JournalThread>(writer_, queue_, durability, interval,
                                              [this](LogLevel level, std::string_view sentence) {
                                                const std::lock_guard lock(mutex_);
                                                log_.emplace_back(level, sentence);
                                              });
    thread_->start(-1);
  }

  // So many records, published at once. The journal does not care what they mean.
  void put(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(eventually([&] { return queue_.room(1) || thread_->error() != 0; }));
      if (!queue_.room(1)) return;
      ++records_;
      queue_.put(core::encode_restart(queue_.place(), static_cast<core::TimeNs>(records_)));
      // A full queue would otherwise wait for what nobody can see.
      if (!queue_.room(1)) queue_.publish();
    }
    queue_.publish();
  }

  bool durable_up_to(core::Sequence sequence) {
    return eventually([&] { return thread_->durable() >= sequence; });
  }

  struct Group {
    std::uint64_t offset;
    GroupHeader header;
  };
  // What lies on disk, which must be without fault; all record times are checked.
  std::vector<Group> groups() {
    std::vector<Group> groups;
    JournalReader reader(files_, folder_.file(""), ReadMode::kFollow);
    EXPECT_FALSE(reader.open());
    JournalGroup group;
    std::uint64_t time = 0;
    JournalNext next = reader.next_group(group);
    for (; next == JournalNext::kGiven; next = reader.next_group(group)) {
      groups.push_back({group.offset, group.header});
      for (std::span left = group.records; !left.empty();) {
        EXPECT_EQ(left[1], ++time);
        left = left.subspan(core::input_words(left.front()));
      }
    }
    EXPECT_EQ(next, JournalNext::kEnd) << reader.fault().text << reader.torn_end().seen;
    EXPECT_EQ(time, records_);
    last_end_ = reader.offset();
    return groups;
  }

  std::uint64_t file_size() { return std::filesystem::file_size(folder_.file(segment_name(1))); }

  std::vector<std::pair<LogLevel, std::string>> log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  TemporaryFolder folder_;
  ScriptedFiles files_;
  JournalWriter writer_{files_, folder_.file(""), 1U << 16};
  JournalQueue queue_{kQueueWords};
  std::mutex mutex_;
  std::vector<std::pair<LogLevel, std::string>> log_;
  std::uint64_t records_ = 0;
  std::uint64_t last_end_ = 0;  // of the used part, as groups() found it
  std::unique_ptr<JournalThread> thread_;
};

TEST_F(JournalThreadTest, SyncMakesEachInputDurableAtOnce) {
  start(Durability::kSync);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    put(1);
    ASSERT_TRUE(durable_up_to(i));
    ASSERT_GE(files_.durable(), i) << "called durable before a sync returned";
  }
  EXPECT_GE(files_.data_syncs(), 20U);
}

TEST_F(JournalThreadTest, WhatWaitsDuringASyncIsOneGroup) {
  start(Durability::kSync);
  files_.hold(ScriptedFiles::kSyncData);
  put(1);
  ASSERT_TRUE(eventually([&] { return files_.held() == 1; }));
  for (int i = 0; i < 50; ++i) put(2);
  EXPECT_EQ(thread_->durable(), 0U);
  files_.release();
  ASSERT_TRUE(durable_up_to(101));
  thread_->stop();
  const std::vector<Group> found = groups();
  ASSERT_GE(found.size(), 2U);
  EXPECT_EQ(found[0].header.record_count, 1U);
  EXPECT_EQ(found[1].header.record_count, 100U);
  EXPECT_EQ(found[1].header.durable_sequence, 1U);
}

TEST_F(JournalThreadTest, AsyncWritesAtOnceAndSyncsInIntervals) {
  start(Durability::kAsync, milliseconds(1));
  files_.hold(ScriptedFiles::kSyncData);
  put(1);
  // The group is in the kernel's hands while its sync waits.
  ASSERT_TRUE(eventually([&] { return files_.held() == 1; }));
  EXPECT_EQ(groups().size(), 1U);
  EXPECT_EQ(thread_->durable(), 0U);
  files_.release();
  EXPECT_TRUE(durable_up_to(1));
}

TEST_F(JournalThreadTest, AsyncDoesNotSyncEachGroup) {
  start(Durability::kAsync, milliseconds(10'000));
  for (int i = 0; i < 200; ++i) put(1);
  ASSERT_TRUE(eventually([&] { return queue_.empty(); }));
  EXPECT_EQ(files_.data_syncs(), 0U);
  thread_->stop();
  EXPECT_EQ(thread_->durable(), 200U);
}

TEST_F(JournalThreadTest, AQuietJournalSaysWhatIsDurable) {
  for (const Durability durability : {Durability::kSync, Durability::kAsync}) {
    start(durability);
    put(3);
    ASSERT_TRUE(durable_up_to(3));
    const auto marked = [&] {
      const std::vector<Group> found = groups();
      return !found.empty() && found.back().header.record_count == 0;
    };
    EXPECT_TRUE(eventually(marked));
    const std::vector<Group> found = groups();
    EXPECT_EQ(found.back().header.durable_sequence, records_);
    EXPECT_EQ(found.back().header.durable_bytes(), found.back().offset);
    // One mark is enough: the stop needs no other.
    thread_->stop();
    EXPECT_EQ(groups().size(), found.size());
    std::filesystem::remove(folder_.file(segment_name(1)));
    records_ = 0;
  }
}

TEST_F(JournalThreadTest, StopDrainsEverything) {
  for (const Durability durability : {Durability::kSync, Durability::kAsync}) {
    start(durability, milliseconds(10'000));
    // More than a queue full, more than a group can hold, and nobody waits for any of it.
    put(150'000);
    thread_->stop();
    EXPECT_EQ(thread_->durable(), records_);
    EXPECT_EQ(files_.durable(), records_);
    EXPECT_EQ(thread_->error(), 0);
    const std::vector<Group> found = groups();
    EXPECT_EQ(found.back().header.record_count, 0U);
    EXPECT_EQ(found.back().header.durable_sequence, records_);
    for (const auto& entry : std::filesystem::directory_iterator(folder_.file(""))) {
      std::filesystem::remove(entry.path());
    }
    records_ = 0;
  }
}

TEST_F(JournalThreadTest, ACleanStopCutsTheFileToWhatIsUsed) {
  start(Durability::kSync);
  put(5);
  ASSERT_TRUE(durable_up_to(5));
  EXPECT_GT(file_size(), 1U << 16) << "space is taken in advance";
  thread_->stop();
  groups();
  EXPECT_EQ(file_size(), last_end_);
}

TEST_F(JournalThreadTest, TheLastDigestIsOnDiskAfterAStop) {
  start(Durability::kAsync);
  put(10);
  // All is written before the digest of the last state is known, as at an engine's busy end.
  ASSERT_TRUE(durable_up_to(10));
  queue_.mark_digest({10, 0xD16E57});
  thread_->stop();
  const DigestMark last = groups().back().header.digest;
  EXPECT_EQ(last.sequence, 10U);
  EXPECT_EQ(last.digest, 0xD16E57U);
}

TEST_F(JournalThreadTest, DigestsStandBesideTheRecordsTheyFollow) {
  start(Durability::kSync);
  put(5);
  queue_.mark_digest({7, 77});  // of a state that no written record leads to yet
  put(1);
  ASSERT_TRUE(durable_up_to(6));
  put(1);
  ASSERT_TRUE(durable_up_to(7));
  thread_->stop();
  for (const Group& group : groups()) {
    if (group.header.digest.sequence == 0) continue;
    EXPECT_EQ(group.header.digest.sequence, 7U);
    EXPECT_EQ(group.header.digest.digest, 77U);
    EXPECT_GE(group.header.end_sequence(), 8U);
  }
}

// ---- the first error is the last word

struct Failing {
  std::uint32_t operations;
  int error;
  const char* reason;
};

class JournalThreadFailure : public JournalThreadTest,
                             public testing::WithParamInterface<std::tuple<Durability, Failing>> {};

TEST_P(JournalThreadFailure, EndsAcceptanceForGood) {
  const auto& [durability, failing] = GetParam();
  start(durability);
  put(3);
  ASSERT_TRUE(durable_up_to(3));
  files_.fail({.operations = failing.operations, .error = failing.error, .for_good = false});
  put(1);
  ASSERT_TRUE(eventually([&] { return thread_->error() != 0; }));
  EXPECT_EQ(thread_->error(), failing.error);
  EXPECT_EQ(thread_->durable(), 3U);
  // The disk is well again, and nothing is tried again.
  const std::uint64_t syncs = files_.data_syncs();
  put(3);
  thread_->stop();
  EXPECT_EQ(files_.data_syncs(), syncs);
  EXPECT_EQ(files_.failed(), 1U);
  EXPECT_EQ(thread_->durable(), 3U);
  const auto said = log();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].first, LogLevel::kError);
  EXPECT_NE(said[0].second.find(failing.reason), std::string::npos) << said[0].second;
  EXPECT_NE(said[0].second.find(folder_.file("")), std::string::npos) << said[0].second;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, JournalThreadFailure,
    testing::Combine(
        testing::Values(Durability::kSync, Durability::kAsync),
        testing::Values(Failing{ScriptedFiles::kWrite, ENOSPC, "No space left on device"},
                        Failing{ScriptedFiles::kWrite, EIO, "Input/output error"},
                        Failing{ScriptedFiles::kSyncData, EIO, "Input/output error"},
                        Failing{ScriptedFiles::kSyncData, ENOSPC, "No space left on device"})));

TEST_F(JournalThreadTest, AFullDiskAtTheNextSegmentIsAnErrorToo) {
  start(Durability::kAsync);
  files_.fail({.operations = ScriptedFiles::kReserve, .error = ENOSPC});
  put(10'000);  // more than a segment holds
  ASSERT_TRUE(eventually([&] { return thread_->error() == ENOSPC; }));
  thread_->stop();
  ASSERT_EQ(log().size(), 1U);
  EXPECT_NE(log()[0].second.find("reserving"), std::string::npos) << log()[0].second;
  // What the full segment held is whole; what did not fit is not there.
  JournalReader reader(files_, folder_.file(""));
  ASSERT_FALSE(reader.open());
  JournalRecord record;
  JournalNext next = reader.next(record);
  while (next == JournalNext::kGiven) next = reader.next(record);
  EXPECT_EQ(next, JournalNext::kEnd);
  EXPECT_GE(reader.last_sequence(), thread_->durable());
  EXPECT_LT(reader.last_sequence(), 10'000U);
}

TEST_F(JournalThreadTest, AShortWriteIsFinished) {
  start(Durability::kSync);
  files_.fail({.operations = ScriptedFiles::kWrite,
               .error = EINTR,
               .for_good = false,
               .short_write = true});
  put(4);
  EXPECT_TRUE(durable_up_to(4));
  thread_->stop();
  EXPECT_EQ(thread_->error(), 0);
  groups();
}

}  // namespace
}  // namespace shmatch::ipc
