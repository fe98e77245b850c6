#include "tools/replay_minimize.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/configuration_bytes.h"
#include "ipc/journal_writer.h"
#include "tests/unit/replay_log.h"
#include "tools/log_writer.h"
#include "tools/replay_journal.h"
#include "tools/replay_output.h"

namespace shmatch::tools {
namespace {

class ScratchFolder {
 public:
  ScratchFolder() {
    char name[] = "/tmp/shmatch-minimize-test-XXXXXX";
    if (::mkdtemp(name) != nullptr) path_ = name;
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Many orders that have nothing to do with each other, and one that fills order `victim` before it
// is cancelled.
LogBuilder long_log() {
  LogBuilder log;
  log.logons();
  for (int i = 0; i < 20; ++i) log.order(in_turn(i), 'B', 3, 50 - i);
  log.order(0, 'B', 4, 100);  // order 21
  for (int i = 0; i < 10; ++i) log.cancel(in_turn(i), i + 1);
  log.order(1, 'S', 4, 100);  // fills it
  for (int i = 0; i < 10; ++i) log.order(in_turn(i), 'S', 3, 200 + i);
  log.cancel(0, 21);  // answered 104
  log.order(0, 'B', 1, 10);
  return log;
}

void write_expected(const LoadedLog& log, const std::string& path, const std::string& instead_of,
                    const std::string& with) {
  class Lines final : public LineTaker {
   public:
    bool take(std::string_view line) override {
      lines.emplace_back(line);
      return true;
    }
    std::vector<std::string> lines;
  } taker;
  ReportStream stream(taker);
  replay(log, {}, {&stream});
  std::ofstream file(path);
  int replaced = 0;
  for (std::string line : taker.lines) {
    const std::size_t place = line.find(instead_of);
    if (place != std::string::npos && replaced++ == 0) {
      line.replace(place, instead_of.size(), with);
    }
    file << line << '\n';
  }
  ASSERT_GT(replaced, 0);
}

TEST(Minimize, KeepsWhatMakesAReportWrong) {
  const ScratchFolder folder;
  const LogBuilder log = long_log();
  write_expected(log.log(), folder.file("expected"), R"("errorcode":104)", R"("errorcode":0)");
  MinimizeOptions options;
  options.expect = folder.file("expected");
  Minimized result;
  const ipc::Fault fault = minimize(log.log(), options, result);
  ASSERT_FALSE(fault) << fault.text;
  ASSERT_TRUE(result.failed);
  EXPECT_FALSE(result.cut_only);
  // alice's logon, and the cancel of an order that is not there: the code alone was asked for.
  EXPECT_EQ(result.log.size(), 2U);
}

TEST(Minimize, KeepsTheReasonAndRewritesOrderIds) {
  const ScratchFolder folder;
  const LogBuilder log = long_log();
  write_expected(log.log(), folder.file("expected"), "the order was filled by trade",
                 "the order was eaten by trade");
  MinimizeOptions options;
  options.expect = folder.file("expected");
  Minimized result;
  const ipc::Fault fault = minimize(log.log(), options, result);
  ASSERT_FALSE(fault) << fault.text;
  ASSERT_TRUE(result.failed);
  // Two logons, the order, the one that fills it, the cancel.
  ASSERT_EQ(result.log.size(), 5U);
  const core::Request last = core::decode_request(result.log.record(4).data());
  ASSERT_TRUE(last.is<core::CancelOrder>());
  EXPECT_EQ(last.as<core::CancelOrder>().order_id, 1) << "it is the smaller log's first order";

  // What was written is a journal that does the same.
  ASSERT_FALSE(write_journal(result.log, folder.file("small")));
  ipc::PosixFileLayer layer;
  JournalInput journal(layer);
  ASSERT_FALSE(journal.open(folder.file("small")));
  LoadedLog read_back;
  ASSERT_FALSE(load(journal, read_back));
  EXPECT_EQ(read_back.words, result.log.words);
  EXPECT_EQ(read_back.configuration, result.log.configuration);
}

TEST(Minimize, KeepsARecordThatCannotBeApplied) {
  LogBuilder log = long_log();
  log.end_session(6);
  Minimized result;
  ASSERT_FALSE(minimize(log.log(), {}, result));
  ASSERT_TRUE(result.failed);
  EXPECT_NE(result.failure.find("cannot be applied"), std::string::npos) << result.failure;
  EXPECT_EQ(result.log.size(), 1U);
}

TEST(Minimize, CutsBehindAWrongDigestMark) {
  LogBuilder log = long_log();
  log.mark(9, 0x1234);
  Minimized result;
  ASSERT_FALSE(minimize(log.log(), {}, result));
  ASSERT_TRUE(result.failed);
  EXPECT_TRUE(result.cut_only);
  EXPECT_EQ(result.log.size(), 9U);
  EXPECT_TRUE(replay(result.log).divergence.has_value()) << "it still diverges";
}

TEST(Minimize, FindsNothingWhereNothingFails) {
  Minimized result;
  ASSERT_FALSE(minimize(long_log().log(), {}, result));
  EXPECT_FALSE(result.failed);
}

TEST(LogWriter, JournalsKeepMarksAndConfigurationChanges) {
  const ScratchFolder folder;
  core::Configuration larger = small_configuration();
  larger.accounts.push_back(3);
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100).configure(larger).restart().logon(2, 10).cancel(2, 1);
  ReplaySettings settings;
  settings.until = 5;
  log.mark(5, replay(log.log(), settings).digest);
  ASSERT_FALSE(write_journal(log.log(), folder.file("journal")));

  ipc::PosixFileLayer layer;
  JournalInput journal(layer);
  ASSERT_FALSE(journal.open(folder.file("journal")));
  Replay run(journal, {});
  const ReplayOutcome outcome = run.run();
  ASSERT_FALSE(outcome.failed()) << outcome.fault.text;
  EXPECT_EQ(outcome.marks, 1U);
  EXPECT_EQ(journal.configuration_changes(), 1U);
  const ReplayOutcome direct = replay(log.log());
  EXPECT_EQ(outcome.digest, direct.digest);
  EXPECT_EQ(outcome.reports_digest, direct.reports_digest);
  EXPECT_EQ(outcome.records, log.log().size());
  EXPECT_TRUE(write_journal(log.log(), folder.file("journal"))) << "it holds a journal already";
}

// Marks come as late as the group behind theirs, groups may be as small as one record, and every
// group repeats the newest mark.
TEST(JournalInput, ChecksMarksThatComeLateAndEachOnce) {
  const ScratchFolder folder;
  LogBuilder log;
  log.logons();
  for (int i = 0; i < 80; ++i) log.order(in_turn(i), 'B', 1, 10 + i);
  ReplaySettings settings;
  settings.until = 7;
  const ipc::DigestMark mark{7, replay(log.log(), settings).digest};
  const std::string configuration = core::encode_configuration(log.log().configuration);
  ipc::PosixFileLayer layer;
  ipc::JournalFolder owner(layer);
  ASSERT_FALSE(owner.take(folder.file("journal")));
  ipc::JournalWriter writer(layer, folder.file("journal"), 4096);
  ipc::SegmentStart start;
  start.configuration = std::as_bytes(std::span(configuration));
  ASSERT_FALSE(writer.open(start));
  for (std::size_t place = 0; place < log.log().size(); ++place) {
    const bool known = place >= 7;
    ASSERT_FALSE(
        writer.append(log.log().record(place), place + 1, known ? mark : ipc::DigestMark{}));
  }
  ASSERT_FALSE(writer.close());

  JournalInput journal(layer);
  ASSERT_FALSE(journal.open(folder.file("journal")));
  InputBatch batch;
  std::uint64_t marks = 0;
  core::Sequence next = 1;
  while (journal.next(batch) == InputStream::Next::kBatch) {
    EXPECT_EQ(batch.first_sequence, next);
    next += batch.record_count;
    for (const ipc::DigestMark& found : batch.marks) {
      ++marks;
      EXPECT_EQ(found.sequence, 7U);
      EXPECT_LT(found.sequence, next);
      EXPECT_GE(found.sequence + 1, batch.first_sequence);
    }
  }
  EXPECT_EQ(next, log.log().size() + 1);
  EXPECT_EQ(marks, 1U);
  EXPECT_GT(journal.reader().files().size(), 1U) << "the test is about several segments, too";
}

TEST(LogWriter, FramesAreWhatTheRequestsWere) {
  const ScratchFolder folder;
  LogBuilder log;
  log.logons().order(0, 'B', 5, 100, 7).cancel(0, 1);
  ASSERT_FALSE(write_frames(log.log(), folder.file("frames")));
  std::ifstream file(folder.file("frames"));
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  EXPECT_EQ(line, R"({"m":0,"i":1,"n":"SendOrder","o":{"OMSId":1,"AccountId":1,"InstrumentId":3,)"
                  R"("ClientOrderId":7,"Side":"Buy","OrderType":"Limit","TimeInForce":"GTC",)"
                  R"("Quantity":5,"LimitPrice":100},"t":1700000002000000000,"u":"alice"})");
  ASSERT_TRUE(std::getline(file, line));
  EXPECT_NE(line.find(R"("n":"CancelOrder","o":{"OMSId":1,"OrderId":1})"), std::string::npos);
  EXPECT_FALSE(std::getline(file, line));
}

}  // namespace
}  // namespace shmatch::tools
