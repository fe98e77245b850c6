// Readers of a journal whose engine removes old segments behind a snapshot while they read: what
// they have seen they still read, what came and went unseen is no damage, and what is damage
// remains damage.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "ipc/journal_repair.h"
#include "ipc/make_snapshot.h"
#include "ipc/segments_ahead.h"
#include "tests/support/random_journal.h"
#include "tests/unit/journal_reading.h"
#include "tests/unit/test_server.h"
#include "tools/journal_verify.h"
#include "tools/replay_journal.h"
#include "tools/replay_run.h"

namespace shmatch::ipc {
namespace {

using tests::kFolder;
using tests::kRoomy;
using tests::path_of;

// Segments of ten records, and a snapshot's name, behind which some of them are removed.
class Retention : public tests::JournalReading {
 protected:
  void SetUp() override { write_segments(0, 3); }

  void write_segments(core::Sequence last, int count) {
    for (int i = 0; i < count; ++i, last += 10) {
      JournalWriter writer(files_, kFolder, kRoomy);
      ASSERT_FALSE(tests::open_after(writer, last));
      ASSERT_FALSE(tests::append_up_to(writer, last + 10));
      ASSERT_FALSE(writer.close());
    }
  }
  void remove_behind(core::Sequence sequence) {
    files_.open(kFolder + "/" + snapshot_name(sequence), OpenMode::kCreate);
    for (core::Sequence first = 1; first + 9 <= sequence; first += 10) {
      files_.remove(path_of(first));
    }
  }
  // Reads on; the number of the last record that was read and is the one that was written.
  core::Sequence read_on(JournalReader& reader, JournalNext expected_end,
                         core::Sequence up_to = 1'000) {
    JournalRecord record;
    while (reader.last_sequence() < up_to) {
      const JournalNext next = reader.next(record);
      if (next != JournalNext::kGiven) {
        EXPECT_EQ(next, expected_end) << reader.fault().text;
        break;
      }
      EXPECT_TRUE(std::ranges::equal(record.words, tests::record_of(record.sequence)));
    }
    return reader.last_sequence();
  }

  JournalReader reader_{files_, kFolder, ReadMode::kFollow};
};

TEST_F(Retention, WhatWasThereAtTheOpeningIsRead) {
  ASSERT_FALSE(reader_.open());
  EXPECT_EQ(read_on(reader_, JournalNext::kEnd, 5), 5U);
  write_segments(30, 2);
  remove_behind(45);
  EXPECT_EQ(read_on(reader_, JournalNext::kEnd), 30U) << "41 follows, and was not seen";
  EXPECT_EQ(reader_.input_chain(), tests::chain_after(30));
}

TEST_F(Retention, WhatIsStillThereIsReadBehindWhatWasHeld) {
  ASSERT_FALSE(reader_.open());
  EXPECT_EQ(read_on(reader_, JournalNext::kEnd, 5), 5U);
  write_segments(30, 2);
  remove_behind(30);
  EXPECT_EQ(read_on(reader_, JournalNext::kEnd), 50U);
  EXPECT_EQ(reader_.files().size(), 5U);
}

TEST_F(Retention, WhatCameLaterAndWasSeenIsRead) {
  ASSERT_FALSE(reader_.open());
  EXPECT_EQ(read_on(reader_, JournalNext::kEnd, 5), 5U);
  write_segments(30, 2);
  EXPECT_EQ(read_on(reader_, JournalNext::kEnd, 15), 15U) << "a new segment, so the reader looks";
  write_segments(50, 2);
  remove_behind(65);
  EXPECT_EQ(read_on(reader_, JournalNext::kEnd), 50U);
}

TEST_F(Retention, ANameThatGoesBeforeItsFileIsOpenedIsLookedForAgain) {
  bool done = false;
  files_.on_open = [&](const std::string& path) {
    if (done || !path.ends_with(".journal")) return;
    done = true;
    remove_behind(20);
  };
  ASSERT_FALSE(reader_.open());
  EXPECT_TRUE(done);
  EXPECT_EQ(reader_.last_sequence(), 20U) << "the journal begins with record 21 now";
  EXPECT_EQ(read_on(reader_, JournalNext::kEnd), 30U);
}

// The first files are open already when a later one goes.
TEST_F(Retention, NorDoesAHalfHeldJournalEndEarly) {
  bool done = false;
  files_.on_open = [&](const std::string& path) {
    if (done || path != path_of(11)) return;
    done = true;
    remove_behind(20);
  };
  ASSERT_FALSE(reader_.open());
  EXPECT_TRUE(done);
  EXPECT_EQ(read_on(reader_, JournalNext::kEnd), 30U);
}

TEST_F(Retention, ARecordThatWentBeforeTheOpeningIsAFault) {
  bool done = false;
  files_.on_open = [&](const std::string& path) {
    if (done || !path.ends_with(".journal")) return;
    done = true;
    remove_behind(20);
  };
  EXPECT_EQ(reader_.open(5).text,
            "journal: the journal in j begins with record 21, and record 5 is asked for");
}

TEST_F(Retention, AMissingSegmentThatNoSnapshotExplainsIsDamage) {
  write_segments(30, 1);
  files_.remove(path_of(11));
  ASSERT_FALSE(reader_.open());
  EXPECT_EQ(read_on(reader_, JournalNext::kFault), 10U);
  EXPECT_NE(reader_.fault().text.find("records 11 to 20 should follow and are missing"),
            std::string::npos)
      << reader_.fault().text;
}

TEST_F(Retention, ANameWithoutAFileIsAFault) {
  files_.on_open = [&](const std::string& path) {
    // As a link that leads nowhere: listed, and not to be opened.
    if (path == path_of(11)) files_.rename(path, "elsewhere");
  };
  files_.on_opened = [&](const std::string& path) {
    if (path == path_of(11)) files_.rename("elsewhere", path);
  };
  ASSERT_FALSE(reader_.open());
  EXPECT_EQ(read_on(reader_, JournalNext::kFault), 10U);
  EXPECT_NE(reader_.fault().text.find(path_of(11)), std::string::npos) << reader_.fault().text;
}

TEST_F(Retention, MoreSegmentsThanAreHeldAtOnce) {
  constexpr core::Sequence kMore = SegmentsAhead::kHeldMax;
  write_segments(30, static_cast<int>(kMore));
  const core::Sequence last = 30 + 10 * kMore;
  {
    JournalReader other(files_, kFolder, ReadMode::kFollow);
    ASSERT_FALSE(other.open());
    EXPECT_EQ(read_on(other, JournalNext::kEnd), last);
  }
  ASSERT_FALSE(reader_.open());
  remove_behind(last - 10);
  EXPECT_EQ(read_on(reader_, JournalNext::kFault), 10 * kMore);
  EXPECT_NE(reader_.fault().text.find("removed before it could be read: read the journal again"),
            std::string::npos)
      << reader_.fault().text;
}

// ------------------------------------------------------------------- what the command line reads

// The kernel's file system, where something happens when a certain file is opened.
class Overtaking final : public PosixFileLayer {
 public:
  std::function<void(const std::string&)> before_open;
  int open(const std::string& path, OpenMode mode) noexcept override {
    if (mode == OpenMode::kRead && before_open) before_open(path);
    return PosixFileLayer::open(path, mode);
  }
};

class JournalInUse : public testing::Test {
 protected:
  JournalInUse() {
    const FileFault fault = owner_.take(path());
    EXPECT_FALSE(fault) << fault.text;
    journal_.start();
    journal_.run(2'000);
  }
  std::string path() const { return folder_.file("journal"); }

  core::Sequence first_there() {
    JournalListing listing;
    EXPECT_FALSE(list_journal(plain_, path(), listing));
    return listing.segments.front().sequence;
  }
  // As the engine's snapshotter does it.
  void retain() {
    SnapshotReport report;
    const Fault fault = make_snapshot(plain_, path(),
                                      {.up_to = journal_.writer().durable_sequence(),
                                       .window_slots = tests::RandomJournal::kWindowSlots,
                                       .remove_segments = true},
                                      report);
    EXPECT_FALSE(fault) << fault.text;
    EXPECT_FALSE(report.removed.empty());
  }
  // When a file of that kind is opened for the nth time, the engine has just removed the oldest.
  void retain_at(const std::string& suffix, int nth) {
    layer_.before_open = [this, suffix, nth](const std::string& file) {
      if (!file.ends_with(suffix) || ++opened_ != nth) return;
      journal_.run(500);
      retain();
    };
  }
  void expect_replayed(tools::JournalStart start) {
    tools::JournalInput input(layer_);
    const Fault fault = input.open(path(), start);
    ASSERT_FALSE(fault) << fault.text;
    const tools::ReplayOutcome outcome = tools::Replay(input, {}).run();
    EXPECT_FALSE(outcome.failed()) << outcome.fault.text;
    EXPECT_EQ(outcome.last_sequence, journal_.state().engine().last_sequence());
    EXPECT_EQ(outcome.digest, journal_.state().engine().digest());
  }

  TemporaryFolder folder_;
  PosixFileLayer plain_;
  Overtaking layer_;
  JournalFolder owner_{plain_};
  tests::RandomJournal journal_{plain_, folder_.file("journal"), 5};
  int opened_ = 0;
};

TEST_F(JournalInUse, IsReplayedThoughItsBeginningGoesMeanwhile) {
  for (const int nth : {1, 2, 5}) {
    opened_ = 0;
    journal_.run(1'000);
    const core::Sequence first = first_there();
    retain_at(".journal", nth);
    expect_replayed(tools::JournalStart::kBeginning);
    EXPECT_GT(first_there(), first);
  }
}

TEST_F(JournalInUse, IsReplayedThoughTheSnapshotGoesMeanwhile) {
  for (const tools::JournalStart start :
       {tools::JournalStart::kBeginning, tools::JournalStart::kSnapshot}) {
    journal_.run(1'000);
    retain();
    journal_.run(1'000);
    const core::Sequence first = first_there();
    opened_ = 0;
    retain_at(".snapshot", 1);
    expect_replayed(start);
    EXPECT_GT(first_there(), first);
  }
}

TEST_F(JournalInUse, IsVerifiedThoughFilesGoMeanwhile) {
  for (const char* suffix : {".journal", ".snapshot"}) {
    for (const int nth : {1, 2}) {
      journal_.run(1'000);
      retain();
      journal_.run(1'000);
      opened_ = 0;
      retain_at(suffix, nth);
      tools::Verification result;
      const Fault fault = tools::verify_journal(layer_, path(), {}, result);
      ASSERT_FALSE(fault) << fault.text;
      EXPECT_TRUE(result.damage.empty()) << suffix << " " << nth << ": " << result.damage.front();
      EXPECT_GE(opened_, nth);
    }
  }
}

}  // namespace
}  // namespace shmatch::ipc
